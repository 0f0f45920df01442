"""A damaged project is told when it is opened; it can be repaired, opened for reading, or left."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from kpdd_app import messages
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.opening import Opening
from training_backend.project import store
from training_backend.project.store import Project

OLD = Path(__file__).parent.parent / "project" / "files" / "version-3.kpdd.gz"


@pytest.fixture
def opening(qtbot):
    jobs, project, window = Jobs(), OpenProject(), QWidget()
    qtbot.addWidget(window)
    made = Opening(project, jobs, window)
    yield made
    jobs.close()
    project.shut_down()
    made.shut_down()


@pytest.fixture
def damaged(small_project):
    """Return a project with the index of its list overwritten."""
    with Project.open(small_project) as project, project.reading() as connection:
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'row_by_rationale'"
        page = connection.execute(sql).fetchone()[0]
    content = bytearray(small_project.read_bytes())
    content[(page - 1) * 4096 : (page - 1) * 4096 + 300] = b"\xee" * 300
    small_project.write_bytes(content)
    return small_project


def answer(words: list[str], seen: list[messages.Message]) -> None:
    """Press the button of each word in the messages that come up, one after the other."""

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, messages.Message) and words:
            seen.append(box)
            box._choose(words.pop(0))
        if words:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def test_a_damaged_project_is_repaired_and_opened(qtbot, opening, damaged):
    seen: list[messages.Message] = []
    answer(["Repair", "OK"], seen)
    opening.open(damaged)
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=40000)
    assert "damaged" in seen[0].text and str(damaged) in seen[0].text and "kept beside it" in seen[0].text
    assert "kept as small project.kpdd.damaged-1" in seen[1].text and "nothing is lost" in seen[1].text
    qtbot.waitUntil(lambda: opening._project.path == damaged, timeout=20000)
    assert not opening._project.read_only


def test_a_damaged_project_is_opened_for_reading(qtbot, opening, damaged):
    before = damaged.read_bytes()
    answer(["Open for reading"], [])
    opening.open(damaged)
    qtbot.waitUntil(lambda: opening._project.path == damaged, timeout=20000)
    assert opening._project.read_only and damaged.read_bytes() == before


def test_a_project_that_cannot_even_be_read_is_not_offered_for_reading_again(qtbot, opening, damaged):
    content = bytearray(damaged.read_bytes())
    content[100:4096] = b"\xee" * 3996  # where the names of all tables stand
    damaged.write_bytes(content)
    seen: list[messages.Message] = []
    answer(["Open for reading", "Cancel"], seen)
    opening.open(damaged)
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=20_000)
    assert [choice.text() for choice in seen[1].findChildren(QPushButton)][-2:] == ["Cancel", "Repair"]
    assert "too damaged" in seen[1].text
    assert opening._project.path is None


def test_a_damaged_project_is_left_alone(qtbot, opening, damaged):
    seen: list[messages.Message] = []
    answer(["Cancel"], seen)
    opening.open(damaged)
    qtbot.waitUntil(lambda: len(seen) == 1, timeout=20000)
    assert opening._project.path is None and not opening._jobs.running()


def test_a_large_project_is_checked_behind_the_window(qtbot, opening, damaged, monkeypatch):
    monkeypatch.setattr(store, "_CHECK_ON_OPEN_BYTES", 0)
    seen: list[messages.Message] = []
    answer(["Cancel"], seen)
    with qtbot.waitSignal(opening._project.opened, timeout=20000):
        opening.open(damaged)
    qtbot.waitUntil(lambda: len(seen) == 1, timeout=20000)
    assert "damaged" in seen[0].text and opening._project.path == damaged


def test_a_migration_says_what_it_does_and_does_not_stop_the_window(qtbot, opening, tmp_path):
    path = tmp_path / "old.kpdd"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    said: list[str] = []
    opening.said.connect(said.append)
    opening.open(path)
    assert said == ["Opening old.kpdd …"]
    qtbot.waitUntil(lambda: opening._project.path == path, timeout=20000)
    assert "making a backup of the older file" in said
    assert "bringing it up to date: flags and saved filters" in said


def test_another_failure_is_told_as_it_is(qtbot, opening, tmp_path):
    seen: list[messages.Message] = []
    answer(["OK"], seen)
    opening.open(tmp_path / "none.kpdd")
    qtbot.waitUntil(lambda: len(seen) == 1, timeout=20000)
    assert "no such file" in seen[0].text
