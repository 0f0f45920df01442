"""Look a project file over: its pages, its indices, and the search index; nothing is changed.

examples:
  kpdd check arithmetic.kpdd
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Say what is wrong with the file; the exit status is 1 when anything is."""
    from training_backend.project.repair import find_problems

    problems = find_problems(args.project)
    text = (
        "\n".join([*problems, f"Repair it with: kpdd repair {args.project}"]) if problems else "all is well"
    )
    reporter.result({"project": str(args.project), "problems": problems}, text)
    return 1 if problems else 0
