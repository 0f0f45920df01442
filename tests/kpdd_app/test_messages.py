"""Messages say what, where and what to do, and can be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton

from kpdd_app import messages
from training_backend.errors import StoreError
from training_backend.events import Failed


def answer(text: str, seen: list) -> None:
    """Press the button with this text of the dialog that opens next."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        seen.append(box)
        button = next(b for b in box.findChildren(QPushButton) if b.text() == text)
        button.click()

    QTimer.singleShot(0, press)


def test_an_error_has_its_parts_and_can_be_copied(qtbot):
    box = messages.Message(None, "Title", "What happened.", "Do this.", "file, line 3", "details")
    qtbot.addWidget(box)
    copy = next(b for b in box.findChildren(QPushButton) if b.text() == "Copy")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert text == "Title\nfile, line 3\nWhat happened.\nDo this.\ndetails"


def test_the_button_that_return_presses_has_the_keyboard(qtbot):
    box = messages.Message(None, "Title", "What happened.", details="line", choices=("Cancel", "Repair"))
    qtbot.addWidget(box)
    with qtbot.waitActive(box):
        box.show()
    assert box.focusWidget().text() == "Repair"


def test_every_kind_of_problem_is_understood(qtbot):
    seen: list = []
    problems = [
        StoreError("The disk is full.", "Make room.", "x.kpdd"),
        Failed(message="The disk is full.", hint="Make room.", where="x.kpdd", traceback="line"),
        OSError("The disk is full."),
        "The disk is full.",
    ]
    for problem in problems:
        answer("OK", seen)
        messages.error(None, problem)
    assert len(seen) == 4
    assert all("The disk is full." in box.text for box in seen)
    assert all("Make room." in box.text and "x.kpdd" in box.text for box in seen[:2])


def test_questions_give_the_choice(qtbot):
    seen: list = []
    answer("Delete", seen)
    assert messages.question(None, "Really?", yes="Delete")
    answer("Cancel", seen)
    assert not messages.question(None, "Really?", yes="Delete")


def test_notes_are_said(qtbot):
    with qtbot.waitSignal(messages.notes().said) as said:
        messages.note("done")
    assert said.args == ["done"]
