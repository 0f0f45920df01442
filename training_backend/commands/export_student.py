"""Write trained students as folders that plain transformers loads, each with a card that says how it is used.

examples:
  kpdd export-student NAME.runs/2026-05-01-kpdd-pot-1 OUT                # OUT/key and OUT/solve
  kpdd export-student NAME.runs/2026-05-01-kpdd-pot-1 OUT --role solve   # OUT is the student
  kpdd export-student NAME.runs/…/checkpoints/solve/step-200 OUT         # one checkpoint
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training_backend.errors import ConfigError
from training_backend.events import Control, Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "students", metavar="STUDENTS", help="a run folder, the folder of one student, or: demo"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the new folder")
    parser.add_argument("--role", help="only this student of the run")
    parser.add_argument("--replace", action="store_true", help="replace the student that is there already")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Export each student and say where it stands."""
    from training_backend.students.finding import find_students

    folders, _ = find_students(args.students)
    if args.role is not None and args.role not in folders:
        raise ConfigError(
            f"There is no student called '{args.role}'.", f"There are: {', '.join(folders)}.", args.students
        )
    chosen = {args.role: folders[args.role]} if args.role else folders
    outs = {role: args.out if len(chosen) == 1 else args.out / role for role in chosen}
    from training_backend.students.student_export import export_student

    written = []
    for n, (role, folder) in enumerate(chosen.items()):
        if control.stop_requested:
            return 1
        reporter.progress("exporting", n, len(chosen), role)
        written.append(export_student(folder, outs[role], args.replace))
    reporter.progress("exporting", len(chosen), len(chosen))
    lines = [f"{one['role']}: {one['folder']} ({one['bytes'] / 2**20:.1f} MiB)" for one in written]
    reporter.result({"students": written}, "\n".join(lines))
    return 0
