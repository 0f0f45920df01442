"""Logs rotate, diagnostics tell versions and no more than needed, faults that nobody expected are shown."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from kpdd_app import diagnostics
from training_backend.paths import log_dir


@pytest.fixture
def clean_logging():
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    from PySide6.QtCore import qInstallMessageHandler

    qInstallMessageHandler(None)


def test_the_log_rotates(clean_logging):
    file = diagnostics.start_logging()
    for number in range(3000):
        logging.getLogger("test").info("line %d %s", number, "x" * 900)
    assert file.stat().st_size <= 1_000_000
    assert len(list(log_dir().glob("window.log*"))) == 3


def test_diagnostics_tell_versions_and_hide_the_home(clean_logging, qapp, tmp_path):
    diagnostics.start_logging()
    logging.getLogger("test").info("a file in %s/secret", Path.home())
    project = tmp_path / "p.kpdd"
    project.write_bytes(b"12345")
    text = diagnostics.diagnostics(project)
    assert "PySide6-Essentials 6." in text
    assert "Python 3." in text and "offscreen" in text
    assert "p.kpdd, 5 bytes" in text
    assert "~/secret" in text
    assert f"{Path.home()}/secret" not in text


@pytest.mark.parametrize("place", ["window", "thread"])
def test_a_fault_opens_the_report_once(qtbot, monkeypatch, place):
    shown = []

    class Box:
        def exec(self):
            reporter.caught.emit("a second fault while the first is shown")
            qtbot.wait(1)

    monkeypatch.setattr(diagnostics, "report_window", lambda text, project: shown.append(text) or Box())
    monkeypatch.setattr(diagnostics.log, "error", lambda *args: None)
    before = sys.excepthook
    reporter = diagnostics.Reporter()
    try:
        if place == "thread":
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
        else:
            try:
                raise ZeroDivisionError("planted")
            except ZeroDivisionError:
                sys.excepthook(*sys.exc_info())
        qtbot.waitUntil(lambda: bool(shown))
    finally:
        reporter.close()
    assert sys.excepthook is before
    assert len(shown) == 1
    assert "ZeroDivisionError" in shown[0]


def test_the_report_holds_traceback_and_versions(qtbot):
    box = diagnostics.report_window("Traceback …\nValueError: planted", None)
    qtbot.addWidget(box)
    assert "ValueError: planted" in box.text
    assert "PySide6-Essentials" in box.text
