"""A recording as the document that is exported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpdd_app.number_links import links_of
from kpdd_app.recording import Recording, split_key_points, stage_title
from kpdd_app.solution_steps import line_of, origin, why
from training_backend.events import Answer
from training_backend.students.solution_export import SolutionDocument, WrittenStage, step_data


def key_points_of(recording: Recording) -> tuple[str, list[str]]:
    """Return the core question and the information items: as read, else as they stand in the text."""
    core = ""
    items: list[str] = []
    for stage in recording.stages:
        if stage.role == "solve":
            continue
        parts = split_key_points(stage.written)
        labelled = [stage.written[start:end] for label, start, end in parts if label.isdigit()]
        asked = [stage.written[start:end] for label, start, end in parts if label == "core question"]
        core = str(stage.fields.get("core_question") or (asked[0] if asked else "") or core)
        items = [str(one) for one in stage.fields.get("information") or labelled] or items
    return core, items


def document_of(
    recording: Recording, students: str = "", origins: Mapping[str, Mapping[str, Any]] | None = None
) -> SolutionDocument:
    """Return the document of a recording, finished or not; `origins` says by role who wrote it, and how."""
    told = origins or {}
    core, items = key_points_of(recording)
    answer = recording.answer or Answer("not_run")
    follows = bool(recording.checks) or (recording.kind == "pot" and bool(len(recording.trace)))
    return SolutionDocument(
        question=recording.question,
        gold=recording.gold,
        kind=recording.kind,
        stages=[
            WrittenStage(
                stage.role,
                stage_title(stage.role, recording.kind),
                stage.written,
                [(token.text, round(token.probability, 4)) for token in stage.tokens],
                stage.by or str(told.get(stage.role, {}).get("name", "")),
                told.get(stage.role, {}),
            )
            for stage in recording.stages
        ],
        rationale=recording.program,
        answer={
            "verdict": answer.verdict, "answer_text": answer.answer_text, "value": answer.value,
            "equal": answer.equal, "error": answer.error, "error_line": answer.error_line,
        },
        students=students,
        information=items,
        core_question=core,
        records=recording.trace.records,
        checks=[
            step_data(step, why(step), origin(step), line_of(recording.checks, number))
            for number, step in enumerate(recording.checks, 1)
        ],
        unused=links_of(recording).unused if follows else (),
    )  # fmt: skip
