"""A text that changes with every step moves nothing around it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from kpdd_app.widgets.quick_label import QuickLabel


class Layouts(QObject):
    """Counts how often a widget is asked to lay out its children."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def label(qtbot):
    room = QWidget()
    qtbot.addWidget(room)
    found = QuickLabel()
    QHBoxLayout(room).addWidget(found)
    room.resize(120, 40)
    with qtbot.waitExposed(room):
        room.show()
    yield found
    room.close()


def test_a_new_text_is_painted_and_lays_out_nothing(label):
    QCoreApplication.processEvents()
    layouts = Layouts()
    label.parentWidget().installEventFilter(layouts)
    before = label.grab().toImage()
    for number in range(20):
        label.say(f"line {number} of a program with many lines")
        QCoreApplication.processEvents()
    assert layouts.count == 0
    assert label.grab().toImage() != before and label.text().startswith("line 19")
    label.reserve("12345 / 12345")
    QCoreApplication.processEvents()
    assert layouts.count > 0 and label.width() == label.sizeHint().width()


def test_what_is_cut_off_is_told_by_the_pointer(label, qtbot):
    def told() -> str:
        QCoreApplication.sendEvent(label, QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), QPoint(1, 1)))
        return label.toolTip()

    label.say("short")
    assert told() == "" and label.accessibleName() == "short"
    label.say("a text that is much longer than the room that it has")
    assert told() == label.text()
    label.say("3 / 5", "Line 2: round 3 / 5")
    assert told() == label.accessibleName() == "Line 2: round 3 / 5"
