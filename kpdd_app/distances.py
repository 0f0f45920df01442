"""Distances of windows that stand already: they grow with the text when its size is changed.

Margins, gaps and least widths are given once, in pixels, when a widget is built. Each keeps how many lines of
text it was meant to be, so that going up and down again ends where it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QMargins, QObject, Qt
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QFormLayout,
    QGridLayout,
    QLayout,
    QMainWindow,
    QStackedLayout,
    QStyle,
    QWidget,
)

# what is larger means "as wide as it likes"
_NO_LIMIT = 1 << 15
_KEPT = "_kpdd_lines"


def rescale(app: QApplication, before: int, now: int) -> None:
    """Give every widget the distances it would have been built with; `before`, `now`: a line in pixels."""
    if before == now or before <= 0:
        return
    usual = app.style().pixelMetric(QStyle.PixelMetric.PM_LayoutLeftMargin)
    for widget in app.allWidgets():
        if widget.objectName().startswith("qt_"):
            # a part of one of Qt's own widgets
            continue
        _limits(widget, before, now)
        layout = widget.layout()
        if layout is not None and not isinstance(widget, QMainWindow):
            for each in _nested(layout):
                _layout(each, before, now, usual)


def _nested(layout: QLayout) -> Iterator[QLayout]:
    yield layout
    for number in range(layout.count()):
        item = layout.itemAt(number)
        inner = item.layout() if item is not None else None
        if inner is not None:
            yield from _nested(inner)


def _limits(widget: QWidget, before: int, now: int) -> None:
    """Scale the least and the greatest size that a widget was given, but not those of a window."""
    if widget.isWindow():
        return
    for name, read, write in (
        ("least width", widget.minimumWidth, widget.setMinimumWidth),
        ("least height", widget.minimumHeight, widget.setMinimumHeight),
        ("most width", widget.maximumWidth, widget.setMaximumWidth),
        ("most height", widget.maximumHeight, widget.setMaximumHeight),
    ):
        # a line of one pixel stays one
        if 2 < read() < _NO_LIMIT:
            _scale(widget, name, read(), write, before, now)


def _layout(layout: QLayout, before: int, now: int, usual: int) -> None:
    if isinstance(layout, QStackedLayout):
        return
    edges = layout.contentsMargins()
    given = [edges.left(), edges.top(), edges.right(), edges.bottom()]
    # nobody gave it others than the style's, which do not follow the text
    if given != [usual] * 4:
        scaled = [_scaled(layout, f"margin {n}", value, before, now) for n, value in enumerate(given)]
        layout.setContentsMargins(QMargins(*scaled))
    if isinstance(layout, (QGridLayout, QFormLayout)):
        _scale(layout, "across", layout.horizontalSpacing(), layout.setHorizontalSpacing, before, now)
        _scale(layout, "down", layout.verticalSpacing(), layout.setVerticalSpacing, before, now)
    else:
        _scale(layout, "spacing", layout.spacing(), layout.setSpacing, before, now)
    if isinstance(layout, QGridLayout):
        for column in range(layout.columnCount()):
            wide = layout.columnMinimumWidth(column)
            layout.setColumnMinimumWidth(column, _scaled(layout, f"column {column}", wide, before, now))
    if isinstance(layout, QBoxLayout):
        _spacers(layout, before, now)


def _spacers(layout: QBoxLayout, before: int, now: int) -> None:
    upright = layout.direction() in (QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.BottomToTop)
    for number in range(layout.count()):
        item = layout.itemAt(number)
        spacer = item.spacerItem() if item is not None else None
        if spacer is None or spacer.expandingDirections() != Qt.Orientation(0):
            continue
        size, policy = spacer.sizeHint(), spacer.sizePolicy()
        given = size.height() if upright else size.width()
        wanted = _scaled(layout, f"space {number}", given, before, now)
        size.setHeight(wanted) if upright else size.setWidth(wanted)
        spacer.changeSize(size.width(), size.height(), policy.horizontalPolicy(), policy.verticalPolicy())


def _scale(owner: QObject, name: str, value: int, write: Callable[[int], Any], before: int, now: int) -> None:
    wanted = _scaled(owner, name, value, before, now)
    if wanted != value:
        write(wanted)


def _scaled(owner: QObject, name: str, value: int, before: int, now: int) -> int:
    """Return a distance for the new size; what nobody changed since is counted from what it was first."""
    if value <= 0:
        return value
    kept: dict[str, list[float]] = owner.property(_KEPT) or {}
    lines, last = kept.get(name, (0.0, -1))
    if last != value:
        lines = value / before
    wanted = max(1, round(lines * now))
    owner.setProperty(_KEPT, {**kept, name: [lines, wanted]})
    return wanted
