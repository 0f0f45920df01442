"""A command in a process of its own runs this program, wherever it is started."""

from __future__ import annotations

import queue

from training_backend.events import Result, parse_line
from training_backend.students.command_child import CommandChild


def said(arguments: list[str]) -> list[str]:
    lines: queue.Queue = queue.Queue()
    child = CommandChild(arguments, lines)
    found = []
    while (line := lines.get(timeout=60)[1]) is not None:
        found.append(line)
    child.end()
    return found


def test_what_lies_in_the_folder_of_the_start_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "argparse.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert any(isinstance(parse_line(line), Result) for line in said(["doctor"]))
