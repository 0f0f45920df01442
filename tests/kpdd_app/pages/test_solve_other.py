"""A solution beside another question: it is dimmed, one line says so, its verdict is not shown."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt

from kpdd_app.pages.solve_columns import DEMO_EXPLAINED, DEMO_LIMITS, DEMO_PATTERNS
from kpdd_app.pages.solve_other import NAMED_CHARS, beginning_of
from kpdd_app.pages.solve_recorded import name_of
from training_backend.paths import resources_dir
from training_backend.project.replies import Origin

QUESTION = "Nora's book has 240 pages. She reads 18 a day for 6 days. How many pages are left?"
NEW = "A shelf holds 2 boxes with 3 jars each. How many jars are there?"


def solved(qtbot, page):
    page.solve_question(QUESTION, 132.0)
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    qtbot.waitUntil(lambda: page.player.step_shown == page.recording.length, timeout=5_000)


def veils(page):
    return [veil.isVisibleTo(page) for veil in page.other._veils[:3]]


def test_another_question_is_said_and_the_old_solution_dimmed(page, qtbot):
    solved(qtbot, page)
    assert page.other.notice.isHidden() and not any(veils(page))
    page.question.set_question(NEW, 6.0)
    qtbot.waitUntil(page.other.notice.isVisible, timeout=3000)
    said = page.other.notice.text.text()
    assert said.startswith("This solution is of another question: Nora's book has 240 pages.")
    assert veils(page) == [True, True, True]
    over = page.other._over_answer
    assert over.isVisible() and over.text == "Answer to the other question: 132"
    assert over.geometry() == page.columns.run.answer.rect()
    page.player.go(0)
    assert page.other.notice.isVisible()
    qtbot.mouseClick(page.other.notice.action, Qt.MouseButton.LeftButton)
    assert (page.question.question, page.question.gold) == (QUESTION, 132.0)
    assert page.other.notice.isHidden() and not any(veils(page)) and over.isHidden()


def test_typing_into_the_question_is_noticed_and_taking_it_back_too(page, qtbot):
    solved(qtbot, page)
    page.question.edit.setFocus()
    qtbot.keyClicks(page.question.edit, "x")
    qtbot.waitUntil(page.other.notice.isVisible, timeout=3000)
    qtbot.keyClick(page.question.edit, Qt.Key.Key_Backspace)
    page.question.gold_edit.setText("132")
    qtbot.waitUntil(page.other.notice.isHidden, timeout=3000)


def test_typing_on_dresses_nothing_anew(page, qtbot, monkeypatch):
    solved(qtbot, page)
    qtbot.keyClicks(page.question.edit, "x")
    qtbot.waitUntil(page.other.notice.isVisible, timeout=3000)
    said = []
    monkeypatch.setattr(page.other.notice, "say", lambda *what: said.append(what))
    qtbot.keyClicks(page.question.edit, "yz and more")
    page.other.look()
    assert said == []


def test_another_gold_answer_hides_the_verdict_only(page, qtbot):
    solved(qtbot, page)
    page.question.gold_edit.setText("150")
    qtbot.waitUntil(page.other.notice.isVisible, timeout=3000)
    assert "compared with gold 132" in page.other.notice.text.text()
    assert not any(veils(page)) and page.other._over_answer.isVisible()
    qtbot.mouseClick(page.other.notice.action, Qt.MouseButton.LeftButton)
    assert page.question.gold == 132.0 and page.other.notice.isHidden()


def test_solving_the_new_question_clears_the_line(page, qtbot):
    solved(qtbot, page)
    page.question.set_question(NEW, 132.0)
    qtbot.waitUntil(page.other.notice.isVisible, timeout=3000)
    page.question.solve()
    qtbot.waitUntil(lambda: page.recording is not None and page.recording.over, timeout=10_000)
    assert page.recording.question == NEW and page.other.notice.isHidden() and not any(veils(page))


def test_other_students_solve_the_question_on_the_page(page, qtbot):
    solved(qtbot, page)
    page.question.set_question(NEW, 132.0)
    page.students.beside_wanted.emit(page.students.base)
    assert page.recording.question == NEW


def test_a_long_question_is_named_by_its_first_words():
    assert beginning_of("How  many\njars?") == "How many jars?"
    short = beginning_of("jars " * 40)
    assert len(short) <= NAMED_CHARS + 2 and short.endswith("jars …")


def test_the_window_and_the_shipped_figures_name_one_number_of_patterns():
    told = json.loads((resources_dir() / "demo_students" / "results.json").read_text(encoding="utf-8"))
    assert told["sets"]["held_out_numbers"]["templates"] == DEMO_PATTERNS
    assert f" {DEMO_PATTERNS} patterns" in DEMO_LIMITS and f" {DEMO_PATTERNS} patterns" in DEMO_EXPLAINED
    assert DEMO_EXPLAINED.startswith("<qt>"), "plain text in a tooltip is one line"


def test_names_of_writers_read_within_a_sentence():
    assert name_of(Origin("sample", "m", "built in")) == "the sample teacher"
    assert (name_of(Origin("Ada-7b", "m", "file")), name_of(None)) == ("Ada-7b", "the teacher")
