"""A row of the project as a recording for the Solve page: its texts stand there, its program runs again."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from kpdd_app.jobs import Job, Jobs
from kpdd_app.recording import Recording
from training_backend.events import StageEnded, StageStarted
from training_backend.project.details import RowDetail
from training_backend.rationale.answers import parse_number
from training_backend.rationale.key_points import KeyPoints, render, split_items


def row_recording(detail: RowDetail) -> Recording:
    """Return what the teacher and the person wrote as stages that have ended; the trace is still to come."""
    kind = detail.row.kind
    recording = Recording(detail.question.text, parse_number(detail.gold.text), kind)
    points = KeyPoints(detail.core_question.text, split_items(detail.information.text))
    if not points.is_empty():
        recording.add(StageStarted("key"))
        fields = {"core_question": points.core_question, "information": list(points.information)}
        recording.add(StageEnded("key", render(points), fields))
    recording.add(StageStarted("solve"))
    rationale = detail.rationale.text
    recording.add(StageEnded("solve", rationale, {"kind": kind, "rationale": rationale, kind: rationale}))
    return recording


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
