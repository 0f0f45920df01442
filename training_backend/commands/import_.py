"""Read questions into a project: GSM8K, SVAMP, ASDiv and MultiArith as their authors publish them,
PAL's files, and any JSONL, JSON, CSV or Parquet file; what a teacher wrote comes in by --map; another
project is merged, both histories kept; --download fetches benchmarks. Importing twice changes nothing.

A file of which places cannot be read is not imported, unless --keep-good asks for the rest.

examples:
  kpdd import arithmetic.kpdd train.jsonl test.jsonl
  kpdd import arithmetic.kpdd ASDiv.xml --dataset asdiv --split test
  kpdd import arithmetic.kpdd mine.csv --map question=prompt --map gold=label
  kpdd import arithmetic.kpdd written.jsonl --map id=id --map pot=completion --dataset gsm8k --split test
  kpdd import arithmetic.kpdd a-colleagues.kpdd
  kpdd import arithmetic.kpdd --download gsm8k --download svamp
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ArgumentError, DatasetError, of_arguments
from training_backend.events import Control, Failed, Reporter, RowsChanged

if TYPE_CHECKING:
    from training_backend.project.importers import ImportReport
    from training_backend.project.merge_report import MergeReport
    from training_backend.project.store import Project

_LISTED = 20  # unreadable places shown to a person; --json gives a thousand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE",
                        help="files with questions (also .gz), or other projects")  # fmt: skip
    parser.add_argument("--format", default="auto",
                        help="auto (default), gsm8k, svamp, asdiv, multiarith, pal or generic")  # fmt: skip
    parser.add_argument("--dataset", help="the data set's name; default: told by the file")
    parser.add_argument("--split", help="train, test, …; default: told by the file's name")
    parser.add_argument("--map", action="append", default=[], metavar="WHAT=COLUMN",
                        help="which column holds what: question, gold, id, dataset, split, core_question, "
                             "information, cot, pot, eot, rationale with kind, path")  # fmt: skip
    parser.add_argument("--teacher", default="recorded", help="who wrote what --map says a teacher wrote")
    parser.add_argument("--keep-good", action="store_true",
                        help="import what can be read although other places cannot")  # fmt: skip
    parser.add_argument("--download", action="append", default=[], metavar="NAME",
                        help="fetch and import a benchmark; `list` names them with their licences; "
                             "OWNER/NAME is a data set of the hub")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Import the files one after the other; a file that cannot be used does not keep the others out."""
    if args.download == ["list"]:
        return _list_benchmarks(reporter)
    if not args.files and not args.download:
        raise ArgumentError(
            "There is nothing to import.", "Name a file, or a benchmark with --download NAME."
        )
    return _Importing(args, reporter, control).run()


class _Importing:
    """The work of one command: every file in turn, and what is told of each."""

    def __init__(self, args: argparse.Namespace, reporter: Reporter, control: Control) -> None:
        from training_backend.project.column_mapping import read_words
        from training_backend.project.question_file import require_format

        self._args, self._reporter, self._control = args, reporter, control
        with of_arguments():
            require_format(args.format)
            self._mapping = read_words(args.map) if args.map else None
        self._reports: list[dict[str, Any]] = []
        self._texts: list[str] = []
        self._failed = 0

    def run(self) -> int:
        from training_backend.project.store import Project

        with Project.open(self._args.project, holder="job") as project:
            project.require_writable()
            for file in self._args.files:
                self._try(str(file), lambda file=file: self._import(project, file, {}))
            for name in self._args.download:
                self._try(name, lambda name=name: self._fetch(project, name))
        self._reporter.result(
            {"project": str(self._args.project), "files": self._reports}, "\n".join(self._texts)
        )
        return 1 if self._failed or self._control.stop_requested else 0

    def _try(self, name: str, work) -> None:
        if self._control.stop_requested:
            return
        try:
            work()
        except DatasetError as error:
            self._failed += 1
            self._reporter.emit(Failed(message=error.message, hint=error.hint, where=error.where))
            parts = {"message": error.message, "hint": error.hint, "where": error.where}
            self._reports.append({"file": name, "error": str(error), **parts})
            if not self._args.events:
                print(f"kpdd import: {error}", file=sys.stderr)

    def _import(self, project: Project, file: Path, names: dict[str, str]) -> None:
        from training_backend.project.file_kinds import is_database
        from training_backend.project.importers import import_file
        from training_backend.project.merging import merge_project

        if is_database(file):
            merged = merge_project(project, file, self._reporter, self._control)
            self._tell(file, merged, merged.changed_rows, _describe_merge(file, merged))
            return
        args = self._args
        report = import_file(
            project,
            file,
            args.format,
            args.dataset or names.get("dataset"),
            args.split or names.get("split"),
            self._reporter,
            self._control,
            mapping=self._mapping,
            keep_good=args.keep_good,
            teacher=args.teacher,
        )
        self._failed += report.refused
        self._tell(file, report, report.added + report.replies, _describe(file, report))

    def _fetch(self, project: Project, name: str) -> None:
        from training_backend.project.downloads import fetch

        for file in fetch(name, reporter=self._reporter, control=self._control):
            names = {"dataset": file.dataset, "split": file.split}
            self._import(project, file.path, {key: value for key, value in names.items() if value})

    def _tell(self, file: Path, report: ImportReport | MergeReport, rows: int, text: str) -> None:
        self._reporter.emit(RowsChanged(count=rows))
        self._reports.append({"file": str(file), **dataclasses.asdict(report)})
        self._texts.append(text)


