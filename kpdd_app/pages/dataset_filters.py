"""The filters that a person kept, above the facets; and the chips that say what the filter is now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.open_project import OpenProject
from kpdd_app.widgets.facet_panel import TITLES, value_words
from kpdd_app.widgets.icon_button import IconButton
from kpdd_app.widgets.row_source import RowFilter

if TYPE_CHECKING:
    from training_backend.project.saved_filters import SavedFilter

ROLE = Qt.ItemDataRole.UserRole


def filter_words(wanted: RowFilter) -> str:
    """Return a filter as one line of words."""
    parts = [
        f"{TITLES[facet]}: " + " or ".join(value_words(facet, value) for value in sorted(values, key=str))
        for facet, values in wanted.facets.items() if values
    ]  # fmt: skip
    parts += [f"“{wanted.search}”"] if wanted.search else []
    return ", ".join(parts)


class ChipLine(QWidget):
    """One chip for each part of the filter; a click on it takes that part away."""

    part_removed = Signal(str)
    """The facet to choose nothing of; "search" for the words, "order" for the order."""
    cleared = Signal()
    keep_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a filter, hidden."""
        super().__init__(parent)
        self.chips: dict[str, QPushButton] = {}
        self._flow = _Flow(self, theme.gap(1))
        self._clear = QPushButton(self.tr("Clear all"))
        self._clear.setProperty("kind", "link")
        self._clear.clicked.connect(self.cleared)
        self._keep = QPushButton(self.tr("Keep this filter…"))
        self._keep.setProperty("kind", "link")
        self._keep.clicked.connect(self.keep_wanted)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_filter(self, wanted: RowFilter, writable: bool, hidden_order: str = "") -> None:
        """Show the parts of a filter; `hidden_order` names an order that no column of the table shows."""
        parts = [(facet, filter_words(RowFilter({facet: values})))
                 for facet, values in wanted.facets.items() if values]  # fmt: skip
        parts += [("search", self.tr("Text: “{0}”").format(wanted.search))] if wanted.search else []
        parts += [("order", self.tr("Order: {0}").format(hidden_order))] if hidden_order else []
        self._flow.take_all()
        for chip in self.chips.values():
            chip.hide()
            chip.deleteLater()
        self.chips = {}
        for name, words in parts:
            self.chips[name] = self._chip(name, words)
            self._flow.addWidget(self.chips[name])
        for button in (self._keep, self._clear):
            self._flow.addWidget(button)
        self._keep.setVisible(writable)
        self.setVisible(bool(parts))
        self.updateGeometry()

    def _chip(self, name: str, words: str) -> QPushButton:
        short = words if len(words) < 60 else words[:59] + "…"
        chip = _Chip(short)
        chip.setToolTip(words)
        chip.setAccessibleName(self.tr("Take away: {0}").format(words))
        chip.clicked.connect(lambda: self.part_removed.emit(name))
        return chip


class _Chip(QPushButton):
    """A button that shows its words up to where the line has room for them."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setProperty("kind", "chip")
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setIcon(theme.icon("cross", "accent"))
        self.setIconSize(QSize(*[round(theme.line_height() * 0.8)] * 2))
        self.setStyleSheet(
            f"QPushButton {{ background: {theme.current().accent_tint}; color: {theme.current().accent};"
            f" border: none; border-radius: {theme.gap(1.2)}px; padding: {theme.gap(0.5)}px"
            f" {theme.gap(1.4)}px; }}"
            f"QPushButton:focus {{ border: 1px solid {theme.current().accent}; }}"
        )

    def shown_words(self) -> str:
        """Return the words that are on the screen."""
        metrics = self.fontMetrics()
        # one more pixel: what the layout gave was rounded
        room = self.width() - self.sizeHint().width() + metrics.horizontalAdvance(self.text()) + 1
        return metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, max(0, room))

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.shown_words()
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)


class SavedFilters(QFrame):
    """The kept filters; Return or a click shows one, the menu (or F2 and Delete) renames and deletes it."""

    chosen = Signal(object)
    keep_wanted = Signal()

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Follow `project`."""
        super().__init__(parent)
        self.project = project
        self.filters: list[SavedFilter] = []
        self.actions_of_filters: list[QAction] = []
        title = QLabel(self.tr("Kept filters"))
        title.setProperty("role", "caption")
        self.add = IconButton("plus", self.tr("Keep this filter"))
        self.add.clicked.connect(self.keep_wanted)
        head = QHBoxLayout()
        head.setContentsMargins(theme.gap(2.5), 0, theme.gap(1), 0)
        head.addWidget(title, 1)
        head.addWidget(self.add)
        self.list = _List()
        self.list.setAccessibleName(self.tr("Kept filters"))
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.list.rename_wanted.connect(self.rename)
        self.list.delete_wanted.connect(self.delete)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.gap(1))
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.list)
        project.opened.connect(lambda _: self.refresh())
        project.closed.connect(lambda: self._take([]))
        self._take([])

    # --- methods ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the kept filters again."""
        self.project.read(_read, self._take, key="filters")

    def keep(self, wanted: RowFilter) -> None:
        """Ask for a name and keep a filter under it."""
        name = ask_name(self, self.tr("Keep this filter"), filter_words(wanted)[:60], self._names())
        if name:
            self._change(lambda project: _module().save_filter(project, name, wanted))

    def rename(self) -> None:
        """Ask for another name of the chosen filter."""
        kept = self._current()
        if kept is None:
            return
        others = [name for name in self._names() if name != kept.name]
        name = ask_name(self, self.tr("Another name"), kept.name, others)
        if name and name != kept.name:
            self._change(lambda project: _module().rename_filter(project, kept.name, name))

    def delete(self) -> None:
        """Forget the chosen filter; its rows stay as they are."""
        kept = self._current()
        if kept is not None and messages.question(
            self, self.tr("Forget the filter “{0}”?").format(kept.name),
            self.tr("The rows stay as they are."), yes=self.tr("Forget"),
        ):  # fmt: skip
            self._change(lambda project: _module().delete_filter(project, kept.name))

    def show_current(self, wanted: RowFilter) -> None:
        """Mark the kept filter that is shown now."""
        for number, kept in enumerate(self.filters):
            item = self.list.item(number)
            same = kept.filter.facets == wanted.facets and kept.filter.search == wanted.search
            font = item.font()
            font.setBold(same)
            item.setFont(font)

    # --- helpers ----------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        return [kept.name for kept in self.filters]

    def _current(self) -> SavedFilter | None:
        row = self.list.currentRow()
        return self.filters[row] if 0 <= row < len(self.filters) else None

    def _change(self, task: Callable[[Any], Any]) -> None:
        def work(project: Any) -> None:
            task(project)

        self.project.change(work, lambda _: self.refresh())

    def _take(self, filters: list[SavedFilter]) -> None:
        self.filters = filters
        self.list.clear()
        window = self.window()
        for action in self.actions_of_filters:
            action.deleteLater()
        self.actions_of_filters = []
        for kept in filters:
            item = QListWidgetItem(kept.name)
            item.setToolTip(filter_words(kept.filter) or self.tr("all rows"))
            self.list.addItem(item)
            action = QAction(self.tr("Filter: {0}").format(kept.name), window)
            action.triggered.connect(lambda _=False, kept=kept: self.chosen.emit(kept.filter))
            self.actions_of_filters.append(action)
        lines = min(6, len(filters))
        self.list.setFixedHeight(lines * (self.list.sizeHintForRow(0) if lines else 0) + 2 * (lines > 0))
        self.list.setVisible(bool(filters))
        self.setVisible(bool(filters))
        self.filters_changed.emit()

    filters_changed = Signal()

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(self.filters[self.list.row(item)].filter)

    def _menu(self, place: QPoint) -> None:
        if self._current() is None or self.project.read_only:
            return
        menu = QMenu(self)
        menu.addAction(self.tr("Another name…"), self.rename)
        menu.addAction(self.tr("Forget…"), self.delete)
        menu.exec(self.list.mapToGlobal(place))


