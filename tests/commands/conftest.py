"""The commands of students share the vocabularies, rows and the trained run of tests/students."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _load():
    if "conftest_of_students" in sys.modules:
        return sys.modules["conftest_of_students"]
    file = Path(__file__).parent.parent / "students" / "conftest.py"
    spec = importlib.util.spec_from_file_location("conftest_of_students", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["conftest_of_students"] = module
    spec.loader.exec_module(module)
    return module


_students = _load()
lossy, closed, trained_run = _students.lossy, _students.closed, _students.trained_run
qwen = _students.qwen
rows_of_students = _students.rows_of_students
