"""The rail: words below the drawings where the window is high enough for all of them."""

from __future__ import annotations

import pytest

from kpdd_app import theme
from kpdd_app.widgets.rail import Rail

PAGES = [("home", "Home"), ("teacher", "Teacher"), ("dataset", "Dataset"), ("train", "Train")]


@pytest.fixture
def rail(qtbot):
    made = Rail(PAGES)
    made.add_tool("moon", "Light or dark")
    qtbot.addWidget(made)
    made.resize(80, 600)
    made.show()
    return made


def test_words_are_whole_or_not_there(qtbot, rail):
    assert all(button.height() >= button.full_height() for button in rail.buttons.values())
    rail.resize(80, sum(button.full_height() for button in rail.buttons.values()) - 20)
    for button in rail.buttons.values():
        assert button.sizeHint().height() < button.full_height()
    assert rail.buttons["train"].geometry().bottom() < rail.height()
    assert rail.buttons["train"].accessibleName() == "Train"
    rail.resize(80, 600)
    assert all(button.sizeHint().height() == button.full_height() for button in rail.buttons.values())


def test_large_letters_leave_the_words_out_of_a_low_window(qtbot, rail):
    rail.resize(80, 300)
    before = rail.buttons["home"].sizeHint().height()
    theme.apply(_app(), "light", 24)
    try:
        assert rail.buttons["home"].sizeHint().height() < rail.buttons["home"].full_height()
    finally:
        theme.apply(_app(), "light", 10)
    assert rail.buttons["home"].sizeHint().height() == before


def _app():
    from PySide6.QtWidgets import QApplication

    return QApplication.instance()
