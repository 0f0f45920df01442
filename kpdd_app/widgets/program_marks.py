"""What a state of a trace lays over a program, painted: arrows beside its lines, values behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPolygonF

from kpdd_app import theme
from kpdd_app.trace_log import TraceState

GHOST_CHARS = 160


@dataclass(frozen=True)
class Marks:
    """The line that just ran and the one to come, values by line (`fresh`: just changed), (line, error)."""

    line: int | None = None
    next_line: int | None = None
    values: Mapping[int, str] = field(default_factory=dict)
    fresh: frozenset[int] = frozenset()
    error: tuple[int, str] | None = None

    @classmethod
    def of(cls, state: TraceState | None, ending: tuple[int | None, str] | None, last_line: int) -> Marks:
        """Return the marks of a state; `ending` is (line, text) of how the program ended badly."""
        line, following, error = None, None, None
        values: Mapping[int, str] = {}
        fresh: frozenset[int] = frozenset()
        if state is not None:
            line, following = state.line, state.next_line
            # the log goes on with its own
            values = dict(state.line_values)
            if line is not None and (state.changed or state.returned):
                fresh = frozenset({line})
            if state.exception is not None and state.exception_line is not None:
                kind, message = state.exception
                error = (state.exception_line, f"{kind}: {message}" if message else kind)
        if ending is not None:
            error = (ending[0] or line or last_line, ending[1])
        if error is not None:
            line, following = error[0], None
        return cls(line, following, values, fresh, error)

    def failed(self, line: int | None) -> bool:
        """Tell whether the error stands at a line."""
        return self.error is not None and line == self.error[0]

    def ghost(self, line: int) -> tuple[str, str]:
        """Return the text behind a line and its colour: wrong, accent (it just changed) or muted."""
        if self.error is not None and line == self.error[0]:
            return self.error[1], "wrong"
        return self.values.get(line, ""), "accent" if line in self.fresh else "muted"

    def moved(self, other: Marks) -> set[int]:
        """Return the lines beside which other marks have another arrow."""
        pairs = ((self.line, other.line), (self.next_line, other.next_line))
        lines = {line for pair in pairs if pair[0] != pair[1] for line in pair if line is not None}
        if self.error != other.error:
            lines |= {error[0] for error in (self.error, other.error) if error is not None}
        return lines

    def differing(self, other: Marks) -> set[int]:
        """Return the lines that look different under other marks: arrow, ground or value."""
        lines = {line for line, _ in self.values.items() ^ other.values.items()}
        if self.fresh != other.fresh:
            lines |= self.fresh | other.fresh
        return lines | self.moved(other)


@dataclass(frozen=True)
class Gutter:
    """Measures of the margin: where numbers end, and how large an arrow is, in pixels."""

    right: int
    arrow: int


def paint_gutter(
    painter: QPainter,
    lines: Iterable[tuple[int, QRectF]],
    marks: Marks,
    breakpoints: Collection[int],
    gutter: Gutter,
) -> None:
    """Paint the numbers of (line, box), a filled arrow at the line that just ran, an open one at the next."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    for line, box in lines:
        here = line == marks.line
        if line in breakpoints:
            _paint_breakpoint(painter, box, gutter.arrow * 0.58)
        painter.setPen(theme.colour("text" if here else "faint"))
        painter.drawText(QRectF(0, box.top(), gutter.right, box.height()), flags, str(line))
        if here:
            colour = theme.colour("wrong" if marks.failed(line) else "accent")
            _paint_arrow(painter, gutter, box, colour, True)
        elif line == marks.next_line:
            _paint_arrow(painter, gutter, box, theme.colour("accent"), False)


def paint_values(
    painter: QPainter, lines: Iterable[tuple[int, QRectF]], marks: Marks, font: QFont, width: int
) -> None:
    """Paint the value of (line, box behind its text) as a ghost, in a view of some `width`."""
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ruler = MonoRuler(font)
    for line, after in lines:
        text, colour = marks.ghost(line)
        if text:
            _paint_value(painter, ruler, after, (text, colour), width)


class MonoRuler:
    """Measures text of a monospace face: what is plain ASCII by counting."""

    def __init__(self, font: QFont) -> None:
        """Take the face."""
        self._metrics = QFontMetricsF(font)
        self._advance = self._metrics.horizontalAdvance("0")

    def width(self, text: str) -> float:
        """Return how wide a text is, in pixels."""
        return len(text) * self._advance if text.isascii() else self._metrics.horizontalAdvance(text)

    def cut(self, text: str, width: float) -> str:
        """Return a text, or as much of its beginning as there is room for, with an ellipsis."""
        if self.width(text) <= width:
            return text
        if text.isascii():
            return text[: max(0, int(width / self._advance) - 1)] + "…"
        return self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


def _paint_value(
    painter: QPainter, ruler: MonoRuler, after: QRectF, ghost: tuple[str, str], view_width: int
) -> None:
    text, colour = ghost
    sign = "✗ " if colour == "wrong" else ""
    text = sign + " ".join(text.split())[:GHOST_CHARS]
    wanted = ruler.width(text) + theme.gap(2)
    right = view_width - theme.gap(1)
    x = after.left() + theme.gap(4)
    if right - x < min(wanted, theme.gap(24)):
        if colour == "muted":
            return
        # what just happened is worth covering the end of a long line
        x = max(right - wanted, view_width * 0.35)
    width = min(wanted, right - x)
    box = QRectF(x, after.top() + 1, width, after.height() - 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour({"wrong": "wrong_tint", "accent": "accent_tint"}.get(colour, "hover")))
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(theme.colour(colour))
    shown = ruler.cut(text, width - theme.gap(2) + 1)
    painter.drawText(box.adjusted(theme.gap(1), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_breakpoint(painter: QPainter, box: QRectF, size: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("wrong"))
    painter.drawEllipse(QRectF(theme.gap(1), box.center().y() - size / 2, size, size))


def _paint_arrow(painter: QPainter, gutter: Gutter, box: QRectF, colour: QColor, filled: bool) -> None:
    size = gutter.arrow * 0.62
    left, middle = gutter.right + theme.gap(1.2), box.center().y()
    shape = QPolygonF([QPointF(left, middle - size / 2), QPointF(left + size, middle),
                       QPointF(left, middle + size / 2)])  # fmt: skip
    painter.setPen(colour)
    painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
    painter.drawPolygon(shape)
