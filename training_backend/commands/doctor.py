"""Say what this machine offers, what is missing for the window and the students, and how to get it."""

from __future__ import annotations

import argparse

from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd doctor`."""
    parser.add_argument("--deep", action="store_true", help="also import torch and say what it can use")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd doctor`; what is missing is part of the answer, so the status is 0."""
    from training_backend.diagnosis import as_text, diagnose

    found = diagnose(deep=args.deep)
    reporter.result(found, as_text(found))
    return 0
