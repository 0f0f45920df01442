"""`kpdd trace`: a program, equations or a chain of thought, shown line by line."""

from __future__ import annotations

import json
import subprocess
import sys

from training_backend.commands.trace import as_lines


def trace(text: str, *options: str):
    command = [sys.executable, "-m", "training_backend", "trace", "-", *options]
    return subprocess.run(command, input=text.encode(), capture_output=True, timeout=120)


def test_a_program_in_the_terminal():
    done = trace("a = 2\nprint('hello')\ndef f(x):\n    return x * a\nans = f(3)", "--gold", "6")
    text = done.stdout.decode()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "1 a = 2 a = 2" in lines and "│ hello" in lines
    assert "3 → f(x=3)" in lines and "4 ← 6" in lines
    assert "answer: 6, equal to gold" in text and done.returncode == 0


def test_what_fails_says_where():
    done = trace("a = 1\nb = a / 0")
    assert "raised: ZeroDivisionError: division by zero (line 2)" in done.stdout.decode()
    assert done.returncode == 1


def test_as_json_and_as_events():
    data = json.loads(trace("ans = 2", "--json").stdout)
    assert data["answer"] == 2 and data["records"][0]["ch"] == {"ans": ["2", "int"]}
    events = [json.loads(line) for line in trace("ans = 2", "--events").stdout.splitlines()]
    assert [event["event"] for event in events] == ["trace", "answer", "result", "ended"]
    assert events[1]["value"] == 2


def test_equations_and_a_chain_of_thought():
    text = trace("x + 1 = 3\nans = 2 * x", "--kind", "eot").stdout.decode()
    assert "x = 2" in text and "ans = 4" in text
    text = trace("First 2 + 3 = 5, then 5 * 2 = 11. The answer is 11.", "--kind", "cot").stdout.decode()
    assert "2 + 3 = 5   ✓" in text and "5 * 2 = 11   ✗ it is 10" in text
    assert "2 statements, 1 wrong; answer: 11" in text


def test_a_program_cannot_drive_the_terminal():
    record = {
        "n": 1,
        "ev": "line",
        "ln": 1,
        "depth": 0,
        "ch": {"x": ["\x1b[2J\u202e", "str"]},
        "o": "\x1b]0;t\x07",
    }
    lines = as_lines(record, ["x = '\x1b[2J'"])
    assert all("\x1b" not in line and "\u202e" not in line for line in lines)
    assert "\\x1b[2J" in lines[0]


def test_a_missing_file_is_one_sentence(tmp_path):
    command = [sys.executable, "-m", "training_backend", "trace", str(tmp_path / "none.py")]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 1 and b"cannot be read" in done.stderr and b"Traceback" not in done.stderr


def test_a_file_that_is_no_text_is_one_sentence(tmp_path):
    file = tmp_path / "program.py"
    file.write_bytes(b"a = 1\nb = '\xff\xfe'\n")
    command = [sys.executable, "-m", "training_backend", "trace", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"{file}, line 2: This is no text (UTF-8)." in done.stderr
