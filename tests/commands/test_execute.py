"""`kpdd execute`: JSON lines in, JSON lines out, in order, whatever the lines hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FIELDS = ["id", "verdict", "answer", "answer_text", "stdout", "error", "error_line", "elapsed_ms"]


def execute(lines: list[str], *options: str, **kinds):
    data = "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")
    command = [sys.executable, "-m", "training_backend", "execute", "--timeout", "1", *options]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, **kinds)


def job(identity, code, **more):
    return json.dumps({"id": identity, "code": code, **more})


def test_one_line_for_each_in_the_order_of_the_input():
    lines = [
        job(1, "import time\ntime.sleep(0.3)\nans = 1"),
        job("two", "ans = 2.5"),
        job(None, "ans = x", kind="eot"),
        "",
        job([3], "print('a')\n1/0"),
        job(4, "2x = 7\nans = x", kind="eot"),
        job(5, "import os"),
        job(6, "while 1: pass"),
        job(7, "ans = 'x' * 10**10"),
        job(8, "x = 1"),
    ]
    done = execute(lines, "--workers", "2", "--memory", "64")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(result) for result in results] == [FIELDS] * 9
    assert [(result["id"], result["verdict"], result["answer"]) for result in results] == [
        (1, "ok", 1),
        ("two", "ok", 2.5),
        (None, "no_answer", None),
        ([3], "raised", None),
        (4, "ok", 3.5),
        (5, "refused", None),
        (6, "timed_out", None),
        (7, "out_of_memory", None),
        (8, "no_answer", None),
    ]
    assert results[3]["error"] == "ZeroDivisionError: division by zero" and results[3]["error_line"] == 2
    assert results[3]["stdout"] == "a\n"
    assert done.returncode == 0
    assert b"9 programs: " in done.stderr


def test_a_line_that_cannot_be_used_is_named_and_the_rest_is_run():
    half = job(2, "ans = 2")[:-4]
    lines = [
        job(1, "ans = 1"),
        half,
        "[1]",
        '{"id": 3}',
        '{"id": 4, "code": 5}',
        job(5, "ans = 1", kind="cot"),
        "\x00\x01",
        "[" * 100_000,
        job(6, "ans = 6"),
    ]
    done = execute(lines)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["verdict"] for result in results] == ["ok"] + ["refused"] * 7 + ["ok"]
    assert results[1]["error"].startswith("line 2: this is no JSON")
    assert "'code'" in results[3]["error"] and "line 4" in results[3]["error"]
    assert "'cot'" in results[5]["error"]
    assert done.returncode == 1 and b"7 lines could not be used" in done.stderr


def test_surrogates_null_bytes_and_a_megabyte_of_source():
    lines = [
        '{"id": 1, "code": "ans = \'\\ud800\'"}',
        job(2, "ans = 1\0"),
        job(3, "#" * 10**6 + "\nans = 1"),
        job(4, "ans = int('9' * 10**6)"),
        job(5, "ans = float('nan')"),
        job(6, "print('\\ud800')\nans = 1"),
    ]
    done = execute(lines)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["verdict"] for result in results] == [
        "raised",
        "raised",
        "refused",
        "raised",
        "no_answer",
        "ok",
    ]


def test_files_in_and_out(tmp_path):
    source, target = tmp_path / "in put.jsonl", tmp_path / "out.jsonl"
    source.write_text(job(1, "ans = 1") + "\n", encoding="utf-8")
    done = execute([], str(source), "--output", str(target), "--quiet")
    assert done.returncode == 0 and done.stdout == b"" and done.stderr == b""
    assert json.loads(target.read_text(encoding="utf-8"))["answer"] == 1


def test_events_come_with_the_results_in_a_file(tmp_path):
    target = tmp_path / "out.jsonl"
    done = execute([job(1, "ans = 1")], "--events", "--output", str(target))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "ended" and events[-1]["status"] == "done"
    assert target.read_text(encoding="utf-8").count("\n") == 1


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["/no/such/file"], "cannot be read"),
        (["--timeout", "0"], "--timeout"),
        (["--memory", "1"], "--memory"),
        (["--workers", "0"], "--workers"),
        (["--output", "/no/such/folder/x"], "cannot be written"),
        (["--events"], "--output"),
    ],
)
def test_wrong_arguments_are_one_sentence(options, part):
    done = execute([], *options)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert part.encode() in said and b"Traceback" not in done.stderr


def test_an_answer_comes_before_the_next_question_is_asked():
    command = [sys.executable, "-m", "training_backend", "execute"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin and child.stdout
        for number in range(3):
            child.stdin.write((job(number, f"ans = {number}") + "\n").encode())
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["answer"] == number
        child.stdin.close()
        assert child.wait(30) == 0


def test_a_reader_that_goes_away_is_no_crash():
    command = [sys.executable, "-m", "training_backend", "execute"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout and child.stderr
        child.stdin.write("".join(job(n, "ans = 1") + "\n" for n in range(100)).encode())
        child.stdin.close()
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(60) == 1
        assert b"Traceback" not in child.stderr.read()
