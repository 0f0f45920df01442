"""Running the programs of rows in the sandbox and storing what comes out: a few, or very many in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kpdd_app.long_work import Report

if TYPE_CHECKING:
    from training_backend.execution.runner import ProgramRunner
    from training_backend.project.store import Project


def judge(project: Project, ids: list[int], runner: ProgramRunner) -> int:
    """Judge rows as their texts stand now; return how many."""
    from training_backend.execution.judge import judge_many
    from training_backend.project.judgements import store_judgements, to_judge

    items = list(to_judge(project, only_not_run=False, row_ids=ids))
    return store_judgements(project, judge_many(items, runner))


def judge_in_parts(
    project: Project,
    ids: list[int],
    at_once: int,
    report: Report,
    done_with: Callable[[ProgramRunner], None],
) -> int:
    """Judge rows `at_once` at a time in a runner of their own; return how many.

    `report` hears how far it is and may end it; `done_with` looks at the runner after each part.
    """
    from training_backend.execution.runner import ProgramRunner

    stored = 0
    with ProgramRunner() as runner:
        for start in range(0, len(ids), at_once):
            stored += judge(project, ids[start : start + at_once], runner)
            done_with(runner)
            if not report(min(start + at_once, len(ids)), len(ids)):
                break
    return stored
