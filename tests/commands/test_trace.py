"""`kpdd trace`: a program, equations or a chain of thought, shown line by line."""

from __future__ import annotations

import json
import subprocess
import sys

from training_backend.commands.trace import as_lines
from training_backend.execution.limits import MAX_TRACE_STEPS


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


def test_many_records_come_in_few_events():
    lines = trace("for i in range(2000):\n    x = i\nans = x", "--events").stdout.splitlines()
    traces = [event for event in map(json.loads, lines) if event["event"] == "trace"]
    numbers = [record["n"] for event in traces for record in event["records"]]
    assert len(numbers) > 4000 and numbers == sorted(numbers)
    assert len(traces) < len(numbers) / 10


def test_a_program_that_runs_on_behind_its_last_record_ends_when_told(tmp_path):
    program = tmp_path / "program.txt"
    program.write_text("x = 1\nwhile True:\n    x = 2")
    command = [sys.executable, "-m", "training_backend", "trace", str(program), "--events"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        records = 0
        for line in running.stdout:
            event = json.loads(line)
            records += len(event.get("records", []))
            if event["event"] == "trace" and running.stdin.closed is False and records >= MAX_TRACE_STEPS:
                # from here on it says nothing more until its time is over
                running.stdin.write('{"command": "stop"}\n')
                running.stdin.close()
            if event["event"] == "answer":
                assert event["verdict"] != "timed_out"
                break
        else:
            raise AssertionError("it never ended")
    assert records >= MAX_TRACE_STEPS


def test_equations_and_a_chain_of_thought():
    text = trace("x + 1 = 3\nans = 2 * x", "--kind", "eot").stdout.decode()
    assert "x = 2" in text and "ans = 4" in text
    text = trace("First 2 + 3 = 5, then 5 * 2 = 11. The answer is 11.", "--kind", "cot").stdout.decode()
    assert "2 + 3 = 5   ✓" in text and "5 * 2 = 11   ✗ it is 10" in text
    assert "2 statements, 1 wrong; answer: 11" in text


def test_where_numbers_come_from():
    code = "plums = 12\nleft = plums - 2\nans = left"
    options = ("--question", "Ida has 12 plums, 5 figs and eats 2.", "--information", "She eats 2.")
    text = trace(code, *options).stdout.decode()
    assert "ans = 10 comes from: 12, 2" in text and "not used: 5" in text
    origins = json.loads(trace(code, *options, "--json").stdout)["origins"]
    assert [one["question"] for one in origins["literals"]] == [[8, 10], [34, 35]]
    assert origins["values"][-1]["name"] == "ans" and origins["values"][-1]["question"] == [[8, 10], [34, 35]]
    assert origins["values"][-1]["items"] == [{"item": 0, "start": 9, "end": 10}]
    assert origins["unused"] == [[18, 19]]


def test_what_decided_is_told_apart_and_nothing_is_unused_without_an_answer():
    code = "days = 0\nread = 67\nwhile read < 139:\n    read += 12\n    days += 1\nans = days\nlegs = 5"
    options = ("--question", "She read 67 of 139 pages, 12 a day, beside 5 cats. How long?")
    text = trace(code, *options).stdout.decode()
    assert "ans = 6 is decided by: 67, 139, 12" in text and "not used: 5\n" in text
    assert "read = 139 comes from: 67, 12; is decided by: 139" in text
    origins = json.loads(trace(code, *options, "--json").stdout)["origins"]
    answer = next(one for one in reversed(origins["values"]) if one["name"] == "ans")
    assert answer["question"] == [] and answer["decided_by"] == [[9, 11], [15, 18], [26, 28]]
    done = trace(code + "\nraise ValueError", *options)
    assert "not used" not in done.stdout.decode() and done.returncode == 1


def test_wide_letters_stand_in_columns():
    record = {"n": 1, "ev": "line", "ln": 1, "depth": 0, "ch": {"x": ["1", "int"]}}
    (wide,), (narrow,) = as_lines(record, ["x = '日本'"]), as_lines(record, ["x = 'ab'"])
    assert narrow.index("x = 1") - wide.index("x = 1") == 2


def test_the_place_of_a_syntax_error_is_said_once_and_without_colour():
    text = trace("x = (").stdout.decode()
    assert text.count("line 1") == 1 and "\x1b" not in text


def test_a_trace_that_was_cut_says_so():
    text = trace("for i in range(9000):\n    x = i\nans = x").stdout.decode()
    assert "The trace stops after 10,000 records; the program ran on." in text and "answer: 8999" in text


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
