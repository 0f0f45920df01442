"""Make a project file.

examples:
  kpdd new arithmetic.kpdd
  kpdd new sample.kpdd --sample      with sample questions, key points and programs
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("project", type=Path, metavar="NAME.kpdd", help="the file to make")
    parser.add_argument("--sample", action="store_true", help="fill it with the sample project")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Make the project and say where it is."""
    path = args.project if args.project.suffix else args.project.with_suffix(".kpdd")
    if args.sample:
        from training_backend.teacher.sample import sample_project

        if sample_project(path, reporter, control).stopped:
            return 1
    else:
        from training_backend.project.store import Project

        Project.create(path).close()
    reporter.result({"project": str(path)}, f"made {path}")
    return 0
