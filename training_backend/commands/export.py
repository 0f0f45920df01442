"""Write rows of a project to a file, with the texts as corrected.

examples:
  kpdd export arithmetic.kpdd rows.jsonl
  kpdd export arithmetic.kpdd programs.csv --where kind=pot --where verdict=equal,not_equal
  kpdd export arithmetic.kpdd chat.jsonl --format messages --where review=accepted
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write (.jsonl or .csv)")
    parser.add_argument("--format", default="",
                        help="jsonl (all fields), csv, messages or alpaca; default: by OUT")  # fmt: skip
    parser.add_argument("--where", action="append", default=[], metavar="FACET=VALUE[,VALUE…]",
                        help="only these rows: verdict, review, kind, dataset, split, path, changed, "
                             "flagged, round, flags or search; several are joined by and")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Write the file and say how many rows it holds."""
    from training_backend.project.exporters import export_rows, parse_where
    from training_backend.project.store import Project

    wanted = parse_where(args.where)
    with Project.open(args.project, read_only=True) as project:
        written = export_rows(project, args.out, wanted, args.format, reporter, control)
    if control.stop_requested:
        reporter.result({"file": str(args.out), "rows": 0, "stopped": True}, "stopped; nothing was written")
        return 1
    reporter.result({"file": str(args.out), "rows": written}, f"{written:,} rows written to {args.out}")
    return 0
