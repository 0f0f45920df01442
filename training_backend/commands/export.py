"""Write rows of a project to a file or a folder, with the texts as corrected.

examples:
  kpdd export arithmetic.kpdd rows.jsonl
  kpdd export arithmetic.kpdd programs.csv --spreadsheet --where kind=pot --where verdict=equal,not_equal
  kpdd export arithmetic.kpdd chat.jsonl --format messages --where review=accepted --card
  kpdd export arithmetic.kpdd my-data-set --format folder
      then in Python: datasets.load_dataset("my-data-set")
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training_backend.errors import of_arguments
from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")
    parser.add_argument("out", type=Path, metavar="OUT",
                        help="the file to write (.jsonl, .csv, .parquet), or a folder")  # fmt: skip
    parser.add_argument("--format", default="",
                        help="jsonl, csv or parquet (all fields), folder (what datasets.load_dataset opens), "
                             "messages (OpenAI), sharegpt or alpaca; default: by OUT")  # fmt: skip
    parser.add_argument("--where", action="append", default=[], metavar="FACET=VALUE[,VALUE…]",
                        help="only these rows: verdict, review, kind, dataset, split, path, changed, "
                             "flagged, round, flags or search; several are joined by and")  # fmt: skip
    parser.add_argument("--notes", action="store_true", help="also write the notes that a person made")
    parser.add_argument("--spreadsheet", action="store_true",
                        help="CSV with a mark for UTF-8 and nothing that is taken for a formula")  # fmt: skip
    parser.add_argument("--card", action="store_true", help="also write a data set card, OUT.card.md")
    parser.add_argument("--replace", action="store_true", help="replace what is there already")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Write the file and say how many rows it holds."""
    from training_backend.project.exporters import Wish, export_rows, format_of, parse_where
    from training_backend.project.store import Project

    with of_arguments():
        wanted = parse_where(args.where)
        format_of(args.out, args.format)
    wish = Wish(args.format, args.notes, args.spreadsheet, args.card, args.replace)
    with Project.open(args.project, read_only=True) as project:
        written = export_rows(project, args.out, wanted, wish, reporter, control)
    if control.stop_requested:
        reporter.result({"file": str(args.out), "rows": 0, "stopped": True}, "stopped; nothing was written")
        return 1
    reporter.result({"file": str(args.out), "rows": written}, f"{written:,} rows written to {args.out}")
    return 0
