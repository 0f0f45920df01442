"""The Solve page where things end otherwise than hoped: it says what happened, where, and stays usable."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
from PySide6.QtCore import Qt

from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve import SolvePage
from kpdd_app.student_choices import folder_choice
from training_backend import paths
from training_backend.events import Answer
from training_backend.execution.limits import MAX_TRACE_STEPS

QUESTION = "Nora's book has 240 pages. She reads 18 a day for 6 days. How many pages are left?"


def solved(qtbot, page, words: str = "", gold: float | None = 132.0):
    page.solve_question(f"{QUESTION} {words}".strip(), gold)
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    qtbot.waitUntil(lambda: page.player.step_shown == page.recording.length, timeout=5_000)
    return page.recording


@pytest.mark.parametrize(
    ("verdict", "error", "line", "word", "told"),
    [
        ("timed_out", "used 8 s of processor time", 2, "did not come to an end in time", "used 8 s"),
        ("crashed", "printed more than 8,388,608 characters", None, "it printed too much", "8,388,608"),
        ("out_of_memory", "wanted more than 512 MB", 3, "wanted too much memory", "512 MB"),
        ("refused", "imports os, which is no library of ours", 1, "refused", "imports os"),
        ("no_answer", "no answer was left", None, "without a number", "has to stand in ans"),
        ("raised", "ZeroDivisionError: division by zero", 4, "raised an error", "division by zero"),
    ],
)
def test_each_ending_is_said_in_its_place(page, qtbot, verdict, error, line, word, told):
    recording = solved(qtbot, page)
    recording.answer = Answer(verdict, gold=132.0, equal=False, error=error, error_line=line)
    page.player.step(-1)
    page.player.step(1)
    run = page.columns.run
    assert word in run.answer.word.text() and told in run.answer.detail.text()
    assert "gold is 132" in run.answer.detail.text() and run.answer.number.text() == "–"
    if line is not None:
        assert run.program.current_line == line and error[:20] in run.program.ghost_texts[line]
    assert solved(qtbot, page).answer.equal, "the next question is solved as ever"


def test_a_loop_without_end_is_followed_to_where_the_trace_stops(page, qtbot):
    recording = solved(qtbot, page)
    same = {"ev": "line", "f": 0, "depth": 0}
    recording.trace.add([
        {"n": n, **same, "ln": 2 + n % 2, "nx": 3 - n % 2, "ch": {"n": [str(n), "int"]}}
        for n in range(MAX_TRACE_STEPS - len(recording.trace))
    ])  # fmt: skip
    recording.answer = Answer("timed_out", error="used 8 s of processor time")
    page._take_frame()
    page.player.to_end()
    assert page.columns.run.cut.isVisible() and page.player.step_shown == recording.length
    page.player.to_start()
    page.player.step(1)
    assert not page.columns.run.cut.isVisible() and page.player.step_shown == 1


def test_of_ten_thousand_words_it_is_said_what_is_left_out_before_it_is(page, qtbot):
    words = "There are 3 red pens. " * 2000
    page.question.edit.setPlainText(words)
    qtbot.mouseClick(page.question.solve_button, Qt.MouseButton.LeftButton)
    assert page.recording is None, "the first press only says it"
    qtbot.waitUntil(page.question.too_long.isVisible, timeout=5_000)
    assert "is left out" in page.question.too_long.text.text()
    qtbot.mouseClick(page.question.solve_button, Qt.MouseButton.LeftButton)
    assert page.recording is not None
    asked = page.recording.question
    assert words.startswith(asked) and 20 < len(asked.split()) < 400
    qtbot.waitUntil(lambda: page.recording.over, timeout=10_000)


def test_a_question_in_chinese_is_solved_and_its_words_are_told(page, qtbot):
    page.solve_question("小明有12个苹果,吃了3个。他还剩几个苹果?", 9.0)
    qtbot.waitUntil(page.question.unknown.isVisible, timeout=5_000)
    assert "苹果" in page.question.unknown.text.text()
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    assert page.columns.run.answer.word.text() == "not equal: gold is 9"


def test_after_mended_key_points_a_token_branches_off(page, qtbot):
    solved(qtbot, page, "unparsed")
    page.columns.key_points.edit_wanted.emit()
    editor = page.columns.key_points.editor
    assert editor.core.toPlainText() == "pages 240 day 18"
    editor.items.setPlainText("She reads for 6 days.")
    qtbot.mouseClick(editor.solve, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(page.branches) == 2 and page.recording.over, timeout=10_000)
    mended = page.recording
    qtbot.waitUntil(lambda: page.player.step_shown == mended.length, timeout=5_000)
    page.columns.token_chosen.emit("solve", 7)
    page.columns.alternatives.pick(1)
    qtbot.waitUntil(lambda: len(page.branches) == 3 and page.recording.over, timeout=10_000)
    asked = page.branch.ask.message()
    assert asked["given"]["information"] == ["She reads for 6 days."] and asked["command"] == "continue"
    assert page.recording.stages[0] is mended.stages[0] and page.branch.parent.recording is mended


def test_a_token_of_the_program_branches_off_unparsed_key_points(page, qtbot):
    first = solved(qtbot, page, "unparsed")
    page.columns.token_chosen.emit("solve", 7)
    page.columns.alternatives.pick(1)
    qtbot.waitUntil(lambda: len(page.branches) == 2 and page.recording.answer is not None, timeout=10_000)
    # what could not be read is not given: the student writes it again, to the same text
    assert page.branch.ask.given == {} and page.recording.stages[0].text == first.stages[0].text
    assert len(page.recording.stages) == 2


def test_a_solution_stays_when_the_same_question_cannot_be_solved_again(page, qtbot, tmp_path):
    first = solved(qtbot, page)
    asked = dataclasses.replace(page.branch.ask.choice, students=str(tmp_path / "broken"))
    page.branch.ask = dataclasses.replace(page.branch.ask, choice=asked)
    page.students.choose(asked)
    qtbot.waitUntil(lambda: page.worker.state == "failed", timeout=10_000)
    page.question.solve()
    qtbot.waitUntil(lambda: page.worker.state == "loading", timeout=10_000)
    qtbot.waitUntil(lambda: page.worker.state == "failed", timeout=10_000)
    qtbot.waitUntil(lambda: page.recording is first, timeout=5_000)
    assert len(page.branches) == 1 and page.columns.run.answer.number.text() == "132"
    assert "has no weights" in page.problem.text.text()


@pytest.mark.slow
def test_students_of_two_runs_solve_together_until_one_vanishes(qtbot, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(paths.demo_students_dir(), tmp_path / name)
    first, second = (folder_choice(tmp_path / name, f"Run {name}") for name in ("a", "b"))
    jobs, project = Jobs(), OpenProject()
    page = SolvePage(project, jobs)
    qtbot.addWidget(page)
    try:
        page.show()
        page.player.set_factor(0.0)
        for choice in (second, first):
            page.students.choose(choice)
        source = page.students.source
        source.setCurrentIndex(source.findText("Run b"))
        source.activated.emit(source.currentIndex())
        page.solve_question(
            "Mia drives 2 hours at 51 kilometers an hour. Then she drives 4 hours at 34 kilometers an hour. "
            "How many kilometers does she drive in all?",
            238.0,
        )
        qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=120_000)
        assert page.recording.answer is not None and page.recording.answer.equal
        folders = {role: tmp_path / name / "students" / role for role, name in (("key", "b"), ("solve", "a"))}
        assert page.worker.about["students"] == {role: str(folder) for role, folder in folders.items()}
        shutil.rmtree(tmp_path / "b")
        page._load_again()
        qtbot.waitUntil(lambda: page.worker.state == "failed", timeout=60_000)
        assert str(tmp_path / "b") in page.problem.text.text() and page.problem.action.isVisible()
        source.setCurrentIndex(0)
        source.activated.emit(0)
        qtbot.waitUntil(lambda: page.worker.state == "ready", timeout=60_000)
        assert not page.problem.isVisible()
    finally:
        page.leave()
        jobs.close()
        project.shut_down()


def test_in_a_window_too_small_for_the_columns_the_part_at_work_is_in_sight(page, qtbot):
    recording = solved(qtbot, page)
    page.resize(700, 420)
    qtbot.waitUntil(lambda: page.area.verticalScrollBar().maximum() > 0, timeout=3000)
    view = page.area.viewport()
    for phase in recording.phases():
        page.player.go(phase.start + 1)
        part = page.columns.part_of(phase.key)
        top = part.mapTo(page.stack, part.rect().topLeft()).y() - page.area.verticalScrollBar().value()
        assert -1 <= top < view.height(), phase.title
