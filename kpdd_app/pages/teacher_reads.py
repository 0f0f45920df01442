"""What the Teacher page reads from the project, off the window's thread."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpdd_app.widgets.generation_view import how_it_ended
from training_backend.paths import user_data_dir
from training_backend.project.listing import Listing, RowFilter

if TYPE_CHECKING:
    from kpdd_app.pages.teacher_wanted import Wanted
    from training_backend.project.saved_filters import SavedFilter
    from training_backend.project.store import Project
    from training_backend.teacher.cost import Estimate
    from training_backend.teacher.prompt_store import StoredPrompt
    from training_backend.teacher.prompts import Prompt
    from training_backend.teacher.teacher_config import TeacherConfig
    from training_backend.teacher.trying import SampleRow


@dataclass(frozen=True)
class Found:
    """Teachers, data sets with splits, and kept filters of a project."""

    teachers: Sequence[TeacherConfig]
    datasets: Sequence[tuple[str, str, int]]
    filters: Sequence[SavedFilter]


@dataclass(frozen=True)
class LastRun:
    """A teacher's last run: its events, whether somebody works on it now, how it and its rows stand."""

    title: str
    folder: Path
    working: bool
    counts: Any
    note: str
    settings: Mapping[str, Any]
    failed: bool
    states: Mapping[str, int]


def find_all(project: Project) -> Found:
    """Return what the page offers."""
    from training_backend.project.questions import datasets
    from training_backend.project.saved_filters import saved_filters
    from training_backend.teacher.teacher_config import teachers

    return Found(teachers(project), datasets(project), saved_filters(project))


def find_row(project: Project, number: int) -> SampleRow:
    """Return the question with this number, from 0."""
    from training_backend.teacher.trying import sample_row

    return sample_row(project, number)


def write_rows(project: Project, wanted: RowFilter | Sequence[int]) -> Path:
    """Write the numbers of rows, or of those of a filter, one a line, and return the file."""
    rows = _rows(project, wanted) if isinstance(wanted, RowFilter) else wanted
    text = "\n".join(map(str, rows)) + "\n"
    folder = user_data_dir() / "rows"
    folder.mkdir(exist_ok=True)
    file = folder / f"{hashlib.sha256(str(project.path).encode()).hexdigest()[:16]}.txt"
    file.write_text(text, encoding="utf-8")
    return file


def estimate(project: Project, config: TeacherConfig, wanted: Wanted) -> Estimate | None:
    """Return what the rest of a run takes, None where it has no question."""
    from training_backend.project.questions import questions
    from training_backend.teacher.another_path import meant
    from training_backend.teacher.run_estimate import estimate_run
    from training_backend.teacher.run_spec import spec_of
    from training_backend.teacher.trying import questions_of_rows

    if wanted.concurrency:
        config = dataclasses.replace(config, settings={**config.settings, "concurrency": wanted.concurrency})
    if wanted.again is not None:
        name, rows = wanted.again.name, wanted.again.row_ids
        spec, about = meant(project, spec_of(config, (), wanted.paths, wanted.one_call, another=name), rows)
        return estimate_run(project, config, spec, list(questions(project, ids=about))) if about else None
    ids = None if wanted.rows is None else questions_of_rows(project, _rows(project, wanted.rows))
    found = list(questions(project, wanted.dataset or None, wanted.split or None, ids, wanted.limit or None))
    if not found:
        return None
    return estimate_run(project, config, spec_of(config, wanted.kinds, wanted.paths, wanted.one_call), found)


def last_run(project: Project, teacher: str) -> LastRun | None:
    """Return a teacher's last run, but first the one that somebody works on now; None without any."""
    from training_backend.project.lock import Lock, acquire
    from training_backend.teacher.requests import counts, runs
    from training_backend.teacher.run_states import run_states

    found = runs(project)
    under_way = [run for run in found if run.status in ("running", "paused")]
    working = False
    if under_way:
        held = acquire(project.path, "job")
        working = not isinstance(held, Lock)
        if isinstance(held, Lock):
            held.release()
    chosen = under_way[:1] if working else [run for run in found if run.teacher == teacher][:1]
    if not chosen:
        return None
    run = chosen[0]
    # what ended a run is told with what ended it; a budget is no fault
    problem = "" if run.status == "budget" else run.problem
    stood = counts(project, run.id)
    note = " ".join(part for part in (how_it_ended(run.status, stood.waiting), problem) if part)
    return LastRun(f"{run.teacher} · {run.model}", project.path.parent / run.folder, working, stood, note,
                   run.settings, run.status == "failed", run_states(project, run.id))  # fmt: skip


def find_prompts(project: Project) -> dict[str, Prompt]:
    """Return the prompts in use by name."""
    from training_backend.teacher.prompt_store import prompts

    return prompts(project)


def find_versions(project: Project, name: str) -> list[StoredPrompt]:
    """Return the kept versions of a prompt, the newest first."""
    from training_backend.teacher.prompt_store import versions

    return versions(project, name)


def keep_prompt(project: Project, prompt: Prompt) -> None:
    """Keep a prompt as a version and use it from now on."""
    from training_backend.teacher.prompt_store import save_prompt

    save_prompt(project, prompt)


def _rows(project: Project, wanted: RowFilter) -> list[int]:
    listing = Listing(project.path)
    try:
        return [int(row) for row in listing.ids(wanted)]
    finally:
        listing.close()
