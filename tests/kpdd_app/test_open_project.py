"""The open project: changes are written in order, undone after a restart, and one window writes."""

from __future__ import annotations

import pytest

from kpdd_app.open_project import OpenProject
from training_backend.errors import StoreError
from training_backend.project.details import row_detail
from training_backend.project.store import Project


@pytest.fixture
def second(qtbot):
    project = OpenProject()
    yield project
    project.shut_down()


def test_opening_says_so_and_reads_off_the_windows_thread(qtbot, second, small_project):
    with qtbot.waitSignals([second.opened, second.history_changed]):
        second.open_later(small_project)
    assert second.path == small_project
    assert not second.read_only
    got = []
    second.read(lambda project: row_detail(project, 1), got.append)
    qtbot.waitUntil(lambda: bool(got))
    assert got[0].row.id == 1


def test_a_file_that_is_no_project_keeps_the_old_one_open(qtbot, open_project, tmp_path):
    old = open_project.path
    bad = tmp_path / "bad.kpdd"
    bad.write_text("this is a text")
    problems = []
    open_project.open_later(bad, problems.append)
    qtbot.waitUntil(lambda: bool(problems))
    assert isinstance(problems[0], StoreError)
    assert "bad.kpdd" in str(problems[0])
    assert open_project.path == old
    with pytest.raises(StoreError):
        open_project.open(tmp_path / "missing.kpdd")
    assert open_project.path == old


def test_the_second_window_is_read_only_and_says_why(qtbot, open_project, second, small_project):
    second.open(small_project)
    assert second.read_only
    assert "window" in second.read_only_reason
    with qtbot.waitSignal(second.failed) as failed:
        second.set_review([1], "accepted")
    assert isinstance(failed.args[0], StoreError)
    open_project.close()
    second.close()
    second.open(small_project)
    assert not second.read_only


def test_edits_are_kept_and_undone_after_a_restart(qtbot, open_project, small_project, second):
    with qtbot.waitSignals([open_project.rows_changed, open_project.history_changed]):
        open_project.edit_field(3, "core_question", "How many jars stand there?")
    open_project.set_review([3, 4], "accepted")
    open_project.close()
    with Project.open(small_project) as project:
        assert row_detail(project, 3).core_question.text == "How many jars stand there?"
        assert row_detail(project, 4).row.review == "accepted"
    with qtbot.waitSignal(second.history_changed) as labels:
        second.open(small_project)
    assert labels.args[0].startswith("accept")
    with qtbot.waitSignal(second.undone) as undone:
        second.undo()
    assert undone.args[1] == [3, 4]
    with qtbot.waitSignal(second.undone):
        second.undo()
    second.flush()
    detail = row_detail(second.project, 3)
    assert detail.core_question.corrected is None
    assert detail.row.review == "unreviewed"
    with qtbot.waitSignal(second.undone):
        second.redo()
    assert row_detail(second.project, 3).core_question.text == "How many jars stand there?"


def test_a_program_is_run_and_its_verdict_stored(qtbot, open_project):
    open_project.edit_field(2, "rationale", "answer = 1 / 0")
    began = []
    open_project.judging.connect(lambda ids, begins: began.append(begins))
    with qtbot.waitSignal(
        open_project.judging, timeout=20000, check_params_cb=lambda ids, begins: not begins
    ):
        open_project.rerun(2)
    assert began == [True, False]
    detail = row_detail(open_project.project, 2)
    assert detail.row.verdict == "raised"
    assert detail.judgement.error_line == 1
    assert "ZeroDivisionError" in detail.judgement.error


def test_a_failed_change_is_told(qtbot, open_project):
    with qtbot.waitSignal(open_project.failed):
        open_project.edit_field(9999, "question", "no such row")
    assert open_project.path is not None


def test_a_new_project_is_made_and_opened(qtbot, second, tmp_path):
    with qtbot.waitSignal(second.opened):
        second.create(tmp_path / "new one.kpdd")
    with pytest.raises(StoreError):
        second.create(tmp_path / "new one.kpdd")
