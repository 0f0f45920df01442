"""Repairing a damaged project file: the damaged one is kept, everything that can be read becomes a new file.

Where only an index or the search index is damaged, the tables are copied whole and their indices built anew.
Else each table is read by ranges of its ids, halved around every place that cannot be read; what hung on a
lost line is mended as far as the other tables know it, and what is lost is counted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import StoreError
from training_backend.project import lock, search
from training_backend.project.faults import Damaged, explained
from training_backend.project.repair_rows import mend, salvage
from training_backend.project.store import Project

if TYPE_CHECKING:
    from training_backend.events import Reporter


@dataclass(frozen=True)
class Repaired:
    """What a repair did: `problems` it found, where the damaged file is `kept`, what was `lost` by table.

    `kept` is None where nothing was damaged and nothing was changed. `restored` counts what was made again
    from what other tables knew of it: lines of the list in full, questions by their beginning. `uncounted`
    are the tables of which nothing tells where they ended, as in a file that was cut off.
    """

    problems: list[str]
    kept: Path | None = None
    lost: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    uncounted: list[str] = field(default_factory=list)


def repair(path: str | Path, reporter: Reporter | None = None) -> Repaired:
    """Repair a project file in place and return what was done.

    The file is replaced only after the new one passed every check; until then it is only read.
    StoreError: no project, of a newer version, in use by a window or a job, no room beside it, or so damaged
    that its list of tables cannot be read.
    """
    path = Path(path)
    with contextlib.ExitStack() as held:
        for holder in ("window", "job"):
            held.callback(_take(path, holder).release)
        problems = find_problems(path)
        if not problems:
            return Repaired([])
        new = path.with_name(f".{path.name}.repairing")
        try:
            with explained(path):
                _remove(new)
                lost, restored, uncounted = _make(path, new, reporter)
                shutil.copymode(path, new)
                kept = _keep(path)
                _remove_log(path)
                new.replace(path)
        finally:
            _remove(new)
    return Repaired(problems, kept, lost, restored, uncounted)


def find_problems(path: str | Path) -> list[str]:
    """Return everything that is wrong with a project file: its pages, indices and search index."""
    try:
        with Project.open(path, check=False, migrate=False) as project:
            return project.check(full=True)
    except Damaged as damage:
        return [damage.message]


def _take(path: Path, holder: str) -> lock.Lock:
    try:
        got = lock.acquire(path, holder)
    except OSError as error:
        raise StoreError("Its folder cannot be written.", "Copy the project to where you may write.",
                         where=str(path)) from error  # fmt: skip
    if isinstance(got, lock.Lock):
        return got
    raise StoreError(f"The project is in use ({got}).", "Close it there first.", where=str(path))


def _make(
    path: Path, new: Path, reporter: Reporter | None
) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Write the repaired project to `new`; return what was lost, restored and could not be counted."""
    if _copy_tables(path, new):
        return {}, {}, []
    _remove(new)
    with Project.create(new) as project:
        lost, uncounted = salvage(path, project, reporter)
        restored = mend(project, lost)
        search.catch_up(project)
        _require_whole(project, path)
    return {name: count for name, count in lost.items() if count}, restored, uncounted


def _copy_tables(path: Path, new: Path) -> bool:
    """Copy every table whole and build every index anew; False where a table cannot be read or disagrees."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            source.execute("VACUUM INTO ?", (str(new),))
            with contextlib.closing(sqlite3.connect(new)) as copy:
                copy.execute("PRAGMA journal_mode = WAL")
        with Project.open(new, migrate=False) as project:
            with project.writing() as connection:
                for table in ("search", "search_question"):
                    connection.exec_driver_sql(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
            return not project.check(full=True)
    except (sqlite3.DatabaseError, StoreError) as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            raise
        return False


def _require_whole(project: Project, path: Path) -> None:
    with project.reading() as connection:
        orphans = connection.execute("PRAGMA foreign_key_check").fetchone()
    problems = project.check(full=True)
    if problems or orphans:
        raise StoreError(f"The repair did not succeed ({problems or orphans}).",
                         "The file was not changed; open a backup.", where=str(path))  # fmt: skip


def _keep(path: Path) -> Path:
    """Give the damaged file, and its log, a second name; the bytes stay where they are."""
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            target = kept.with_name(kept.name + suffix)
            try:
                os.link(source, target)
            except OSError:
                shutil.copy2(source, target)
    return kept


def _remove_log(path: Path) -> None:
    # a log must never meet a file that it was not written for
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_log(path)


def summary(done: Repaired) -> str:
    """Return what a repair did, in sentences."""
    if done.kept is None:
        return "Nothing is damaged; the file was left as it is."
    lines = [f"Repaired. The damaged file is kept as {done.kept.name}."]
    lines += [f"  lost: {count:,} {_said(table)}" for table, count in sorted(done.lost.items())]
    if done.uncounted:
        ends = ", ".join(_said(table) for table in done.uncounted)
        lines.append(f"  lost too, and nothing tells how many: the last {ends}")
    elif not done.lost:
        lines.append("  nothing is lost: what was damaged could be made anew from the rest")
    if questions := done.restored.get("question", 0):
        lines.append(
            f"  {questions:,} of these questions stand again, by the beginning that the list had of them"
        )
    if rows := done.restored.get("row", 0):
        lines.append(f"  made anew: {rows:,} lines of the list, without their review, flag and note")
    return "\n".join(lines)


def _said(table: str) -> str:
    words = {
        "row": "lines of the list",
        "key_points": "key points",
        "change": "steps of the history",
        "change_item": "values of the history",
        "row_flag": "flags (they are looked for again)",
    }
    return words.get(table, table.replace("_", " ") + "s")
