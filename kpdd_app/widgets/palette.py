"""The command palette: every action of the program by its name; and the list of a page's keys."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme


@dataclass(frozen=True)
class Entry:
    """One line of the palette: where the action lives (a page's title, or "Window") and the action."""

    place: str
    action: QAction

    @property
    def title(self) -> str:
        """Return the action's name without the marks of menus."""
        return self.action.text().replace("&", "").rstrip("…").strip()

    @property
    def keys(self) -> str:
        """Return the keys of the action as this system writes them."""
        return " or ".join(
            key.toString(QKeySequence.SequenceFormat.NativeText) for key in self.action.shortcuts()
        )


def score(words: str, title: str) -> int:
    """Return how well a title answers what was typed: 0 not at all, more is better.

    Every typed word must begin a word of the title, or stand somewhere in it, or at least give its letters in
    order.
    """
    title = title.lower()
    total = 1
    for word in words.lower().split():
        place = title.find(word)
        if place == 0:
            total += 12
        elif place > 0:
            total += 8 if not title[place - 1].isalnum() else 4
        elif len(word) > 1 and _in_order(word, title):
            total += 1
        else:
            return 0
    return total


def _in_order(letters: str, title: str) -> bool:
    rest = iter(title)
    return all(letter in rest for letter in letters)


class _Painter(QStyledItemDelegate):
    """Draws a line: name at left, place in grey, keys at right."""

    def sizeHint(self, option, index) -> QSize:
        return QSize(10, theme.row_height() + theme.gap(1))

    def paint(self, painter: QPainter, option, index) -> None:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        selected = bool(option.state & option.state.__class__.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_tint"))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(2, 1, -2, -1), 5, 5)
        box = QRectF(option.rect).adjusted(theme.gap(3), 0, -theme.gap(3), 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(theme.colour("text" if entry.action.isEnabled() else "faint"))
        painter.setFont(theme.text_font())
        used = painter.boundingRect(box, middle, entry.title)
        painter.drawText(box, middle, entry.title)
        painter.setPen(theme.colour("faint"))
        painter.drawText(box.adjusted(used.width() + theme.gap(3), 0, 0, 0), middle, entry.place)
        painter.setPen(theme.colour("muted"))
        painter.setFont(theme.mono_font(-1))
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, entry.keys)
        painter.restore()


class Palette(QDialog):
    """Type some letters, press Return."""

    wanted = Signal(object)

    def __init__(self, entries: Sequence[Entry], parent: QWidget) -> None:
        """Show `entries`, those that cannot be done now in grey."""
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._entries = [entry for entry in entries if entry.title]
        self.setAccessibleName(self.tr("Command palette"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        frame = QFrame()
        frame.setProperty("panel", "raised")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        column = QVBoxLayout(frame)
        column.setContentsMargins(*[theme.gap(1.5)] * 4)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("What do you want to do?"))
        self.field.setAccessibleName(self.tr("Name of an action"))
        self.field.setFont(theme.text_font(1.5))
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._filter)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Actions"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setStyleSheet("QListView { border: none; background: transparent; }")
        self.list.setItemDelegate(_Painter(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.itemEntered.connect(self.list.setCurrentItem)
        self.list.itemClicked.connect(lambda _: self._choose())
        column.addWidget(self.field)
        column.addWidget(self.list)
        self._filter("")
        self._place(parent)

    def titles(self) -> list[str]:
        """Return the titles shown now, best first."""
        return [self.list.item(n).data(Qt.ItemDataRole.UserRole).title for n in range(self.list.count())]

    def eventFilter(self, watched, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            key = Qt.Key(event.key())
            if key in steps and self.list.count():
                row = self.list.currentRow() + steps[key]
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def _filter(self, words: str) -> None:
        scored = [(score(words, f"{entry.title} {entry.place}"), entry) for entry in self._entries]
        kept = [pair for pair in scored if pair[0] > 0]
        # what can be done now stands before what cannot; the order of the program is kept among equals
        kept.sort(key=lambda pair: (not pair[1].action.isEnabled(), -pair[0]))
        self.list.clear()
        for _, entry in kept:
            item = QListWidgetItem(entry.title)
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        entry: Entry = item.data(Qt.ItemDataRole.UserRole)
        if not entry.action.isEnabled():
            return
        self.close()
        self.wanted.emit(entry)

    def _place(self, parent: QWidget) -> None:
        width = min(theme.gap(150), parent.width() - theme.gap(12))
        height = min(theme.gap(100), parent.height() - theme.gap(24))
        self.resize(width, height)
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - width) // 2, corner.y() + parent.height() // 9)
        self.field.setFocus()


class KeysDialog(QDialog):
    """The keys of a page and of the window, shown by `?`."""

    change_wanted = Signal()

    def __init__(self, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]], parent: QWidget) -> None:
        """`groups` are (title, [(keys, what they do)])."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        grid = QVBoxLayout(self)
        grid.setContentsMargins(*[theme.gap(theme.XL)] * 4)
        grid.setSpacing(theme.gap(theme.M))
        label = QLabel(_table(groups))
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setAccessibleName(self.tr("Keys"))
        # more keys than the screen is high, with large letters
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(label)
        scroll.setAccessibleName(self.tr("Keys"))
        grid.addWidget(scroll, 1)
        change = QPushButton(self.tr("Change the keys…"))
        change.setAutoDefault(False)
        change.clicked.connect(self._change)
        grid.addWidget(change, 0, Qt.AlignmentFlag.AlignRight)
        most = parent.screen().availableSize() * 0.9
        around = QSize(theme.gap(18), theme.gap(24))
        if (label.sizeHint() + around).width() > most.width():
            # no room beside each other
            label.setText("".join(_table([group]) for group in groups))
            label.adjustSize()
        self.resize((label.sizeHint() + around).boundedTo(most))

    def _change(self) -> None:
        self.accept()
        self.change_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() == "?":
            self.accept()
        else:
            super().keyPressEvent(event)


def _table(groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """Return the groups as columns of keys and words."""
    tokens = theme.current()
    mono = theme.mono_font().family()
    cells = []
    for title, lines in groups:
        rows = "".join(
            f"<tr><td style='padding-right:{theme.gap(4)}px; font-family:\"{mono}\"; color:{tokens.accent}'>"
            f"{html.escape(keys)}</td><td>{html.escape(what)}</td></tr>"
            for keys, what in lines
        )
        cells.append(
            f"<td style='padding-right:{theme.gap(8)}px'><p><b>{html.escape(title)}</b></p>"
            f"<table cellspacing='{theme.gap(0.6)}'>{rows}</table></td>"
        )
    return f"<table><tr valign='top'>{''.join(cells)}</tr></table>"
