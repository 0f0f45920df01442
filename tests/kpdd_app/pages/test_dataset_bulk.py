"""Large changes go on beside the window, can be stopped, and are one step for Undo."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from kpdd_app import open_project as open_project_module
from kpdd_app.pages import dataset_bulk
from kpdd_app.pages.dataset import DatasetPage
from training_backend.project import corrections, history
from training_backend.project.details import row_detail

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot, open_project, fake_jobs, monkeypatch):
    # 14 rows are "very many" here
    monkeypatch.setattr(open_project_module, "MANY", 3)
    monkeypatch.setattr(open_project_module, "JUDGED_AT_ONCE", 4)
    for module in (history, corrections):
        monkeypatch.setattr(module, "PART", 4)
    page = DatasetPage(open_project, fake_jobs)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: len(page.source) == 14 and page.editor.detail is not None)
    page.take_focus()
    yield page
    page.leave()


def reviews(page) -> set[str]:
    project = page.project.project
    return {row_detail(project, row_id).row.review for row_id in page.source.ids.tolist()}


def test_all_rows_of_the_filter_are_one_step_there_and_back(qtbot, page):
    qtbot.keyClick(page.table, Qt.Key.Key_A, CONTROL)
    with qtbot.waitSignal(page.project.bulk.ended):
        qtbot.keyClick(page.table, Qt.Key.Key_A)
        assert page.project.bulk.busy
    assert reviews(page) == {"accepted"}
    with qtbot.waitSignal(page.project.undone, timeout=5000) as undone:
        qtbot.keyClick(page.table, Qt.Key.Key_U)
    assert undone.args == ["Undone: accept 14 rows", []]
    assert reviews(page) == {"unreviewed"}
    with qtbot.waitSignal(page.project.undone, timeout=5000):
        page.project.redo()
    assert reviews(page) == {"accepted"}


def test_stop_keeps_what_is_done_and_undo_takes_it_back(qtbot, page, monkeypatch):
    page.project.bulk.progressed.connect(lambda done, total: None)
    report = page.project.bulk._report
    monkeypatch.setattr(page.project.bulk, "_report", lambda done, total: report(done, total) and done < 8)
    page.table.select_all()
    with qtbot.waitSignal(page.project.bulk.ended):
        qtbot.keyClick(page.table, Qt.Key.Key_R)
    assert reviews(page) == {"rejected", "unreviewed"}
    assert history.undo_label(page.project.project) == "reject 8 rows"


def test_the_strip_shows_how_far_it_is_and_stops_it(qtbot, page):
    strip, work = page.strips[0], page.project.bulk
    work.run("Accepting 14 rows", lambda report: None, lambda _: None, lambda _: None)
    work.progressed.emit(4, 14)
    assert strip.title.text() == "Accepting 14 rows"
    assert strip.text.text().startswith("4 of 14")
    strip.stop.click()
    assert work.stopping and not strip.stop.isEnabled()
    qtbot.waitUntil(lambda: not work.busy)
    assert strip.isHidden()


def test_a_second_large_change_waits_for_the_first_and_says_so(qtbot, page):
    said = []
    page.project.failed.connect(said.append)
    page.table.select_all()
    with qtbot.waitSignal(page.project.bulk.ended):
        qtbot.keyClick(page.table, Qt.Key.Key_F)
        qtbot.keyClick(page.table, Qt.Key.Key_A)
        page.project.undo()
    assert [str(error.message) for error in said] == ["Flagging 14 rows has not ended yet."] * 2


def test_a_person_is_asked_before_very_many(qtbot, page, monkeypatch):
    asked = []
    monkeypatch.setattr(dataset_bulk, "VERY_MANY", 5)
    monkeypatch.setattr(dataset_bulk.messages, "question", lambda *args, **more: asked.append(args) or False)
    page.table.select_all()
    qtbot.keyClick(page.table, Qt.Key.Key_A)
    assert "14 rows" in asked[0][1] and not page.project.bulk.busy
    assert reviews(page) == {"unreviewed"}


def test_many_programs_run_again_with_progress(qtbot, page):
    page.table.select_all()
    told = []
    page.project.judge.progressed.connect(lambda *at: told.append(at))
    with qtbot.waitSignal(page.project.judge.ended, timeout=30000):
        page.actions_of_page.run_selected()
    assert told and told[-1] == (14, 14)
    assert row_detail(page.project.project, 1).judgement.isolation
