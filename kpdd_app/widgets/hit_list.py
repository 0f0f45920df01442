"""What a replacement would change, text by text, each with a tick; as quick with 100,000 as with ten."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QWidget

from kpdd_app import theme
from kpdd_app.widgets.word_diff import Piece, diff

if TYPE_CHECKING:
    from training_backend.project.replacing import Hit

HIT = Qt.ItemDataRole.UserRole
BEFORE = 24  # letters that are shown before the first change
DIFFS_KEPT = 500
# longer texts are compared around their first difference only
COMPARED = 400
TITLES = {"core_question": "core question", "gold": "gold answer"}


class HitModel(QAbstractListModel):
    """Hits with their ticks."""

    ticks_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._hits: list[Hit] = []
        self._ticks = np.zeros(0, dtype=bool)

    def rowCount(self, parent: Any = None) -> int:
        return len(self._hits)

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        hit = self._hits[index.row()]
        if role == HIT:
            return hit
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if self._ticks[index.row()] else Qt.CheckState.Unchecked
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"row {hit.row_id}, {TITLES.get(hit.field, hit.field)}: {hit.new[:80]}"
        return None

    def take(self, hits: list[Hit]) -> None:
        """Show other hits, all of them ticked."""
        self.beginResetModel()
        self._hits = hits
        self._ticks = np.ones(len(hits), dtype=bool)
        self.endResetModel()

    def toggle(self, rows: list[int]) -> None:
        """Tick these, or untick them when the first one is ticked."""
        if rows:
            self._ticks[rows] = not self._ticks[rows[0]]
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))
            self.ticks_changed.emit()

    def tick_all(self, on: bool) -> None:
        """Tick all, or none."""
        self._ticks[:] = on
        if self._hits:
            self.dataChanged.emit(self.index(0), self.index(len(self._hits) - 1))
        self.ticks_changed.emit()

    def ticked_count(self) -> int:
        """Return how many are ticked."""
        return int(np.count_nonzero(self._ticks))

    def ticked(self) -> list[Hit]:
        """Return the ticked hits."""
        return [self._hits[number] for number in np.flatnonzero(self._ticks).tolist()]


class HitList(QListView):
    """Arrows move, Space ticks, a click on the tick ticks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.model_of_hits = HitModel(self)
        self.setModel(self.model_of_hits)
        self.setItemDelegate(_HitPainter(self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Texts that would change"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            chosen = sorted(index.row() for index in self.selectedIndexes())
            here = self.currentIndex().row()
            others = [row for row in chosen if row != here]
            self.model_of_hits.toggle([here, *others] if here >= 0 else others)
        else:
            super().keyPressEvent(event)


class _HitPainter(QStyledItemDelegate):
    """Draws the tick, where the text is, and the words that change with some before and after them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._diffs: OrderedDict[tuple[str, str], list[Piece]] = OrderedDict()

    def sizeHint(self, option, index) -> QSize:
        return QSize(10, theme.row_height() + theme.gap(0.5))

    def editorEvent(self, event: QEvent, model, option, index) -> bool:
        edge = option.rect.left() + theme.icon_size() + theme.gap(4)
        released = isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease
        if released and event.position().x() < edge:  # type: ignore[attr-defined]
            model.toggle([index.row()])
            return True
        return super().editorEvent(event, model, option, index)

    def paint(self, painter: QPainter, option, index) -> None:
        hit: Hit = index.data(HIT)
        ticked = Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Checked
        painter.save()
        try:
            if option.state & option.state.__class__.State_Selected:
                painter.fillRect(option.rect, theme.colour("accent_tint"))
            self._paint(painter, option.rect, hit, ticked)
        finally:
            painter.restore()

    def _paint(self, painter: QPainter, box: QRect, hit: Hit, ticked: bool) -> None:
        edge = theme.icon_size()
        scale = painter.device().devicePixelRatioF()
        sign = theme.pixmap("check" if ticked else "ring", "accent" if ticked else "faint", edge, scale)
        left = box.left() + theme.gap(2)
        painter.drawPixmap(left, box.center().y() - edge // 2, sign)
        left += edge + theme.gap(2)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.text_font(-0.5))
        painter.setPen(theme.colour("muted"))
        where = f"row {hit.row_id} · {TITLES.get(hit.field, hit.field)}"
        room = painter.fontMetrics().averageCharWidth() * 26
        painter.drawText(QRect(left, box.top(), room, box.height()), middle, where)
        left += room + theme.gap(2)
        painter.setFont(theme.mono_font(-0.5) if hit.field == "rationale" else theme.text_font())
        for piece in self._pieces(hit):
            if left >= box.right():
                break
            left += self._draw_piece(painter, piece, QRect(left, box.top(), box.right() - left, box.height()))

    def _draw_piece(self, painter: QPainter, piece: Piece, box: QRect) -> int:
        """Draw a piece and return how wide it is."""
        font = painter.font()
        font.setStrikeOut(piece.kind == "gone")
        font.setUnderline(piece.kind == "new")
        painter.setFont(font)
        text = piece.text[:300].replace("\n", " ⏎ ").replace("\t", " ")
        wide = painter.fontMetrics().horizontalAdvance(text)
        if piece.kind == "new":
            painter.fillRect(QRect(box.left(), box.top() + 3, min(wide, box.width()), box.height() - 6),
                             theme.colour("changed_tint"))  # fmt: skip
        tone = {"gone": "muted", "new": "changed"}.get(piece.kind, "text")
        painter.setPen(theme.colour(tone))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        return wide

    def _pieces(self, hit: Hit) -> list[Piece]:
        key = (hit.old, hit.new)
        found = self._diffs.get(key)
        if found is None:
            found = self._diffs[key] = changed_part(hit.old, hit.new)
            if len(self._diffs) > DIFFS_KEPT:
                self._diffs.popitem(last=False)
        return found


def changed_part(old: str, new: str) -> list[Piece]:
    """Return the pieces from shortly before the first difference on.

    Joined without what is new they are a stretch of `old`; at most some hundred letters are compared.
    """
    size = min(len(old), len(new))
    start = next((n for n in range(size) if old[n] != new[n]), size)
    # back to the beginning of a word, so that whole words are compared
    while start and not old[start - 1].isspace():
        start -= 1
    begin = max(0, start - BEFORE)
    lead = ("…" if begin else "") + old[begin:start]
    pieces = [Piece("same", lead)] if lead else []
    return pieces + diff(old[start : start + COMPARED], new[start : start + COMPARED])
