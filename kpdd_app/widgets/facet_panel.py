"""The facets: for each property of a row its values with their counts; a click keeps only those rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from PySide6.QtCore import QLocale, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from kpdd_app import theme
from training_backend.methods import KINDS
from training_backend.project import flags

TITLES = {
    "verdict": "Verdict", "review": "Review", "flags": "Found by the program", "kind": "Kind",
    "dataset": "Dataset", "split": "Split", "round": "Round", "path": "Path",
    "changed": "Changed by a person", "flagged": "Flag",
}  # fmt: skip
ORDER = tuple(TITLES)
# a facet whose rows are all alike tells nothing, except these
ALWAYS = ("verdict", "review")
# facets whose title has a menu
WITH_MENU = ("flags",)


@dataclass(frozen=True)
class Line:
    """One line of the panel: a title (`value` None) or a value with its count."""

    facet: str
    value: Any = None
    count: int = 0
    title: bool = False


def value_words(facet: str, value: Any) -> str:
    """Return how a value of a facet reads."""
    if facet in ("verdict", "review"):
        return theme.look(str(value)).word
    if facet == "kind":
        return KINDS.get(value, "no reply yet")
    if facet == "path":
        return f"path {int(value) + 1}"
    if facet == "round":
        return f"round {int(value)}" if value else "imported"
    if facet == "flags":
        return "nothing odd" if value == flags.NONE else flags.BY_NAME[value].title
    if facet == "changed":
        return "changed" if value else "as it was written"
    if facet == "flagged":
        return "flagged" if value else "not flagged"
    return str(value) or "–"


class FacetPanel(QAbstractScrollArea):
    """All facets in one column; arrows move, Space chooses, Escape chooses nothing."""

    changed = Signal(object)
    """The choice: facet → frozenset of values."""
    menu_wanted = Signal(str, object)
    """The menu of a facet's title is wanted at a place of the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.chosen: dict[str, frozenset] = {}
        self._facets: dict[str, list[tuple[Any, int]]] = {}
        self._lines: list[Line] = []
        self._current = -1
        self._hover = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Facets"))
        self.viewport().setMouseTracking(True)
        theme.notifier().changed.connect(self._lay_out)

    # --- methods ----------------------------------------------------------------------------------

    def set_facets(self, facets: dict[str, list[tuple[Any, int]]]) -> None:
        """Show these values and counts."""
        self._facets = facets
        old, self._lines = self._lines, self._make_lines()
        if [(line.facet, line.value) for line in old] == [(line.facet, line.value) for line in self._lines]:
            # counts are told again and again while rows change: only the others are painted
            self._repaint([n for n, line in enumerate(self._lines) if line != old[n]])
            return
        here = old[self._current] if 0 <= self._current < len(old) else None
        self._current = next(
            (n for n, line in enumerate(self._lines)
             if here and not line.title and (line.facet, line.value) == (here.facet, here.value)), -1
        )  # fmt: skip
        self._lay_out()

    def choose(self, chosen: dict[str, frozenset]) -> None:
        """Show another choice without saying that it changed."""
        self.chosen = {facet: frozenset(values) for facet, values in chosen.items() if values}
        self._lines = self._make_lines()
        self._lay_out()

    def toggle(self, facet: str, value: Any, alone: bool = False) -> None:
        """Choose a value, or no longer; `alone` drops the facet's other values."""
        values = self.chosen.get(facet, frozenset())
        if alone:
            values = frozenset() if values == {value} else frozenset({value})
        else:
            values = values ^ {value}
        self.chosen = {**self.chosen, facet: frozenset(values)}
        self.chosen = {key: kept for key, kept in self.chosen.items() if kept}
        self.viewport().update()
        self._describe()
        self.changed.emit(dict(self.chosen))

    def clear(self) -> None:
        """Choose nothing."""
        if self.chosen:
            self.chosen = {}
            self.viewport().update()
            self.changed.emit({})

    def lines(self) -> list[Line]:
        """Return the lines on the screen."""
        return list(self._lines)

    def sizeHint(self) -> QSize:
        return QSize(theme.gap(48), theme.gap(100))

    # --- events -----------------------------------------------------------------------------------

    def paintEvent(self, event) -> None:
        painter = QPainter(self.viewport())
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            offset = self.verticalScrollBar().value()
            for number, (line, top) in enumerate(zip(self._lines, self._tops(), strict=True)):
                if event.region().intersects(self._room(top - offset)):
                    self._paint_line(painter, number, line, top - offset)
        finally:
            painter.end()

    def resizeEvent(self, event) -> None:
        self._lay_out()

    def focusInEvent(self, event) -> None:
        super().focusInEvent(event)
        if self._current < 0:
            self._step(+1)
        self.viewport().update()

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        line = self._lines[self._current] if 0 <= self._current < len(self._lines) else None
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter) and line is not None:
            self.toggle(line.facet, line.value)
        elif key == Qt.Key.Key_Escape and self.chosen:
            self.clear()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._at(event)
        if number is None or event.button() != Qt.MouseButton.LeftButton:
            return
        line = self._lines[number]
        if line.title:
            if line.facet in WITH_MENU and event.position().x() >= self._menu_left():
                self.menu_wanted.emit(line.facet, event.globalPosition().toPoint())
            elif line.facet in self.chosen:
                self.chosen.pop(line.facet)
                self.changed.emit(dict(self.chosen))
                self.viewport().update()
            return
        self._current = number
        # a plain click means "only these"; with Ctrl or Shift values add up
        self.toggle(line.facet, line.value, alone=event.modifiers() == Qt.KeyboardModifier.NoModifier)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        number: int | None = self._current
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            number = self._line_at(event.pos().y())
        if number is not None and 0 <= number < len(self._lines) and self._lines[number].facet in WITH_MENU:
            self.menu_wanted.emit(self._lines[number].facet, event.globalPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = self._at(event)
        hover = -1 if number is None else number
        if hover != self._hover:
            self._hover = hover
            self.viewport().update()

    def leaveEvent(self, event) -> None:
        self._hover = -1
        self.viewport().update()

    # --- helpers ----------------------------------------------------------------------------------

    def _make_lines(self) -> list[Line]:
        lines: list[Line] = []
        for facet in ORDER:
            values = [(value, count) for value, count in self._facets.get(facet, [])
                      if count or value in self.chosen.get(facet, ())]  # fmt: skip
            if not values or (len(values) < 2 and facet not in ALWAYS and facet not in self.chosen):
                continue
            lines.append(Line(facet, title=True))
            lines += [Line(facet, value, count) for value, count in values]
        return lines

    def _height(self) -> int:
        return theme.line_height() + theme.gap(1.4)

    def _top(self, number: int) -> int:
        return self._tops()[number]

    def _tops(self) -> list[int]:
        """Return the height at which each line begins, in pixels of the whole panel."""
        height, above = self._height(), theme.gap(2)
        titles = accumulate(int(line.title) for line in self._lines)
        return [theme.gap(0.5) + n * height + count * above for n, count in enumerate(titles)]

    def _room(self, top: int) -> QRect:
        """Return what a line takes of the viewport, from a height on."""
        return QRect(0, top, self.viewport().width(), self._height())

    def _repaint(self, numbers: list[int]) -> None:
        tops, offset = self._tops(), self.verticalScrollBar().value()
        for number in numbers:
            self.viewport().update(self._room(tops[number] - offset))

    def _menu_left(self) -> float:
        return self.viewport().width() - theme.gap(2.5) - theme.line_height()

    def _at(self, event: QMouseEvent) -> int | None:
        return self._line_at(event.position().y())

    def _line_at(self, y: float) -> int | None:
        y += self.verticalScrollBar().value()
        height = self._height()
        return next((n for n, top in enumerate(self._tops()) if top <= y < top + height), None)

    def _lay_out(self) -> None:
        tall = self._top(len(self._lines) - 1) + self._height() + theme.gap(2) if self._lines else 0
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, tall - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self._height())
        self.viewport().update()

    def _step(self, way: int) -> None:
        number = self._current + way
        while 0 <= number < len(self._lines) and self._lines[number].title:
            number += way
        if 0 <= number < len(self._lines):
            self._current = number
            bar, top = self.verticalScrollBar(), self._top(number)
            bar.setValue(min(max(bar.value(), top + self._height() - self.viewport().height()), top))
            self._describe()
            self.viewport().update()

    def _describe(self) -> None:
        if 0 <= self._current < len(self._lines):
            line = self._lines[self._current]
            chosen = line.value in self.chosen.get(line.facet, ())
            rows = "1 row" if line.count == 1 else f"{line.count} rows"
            words = f"{TITLES[line.facet]}: {value_words(line.facet, line.value)}, {rows}"
            self.setAccessibleDescription(words + (", chosen" if chosen else ""))

    def _paint_line(self, painter: QPainter, number: int, line: Line, top: int) -> None:
        box = QRectF(theme.gap(1.5), top, self.viewport().width() - theme.gap(3), self._height())
        middle = Qt.AlignmentFlag.AlignVCenter
        if line.title:
            painter.setFont(theme.text_font(-1, bold=True))
            painter.setPen(theme.colour("muted"))
            edge = round(theme.line_height() * 0.8)
            left = round(box.right()) - edge - theme.gap(1)
            for sign, there in (("more", line.facet in WITH_MENU), ("cross", line.facet in self.chosen)):
                if there:
                    picture = theme.pixmap(sign, "muted", edge, self.devicePixelRatioF())
                    painter.drawPixmap(left, round(top + (box.height() - edge) / 2), picture)
                    left -= edge + theme.gap(1)
            inner = box.adjusted(theme.gap(1), 0, 0, 0)
            room = round(left + edge - inner.left())
            elided = Qt.TextElideMode.ElideRight
            painter.drawText(
                inner, middle, painter.fontMetrics().elidedText(TITLES[line.facet], elided, room)
            )
            return
        chosen = line.value in self.chosen.get(line.facet, ())
        if chosen or number == self._hover:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_tint" if chosen else "hover"))
            painter.drawRoundedRect(box, 4, 4)
        if number == self._current and self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        self._paint_value(painter, line, box.adjusted(theme.gap(1), 0, -theme.gap(1), 0), chosen)

    def _paint_value(self, painter: QPainter, line: Line, box: QRectF, chosen: bool) -> None:
        middle = Qt.AlignmentFlag.AlignVCenter
        look = _look(line)
        if look is not None:
            edge = round(theme.line_height() * 0.85)
            place = (round(box.left()), round(box.top() + (box.height() - edge) / 2))
            painter.drawPixmap(*place, theme.pixmap(look.sign, look.colour, edge, self.devicePixelRatioF()))
            box = box.adjusted(edge + theme.gap(1), 0, 0, 0)
        painter.setFont(theme.text_font(-0.5))
        painter.setPen(theme.colour("accent" if chosen else "muted"))
        count = QLocale().toString(line.count)
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, count)
        room = box.width() - painter.fontMetrics().horizontalAdvance(count) - theme.gap(2)
        painter.setFont(theme.text_font(bold=False))
        painter.setPen(theme.colour("text" if line.count or chosen else "faint"))
        words = value_words(line.facet, line.value)
        short = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(room))
        painter.drawText(box, middle, short)


def _look(line: Line) -> theme.Look | None:
    """Return the sign of a value, where its facet has signs."""
    if line.facet in ("verdict", "review"):
        return theme.look(str(line.value))
    if line.facet == "changed" and line.value:
        return theme.look("changed")
    if line.facet == "flagged" and line.value:
        return theme.Look("flag-filled", "flagged", "unjudged", "unjudged_tint")
    return None
