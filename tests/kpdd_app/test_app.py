"""Which project the program opens: the given one, else the last one, else the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpdd_app.app import begin
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.settings import Settings
from training_backend.paths import sample_project_file


@pytest.fixture
def window(qtbot, monkeypatch):
    window = MainWindow(OpenProject(), Jobs(), Settings())
    qtbot.addWidget(window)
    monkeypatch.setattr(MainWindow, "build_next_page", lambda self: None)
    yield window
    window.close()


def test_the_given_project_is_opened(qtbot, window, small_project):
    with qtbot.waitSignal(window.project.opened):
        begin(window, Settings(), small_project)
    assert window.project.path == small_project
    assert Settings().recent() == [small_project]


def test_else_the_last_one(qtbot, window, small_project):
    Settings().add_recent(small_project)
    with qtbot.waitSignal(window.project.opened):
        begin(window, Settings(), None)
    assert window.project.path == small_project


def test_else_the_sample_is_made(window, monkeypatch):
    started: list = []
    home = window.page("home")
    monkeypatch.setattr(type(home), "open_sample", lambda self: started.append(self))
    begin(window, Settings(), None)
    assert started == [home]


@pytest.mark.slow
def test_the_sample_project_is_made_by_a_job_and_opened(qtbot, window):
    with qtbot.waitSignal(window.project.opened, timeout=120_000):
        begin(window, Settings(), None)
    assert window.project.path == sample_project_file()
    qtbot.waitUntil(lambda: window.page("home").counts.get("equal", 0) > 100)


def test_a_missing_project_is_told(qtbot, window, monkeypatch):
    from kpdd_app import main_window

    shown: list = []
    monkeypatch.setattr(main_window.messages, "error", lambda parent, problem, *rest: shown.append(problem))
    begin(window, Settings(), Path("/no/such/place.kpdd"))
    qtbot.waitUntil(lambda: bool(shown))
    assert "/no/such/place.kpdd" in str(shown[0])
