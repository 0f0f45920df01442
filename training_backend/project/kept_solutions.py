"""A solution that a person found good becomes a row of the project, with where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training_backend.errors import DatasetError
from training_backend.project.lines import storable
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.rationale.answers import format_number
from training_backend.rationale.key_points import KeyPoints

if TYPE_CHECKING:
    from training_backend.project.store import Project

DATASET = "solved"
SOURCE = "solve page"


def by_student(name: str, **details: Any) -> Origin:
    """Return the origin of what a student wrote; `name` is that of its run."""
    return Origin(f"student: {name}", name, SOURCE, details=details)


def by_person(**details: Any) -> Origin:
    """Return the origin of what a person wrote on the Solve page."""
    return Origin("person", "", SOURCE, details=details)


@dataclass(frozen=True)
class Kept:
    """The row of a kept solution; `new` is False when the project already had the same one."""

    row_id: int
    new: bool


def keep_solution(
    project: Project,
    question: str,
    gold: float | None,
    core_question: str,
    information: Sequence[str],
    kind: str,
    rationale: str,
    written_by: Origin,
    points_by: Origin | None = None,
) -> Kept:
    """Store a solution as a row and return it.

    A question that the project knows by its text gets another path, any other becomes a question of the
    dataset `solved`. `written_by` wrote the rationale, `points_by` (the same one without it) the key points.
    The row is not judged yet. DatasetError without a question or a rationale.
    """
    question, rationale = storable(question.strip()), storable(rationale)
    if not question or not rationale.strip():
        raise DatasetError("This solution has no question or no rationale.", "Solve the question first.")
    question_id = _question(project, question, gold)
    origin = add_origin(project, written_by)
    points_origin = add_origin(project, points_by) if points_by is not None else origin
    known = _same(project, question_id, kind, rationale, core_question, information)
    if known is not None:
        return Kept(known, False)
    points = KeyPoints(core_question, tuple(information))
    path = _next_path(project, question_id, kind)
    there = not points.is_empty()
    reply = Reply(question_id, kind, path, points if there else None, rationale, rationale_origin=origin,
                  key_points_origin=points_origin if there else 0)  # fmt: skip
    add_replies(project, [reply])
    with project.reading() as connection:
        (row,) = connection.execute(
            "SELECT row.id FROM row JOIN rationale ON rationale.id = row.rationale_id "
            "WHERE row.question_id = ? AND row.kind = ? AND row.path = ? AND rationale.origin_id = ?",
            (question_id, kind, path, origin),
        ).fetchone()
    return Kept(int(row), True)


def _question(project: Project, text: str, gold: float | None) -> int:
    """Return the id of the question with this text, added when there is none."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT id FROM question WHERE trim(coalesce(corrected_text, text)) = ? ORDER BY id LIMIT 1",
            (text,),
        ).fetchone()
    if found is not None:
        return int(found[0])
    native_id = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    gold_text = format_number(gold) if gold is not None else ""
    add_questions(project, [NewQuestion(DATASET, "train", native_id, text, gold_text, gold)])
    with project.reading() as connection:
        (added,) = connection.execute(
            "SELECT id FROM question WHERE dataset = ? AND split = 'train' AND native_id = ?",
            (DATASET, native_id),
        ).fetchone()
    return int(added)


def _same(
    project: Project, question_id: int, kind: str, rationale: str, core: str, information: Sequence[str]
) -> int | None:
    """Return a row of the question that says exactly this already."""
    items = "\n".join(" ".join(item.split()) for item in information)
    with project.reading() as connection:
        found = connection.execute(
            "SELECT row.id FROM row JOIN rationale ON rationale.id = row.rationale_id "
            "LEFT JOIN key_points ON key_points.id = row.key_points_id "
            "WHERE row.question_id = ? AND row.kind = ? "
            "AND coalesce(rationale.corrected_text, rationale.text) = ? "
            "AND coalesce(key_points.corrected_core_question, key_points.core_question, '') = ? "
            "AND coalesce(key_points.corrected_information, key_points.information, '') = ? LIMIT 1",
            (question_id, kind, rationale, storable(core), storable(items)),
        ).fetchone()
    return int(found[0]) if found is not None else None


def _next_path(project: Project, question_id: int, kind: str) -> int:
    with project.reading() as connection:
        (last,) = connection.execute(
            "SELECT max(path) FROM rationale WHERE question_id = ? AND kind = ?", (question_id, kind)
        ).fetchone()
    return 0 if last is None else int(last) + 1
