"""The most likely tokens at one place of what a student wrote: each with its bar and its percentage."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from kpdd_app import theme
from training_backend.events import Token

ROWS = 6
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}


class AlternativesView(QWidget):
    """The chosen token first and marked, then the others it was preferred to."""

    def __init__(self, parent: QWidget | None = None, floating: bool = False) -> None:
        """With `floating` it is a small window beside the pointer."""
        super().__init__(parent)
        self._rows: list[tuple[str, float, bool]] = []
        self._floating = floating
        self.setAccessibleName(self.tr("Most likely tokens here"))
        if floating:
            self.setWindowFlags(Qt.WindowType.ToolTip)
            self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.notifier().changed.connect(self.updateGeometry)

    @property
    def rows(self) -> list[tuple[str, float, bool]]:
        """Return what is shown: visible text, probability, whether the student chose it."""
        return list(self._rows)

    def show_token(self, token: Token | None) -> None:
        """Show a token and its alternatives; None shows nothing."""
        rows = alternatives_of(token)
        if rows == self._rows:
            return
        self._rows = rows
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
        below = place.y() + theme.gap(2)
        y = (
            below
            if below + self.height() <= area.bottom()
            else place.y() - self.height() - theme.line_height()
        )
        self.move(x, y)
        self.show()

    def sizeHint(self) -> QSize:
        """Return room for six rows, so that the page does not move while a student writes."""
        count = len(self._rows) if self._floating else ROWS
        pad = 2 * theme.gap(2) if self._floating else 0
        return QSize(theme.line_height() * 15, count * self._row_height() + pad)

    def minimumSizeHint(self) -> QSize:
        """Return the least that is readable."""
        return QSize(theme.line_height() * 9, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a row per token: its text, a bar as long as it is likely, the percentage."""
        if not self._rows and not self._floating:
            return
        painter = QPainter(self)
        try:
            self._paint(painter)
        finally:
            painter.end()

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
    if token is None:
        return []
    rows = [(visible(token.text), token.probability, True)]
    others: Sequence[Sequence] = token.alternatives or []
    for other in others:
        text, probability = str(other[0]), float(other[1])
        if text != token.text and len(rows) < ROWS:
            rows.append((visible(text), probability, False))
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
    if not text or text in ("</s>", "<eos>", "<|endoftext|>"):
        return "⟨end⟩"
    return "".join(
        _SIGNS.get(char) or (char if char.isprintable() else f"\\u{ord(char):04x}") for char in text
    )
