"""One line of text that changes with every step: it paints anew, and nothing around it is laid out again."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from kpdd_app import theme


class QuickLabel(QWidget):
    """Muted text, cut with an ellipsis where there is no room.

    A QLabel asks for a new layout of the whole window whenever its text changes.
    """

    def __init__(
        self,
        alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        """Begin without a text, and without room of its own: see `reserve`."""
        super().__init__(parent)
        self._text = self._reserved = self._tip = ""
        self._alignment, self._elide = alignment, elide
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.notifier().changed.connect(self.updateGeometry)

    def text(self) -> str:
        """Return the whole text."""
        return self._text

    def say(self, text: str, tip: str = "") -> None:
        """Change the text; where it is cut and there is no `tip`, the tip is the text."""
        if (text, tip) != (self._text, self._tip):
            self._text, self._tip = text, tip
            self.setAccessibleName(tip or text)
            self.update()

    def reserve(self, text: str) -> None:
        """Ask for as much room as this text needs, whatever is shown."""
        if text != self._reserved:
            self._reserved = text
            self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the room of the reserved text."""
        metrics = QFontMetrics(theme.text_font())
        return QSize(metrics.horizontalAdvance(self._reserved) + 1, metrics.height())

    def event(self, event: QEvent) -> bool:
        """Say what is cut off, or the tip, when the pointer rests here."""
        if event.type() == QEvent.Type.ToolTip:
            cut = QFontMetrics(theme.text_font()).horizontalAdvance(self._text) > self.width()
            self.setToolTip(self._tip or (self._text if cut else ""))
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text."""
        painter = QPainter(self)
        try:
            font = theme.text_font()
            painter.setFont(font)
            painter.setPen(theme.colour("muted"))
            shown = QFontMetrics(font).elidedText(self._text, self._elide, self.width())
            painter.drawText(self.rect(), self._alignment | Qt.AlignmentFlag.AlignVCenter, shown)
        finally:
            painter.end()