def _list_benchmarks(reporter: Reporter) -> int:
    from training_backend.project.downloads import BENCHMARKS

    lines = [
        f"{mark.name:<12} {mark.questions:>6,} questions  {mark.bytes / 1e6:5.1f} MB  {mark.licence:<13} "
        f"{mark.title}, {mark.origin}"
        for mark in BENCHMARKS.values()
    ]
    reporter.result(
        {"benchmarks": [dataclasses.asdict(mark) for mark in BENCHMARKS.values()]}, "\n".join(lines)
    )
    return 0


def _describe(file: Path, report: ImportReport) -> str:
    bad = f"{_some(report.unreadable_count, 'places')} could not be read"
    if report.refused:
        lines = [
            f"{file.name}: nothing was imported, as {bad}. With --keep-good the other "
            f"{_some(report.readable, 'records')} can go in."
        ]
    elif report.stopped and not report.added and not report.existing:
        lines = [f"{file.name}: stopped before anything was imported"]
    else:
        lines = [
            f"{file.name}: {_some(report.added, 'questions')} added as {report.dataset}/{report.split}, "
            f"{report.existing:,} were there already"
            + (f", {_some(report.replies, 'answers')} of a teacher added" if report.replies else "")
            + (f", {bad}" if report.unreadable_count else "")
            + (" (stopped)" if report.stopped else "")
        ]
    if report.different:
        lines.append(
            f"  {report.different:,} of those that were there have another text under the same number; "
            "they were left as they are. For other questions give another --dataset or --split."
        )
    lines += [f"  {place}" for place in report.unreadable[:_LISTED]]
    if report.unreadable_count > _LISTED:
        lines.append(f"  … and {report.unreadable_count - _LISTED:,} more (--json lists up to a thousand)")
    return "\n".join(lines)


_ONE = {"places": "place", "sets of key points": "set of key points",
        "entries of their history": "entry of their history", "versions of prompts": "version of a prompt",
        "runs of teachers": "run of a teacher", "replies of teachers": "reply of a teacher",
        "requests to teachers": "request to a teacher"}  # fmt: skip


def _some(count: int, things: str) -> str:
    return f"{count:,} {things}" if count != 1 else f"1 {_ONE.get(things, things.removesuffix('s'))}"


def _describe_merge(file: Path, report: MergeReport) -> str:
    parts = [
        (report.questions, "questions"), (report.rows, "rows"), (report.key_points, "sets of key points"),
        (report.corrections, "corrections"), (report.reviews, "reviews"), (report.notes, "notes"),
        (report.judgements, "judgements"), (report.history, "entries of their history"),
        (report.runs, "runs"), (report.evaluations, "evaluations"), (report.teachers, "teachers"),
        (report.prompts, "versions of prompts"), (report.teacher_runs, "runs of teachers"),
        (report.replies, "replies of teachers"), (report.requests, "requests to teachers"),
    ]  # fmt: skip
    told = ", ".join(_some(count, name) for count, name in parts if count) or "nothing new"
    text = f"{file.name}: merged {told}" + (" (stopped; merging again goes on)" if report.stopped else "")
    if report.conflicts:
        text += (
            f"\n  {report.conflicts:,} values differ from yours; yours stand, theirs are in the history of "
            "their fields"
        )
    if report.renamed:
        text += (
            f"\n  {report.renamed:,} questions have a number that another question of yours has; they were "
            "added under a name of their own"
        )
    if report.lost_runs:
        text += f"\n  {report.lost_runs:,} runs were left out, as their folders are not there"
    return text
