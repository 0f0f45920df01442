"""Look for what is odd about the rows of a project: leaks, numbers from nowhere, answers that disagree,
duplicates, questions near a benchmark, gold answers in dispute, texts that a student cannot carry.

Only questions that changed since the last time are looked at; --all looks at every one. With --student rows
are checked against a student (demo, a run folder, a student's folder, one with a tokenizer.json, or none);
the choice is kept in the project. --follow stays and looks whenever somebody changes the project.

examples:
  kpdd flags my.kpdd
  kpdd flags my.kpdd --student my.runs/NAME
  kpdd export my.kpdd suspects.jsonl --where flags=answer_in_key_points
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import ArgumentError
from training_backend.events import Control, Reporter, RowsChanged

if TYPE_CHECKING:
    from training_backend.project.flag_rules import Fit
    from training_backend.project.flagging import Done
    from training_backend.project.store import Project

_NONE = "none"
# a window is told of changed rows so often at most, and a follower looks for changes so often
_TELL_S = 1.0
_LOOK_S = 0.1
# somebody who types or generates is left alone until so long nothing came, or until so long ago it began
_QUIET_S, _PATIENCE_S = 0.8, 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")
    parser.add_argument("--student", metavar="FOLDER",
                        help="check rows against this student: demo, a folder, or none")  # fmt: skip
    parser.add_argument("--longest", nargs=2, type=int, metavar=("SOURCE", "TARGET"),
                        help="with --student: the tokens it reads and writes at most, where a run will hold "
                             "others than its own")  # fmt: skip
    parser.add_argument("--all", action="store_true", help="look at every question again")
    parser.add_argument("--follow", action="store_true",
                        help="stay, and look whenever something changed, until told to stop")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Look at what is due and say how many rows have which flag."""
    from training_backend.project import flagging
    from training_backend.project.store import Project

    if args.longest and (args.student in (None, _NONE) or min(args.longest) < 1):
        raise ArgumentError(
            "--longest takes two numbers of tokens, and the student that reads and writes them.",
            "kpdd flags PROJECT --student FOLDER --longest 512 512",
        )
    with Project.open(args.project) as project:
        project.require_writable()
        if args.student is not None:
            _choose(project, args.student, tuple(args.longest) if args.longest else None)
        if args.all:
            flagging.mark_all(project)
        if args.follow:
            if hasattr(os, "nice"):
                os.nice(10)
            _follow(project, reporter, control)
            return 0
        began = time.monotonic()
        done = _look(project, reporter, control)
        counts = flagging.flag_counts(project)
        took = time.monotonic() - began
        result = {
            "questions": done.questions, "rows": done.rows, "changed": done.changed,
            "complete": done.complete, "due": flagging.due_count(project), "seconds": round(took, 3),
            "student": flagging.chosen_student(project), "flags": counts,
        }  # fmt: skip
        reporter.result(result, _said(done, counts))
    return 0 if done.complete else 1


def _choose(project: Project, student: str, longest: tuple[int, int] | None) -> None:
    from training_backend.project.flagging import choose_student
    from training_backend.students.fit import fit_for

    if student in ("", _NONE):
        choose_student(project, "")
        return
    # a folder that holds no student is refused before anything is written
    fit_for(student)
    a_folder = student != "demo" and Path(student).is_dir()
    choose_student(project, str(Path(student).absolute()) if a_folder else student, longest)


def _fit(project: Project, reporter: Reporter) -> Fit | None:
    """Return the check of the student chosen for this project; None where there is none any more."""
    from training_backend.errors import KpddError
    from training_backend.project.flagging import chosen_longest, chosen_student

    student = chosen_student(project)
    if not student:
        return None
    from training_backend.students.fit import fit_for

    try:
        return fit_for(student, chosen_longest(project))
    except KpddError as error:
        reporter.log(f"Rows are not checked against a student: {error}", "warning")
        return None


def _look(project: Project, reporter: Reporter, control: Control) -> Done:
    from training_backend.project.flagging import Flagging

    teller = _Teller(reporter)
    done = Flagging(project, _fit(project, reporter)).run(lambda: control.stop_requested, teller.tell)
    teller.finish(done)
    return done


def _follow(project: Project, reporter: Reporter, control: Control) -> None:
    """Look at what is due, again and again; the index of benchmark questions is kept between two looks."""
    from contextlib import closing

    from training_backend.project.flagging import Flagging, chosen_longest, chosen_student

    student: tuple[str, tuple[int, int] | None] | None = None
    flagging: Flagging | None = None
    with closing(project.reader()) as connection:

        def due() -> tuple[int, int]:
            return connection.execute("SELECT count(*), coalesce(sum(times), 0) FROM flag_due").fetchone()

        seen = -1
        while not control.stop_requested:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version == seen or not due()[0]:
                seen = version
                time.sleep(_LOOK_S)
                continue
            seen = version
            _wait_for_quiet(due, control)
            chosen = chosen_student(project), chosen_longest(project)
            if flagging is None or student != chosen:
                student = chosen
                flagging = Flagging(project, _fit(project, reporter))
            teller = _Teller(reporter)
            teller.finish(flagging.run(lambda: control.stop_requested, teller.tell))


def _wait_for_quiet(due, control: Control) -> None:
    began = changed = time.monotonic()
    last = due()
    while not control.stop_requested and time.monotonic() - began < _PATIENCE_S:
        time.sleep(_LOOK_S)
        now = due()
        if now != last:
            last, changed = now, time.monotonic()
        elif time.monotonic() - changed >= _QUIET_S:
            return


class _Teller:
    """Says how far the work is, and which rows changed, at most once a second."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._told = 0
        self._told_at = time.monotonic()

    def tell(self, done: Done, total: int) -> None:
        self._reporter.progress("questions", done.questions, total)
        if time.monotonic() - self._told_at >= _TELL_S:
            self.finish(done)

    def finish(self, done: Done) -> None:
        self._told_at = time.monotonic()
        if done.changed > self._told:
            self._reporter.emit(RowsChanged(count=done.changed - self._told))
            self._told = done.changed


def _said(done: Done, counts: dict[str, int]) -> str:
    from training_backend.project.flags import BY_NAME

    lines = [f"{done.questions:,} questions with {done.rows:,} rows were looked at."]
    lines += ["" if done.complete else "Stopped; the rest is looked at the next time."]
    lines += [f"{count:>9,}  {BY_NAME[name].title}" for name, count in counts.items() if count]
    if not any(counts.values()):
        lines.append("Nothing odd was found.")
    return "\n".join(line for line in lines if line)
