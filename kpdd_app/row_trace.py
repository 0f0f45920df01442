"""A row of the project as a recording for the Solve page: its texts stand there, its program runs again.

A chain of thought is read at once; nothing of it runs.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from kpdd_app.jobs import Job, Jobs
from kpdd_app.recording import Recording
from kpdd_app.solution_steps import add_event
from training_backend.events import Answer, StageEnded, StageStarted
from training_backend.project.details import FieldText, RowDetail
from training_backend.rationale.answers import equal, parse_number, read_answer
from training_backend.rationale.key_points import KeyPoints, render, split_items


def row_recording(detail: RowDetail) -> Recording:
    """Return what the teacher and the person wrote as stages that have ended; a trace is still to come."""
    kind, gold = detail.row.kind, parse_number(detail.gold.text)
    recording = Recording(detail.question.text, gold, kind)
    points = KeyPoints(detail.core_question.text, split_items(detail.information.text))
    if not points.is_empty():
        recording.add(StageStarted("key"))
        fields = {"core_question": points.core_question, "information": list(points.information)}
        recording.add(StageEnded("key", render(points), fields))
        recording.stages[0].by = _writer(detail, "key_points", detail.core_question, detail.information)
    recording.add(StageStarted("solve"))
    rationale = detail.rationale.text
    add_event(
        recording, StageEnded("solve", rationale, {"kind": kind, "rationale": rationale, kind: rationale})
    )
    recording.stages[-1].by = _writer(detail, "rationale", detail.rationale)
    if kind == "cot":
        recording.add(_read(rationale, gold))
    return recording


def _writer(detail: RowDetail, part: str, *fields: FieldText) -> str:
    """Return who wrote a part of a row."""
    origin = detail.origins.get(part)
    teacher = origin.teacher if origin is not None else "the teacher"
    return f"{teacher}, corrected" if any(one.corrected is not None for one in fields) else teacher


def _read(text: str, gold: float | None) -> Answer:
    read = read_answer(text)
    if read is None:
        return Answer("no_answer", gold=gold, error="The text holds no number.")
    same = None if gold is None else equal(read.value, gold)
    return Answer("ok", read.text, read.value, gold, same)


def start_trace(jobs: Jobs, detail: RowDetail) -> Job:
    """Run the row's program line by line in the sandbox; its file is removed when the job ends."""
    handle, name = tempfile.mkstemp(suffix=".txt", prefix="kpdd-trace-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(detail.rationale.text)
    words = ["trace", name, "--kind", detail.row.kind]
    gold = parse_number(detail.gold.text)
    if gold is not None:
        words += ["--gold", repr(gold)]
    job = jobs.start(f"Trace of row {detail.row.id}", words, background=True)

    def remove(_status: str) -> None:
        with contextlib.suppress(OSError):
            Path(name).unlink()

    job.ended.connect(remove)
    return job
