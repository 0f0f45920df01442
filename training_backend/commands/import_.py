"""Read questions into a project: GSM8K, SVAMP, ASDiv and MultiArith as their authors publish them,
PAL's files, and any JSONL, JSON or CSV with a question and an answer. Importing a file twice changes nothing.

examples:
  kpdd import arithmetic.kpdd train.jsonl test.jsonl
  kpdd import arithmetic.kpdd ASDiv.xml --dataset asdiv --split test
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import DatasetError
from training_backend.events import Control, Failed, Reporter, RowsChanged

if TYPE_CHECKING:
    from training_backend.project.importers import ImportReport

_LISTED = 20  # unreadable places shown to a person; --json gives a thousand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files with questions (also .gz)")
    parser.add_argument("--format", default="auto",
                        help="auto (default), gsm8k, svamp, asdiv, multiarith, pal or generic")  # fmt: skip
    parser.add_argument("--dataset", help="the data set's name; default: told by the file")
    parser.add_argument("--split", help="train, test, …; default: told by the file's name")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Import the files one after the other; a file that cannot be used does not keep the others out."""
    from training_backend.project.importers import import_file
    from training_backend.project.store import Project

    reports: list[dict] = []
    texts: list[str] = []
    failed = 0
    with Project.open(args.project, holder="job") as project:
        project.require_writable()
        for file in args.files:
            if control.stop_requested:
                break
            try:
                report = import_file(project, file, args.format, args.dataset, args.split, reporter, control)
            except DatasetError as error:
                failed += 1
                reporter.emit(Failed(message=error.message, hint=error.hint, where=error.where))
                reports.append({"file": str(file), "error": str(error)})
                if not args.events:
                    print(f"kpdd import: {error}", file=sys.stderr)
                continue
            reporter.emit(RowsChanged(count=report.added))
            reports.append({"file": str(file), **dataclasses.asdict(report)})
            texts.append(_describe(file, report))
    reporter.result({"project": str(args.project), "files": reports}, "\n".join(texts))
    return 1 if failed or control.stop_requested else 0


def _describe(file: Path, report: ImportReport) -> str:
    lines = [
        f"{file.name}: {report.added:,} questions added as {report.dataset}/{report.split}, "
        f"{report.existing:,} were there already, {report.unreadable_count:,} could not be read"
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
