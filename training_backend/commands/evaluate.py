"""Measure students on a benchmark file or on questions of a project: two-stage answers, judged, scored.

The accuracy comes with Wilson's 95 % interval; answers that could not be read are shown apart and count as
wrong. With --project every prediction is stored there.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend import methods
from training_backend.errors import ArgumentError, ConfigError, StoreError, of_arguments
from training_backend.events import Control, Reporter
from training_backend.students.decoding_settings import ENGINES, DecodingSettings

if TYPE_CHECKING:
    from training_backend.evaluation.evaluate import BenchmarkQuestion
    from training_backend.project.store import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd evaluate`."""
    parser.add_argument("--students", required=True, metavar="RUN_FOLDER",
                        help="the run folder with the students, or: demo")  # fmt: skip
    parser.add_argument("--benchmark", type=Path, metavar="FILE", help="a benchmark file as published")
    parser.add_argument("--format", default="auto", help="the form of the file (default: found out)")
    parser.add_argument("--project", type=Path, metavar="PROJECT",
                        help="questions of this project, or with --benchmark where results go")  # fmt: skip
    parser.add_argument("--dataset", help="only questions of this data set; with a file: its name")
    parser.add_argument("--split", help="only questions of this split; with a file: its split")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--method", choices=sorted(methods.METHODS), help="solve as this method does")
    parser.add_argument("--kind", choices=[*sorted(methods.KINDS), "all"],
                        help="for students of several kinds: this one; all writes each kind for every "
                             "question and reports the ways to combine them beside each other")  # fmt: skip
    parser.add_argument("--engine", choices=ENGINES, default="auto",
                        help="what writes; ctranslate2-int8 is quicker and writes other texts now and then: "
                             "how often is measured first and said (default: %(default)s)")  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE.jsonl", help="write every prediction as a JSON line"
    )


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd evaluate`; return 0, or 1 when it was stopped."""
    if args.benchmark is None and args.project is None:
        raise ArgumentError("There is nothing to measure on.", "Give --benchmark FILE or --project PROJECT.")
    if args.limit is not None and args.limit < 1:
        raise ArgumentError(f"A limit of {args.limit} leaves no question.", "Give a number above 0.")
    if args.out is not None and not args.out.absolute().parent.is_dir():
        raise StoreError("The folder of --out does not exist.", "Make it first.", str(args.out))
    if args.project is None:
        return _measure(args, reporter, control, None)
    from training_backend.project.store import Project

    with Project.open(args.project, holder="job") as project:
        project.require_writable()
        return _measure(args, reporter, control, project)


def _measure(args: argparse.Namespace, reporter: Reporter, control: Control, project: Project | None) -> int:
    # questions first: a wrong file should not cost the loading of students
    questions, dataset, benchmark, notes = _questions(args, reporter, project)
    from training_backend.evaluation.evaluate import evaluate, summary
    from training_backend.evaluation.tables import as_line, as_text, wrong_as_data
    from training_backend.students.solving import Solver

    folder = students_folder(args.students)
    solver = Solver.load("demo" if args.students == "demo" else folder, args.method)
    if args.kind == "all" and len(solver.method.kinds) < 2:
        raise ConfigError(
            f"{solver.method.title} writes one kind only.", "Leave --kind out; nothing is to be combined."
        )
    decoding = DecodingSettings(engine=args.engine)
    engines = solver.engines(len(questions), decoding)
    if args.engine.startswith("ctranslate2"):
        notes = (
            *notes,
            *(f"{solver.method.role(name).title} wrote with {engine}." for name, engine in engines.items()),
        )
    report = evaluate(
        project, solver, questions, reporter, control, students=_name(args.students),
        method=solver.method.key, benchmark=benchmark, kind=args.kind,
        run_id=_run_id(project, folder), notes=(*notes, *_notes(folder, questions)),
        settings={"kind": args.kind, "limit": args.limit, "dataset": args.dataset, "split": args.split,
                  "engines": engines},
        decoding=decoding,
    )  # fmt: skip
    if args.out is not None:
        _write(args.out, [as_line(one) for one in report.predictions])
    data: dict[str, Any] = {**summary(report), "evaluation_id": report.evaluation_id}
    reporter.result({**data, "not_equal": wrong_as_data(report)}, as_text(report, dataset))
    return 1 if report.stopped else 0


def students_folder(name: str) -> Path:
    """Return the run folder that `--students` names; `demo` is the shipped one."""
    if name == "demo":
        from training_backend.paths import demo_students_dir

        return demo_students_dir()
    folder = Path(name)
    if not folder.is_dir():
        raise ConfigError("There is no such folder of students.", "Give a run folder, or: demo.", name)
    return folder


def _questions(
    args: argparse.Namespace, reporter: Reporter, project: Project | None
) -> tuple[Sequence[BenchmarkQuestion], str, str, tuple[str, ...]]:
    """Return the questions, the data set's name, what to call the benchmark, and notes about the file."""
    if args.benchmark is not None:
        return _from_file(args, reporter)
    assert project is not None
    from training_backend.project.questions import questions, require_known

    require_known(project, args.dataset, args.split)
    found = list(questions(project, dataset=args.dataset, split=args.split, limit=args.limit))
    names = sorted({one.dataset for one in found})
    dataset = names[0] if len(names) == 1 else ""
    return found, dataset, " ".join(filter(None, [", ".join(names), args.split])), ()


def _from_file(
    args: argparse.Namespace, reporter: Reporter
) -> tuple[Sequence[BenchmarkQuestion], str, str, tuple[str, ...]]:
    from training_backend.project.question_file import Unreadable, read_questions, require_format

    with of_arguments():
        require_format(args.format)
    unreadable, found = [], []
    entries = read_questions(args.benchmark, args.format, args.dataset, args.split)
    for entry in entries:
        if isinstance(entry, Unreadable):
            unreadable.append(entry)
        else:
            found.append(entry)
        if args.limit is not None and len(found) >= args.limit:
            break
    if not found:
        raise ConfigError(
            "The file holds no question.", "Choose another one or --format.", str(args.benchmark)
        )
    first = found[0]
    notes: tuple[str, ...] = ()
    if unreadable:
        notes = (f"{len(unreadable):,} places of the file hold no question that can be read, and are not "
                 f"measured; the first: {unreadable[0]}",)  # fmt: skip
        for entry in unreadable[:5]:
            reporter.log(str(entry), "warning")
    return found, first.dataset, " ".join(filter(None, [first.dataset, first.split])), notes


def _run_id(project: Project | None, folder: Path) -> int | None:
    """Return the project's run that lies in `folder`, if it is one of its runs."""
    if project is None:
        return None
    from training_backend.project.runs import runs

    for one in runs(project):
        if (project.path.parent / one.folder).resolve() == folder.resolve():
            return one.id
    return None


def _notes(folder: Path, questions: Sequence[BenchmarkQuestion]) -> tuple[str, ...]:
    from training_backend.evaluation.overlap import trained_on

    seen = trained_on(folder, (one.text for one in questions))
    if not seen:
        return ()
    return (f"{seen:,} of these {len(questions):,} questions were in the training data of the students: "
            "the accuracy says what was remembered, not what was learned.",)  # fmt: skip


def _name(students: str) -> str:
    return "demo students" if students == "demo" else Path(students).resolve().name


def _write(file: Path, lines: list[str]) -> None:
    try:
        file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"The predictions cannot be written: {error.strerror}.", where=str(file)) from None
