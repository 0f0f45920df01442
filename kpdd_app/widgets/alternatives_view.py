"""The most likely tokens at one place of what a student wrote: each with its bar and its percentage.

A click, or Up, Down and Return, or a digit, picks another token to go on from.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from kpdd_app import theme
from training_backend.events import Token

ROWS = 6
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}


class AlternativesView(QWidget):
    """The chosen token first and marked, then the others it was preferred to."""

    picked = Signal(object, int, str)
    """Another token was picked: the token that stands there, the id and the text of the other."""
    left = Signal()

    def __init__(self, parent: QWidget | None = None, floating: bool = False) -> None:
        """With `floating` it is a small window beside the pointer."""
        super().__init__(parent)
        self._rows: list[tuple[str, float, bool]] = []
        self._ids: list[int] = []
        self._token: Token | None = None
        self._marked = -1
        self._floating = floating
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Most likely tokens here"))
        if floating:
            self.setWindowFlags(Qt.WindowType.ToolTip)
            self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        else:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.notifier().changed.connect(self.updateGeometry)

    @property
    def rows(self) -> list[tuple[str, float, bool]]:
        """Return what is shown: visible text, probability, whether the student chose it."""
        return list(self._rows)

    def show_token(self, token: Token | None) -> None:
        """Show a token and its alternatives; None shows nothing."""
        listed = _listed(token)
        rows = [row for row, _ in listed]
        self._token, self._ids = token, [number for _, number in listed]
        if rows == self._rows:
            return
        self._rows = rows
        self._mark(1 if self.hasFocus() else -1)
        self.setAccessibleDescription(
            ", ".join(f"{text} {percent(probability)}" for text, probability, _ in self._rows)
        )
        self.update()

    def show_beside(self, token: Token, place: QPoint) -> None:
        """Float below a place of the screen, kept inside it."""
        self.show_token(token)
        self.resize(self.sizeHint())
        screen = QGuiApplication.screenAt(place) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        x = max(area.left(), min(place.x(), area.right() - self.width()))
        # it touches the token: the pointer can go into it
        below = place.y()
        y = (
            below
            if below + self.height() <= area.bottom()
            else place.y() - self.height() - theme.line_height()
        )
        self.move(x, y)
        self.show()

    def is_pointed_at(self) -> bool:
        """Tell whether the pointer is over it, or just beside."""
        near = theme.gap(1)
        return self.frameGeometry().adjusted(-near, -near, near, near).contains(QCursor.pos())

    def sizeHint(self) -> QSize:
        """Return room for six rows, so that the page does not move while a student writes."""
        count = len(self._rows) if self._floating else ROWS
        pad = 2 * theme.gap(2) if self._floating else 0
        return QSize(theme.line_height() * 15, count * self._row_height() + pad)

    def minimumSizeHint(self) -> QSize:
        """Return the least that is readable."""
        return QSize(theme.line_height() * 9, self.sizeHint().height())

    def pick(self, row: int) -> None:
        """Pick the token of a row; the one that stands there already, or one without an id, is none."""
        if 0 < row < len(self._ids) and self._ids[row] >= 0:
            self.picked.emit(self._token, self._ids[row], self._rows[row][0])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the row under the pointer."""
        self._mark(self._row_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the row that was clicked."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.pick(self._row_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Unmark."""
        self._mark(-1)
        self.left.emit()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Mark the first other token."""
        super().focusInEvent(event)
        self._mark(1 if len(self._rows) > 1 else -1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Unmark."""
        super().focusOutEvent(event)
        self._mark(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down mark a row, Return picks it; a digit picks at once."""
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and len(self._rows) > 1:
            by = 1 if key == Qt.Key.Key_Down else -1
            self._mark(max(1, min(len(self._rows) - 1, self._marked + by)))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pick(self._marked)
        elif event.text() in tuple("12345"):
            self.pick(int(event.text()))
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a row per token: its text, a bar as long as it is likely, the percentage."""
        if not self._rows and not self._floating:
            return
        painter = QPainter(self)
        try:
            self._paint(painter)
        finally:
            painter.end()

    def _row_at(self, place: QPointF) -> int:
        top = theme.gap(2) if self._floating else 0
        row = int((place.y() - top) // self._row_height())
        return row if 0 <= row < len(self._rows) else -1

    def _mark(self, row: int) -> None:
        row = row if 0 < row < len(self._ids) and self._ids[row] >= 0 else -1
        if row != self._marked:
            self._marked = row
            cursor = Qt.CursorShape.PointingHandCursor if row >= 0 else Qt.CursorShape.ArrowCursor
            self.setCursor(cursor)
            text = self.tr("Continue from here with this token: a new branch") if row >= 0 else ""
            self.setToolTip("" if self._floating else text)
            self.update()

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect()
        if self._floating:
            painter.fillRect(area, theme.colour("raised"))
            painter.setPen(theme.colour("strong_border"))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
            area = area.adjusted(*(theme.gap(2) * sign for sign in (1, 1, -1, -1)))
        figures = theme.text_font(-1)
        right = QFontMetrics(figures).horizontalAdvance("100.0 %")
        name = min(area.width() // 2, theme.line_height() * 6)
        height = self._row_height()
        for index, (text, probability, chosen) in enumerate(self._rows):
            row = QRect(area.left(), area.top() + index * height, area.width(), height)
            if index == self._marked:
                painter.fillRect(row, theme.colour("accent_tint"))
            self._paint_row(painter, row, (text, probability, chosen), name, right)

    def _paint_row(
        self, painter: QPainter, row: QRect, what: tuple[str, float, bool], name: int, right: int
    ) -> None:
        text, probability, chosen = what
        mono = theme.mono_font()
        mono.setBold(chosen)
        painter.setFont(mono)
        painter.setPen(theme.colour("text" if chosen else "muted"))
        text_room = QRect(row.left(), row.top(), name - theme.gap(2), row.height())
        shown = QFontMetrics(mono).elidedText(text, Qt.TextElideMode.ElideRight, text_room.width())
        painter.drawText(text_room, Qt.AlignmentFlag.AlignVCenter, shown)
        bar = QRectF(row.left() + name, row.center().y() - theme.gap(0.6), 0, theme.gap(1.2))
        bar.setWidth(max(0, row.width() - name - right - theme.gap(2)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("hover"))
        painter.drawRoundedRect(bar, 2, 2)
        bar.setWidth(max(2.0, bar.width() * min(1.0, probability)))
        painter.setBrush(theme.colour("accent" if chosen else "strong_border"))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setFont(theme.text_font(-1))
        painter.setPen(theme.colour("text" if chosen else "muted"))
        where = QRect(row.right() - right, row.top(), right, row.height())
        painter.drawText(
            where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent(probability)
        )

    @staticmethod
    def _row_height() -> int:
        return theme.line_height() + theme.gap(0.6)


def alternatives_of(token: Token | None) -> list[tuple[str, float, bool]]:
    """Return the rows of a token: the chosen one first, then at most five others by probability."""
    return [row for row, _ in _listed(token)]


def _listed(token: Token | None) -> list[tuple[tuple[str, float, bool], int]]:
    """Return the rows of a token, each with its id in the student's vocabulary (-1: not known)."""
    if token is None:
        return []
    rows = [((visible(token.text), token.probability, True), token.token)]
    others: Sequence[Sequence] = token.alternatives or []
    for number, other in enumerate(others):
        text, probability = str(other[0]), float(other[1])
        known = token.alternative_tokens[number] if number < len(token.alternative_tokens) else -1
        same = known == token.token if known >= 0 <= token.token else text == token.text
        if not same and len(rows) < ROWS:
            rows.append(((visible(text), probability, False), known))
    return rows


def percent(probability: float) -> str:
    """Return a probability as people read it.

    >>> percent(1.0), percent(0.934), percent(0.00004)
    ('100 %', '93.4 %', '< 0.1 %')
    """
    value = 100 * probability
    if value >= 99.95:
        return "100 %"
    return f"{value:.1f} %" if value >= 0.05 else "< 0.1 %"


def visible(text: str) -> str:
    """Return a token with its white space, control and direction signs made visible."""
    if not text or text in ("⏹", "</s>", "<eos>", "<|endoftext|>"):
        return "⟨end⟩"
    return "".join(
        _SIGNS.get(char) or (char if char.isprintable() else f"\\u{ord(char):04x}") for char in text
    )