def ask_name(parent: QWidget, title: str, suggestion: str, taken: list[str]) -> str:
    """Ask for a name; one that is taken is said under the field. Empty: the person gave up."""
    dialog = _NameDialog(parent, title, suggestion, taken)
    return " ".join(dialog.name.text().split()) if dialog.exec() else ""


class _NameDialog(QDialog):
    def __init__(self, parent: QWidget, title: str, suggestion: str, taken: list[str]) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._taken = taken
        self.name = QLineEdit(suggestion)
        self.name.setMaxLength(80)
        self.name.setAccessibleName(self.tr("Name of the filter"))
        self.name.selectAll()
        self.said = QLabel()
        self.said.setProperty("role", "muted")
        self.ok = QPushButton(self.tr("Keep"))
        self.ok.setProperty("kind", "primary")
        self.ok.setDefault(True)
        cancel = QPushButton(self.tr("Cancel"))
        self.ok.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(cancel)
        foot.addWidget(self.ok)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(theme.M))
        for part in (QLabel(self.tr("Name")), self.name, self.said):
            column.addWidget(part)
        column.addLayout(foot)
        self.setMinimumWidth(theme.gap(100))
        self.name.textChanged.connect(lambda _: self._judge())
        self._judge()

    def _judge(self) -> None:
        name = " ".join(self.name.text().split())
        taken = name in self._taken
        self.said.setText(self.tr("A filter of this name is there already.") if taken else "")
        self.ok.setEnabled(bool(name) and not taken)


class _List(QListWidget):
    rename_wanted = Signal()
    delete_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setStyleSheet("QListView { border: none; background: transparent; }")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self.rename_wanted.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)


class _Flow(QLayout):
    """Puts its items side by side, and into another line where the width ends."""

    def __init__(self, parent: QWidget, gap: int) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(theme.gap(2), 0, theme.gap(2), theme.gap(1.2))

    def take_all(self) -> None:
        self._items.clear()

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), really=False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        tallest = max((item.sizeHint().height() for item in self._items), default=0)
        edges = self.contentsMargins()
        return QSize(theme.gap(20), tallest + edges.top() + edges.bottom())

    def setGeometry(self, rectangle: QRect) -> None:
        super().setGeometry(rectangle)
        self._place(rectangle, really=True)

    def _place(self, room: QRect, really: bool) -> int:
        edges = self.contentsMargins()
        left, x, y, tall = room.x() + edges.left(), room.x() + edges.left(), room.y() + edges.top(), 0
        right = room.x() + room.width() - edges.right()
        for item in self._items:
            size = item.sizeHint().boundedTo(QSize(max(1, right - left), 10_000))
            if x > left and x + size.width() > right:
                x, y, tall = left, y + tall + self._gap, 0
            if really:
                item.setGeometry(QRect(QPoint(x, y), size))
            x += size.width() + self._gap
            tall = max(tall, size.height())
        return y + tall + edges.bottom() - room.y()


def _module() -> Any:
    from training_backend.project import saved_filters

    return saved_filters


def _read(project: Any) -> list[SavedFilter]:
    return _module().saved_filters(project)
