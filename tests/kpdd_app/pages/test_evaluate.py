"""The Evaluate page: an evaluation with and without a project, published figures, the wrong ones."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from kpdd_app import theme
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.evaluate import EvaluatePage
from kpdd_app.pages.evaluate_results import COLUMNS, PUBLISHED_FROM, Result, ResultsTable, cells
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project

TRAINING = [sys.executable, str(Path(__file__).parents[1] / "fake_training.py")]


@pytest.fixture
def page(qtbot):
    """The page without a project, demo students at hand."""
    jobs, project = Jobs(command=TRAINING, grace_s=1.0), OpenProject()
    page = EvaluatePage(project, jobs)
    page._choices[0] = dataclasses.replace(page._choices[0], problem="")
    qtbot.addWidget(page)
    page.resize(1200, 760)
    with qtbot.waitExposed(page):
        page.show()
    yield page
    jobs.close()
    project.close()
    project.shut_down()


def bench(tmp_path: Path) -> Path:
    file = tmp_path / "bench.jsonl"
    file.write_text('{"question": "Ada has 3 pens. How many?", "answer": "3"}\n')
    return file


def run(qtbot, page) -> None:
    # the demo students need not be installed for the stand-in
    page._choices[0] = dataclasses.replace(page._choices[0], problem="")
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page._job is None and page.results.rowCount() == 1, timeout=15_000)
    qtbot.waitUntil(lambda: page.wrong.table.rowCount() == 3, timeout=5_000)


def test_a_file_is_measured_without_a_project(page, qtbot, tmp_path):
    assert page.stack.currentWidget() is page.empty
    page.use_file(bench(tmp_path))
    page.limit.setText("4")
    file = str(tmp_path / "bench.jsonl")
    assert page.arguments() == ["evaluate", "--students", "demo", "--benchmark", file, "--limit", "4"]
    run(qtbot, page)
    assert page.results.item(0, 3).text() == "25.0 %" and page.results.item(0, 4).text() == "5.0 to 70.0"
    assert page.note.isVisible() and "training data" in page.note.text.text()


def test_results_of_a_project_stay(page, qtbot, tmp_path):
    with Project.create(tmp_path / "p.kpdd") as project:
        add_questions(project, [NewQuestion("gsm8k", "test", "1", "Ada has 3 pens. How many?", "3", 3.0)])
    page._project.open(tmp_path / "p.kpdd")
    qtbot.waitUntil(lambda: page.benchmark.currentData() == ("gsm8k", "test", ""), timeout=10_000)
    assert page.arguments()[-4:] == ["--dataset", "gsm8k", "--split", "test"]
    run(qtbot, page)
    assert page.results.results[0].id > 0
    page._fill()
    qtbot.waitUntil(lambda: page.results.rowCount() == 1, timeout=5_000)


def test_the_keyboard_stays_on_the_page_and_the_page_says_that_it_measures(page, qtbot, tmp_path):
    page.use_file(bench(tmp_path))
    with qtbot.waitActive(page):
        page.activateWindow()
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    assert page.empty.what.text() == "Measuring …" and page.stop_button.hasFocus()
    qtbot.waitUntil(lambda: page._job is None and page.results.rowCount() == 1, timeout=15_000)
    assert page.start_button.hasFocus()


def test_a_result_bears_the_name_of_its_run_and_stays_marked():
    table = ResultsTable()
    old = Result(1, "2026-run-1", "kpdd-pot", "mine test", {}, title="my first run")
    assert cells(old)[0] == ("my first run", "2026-run-1")
    table.show_results([old])
    table.setCurrentCell(0, 0)
    table.show_results([Result(2, "demo students", "kpdd-pot", "mine test", {}), old])
    assert table.currentRow() == 1 and table.item(0, 0).text() == "demo students"


def test_a_wrong_one_is_shown_whole_and_opened_in_solve(page, qtbot, tmp_path):
    page.use_file(bench(tmp_path))
    run(qtbot, page)
    wrong = page.wrong
    wrong.table.setFocus()
    qtbot.keyClick(wrong.table, Qt.Key.Key_Down)
    assert wrong.question.text() == "Ada has 4 pens. How many?"
    assert wrong.core.text() == "How many pens?" and wrong.information.text() == "1. Ada has 4 pens."
    assert wrong.program.toPlainText() == "ans = 4" and wrong.answer.text() == "read 4 · gold 1"
    with qtbot.waitSignal(page.solve_wanted) as wanted:
        qtbot.mouseClick(wrong.open_button, Qt.MouseButton.LeftButton)
    assert wanted.args == ["Ada has 4 pens. How many?", 1.0]
    place = wrong.table.visualItemRect(wrong.table.item(2, 0)).center()
    qtbot.mouseClick(wrong.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(page.solve_students_wanted) as students:
        qtbot.mouseDClick(wrong.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert students.args == ["demo"]


def test_published_figures_are_marked_and_never_guessed():
    assert all(title.startswith("Published") for title in COLUMNS[PUBLISHED_FROM:])
    kpdd = cells(Result(1, "mine", "kpdd-pot", "gsm8k test", {}))
    assert [text for text, _ in kpdd[PUBLISHED_FROM:]] == ["not available", "63.83 %", "65.9 %  (350M)"]
    own = cells(Result(1, "mine", "kpdd-eot", "mine train", {}))
    assert [text for text, _ in own[PUBLISHED_FROM:]] == ["not available"] * 3


def test_mistakes_are_said_before_anything_starts(page, qtbot, tmp_path):
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    assert "Choose a benchmark" in page.problem.text.text()
    page.use_file(bench(tmp_path))
    page.limit.setText("many")
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    assert "“many” is no number" in page.problem.text.text() and page._job is None
    page.use_students(str(tmp_path))
    page.limit.clear()
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    assert "run.json" in page.problem.text.text()


def test_the_wrong_answers_keep_room_with_large_letters(page, qapp):
    theme.apply(qapp, "light", 24)
    try:
        page.stack.setCurrentIndex(1)
        qapp.processEvents()
        assert page.wrong.height() >= 14 * theme.line_height()
    finally:
        theme.apply(qapp, "light", 10)
