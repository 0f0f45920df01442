"""The variables of the frame at work: name, value, type; what the last line changed has a sign."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from kpdd_app import theme
from kpdd_app.key_bindings import scrolls
from kpdd_app.trace_log import TraceState
from kpdd_app.widgets.program_marks import MonoRuler

CHANGED = "●"
# beside the text of a cell, in pixels
MARGIN = 3
Row = tuple[bool, str, str, str]
"""Whether it changed, name, value, type."""
_Index = QModelIndex | QPersistentModelIndex


class VariablesModel(QAbstractTableModel):
    """Rows of (sign, name, value, type)."""

    def __init__(self, parent: Any = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._rows: list[Row] = []

    @property
    def rows(self) -> list[Row]:
        """Return (changed, name, value, type) of every row."""
        return list(self._rows)

    def show_state(self, state: TraceState | None) -> None:
        """Take the rows of a state; only what differs is announced."""
        rows, old = rows_of(state), self._rows
        if len(rows) > len(old):
            self.beginInsertRows(QModelIndex(), len(old), len(rows) - 1)
            self._rows = rows
            self.endInsertRows()
        elif len(rows) < len(old):
            self.beginRemoveRows(QModelIndex(), len(rows), len(old) - 1)
            self._rows = rows
            self.endRemoveRows()
        self._rows = rows
        for number, (before, after) in enumerate(zip(old, rows, strict=False)):
            if before != after:
                self.dataChanged.emit(self.index(number, 0), self.index(number, 3))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of variables."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the titles of the columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return ("", self.tr("Name"), self.tr("Value"), self.tr("Type"))[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        changed, name, value, kind = self._rows[index.row()]
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (CHANGED if changed else "", name, value, kind)[column]
        if role == Qt.ItemDataRole.ToolTipRole and column == 2:
            return _plain(f"{name} = {value}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{name} = {value}" + (self.tr(", changed") if changed else "")
        return None


class VariablesView(QTableView):
    """The table; keys that move the time line belong to the page.

    It paints its rows itself: a delegate asks the model ten times for each cell, at every step.
    """

    name_pointed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the table."""
        super().__init__(parent)
        self.rows_model = VariablesModel(self)
        self.setModel(self.rows_model)
        self.setAccessibleName(self.tr("Variables"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self._pointed = ""
        # at any step since the table was empty
        self._most_rows = 0
        self.selectionModel().currentRowChanged.connect(lambda now, _: self._point(self._name(now)))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    @property
    def name_chosen(self) -> str:
        """Return the name of the selected row; empty when none is selected."""
        return self._name(self.currentIndex())

    def show_state(self, state: TraceState | None) -> None:
        """Show the frame at work of a state, and what changed in sight; the chosen name stays chosen."""
        chosen = self.name_chosen
        self.rows_model.show_state(state)
        if chosen and chosen != self.name_chosen:
            self._choose(chosen)
        self._most_rows = 0 if state is None else max(self._most_rows, self.rows_model.rowCount())
        self._keep_bar()
        self._scroll_to_changed()

    def forget(self) -> None:
        """Hold no variable while nobody sees the table; its scroll bar stays for when it is seen again."""
        self.rows_model.show_state(None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows that are in sight."""
        painter = QPainter(self.viewport())
        try:
            self._paint(painter, event.region())
        finally:
            painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the name under the pointer."""
        super().mouseMoveEvent(event)
        self._point(self._name(self.indexAt(event.position().toPoint())))

    def leaveEvent(self, event: QEvent) -> None:
        """Point at what is chosen, while the table has the focus."""
        super().leaveEvent(event)
        self._point(self.name_chosen if self.hasFocus() else "")

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose the first name where none is chosen: Up and Down go on from there."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.rows_model.rowCount():
            self.selectRow(0)
        self._point(self.name_chosen)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Point at nothing."""
        super().focusOutEvent(event)
        self._point("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move up and down here; everything else belongs to the page."""
        if scrolls(event):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def minimumSizeHint(self) -> QSize:
        """Return room for the titles and one variable."""
        return QSize(theme.line_height() * 4, round(theme.line_height() * 3.2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width: names get a third."""
        super().resizeEvent(event)
        line = theme.line_height()
        names = max(line * 3, min(line * 8, round(self.viewport().width() * 0.32)))
        for column, width in ((0, line * 1.3), (1, names), (3, line * 4.4)):
            self.setColumnWidth(column, round(width))
        self._keep_bar()
        self._scroll_to_changed()

    def _name(self, index: _Index) -> str:
        rows = self.rows_model.rows
        return rows[index.row()][1] if index.isValid() and index.row() < len(rows) else ""

    def _choose(self, name: str) -> None:
        names = [row[1] for row in self.rows_model.rows]
        if name in names:
            self.setCurrentIndex(self.rows_model.index(names.index(name), 1))

    def _point(self, name: str) -> None:
        if name != self._pointed:
            self._pointed = name
            self.name_pointed.emit(name)

    def _scroll_to_changed(self) -> None:
        for number, row in enumerate(self.rows_model.rows):
            if row[0]:
                self.scrollTo(self.rows_model.index(number, 1))
                break

    def _keep_bar(self) -> None:
        """Let the scroll bar stay once it was needed: a call and its end would move the columns each time."""
        needed = self._most_rows * self._row_height > self.viewport().height()
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOn if needed else Qt.ScrollBarPolicy.ScrollBarAsNeeded
        if policy != self.verticalScrollBarPolicy():
            self.setVerticalScrollBarPolicy(policy)

    def _paint(self, painter: QPainter, region: QRegion) -> None:
        rect, count = region.boundingRect(), self.rows_model.rowCount()
        first, last = self.rowAt(rect.top()), self.rowAt(rect.bottom())
        if first < 0:
            return
        chosen, rows = self.currentIndex().row(), self.rows_model.rows
        for number in range(first, count if last < 0 else last + 1):
            place = QRect(0, self.rowViewportPosition(number), self.viewport().width(), self._row_height)
            if region.intersects(place):
                if rows[number][0] or number == chosen:
                    painter.fillRect(place, self._ground)
                self._paint_row(painter, rows[number], place)

    def _paint_row(self, painter: QPainter, row: Row, place: QRect) -> None:
        changed = row[0]
        texts = (CHANGED if changed else "", *row[1:])
        for column, text in enumerate(texts):
            if not text:
                continue
            cell = QRect(self.columnViewportPosition(column) + MARGIN, place.top(),
                         self.columnWidth(column) - 2 * MARGIN, place.height())  # fmt: skip
            face = "text" if column in (0, 3) else "bold" if changed and column == 2 else "mono"
            font = self._fonts[face]
            text = self._type_text(text, cell.width()) if column == 3 else self._ruler.cut(text, cell.width())
            painter.setFont(font)
            painter.setPen(self._inks[column])
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)

    def _type_text(self, text: str, width: int) -> str:
        """Return the name of a type, cut to a width; there are few, so each is measured once."""
        key = (text, width)
        if key not in self._types:
            metrics = QFontMetrics(self._fonts["text"])
            self._types[key] = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
        return self._types[key]

    def _restyle(self) -> None:
        line = theme.line_height()
        self._row_height = line + theme.gap(1)
        self.verticalHeader().setDefaultSectionSize(self._row_height)
        self.horizontalHeader().setMinimumSectionSize(line)
        bold = theme.mono_font()
        bold.setWeight(QFont.Weight.Bold)
        self._fonts = {"text": theme.text_font(), "mono": theme.mono_font(), "bold": bold}
        # the bold face of a monospace font is as wide
        self._ruler = MonoRuler(self._fonts["mono"])
        self._types: dict[tuple[str, int], str] = {}
        self._ground = theme.colour("accent_tint")
        self._inks = tuple(theme.colour(name) for name in ("accent", "text", "text", "muted"))
        self.viewport().update()


def rows_of(state: TraceState | None) -> list[Row]:
    """Return the rows of a state: helpers of the program (functions, modules) come last."""
    frame = state.frame if state is not None else None
    if state is None or frame is None:
        return []
    rows = [
        (name in state.changed, name, _plain(text), kind) for name, (text, kind) in frame.variables.items()
    ]
    return sorted(
        rows, key=lambda row: row[3] in ("function", "module", "type", "builtin_function_or_method")
    )


def _plain(text: str) -> str:
    """Return a program's text with control and direction signs made visible: it is shown, never obeyed."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == " " else f"\\u{ord(char):04x}" for char in text)
