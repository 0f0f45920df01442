"""One line of text that gives way where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLabel

from kpdd_app import theme


class ShortLabel(QLabel):
    """One line that is shortened where it does not fit; the tool tip then has it whole."""

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.gap(8), super().minimumSizeHint().height())

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            short = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            self.setToolTip(self.text() if short != self.text() else "")
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, short)
        finally:
            painter.end()
