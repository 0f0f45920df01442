"""Which students can solve: the demo students, the runs of the project, a folder somebody chose."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training_backend import methods, paths
from training_backend.errors import KpddError

DEMO = "demo"
NO_DEMO = (
    "The demo students are not installed. `kpdd make-demo-students` trains them again in some minutes; "
    "or choose the students of a run."
)


@dataclass(frozen=True)
class Choice:
    """One entry of the list: its title, what the worker is told, and the method whose students these are."""

    title: str
    students: str
    method: str
    folder: Path | None = None
    problem: str = ""
    folders: dict[str, Path] = field(default_factory=dict)
    limit: int = 0
    writers: dict[str, str] = field(default_factory=dict)
    """Titles of the runs whose students have a role here, where they are not all of one."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles in the order in which they work."""
        return tuple(role.name for role in methods.get(self.method).roles)

    def writer(self, role: str) -> str:
        """Return the title of the run whose student has a role."""
        return self.writers.get(role, self.title)

    @property
    def kind(self) -> str:
        """Return the first kind of rationale that these students write."""
        return methods.get(self.method).kinds[0]


def demo_choice() -> Choice:
    """Return the shipped demo students."""
    try:
        folder = paths.demo_students_dir()
    except FileNotFoundError:
        folder = Path("demo_students")
    choice = folder_choice(folder)
    if choice.problem:
        choice = dataclasses.replace(choice, problem=NO_DEMO)
    return dataclasses.replace(choice, title="Demo students", students=DEMO, folder=folder)


def folder_choice(folder: Path, title: str = "") -> Choice:
    """Return a run folder as an entry; what is wrong with it stands in `problem`."""
    from training_backend.students.run_config import RunConfig
    from training_backend.students.run_folder import RunFolder

    try:
        run = RunFolder.open(folder)
        usable = run.usable_students()
        missing = [role.title for role in run.method.roles if role.name not in usable]
        problem = f"The student {' and '.join(missing)} has no checkpoint yet." if missing else ""
        return Choice(
            title or run.title,
            str(folder),
            run.method.key,
            folder,
            problem,
            usable,
            run.config.max_source_tokens,
        )
    except KpddError as error:
        # which method it was is not known; the usual one stands there
        return Choice(title or folder.name, str(folder), RunConfig.method, folder, str(error))


def run_choices(project_path: Path, runs: Iterable[Any]) -> list[Choice]:
    """Return the runs of a project that can solve, the newest first; those of one title by folder too."""
    found = []
    for run in sorted(runs, key=lambda run: run.id, reverse=True):
        folder = Path(run.folder)
        folder = folder if folder.is_absolute() else project_path.parent / folder
        choice = folder_choice(folder, run.title)
        if not choice.problem:
            found.append(choice)
    titles = Counter(choice.title for choice in found)
    return [
        dataclasses.replace(choice, title=f"{choice.title} ({_short(choice)})")
        if titles[choice.title] > 1
        else choice
        for choice in found
    ]


def _short(choice: Choice) -> str:
    """Return the name of a run's folder without the method, which stands in its title."""
    return Path(choice.students).name.replace(f"-{choice.method}", "")
