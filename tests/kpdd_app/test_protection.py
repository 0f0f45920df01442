"""What is missing in the protection of programs is said once, and again only when it changes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget

from kpdd_app.protection import Protection
from kpdd_app.settings import Settings
from training_backend.events import Log
from training_backend.execution.isolation import ONE_BY_ONE

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


WHY = "A program gave another stdout alone than in a shared process."


def test_a_shared_process_that_was_closed_is_said_once_and_not_kept(qtbot, shown):
    notice = shown({"level": "full", "missing": []})
    notice.tell_later(WHY)
    assert notice.isVisible() and WHY in notice.text.text()
    qtbot.mouseClick(notice.action, Qt.MouseButton.LeftButton)
    notice.tell_later(WHY)
    assert not notice.isVisible(), "known; the same is not said twice"
    again = shown({"level": "full", "missing": []})
    again.tell_later(WHY)
    assert again.isVisible(), "another start begins with a process that is shared"


def test_both_sentences_stand_together_and_what_is_missing_stays_put_away(qtbot, shown):
    notice = shown(BASIC)
    notice.tell_later(WHY)
    assert WHY in notice.text.text() and "no system call filter" in notice.text.text()
    qtbot.mouseClick(notice.action, Qt.MouseButton.LeftButton)
    assert not shown(BASIC).isVisible()


def test_the_processes_beside_the_window_and_the_window_itself_tell_it(qtbot, shown, fake_jobs, open_project):
    notice = shown({"level": "full", "missing": []})
    notice.follow(fake_jobs)
    job = fake_jobs.start("generate", ["nothing"], background=True)
    job.event_came.emit(Log(text=f"{WHY} {ONE_BY_ONE}", level="warning"))
    assert WHY in notice.text.text()

    # the window's own runner, whose check has found a difference
    told = []
    open_project.protection_told.connect(told.append)
    open_project.rerun([1])
    qtbot.waitUntil(lambda: open_project._runner is not None and open_project._runner._pool is not None)
    open_project._runner._pool.lane.closed = WHY
    open_project.rerun([2])
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert set(told) == {WHY}
