"""What the command line makes of failures that no command expects: a sentence, or a report of a fault."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from pathlib import Path

import pytest

from training_backend.__main__ import main
from training_backend.commands import new
from training_backend.events import Reporter


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
