"""What the command line makes of failures that no command expects: a sentence, or a report of a fault."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training_backend.__main__ import main
from training_backend.commands import new
from training_backend.events import Reporter

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """Return a folder with a small vocabulary."""
    file = ROOT / "tests" / "students" / "vocabularies.py"
    spec = importlib.util.spec_from_file_location("vocabularies_of_students", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_byte_level(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(autouse=True)
def no_control_words(monkeypatch):
    """Let --events find the end of standard input at once."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def failing(error):
    def run(args, reporter, control):
        raise error

    return run


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_one_sentence(tmp_path, monkeypatch, capsys, number):
    monkeypatch.setattr(new, "run", failing(OSError(number, os.strerror(number), "/disk/file")))
    assert main(["new", str(tmp_path / "a.kpdd")]) == 1
    told = capsys.readouterr()
    assert told.err == (
        f"kpdd new: /disk/file: {os.strerror(number)}. Check the disk and its permissions, then try again.\n"
    )
    assert not told.out
    assert main(["new", str(tmp_path / "a.kpdd"), "--events"]) == 1
    failed, ended = map(json.loads, capsys.readouterr().out.splitlines())
    assert (failed["where"], failed["traceback"], ended["status"]) == ("/disk/file", "", "failed")


def test_a_fault_of_ours_is_reported_with_its_place(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(new, "run", failing(ZeroDivisionError("by accident")))
    assert main(["new", str(tmp_path / "a.kpdd"), "--events"]) == 1
    failed = json.loads(capsys.readouterr().out.splitlines()[0])
    assert failed["message"] == "ZeroDivisionError: by accident" and "Traceback" in failed["traceback"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_events_file_stops_no_report(tmp_path, capsys):
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    reporter = Reporter()
    reporter.attach(tmp_path)
    reporter.log("still here")
    reporter.detach()
    assert "still here" in capsys.readouterr().err


# commands that print lines as they come, or much at once
PRINTING = {
    "overview": ["--help"],
    "text": ["text", "--student", "TOKENIZER", "rows.jsonl"],
    "text as one object": ["text", "--student", "TOKENIZER", "rows.jsonl", "--json"],
    "trace": ["trace", "loop.py"],
    "execute": ["execute", "programs.jsonl"],
}


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("name", PRINTING)
def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path, tokenizer, name, buffered):
    line = json.dumps({"id": 1, "text": "a text " * 20, "code": "ans = 1"})
    for file in ("rows.jsonl", "programs.jsonl"):
        (tmp_path / file).write_text(f"{line}\n" * 400)
    (tmp_path / "loop.py").write_text("ans = 0\nfor i in range(300):\n    ans += i\n")
    arguments = [str(tokenizer) if word == "TOKENIZER" else word for word in PRINTING[name]]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "training_backend", *arguments], cwd=tmp_path, stdout=nobody,
            stderr=subprocess.PIPE, text=True, timeout=120,
            env={**os.environ, "PYTHONUNBUFFERED": buffered, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
    assert done.returncode == 1


def test_another_broken_pipe_is_a_fault(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(new, "run", failing(BrokenPipeError(errno.EPIPE, "of a socket")))
    assert main(["new", str(tmp_path / "a.kpdd")]) == 1
    assert "of a socket" in capsys.readouterr().err
