"""The head of a column on the Solve page: which part of the inference it is, and how far it came."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from kpdd_app import theme
from kpdd_app.widgets.quick_label import QuickLabel


class _Badge(QWidget):
    """A number in a ring; filled while its part is at work, with a check when it is done."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.state = "waiting"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        edge = theme.line_height() + theme.gap(1.5)
        return QSize(edge, edge)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            ring = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            at_work = self.state == "at work"
            colour = "strong_border" if self.state == "waiting" else "accent"
            painter.setPen(QPen(theme.colour(colour), 1.5))
            painter.setBrush(theme.colour("accent") if at_work else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(ring)
            painter.setFont(theme.text_font(-0.5, bold=True))
            painter.setPen(
                theme.colour("on_accent" if at_work else "accent" if colour == "accent" else "muted")
            )
            painter.drawText(ring, Qt.AlignmentFlag.AlignCenter, self.text)
        finally:
            painter.end()


class StageHeader(QWidget):
    """A badge, a title, and at the right what there is to say."""

    def __init__(self, number: str, title: str, parent: QWidget | None = None) -> None:
        """`number` stands in the badge."""
        super().__init__(parent)
        self._badge = _Badge(number)
        self.title = QLabel(title)
        self.title.setProperty("role", "heading")
        self.note = QuickLabel(Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(2))
        row.addWidget(self._badge)
        row.addWidget(self.title)
        row.addWidget(self.note, 1)

    def say(self, title: str, note: str = "") -> None:
        """Change title and note."""
        self.title.setText(title)
        self.note.say(note)

    def set_number(self, number: str) -> None:
        """Change what stands in the badge."""
        self._badge.text = number
        self._badge.update()

    @property
    def state(self) -> str:
        """Return waiting, at work or done."""
        return self._badge.state

    def set_state(self, state: str) -> None:
        """Show that this part is waiting, at work or done."""
        if state != self._badge.state:
            self._badge.state = state
            self._badge.setAccessibleDescription(state)
            self._badge.update()
