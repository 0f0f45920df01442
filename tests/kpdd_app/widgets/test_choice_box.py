"""Boxes of choices that keep their width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from kpdd_app.widgets.choice_box import ChoiceBox


def test_a_choice_too_long_for_its_box_ends_in_an_ellipsis_and_is_told_in_full(qtbot):
    box = ChoiceBox("Runs", 10)
    qtbot.addWidget(box)
    box.setToolTip("which one")
    box.addItem("short")
    box.addItem("a run whose name is much longer than the box in which it stands")
    box.resize(160, box.sizeHint().height())
    with qtbot.waitExposed(box):
        box.show()
    assert box.shown() == "short"
    width = box.sizeHint().width()
    box.setCurrentIndex(1)
    assert box.shown().startswith("a run") and box.shown().endswith("…")
    assert box.sizeHint().width() == width
    place = QPoint(20, 5)
    QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, place, box.mapToGlobal(place)))
    qtbot.waitUntil(lambda: QToolTip.text() == f"{box.currentText()}\nwhich one", timeout=5_000)
    QToolTip.hideText()


def test_an_empty_choice_shows_what_belongs_there(qtbot):
    box = ChoiceBox("Runs", 20)
    qtbot.addWidget(box)
    box.addItem("one")
    box.setPlaceholderText("choose a run")
    box.setCurrentIndex(-1)
    box.resize(box.sizeHint())
    assert box.shown() == "choose a run"
