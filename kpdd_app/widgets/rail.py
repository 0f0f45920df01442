"""The left rail: the pages in the order of the work, and what belongs to the whole window below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QVBoxLayout, QWidget

from kpdd_app import theme


class RailButton(QAbstractButton):
    """One place of the rail: a drawing above its word; a dot tells that work runs there."""

    def __init__(self, icon_name: str, text: str, parent: QWidget | None = None, small: bool = False) -> None:
        """`small` leaves the word out; it stays the accessible name and the tool tip."""
        super().__init__(parent)
        self._icon_name = icon_name
        self._small = small
        self._wordless = small
        self._busy = False
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(not small)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_icon_name(self, name: str) -> None:
        """Show another drawing."""
        self._icon_name = name
        self.update()

    def set_busy(self, busy: bool) -> None:
        """Show or hide the dot."""
        self._busy = busy
        self.update()

    def show_word(self, shown: bool) -> None:
        """Show the word below the drawing, where there is room for the words of all pages."""
        if self._wordless == shown and not self._small:
            self._wordless = not shown
            self.updateGeometry()
            self.update()

    def full_height(self) -> int:
        """Return the height in pixels with the word."""
        icon = self._icon_edge()
        if self._small:
            return icon + theme.gap(3)
        return icon + theme.line_height(theme.text_font(-1.5)) + theme.gap(4)

    def sizeHint(self) -> QSize:
        height = self._icon_edge() + theme.gap(3) if self._wordless else self.full_height()
        return QSize(max(theme.gap(15), self.fontMetrics().horizontalAdvance("Evaluate ")), height)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint(painter)
        finally:
            painter.end()

    def _paint(self, painter: QPainter) -> None:
        box = QRectF(self.rect()).adjusted(theme.gap(1), 1, -theme.gap(1), -1)
        if self.isChecked() or self.isDown():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_tint"))
            painter.drawRoundedRect(box, 7, 7)
        elif self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(box, 7, 7)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.75, 0.75, -0.75, -0.75), 7, 7)
        tone = "accent" if self.isChecked() else "text" if self.underMouse() else "muted"
        edge = self._icon_edge()
        left = (self.width() - edge) / 2
        top = (self.height() - edge) / 2 if self._wordless else theme.gap(1.4)
        picture = theme.pixmap(self._icon_name, tone, edge, self.devicePixelRatioF())
        painter.drawPixmap(round(left), round(top), picture)
        if not self._wordless:
            painter.setFont(theme.text_font(-1.5, bold=self.isChecked()))
            painter.setPen(theme.colour(tone))
            below = QRectF(0, top + edge + theme.gap(0.5), self.width(), self.height())
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self.text())
        if self._busy:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawEllipse(QRectF(left + edge - 1, top - 1, 6, 6))

    def _icon_edge(self) -> int:
        return round(theme.line_height() * (1.05 if self._small else 1.25))


class Rail(QWidget):
    """The column of pages; `chosen(key)` tells which one is wanted."""

    chosen = Signal(str)

    def __init__(self, pages: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        """`pages` are (key, title); a page's drawing has the name of its key."""
        super().__init__(parent)
        self.buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(2, theme.gap(1.5), 2, theme.gap(1))
        self._column.setSpacing(theme.gap(0.5))
        for key, title in pages:
            button = RailButton(key, title)
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._group.addButton(button)
            self.buttons[key] = button
            self._column.addWidget(button)
        self._column.addStretch(1)
        theme.notifier().changed.connect(self._fit)

    def add_tool(self, icon_name: str, text: str) -> RailButton:
        """Put a small button at the foot of the rail."""
        button = RailButton(icon_name, text, small=True)
        self._column.addWidget(button)
        return button

    def select(self, key: str) -> None:
        """Show `key` as the page that is open."""
        self.buttons[key].setChecked(True)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leave the words out where the window is too low for them all, or the letters too large."""
        parts = self.findChildren(RailButton)
        needed = sum(part.full_height() + self._column.spacing() for part in parts) + theme.gap(2.5)
        for button in self.buttons.values():
            button.show_word(needed <= self.height())

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), theme.colour("window"))
            painter.setPen(theme.colour("border"))
            painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())
        finally:
            painter.end()
