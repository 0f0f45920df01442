"""The guard against PySide6 6.12, which drops references to None, True and False on Python 3.10 and 3.11."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from PySide6.QtCore import QObject, Signal

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


class Emitter(QObject):
    happened = Signal(object)


def test_void_calls_and_emits_keep_the_references_of_none_true_and_false():
    emitter = Emitter()
    emitter.happened.connect(lambda value: None)
    before = [sys.getrefcount(value) for value in (None, True, False)]
    for _ in range(2000):
        emitter.setObjectName("name")
        emitter.blockSignals(False)
        for value in (None, True, False):
            emitter.happened.emit(value)
    after = [sys.getrefcount(value) for value in (None, True, False)]
    # other threads may hold a few more or less; a broken build loses one per call
    assert all(abs(a - b) < 500 for a, b in zip(after, before, strict=True)), (before, after)


def test_the_window_extra_keeps_the_broken_version_out():
    window = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"][
        "window"
    ]
    assert "PySide6-Essentials>=6.11.3,<6.12" in window
