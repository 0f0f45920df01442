"""What an empty place shows: what belongs there, and the one next action."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme


class EmptyState(QWidget):
    """A drawing, a sentence, an explanation and at most one button (and one quieter one)."""

    acted = Signal()
    acted_other = Signal()

    def __init__(self, icon_name: str, what: str, why: str = "", action: str = "", other: str = "",
                 parent: QWidget | None = None) -> None:  # fmt: skip
        """`action` is the text of the button; empty means none."""
        super().__init__(parent)
        self._icon_name = icon_name
        self._picture = QLabel()
        self.what = _label("title")
        self.why = _label("muted")
        self.button = QPushButton()
        self.button.setProperty("kind", "primary")
        self.button.clicked.connect(self.acted)
        self.other = QPushButton()
        self.other.clicked.connect(self.acted_other)
        buttons = self._buttons = QHBoxLayout()
        buttons.setSpacing(theme.gap(theme.S))
        for button in (self.button, self.other):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setSpacing(theme.gap(theme.M))
        column.addStretch(3)
        column.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        # no alignment here: a wrapped label asks for its height only when it gets its width
        for part in (self.what, self.why):
            middle = QHBoxLayout()
            middle.addStretch(1)
            middle.addWidget(part, 100)
            middle.addStretch(1)
            column.addLayout(middle)
        column.addSpacing(theme.gap(theme.S))
        column.addLayout(buttons)
        column.setAlignment(buttons, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(4)
        self.say(what, why, action, other)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def say(self, what: str, why: str = "", action: str = "", other: str = "") -> None:
        """Change the words."""
        self.what.setText(what)
        self.why.setText(why)
        self.why.setVisible(bool(why))
        for button, text in ((self.button, action), (self.other, other)):
            button.setText(text)
            button.setVisible(bool(text))
        self._turn()

    def minimumSizeHint(self) -> QSize:
        # one button is enough: they go below each other
        shown = [button.sizeHint().width() for button in (self.button, self.other) if button.text()]
        return QSize(max(shown, default=0) + theme.gap(6), super().minimumSizeHint().height())

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        """Put the buttons below each other where they have no room side by side."""
        needed = sum(button.sizeHint().width() for button in (self.button, self.other) if button.text())
        narrow = needed + theme.gap(8) > self.width()
        turn = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._buttons.setDirection(turn)

    def _restyle(self) -> None:
        edge = theme.line_height() * 2
        self._picture.setPixmap(theme.pixmap(self._icon_name, "faint", edge, self.devicePixelRatioF()))
        for part in (self.what, self.why):
            part.setMaximumWidth(theme.gap(120))


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
