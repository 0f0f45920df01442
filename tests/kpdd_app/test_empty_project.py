"""A project without a row, on a path of other letters: every page shows it and none complains."""

from __future__ import annotations

import pytest

from kpdd_app import messages
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.settings import Settings
from training_backend.project.store import Project


@pytest.mark.parametrize("name", ["empty.kpdd", "пусто и 空 é.kpdd"])
def test_every_page_takes_a_project_of_no_rows(qtbot, tmp_path, monkeypatch, name):
    told: list = []
    monkeypatch.setattr(messages, "error", lambda *words, **_: told.append(words[1:]))
    Project.create(tmp_path / name).close()
    window = MainWindow(OpenProject(), Jobs(), Settings())
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.project.opened, timeout=20000):
        window.open_project(tmp_path / name)
    for key, _ in window.titles():
        page = window.show_page(key)
        assert window.current == key
        window.project.flush()
        qtbot.waitUntil(lambda page=page: page.isVisible())
        qtbot.wait(50)
    window.undo_action.trigger()
    window.redo_action.trigger()
    window.project.flush()
    qtbot.wait(50)
    assert told == []
    assert (tmp_path / name).stem in window.windowTitle()
    window.close()
