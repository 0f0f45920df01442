"""What came of a run's answers: its rows by their verdict, the rows of earlier starts among them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from training_backend.methods import KINDS
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.teacher.requests import ONE_CALL

if TYPE_CHECKING:
    from training_backend.project.store import Project

UNJUDGED = "not_run"


def run_states(project: Project, run_id: int) -> dict[str, int]:
    """Return how many rows of a run's answers stand at each verdict now; what is not judged yet is left out.

    A row counts with the text that stands, a person's correction too; a row that was deleted does not.
    """
    with project.reading() as connection:
        line = connection.execute(
            "SELECT teacher, model, settings FROM teacher_run WHERE id = ?", (run_id,)
        ).fetchone()
        if line is None:
            return {}
        of_run = _origins(json.loads(line[2]))
        known = connection.execute(
            "SELECT id, prompt_version, source, details FROM origin WHERE teacher = ? AND model = ?", line[:2]
        )
        origins = [number for number, *about in known if tuple(about) in of_run]
        found = connection.execute(
            f"""SELECT w.verdict, count(*) FROM request AS q
                JOIN rationale AS r ON r.question_id = q.question_id AND r.kind = q.kind AND r.path = q.path
                JOIN row AS w ON w.rationale_id = r.id
                WHERE q.run_id = ? AND q.status = 'done' AND q.kind <> '' AND r.origin_id IN {ID_LIST}
                GROUP BY w.verdict""",
            (run_id, ids_json(origins)),
        ).fetchall()
    return {verdict: count for verdict, count in found if verdict != UNJUDGED}


def _origins(settings: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Return (prompt version, source, details) of what a run's rationales come from, as origins have them."""
    ask = settings.get("ask") or {}
    parameters = {name: ask.get(name) for name in ("temperature", "top_p", "max_tokens", "structured")}
    versions = settings.get("prompts") or {}
    return {
        (versions[name], str(settings.get("source", "")),
         json.dumps({"prompt": name, **parameters}, sort_keys=True, default=str))
        for name in (ONE_CALL, *KINDS) if name in versions
    }  # fmt: skip
