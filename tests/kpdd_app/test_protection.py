"""What is missing in the protection of programs is said once, and again only when it changes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget

from kpdd_app.protection import Protection
from kpdd_app.settings import Settings

BASIC = {"level": "basic", "missing": ["There is no system call filter."]}


@pytest.fixture
def shown(qtbot):
    """Return a function that opens a small window whose protection is `found`, and waits for the answer."""

    def make(found) -> Protection:
        window = QMainWindow()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.addWidget(QLabel("pages"), 1)
        column.addWidget(QLabel("status"))
        window.setCentralWidget(middle)
        qtbot.addWidget(window)
        window.resize(700, 300)
        window.show()
        notice = Protection(window, Settings(), lambda: found)
        assert column.indexOf(notice) == 1, "the status line stays last"
        notice.begin()
        qtbot.waitUntil(lambda: bool(notice._about))
        make.windows.append(window)
        return notice

    make.windows = []
    return make


def test_what_is_missing_is_said_and_put_away_for_good(qtbot, shown):
    notice = shown(BASIC)
    assert notice.isVisible() and "no system call filter" in notice.text.text()
    qtbot.mouseClick(notice.action, Qt.MouseButton.LeftButton)
    assert not notice.isVisible()
    assert not shown(BASIC).isVisible(), "the same is not said again"
    other = shown({"level": "basic", "missing": [*BASIC["missing"], "There is no Landlock."]})
    assert other.isVisible() and "Landlock" in other.text.text()


def test_a_missing_second_layer_is_said_at_full_isolation_too(shown):
    assert shown({"level": "full", "missing": ["There is no Landlock."]}).isVisible()


def test_nothing_missing_is_nothing_to_say(shown):
    assert not shown({"level": "full", "missing": []}).isVisible()
