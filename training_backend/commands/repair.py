"""Repair a damaged project file; the damaged one is kept beside it.

What cannot be read is lost and counted by table; if only indices are damaged, nothing is.

examples:
  kpdd repair arithmetic.kpdd
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="PROJECT", help="the project file")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Repair the file and say what was lost."""
    from training_backend.project.repair import repair, summary

    done = repair(args.project, reporter)
    reporter.result({"project": str(args.project), **dataclasses.asdict(done)}, summary(done))
    return 0
