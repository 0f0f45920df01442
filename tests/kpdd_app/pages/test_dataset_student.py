"""The student that rows must fit: offered in a menu, kept in the project, and seen in the facets."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from kpdd_app.jobs import Jobs
from kpdd_app.pages.dataset import DatasetPage
from training_backend.project.flagging import chosen_student

WAIT_MS = 60_000


@pytest.fixture
def page(qtbot, open_project):
    jobs = Jobs()
    page = DatasetPage(open_project, jobs)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: bool(page.facets.lines()))
    yield page
    page.leave()
    jobs.close()


@pytest.fixture
def short_student(tmp_path):
    """Return the folder of a student that reads three tokens: no row fits it."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path / "short & small"
    folder.mkdir()
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", vocab={"<unk>": 0, "</s>": 1, "a": 2}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "t5"}))
    return folder


def opened(qtbot, page, action):
    action()
    qtbot.waitUntil(lambda: page.student_menu.menu is not None and page.student_menu.menu.isVisible())
    return page.student_menu.menu


def test_the_menu_opens_with_a_key_and_says_what_is_chosen(qtbot, page):
    page.table.setFocus()
    menu = opened(
        qtbot, page, lambda: QTest.keyClick(page.table, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    )
    words = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert words[1] == "none" and words[-1] == "A student's folder…"
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["none"]
    menu.close()


def test_a_chosen_student_is_kept_and_its_flag_is_seen(qtbot, page, short_student):
    page.student_menu.choose(str(short_student))
    qtbot.waitUntil(lambda: chosen_student(page.project.project) == str(short_student), timeout=WAIT_MS)

    def flagged():
        return [line.count for line in page.facets.lines() if line.value == "unfit_for_student"]

    qtbot.waitUntil(lambda: bool(flagged()), timeout=WAIT_MS)
    assert flagged()[0] > 0
    page.student_menu.choose("none")
    qtbot.waitUntil(lambda: not flagged(), timeout=WAIT_MS)
    assert chosen_student(page.project.project) == ""


def test_a_folder_without_a_student_is_refused_and_nothing_is_written(qtbot, page, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("kpdd_app.messages.error", lambda parent, problem: said.append(problem))
    page.student_menu.choose(str(tmp_path / "nowhere"))
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT_MS)
    assert chosen_student(page.project.project) == ""


def test_the_title_of_the_facet_has_the_menu_and_its_words_still_take_the_choice_away(qtbot, page):
    facets = page.facets
    facets.set_facets({"flags": [("none", 10), ("unfit_for_student", 2)]})
    number = next(n for n, line in enumerate(facets.lines()) if line.title and line.facet == "flags")
    middle = facets._top(number) + facets._height() // 2
    asked = []
    facets.menu_wanted.connect(lambda facet, place: asked.append(facet))
    right = QPoint(facets.viewport().width() - 16, middle)
    QTest.mouseClick(facets.viewport(), Qt.MouseButton.LeftButton, pos=right)
    assert asked == ["flags"]
    facets.choose({"flags": frozenset({"unfit_for_student"})})
    QTest.mouseClick(facets.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, middle))
    assert not facets.chosen and asked == ["flags"]
    if page.student_menu.menu is not None:
        page.student_menu.menu.close()
