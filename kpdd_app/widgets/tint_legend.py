"""What the tint behind tokens means: from sure to unsure."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from kpdd_app import theme
from kpdd_app.widgets.tints import STEPS, tint


class TintLegend(QWidget):
    """Two words with the tints between them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the legend."""
        super().__init__(parent)
        self._words = (self.tr("sure"), self.tr("unsure"))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setToolTip(self.tr("The tint behind a token shows how unsure the student was of it."))
        theme.notifier().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return room for the words and the tints."""
        metrics = QFontMetrics(theme.text_font(-1))
        width = (
            sum(metrics.horizontalAdvance(word) for word in self._words) + STEPS * self._cell() + theme.gap(3)
        )
        return QSize(width, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Return room for the tints alone."""
        return QSize(STEPS * self._cell(), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint word, tints, word; in a narrow place the tints alone."""
        painter = QPainter(self)
        try:
            font = theme.text_font(-1)
            painter.setFont(font)
            painter.setPen(theme.colour("muted"))
            metrics = QFontMetrics(font)
            middle = Qt.AlignmentFlag.AlignVCenter
            whole = self.width() >= self.sizeHint().width()
            left = metrics.horizontalAdvance(self._words[0]) + theme.gap(1) if whole else 0
            if whole:
                painter.drawText(QRectF(0, 0, left + 2, self.height()), middle, self._words[0])
            x = left
            for step in range(1, STEPS + 1):
                painter.fillRect(
                    QRectF(x, self.height() * 0.22, self._cell(), self.height() * 0.56), tint(step)
                )
                x += self._cell()
            if whole:
                after = QRectF(x + theme.gap(1), 0, self.width(), self.height())
                painter.drawText(after, middle, self._words[1])
        finally:
            painter.end()

    @staticmethod
    def _cell() -> int:
        return theme.gap(1.4)
