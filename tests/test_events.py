"""The events protocol: what goes out comes back, and nothing unreadable is an error."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading

import pytest

from training_backend import events
from training_backend.events import Control, Log, Metrics, Progress, Reporter, Unknown, parse_line, to_line


@pytest.mark.parametrize(
    "event",
    [
        Progress(stage="ask", done=3, total=9, text="é\n✓", t=1.5),
        Metrics(role="key", step=1, total_steps=2, epoch=0.5, loss=3.25, t=2.0),
        events.Trace(records=[{"n": 1, "ch": {"a": ["1", "int"]}}], request="7", t=3.0),
        events.Failed(message="m", hint="h", where="w:1", t=4.0),
    ],
)
def test_an_event_survives_its_line(event):
    line = to_line(event)
    assert "\n" not in line
    assert parse_line(line) == event


def test_unreadable_lines_are_log_text_and_unknown_events_are_kept():
    log = parse_line("Loading weights 100%\n")
    assert isinstance(log, Log)
    assert log.text == "Loading weights 100%"
    assert isinstance(parse_line("[1, 2]"), Log)
    newer = parse_line(json.dumps({"event": "sparkle", "t": 1, "colour": "red"}))
    assert isinstance(newer, Unknown)
    assert newer.data["colour"] == "red"
    # a field that a newer version added does not hurt
    assert parse_line('{"event":"progress","t":1,"stage":"a","done":1,"new":2}') == Progress("a", 1, t=1)
    # a known name with a missing field is data, not an exception
    assert isinstance(parse_line('{"event":"progress","t":1}'), Unknown)


def test_a_run_keeps_its_events_and_a_half_written_line_is_left_out(tmp_path):
    reporter = Reporter(quiet=True)
    reporter.attach(tmp_path)
    reporter.progress("train", 1, 2)
    reporter.detach()
    file = tmp_path / "events.jsonl"
    with file.open("a", encoding="utf-8") as tail:
        tail.write('{"event":"progress","stage":"train","done":2')
    read = events.read_events(file)
    assert [event.done for event in read] == [1]


def test_a_window_that_went_away_does_not_stop_the_run(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from training_backend.events import Reporter\n"
        f"r = Reporter(events=True); r.attach(Path({str(tmp_path)!r}))\n"
        "for i in range(5000): r.progress('train', i, 5000)\n"
        "r.detach()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=30) == 0, child.stderr.read().decode()
    child.stderr.close()
    assert len(events.read_events(tmp_path / "events.jsonl")) == 5000


def test_stop_and_pause_come_by_standard_input_and_by_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO('not json\n{"command": "pause"}\n'))
    control = Control(read_stdin=True)
    wait_until(lambda: control.paused)
    assert not control.stop_requested

    control = Control()
    control.attach(tmp_path)
    assert not control.stop_requested
    (tmp_path / "control").write_text("stop", encoding="utf-8")
    wait_until(lambda: control.stop_requested)
    assert not (tmp_path / "control").exists()


@pytest.mark.parametrize("stop_at_eof", [True, False])
def test_the_end_of_standard_input_stops_only_when_asked(stop_at_eof):
    # in a child: a process that was told to end with its input ends by force in the end
    code = (
        "import sys, threading; from training_backend.events import Control\n"
        f"control = Control(read_stdin=True, stop_at_eof={stop_at_eof})\n"
        "reader = next((t for t in threading.enumerate() if t.name == 'control'), None)\n"
        "while reader and reader.is_alive() and not control.stop_requested: reader.join(0.01)\n"
        "print(control.stop_requested, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.returncode) == (str(stop_at_eof), 0), done.stderr


@pytest.mark.parametrize("words, stops", [
    (["stop_at_end"], True), (["stop_at_end", "leave_at_end"], False), (["leave_at_end"], False),
])  # fmt: skip
def test_a_run_is_told_whether_it_ends_with_its_window(monkeypatch, words, stops):
    lines = "".join(f'{{"command": "{word}"}}\n' for word in words)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    threads = set(threading.enumerate())
    control = Control(read_stdin=True)
    for reader in set(threading.enumerate()) - threads:
        reader.join(10)
    assert control.stop_requested == stops


def wait_until(condition, seconds: float = 10.0) -> None:
    """Return when `condition()` holds; fail after `seconds`."""
    import time

    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)
