"""`kpdd execute`: JSON lines in, JSON lines out, in order, whatever the lines hold."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys

import pytest

from training_backend.__main__ import main
from training_backend.commands.execute import InOrder, _lines, read_job, result_line
from training_backend.execution.results import RunResult

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
        '{"id": NaN, "code": "ans = 1"}',
        '{"id": 1e999, "code": "ans = 1"}',
        '{"id": ' + "9" * 5000 + ', "code": "ans = 1"}',
        '{"id": ' + "[" * 900 + "]" * 900 + ', "code": "ans = 1"}',
        '{"id": [' + '{"a": [' * 200 + "]}" * 200 + '], "code": "ans = 1"}',
        '{"id": 4, "code": "ans = 1", "kind": ["pot"]}',
        '{"id": 4, "code": "ans = 1", "kind": null}',
        '{"id": 4, "code": null}',
        "NaN",
        '"text"',
        "null",
        '{"code": "ans = 1"',
        "{'code': 'ans = 1'}",
        job(5, "ans = 1", kind="cot"),
        "\x00\x01",
        "[" * 100_000,
        job(6, "ans = 6"),
    ]
    done = execute(lines)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["verdict"] for result in results] == ["ok"] + ["refused"] * 20 + ["ok"]
    assert results[1]["error"].startswith("line 2: this is no JSON")
    assert "'code'" in results[3]["error"] and "line 4" in results[3]["error"]
    assert results[3]["id"] == 3 and results[3]["answer"] is None
    assert "'cot'" in results[18]["error"]
    assert done.returncode == 1 and b"20 lines could not be used" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "\\ud800", "code": "ans = 1"}',
        b'{"id": {"a": [1, null, true]}, "code": "ans = 1"}',
        b'{"id": 123456789012345678901234567890, "code": "ans = 1"}',
        b'{"id": 1.5, "code": "ans = 1", "more": [1], "code": "ans = 1"}',
        b'\xef\xbb\xbf{"id": 1, "code": "ans = 1"}',
        b'\t {"id": "\xc3\xa9", "code": "ans = 1\\r\\n"} \r',
        b'{"code": "ans = 1"}',
        b'{"id": "' + b"x" * 100_000 + b'", "code": "ans = 1"}',
        b'{"id": ' + b"[" * 90 + b"]" * 90 + b', "code": "ans = 1"}',
    ],
)
def test_an_id_of_any_kind_comes_back_as_it_came(line):
    read = read_job(line)
    assert not read.problem
    for encoding in ("utf-8", "ascii"):
        raw = io.BytesIO()
        output = io.TextIOWrapper(raw, encoding=encoding)
        ordered = InOrder(output)
        ordered.put(ordered.place(), result_line(read.identity, RunResult("ok", "1", 1.0)))
        ordered.wait(lambda: False)
        assert not ordered.gone
        assert json.loads(raw.getvalue())["id"] == json.loads(line).get("id")


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b'{"code": "\xff"}',
        b'{"code": "a\x00"}',
        b"\x80" * 100,
        b"[" * 10**6,
        b'{"a":' * 10**5,
        b"1" * 10**5,
        b"{" * 10 + b"\x00",
        b"\xed\xa0\x80",
    ],
)
def test_bytes_of_any_kind_are_a_sentence(line):
    assert read_job(line).problem and len(read_job(line).problem) < 500


def test_a_line_that_is_too_long_is_one_refusal_and_not_kept_in_memory():
    lines = list(_lines(io.BytesIO(b"a\n" + b"x" * (20 << 20) + b"\nb\nc")))
    assert [len(line) for line in lines] == [2, (8 << 20) + 1, 2, 1]
    assert "longer" in read_job(lines[1]).problem


def test_a_full_disk_ends_the_work_and_is_said():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    ordered = InOrder(Full())
    for _ in range(3):
        ordered.put(ordered.place(), result_line(1, RunResult("ok")))
    ordered.wait(lambda: False)
    assert ordered.gone and ordered.failure is not None and ordered.failure.errno == errno.ENOSPC


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
def test_a_full_disk_is_one_sentence_and_an_end():
    done = execute([job(n, "ans = 1") for n in range(20)], "--output", "/dev/full")
    assert done.returncode == 1
    assert b"No space left" in done.stderr and b"Traceback" not in done.stderr


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
        (["--output", "/no/such/folder/x"], "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(options, part):
    done = execute([], *options)
    assert done.returncode == 1
    assert part.encode() in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        *(["--timeout", value] for value in ("0", "-1", "abc", "nan", "inf", "1e9", "")),
        *(["--memory", value] for value in ("1", "x", "1e3", "-256", "99999999", "256MB")),
        *(["--workers", value] for value in ("0", "-3", "two", "1.5", "9999", "9" * 5000)),
        ["--seed", "x"],
        ["--events"],
    ],
)
def test_a_wrong_argument_is_one_sentence_and_nothing_is_begun(options, capsys):
    assert main(["execute", "/no/such/file", *options]) == 2
    said = "".join(capsys.readouterr())
    assert options[0] in said and "Traceback" not in said
    assert "--events" in options or said.count("\n") == 1


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


def test_a_stop_keeps_what_is_done_and_waits_for_nothing_else():
    """Programs that never end are on their way, and the next line never comes."""
    endless = "while True: pass"
    command = [sys.executable, "-m", "training_backend", "execute", "--timeout", "600", "--workers", "2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin and child.stdout and child.stderr
        child.stdin.write("".join(job(n, f"ans = {n}") + "\n" for n in range(3)).encode())
        child.stdin.flush()
        first = [json.loads(child.stdout.readline())["answer"] for _ in range(3)]
        child.stdin.write("".join(job(n, endless) + "\n" for n in range(50)).encode())
        child.stdin.flush()
        child.send_signal(signal.SIGINT)
        # its input stays open: the next line would never come
        child.wait(60)
        out, told = child.stdout.read(), child.stderr.read()
    assert first == [0, 1, 2] and child.returncode == 1
    assert out == b"" and b"Traceback" not in told and b"3 programs: ok 3" in told


def test_after_a_stop_results_behind_a_gap_are_written_and_late_ones_are_not():
    output = io.StringIO()
    ordered = InOrder(output)
    places = [ordered.place() for _ in range(4)]
    for place in (places[0], places[2], places[3]):
        ordered.put(place, result_line(place, RunResult("ok")))
    ordered.wait(lambda: True)
    ordered.put(places[1], result_line("late", RunResult("crashed")))
    assert [json.loads(line)["id"] for line in output.getvalue().splitlines()] == [0, 2, 3]
    assert ordered.left_out == 1 and ordered.place() is None and ordered.verdicts == {"ok": 3}
