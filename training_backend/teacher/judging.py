"""Judging what a run stored: every row that has a text and no judgement yet."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from training_backend.execution.judge import judge_many
from training_backend.project.judgements import store_judgements, to_judge

if TYPE_CHECKING:
    from training_backend.events import Control
    from training_backend.execution.runner import ProgramRunner
    from training_backend.project.store import Project
    from training_backend.rationale.judgement import Judgement

_WRITE_EVERY_S = 0.25


class Judging:
    """Judges the stored rows of a project again and again; `by_state` counts what came of them."""

    def __init__(self, project: Project, programs: ProgramRunner, control: Control) -> None:
        """Run programs with `programs`, until `control` wants a stop."""
        self._project, self._programs, self._control = project, programs, control
        self.by_state: Counter[str] = Counter()

    def judge_stored(self) -> int:
        """Judge every row that has a text and no judgement, until a stop; return how many were judged.

        The rows that a killed run left are among them. Judgements are written in small pieces: a program
        that runs for seconds holds no lock on the project.
        """
        piece: list[tuple[int, Judgement]] = []
        written = time.monotonic()
        judged = 0
        if self._control.stop_requested:
            return judged
        for row_id, judgement in judge_many(list(to_judge(self._project)), self._programs):
            piece.append((row_id, judgement))
            judged += 1
            if time.monotonic() - written > _WRITE_EVERY_S:
                self._store(piece)
                piece, written = [], time.monotonic()
            if self._control.stop_requested:
                break
        self._store(piece)
        return judged

    def _store(self, piece: list[tuple[int, Judgement]]) -> None:
        if piece:
            store_judgements(self._project, piece)
            self.by_state.update(judgement.state for _, judgement in piece)
