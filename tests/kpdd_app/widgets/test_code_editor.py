"""The editor indents, can be left by keys, marks numbers and the error's line."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from kpdd_app.widgets.code_editor import CodeEditor
from kpdd_app.widgets.growing_text import GrowingText


@pytest.fixture
def place(qtbot):
    window = QWidget()
    column = QVBoxLayout(window)
    window.editor = CodeEditor("Rationale")
    window.text = GrowingText("Question", 1, 5)
    window.last = QLineEdit()
    for widget in (window.editor, window.text, window.last):
        column.addWidget(widget)
    qtbot.addWidget(window)
    window.resize(500, 500)
    with qtbot.waitActive(window):
        window.show()
    window.editor.setFocus()
    return window


def test_return_keeps_the_indent_and_a_colon_deepens_it(qtbot, place):
    qtbot.keyClicks(place.editor, "if x:")
    qtbot.keyClick(place.editor, Qt.Key.Key_Return)
    qtbot.keyClicks(place.editor, "y = 1")
    qtbot.keyClick(place.editor, Qt.Key.Key_Return)
    qtbot.keyClicks(place.editor, "z = 2")
    assert place.editor.text == "if x:\n    y = 1\n    z = 2"


def test_backspace_takes_a_whole_indent_back_but_only_there(qtbot, place):
    qtbot.keyClicks(place.editor, "if x:")
    qtbot.keyClick(place.editor, Qt.Key.Key_Return)
    qtbot.keyClick(place.editor, Qt.Key.Key_Backspace)
    qtbot.keyClicks(place.editor, "ans = 1")
    qtbot.keyClick(place.editor, Qt.Key.Key_Backspace)
    assert place.editor.toPlainText() == "if x:\nans = "


def test_a_program_stands_whole_without_scrolling(qtbot, place):
    place.editor.set_text("\n".join(f"n{i} = {i}" for i in range(12)))
    place.adjustSize()
    place.editor.resize(place.editor.width(), place.editor.sizeHint().height())
    assert place.editor.verticalScrollBar().maximum() == 0


def test_tab_indents_and_backtab_takes_it_back(qtbot, place):
    place.editor.set_text("a = 1\nb = 2")
    place.editor.selectAll()
    qtbot.keyClick(place.editor, Qt.Key.Key_Tab)
    assert place.editor.text == "    a = 1\n    b = 2"
    place.editor.selectAll()
    qtbot.keyClick(place.editor, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert place.editor.text == "a = 1\nb = 2"


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier),
    ],
)
def test_the_keyboard_can_leave(qtbot, place, key, keys):
    qtbot.keyClick(place.editor, key, keys)
    assert place.text.hasFocus()
    qtbot.keyClick(place.text, Qt.Key.Key_Tab)
    assert place.last.hasFocus()


def test_ctrl_return_is_left_to_the_page_and_types_nothing(qtbot, place):
    place.editor.set_text("a = 1")
    run = QAction(place)
    run.setShortcut("Ctrl+Return")
    place.addAction(run)
    with qtbot.waitSignal(run.triggered):
        qtbot.keyClick(place.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert place.editor.text == "a = 1"


def test_a_new_text_keeps_the_cursor_and_says_nothing(qtbot, place):
    said = []
    place.editor.set_text("one\ntwo\nthree")
    place.editor.textChanged.connect(lambda: said.append(1))
    cursor = place.editor.textCursor()
    cursor.setPosition(2)
    place.editor.setTextCursor(cursor)
    place.editor.set_text("one\ntwo and more\nthree")
    assert place.editor.textCursor().position() == 2
    assert not said
    place.editor.set_text("emoji 🍎 here")
    assert place.editor.text == "emoji 🍎 here"


def test_the_line_of_the_error_is_marked(place):
    place.editor.set_text("a = 1\nb = c\nanswer = b")
    place.editor.clearFocus()
    place.editor.set_error_line(2)
    marks = place.editor.extraSelections()
    assert marks[0].cursor.blockNumber() == 1
    place.editor.set_error_line(None)
    assert place.editor.error_line is None


def test_fields_are_as_high_as_their_text(qtbot, place):
    low = place.text.sizeHint().height()
    place.text.set_text("one\ntwo\nthree")
    assert place.text.sizeHint().height() > low
    place.text.set_text("\n" * 50)
    assert place.text.sizeHint().height() < 8 * place.text.fontMetrics().lineSpacing()


def test_numbers_are_marked_where_they_stand(place):
    place.text.mark_numbers(True)
    place.text.set_text("🍎 costs 12 and 3.5, not 1,200")
    found = [mark.cursor.selectedText() for mark in place.text.extraSelections()]
    assert found == ["12", "3.5", "1,200"]


def test_strings_over_lines_are_coloured(place):
    place.editor.set_text('"""a\nb = 1\n"""\nc = 2')
    states = [place.editor.document().findBlockByNumber(n).userState() for n in range(4)]
    assert states == [1, 1, 0, 0]


def test_the_margin_has_room_for_the_last_line_of_a_text_put_in_quietly(place):
    place.editor.blockSignals(True)
    for lines in (2, 1200, 2):
        place.editor.set_text("a = 1\n" * lines)
        assert place.editor.viewportMargins().left() == place.editor.gutter_width()
