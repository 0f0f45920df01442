"""The project's teachers by name: add one from a preset, rename, copy, remove, all by keyboard."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.icon_button import IconButton
from training_backend.teacher.teacher_config import PRESETS, TeacherConfig

NAME = Qt.ItemDataRole.UserRole
# what stands under which word in the menu of new teachers
GROUPS = (
    ("Hosted", ("openai", "anthropic", "gemini", "deepseek", "mistral", "groq", "together", "fireworks",
                "openrouter", "xai")),
    ("On this machine or network", ("vllm", "llama.cpp", "ollama", "lm-studio", "litellm", "other", "local")),
    ("Without a model", ("replay", "sample")),
)  # fmt: skip


class TeacherList(QWidget):
    """The names at the left of the page. Every change is only wished for here; the page carries it out."""

    chosen = Signal(str)
    add_wanted = Signal(object)
    """A TeacherConfig to begin with; its name is free."""
    rename_wanted = Signal(str, str)
    remove_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._configs: dict[str, TeacherConfig] = {}
        self.title = QLabel(self.tr("Teachers"))
        self.title.setProperty("role", "title")
        self.names = QListWidget()
        self.names.setAccessibleName(self.tr("Teachers of this project"))
        self.names.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.names.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.names.setEditTriggers(
            QListWidget.EditTrigger.EditKeyPressed | QListWidget.EditTrigger.DoubleClicked
        )
        self.names.currentItemChanged.connect(self._current_changed)
        self.names.itemChanged.connect(self._renamed)
        self.add_button = IconButton("plus", self.tr("Add a teacher"))
        self.add_button.clicked.connect(lambda: self.show_menu())
        self.copy_button = IconButton("copy", self.tr("Copy this teacher (Ctrl+D)"))
        self.copy_button.clicked.connect(self.copy_current)
        self.rename_button = IconButton("pencil", self.tr("Rename this teacher (F2)"))
        self.rename_button.clicked.connect(self.rename_current)
        self.remove_button = IconButton("minus", self.tr("Remove this teacher (Delete)"))
        self.remove_button.clicked.connect(self.remove_current)
        self._keys()
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.gap(0.5))
        for button in (self.add_button, self.copy_button, self.rename_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._line = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._line.setContentsMargins(theme.gap(4), theme.gap(5), theme.gap(3), theme.gap(3))
        self._line.setSpacing(theme.gap(2))
        self._line.addWidget(self.title)
        self._line.addWidget(self.names, 1)
        self._line.addLayout(buttons)

    # --- methods ----------------------------------------------------------------------------------

    def show_teachers(self, configs: Sequence[TeacherConfig], current: str = "") -> None:
        """Show these teachers; `current` is chosen, else the one that was, else the first."""
        current = current or self.current()
        self._configs = {config.name: config for config in configs}
        self.names.blockSignals(True)
        self.names.clear()
        for config in configs:
            item = QListWidgetItem(config.name)
            item.setData(NAME, config.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            about = str(config.get("model") or "") or config.kind
            item.setToolTip(f"{config.name}\n{about}")
            self.names.addItem(item)
        self.names.blockSignals(False)
        place = list(self._configs).index(current) if current in self._configs else 0
        self.names.setCurrentRow(place if configs else -1)
        self.set_writable(True)

    def current(self) -> str:
        """Return the name of the chosen teacher; empty when there is none."""
        item = self.names.currentItem()
        return str(item.data(NAME)) if item is not None else ""

    def set_compact(self, compact: bool) -> None:
        """Take two lines above the panels, or a column beside them."""
        direction = QBoxLayout.Direction
        self.title.setVisible(not compact)
        self._line.setDirection(direction.LeftToRight if compact else direction.TopToBottom)
        self._line.setContentsMargins(theme.gap(4), theme.gap(1 if compact else 5), theme.gap(3),
                                      theme.gap(1 if compact else 3))  # fmt: skip
        self.names.setMaximumHeight(theme.row_height() * 2 + theme.gap(3) if compact else 16_777_215)

    def shown_names(self) -> list[str]:
        """Return the names in the order in which they are shown."""
        return list(self._configs)

    def set_writable(self, writable: bool) -> None:
        """Let teachers be changed, or only be looked at."""
        self.add_button.setEnabled(writable)
        for button in (self.copy_button, self.rename_button, self.remove_button):
            button.setEnabled(writable and bool(self._configs))

    def show_menu(self, under: QWidget | None = None) -> None:
        """Offer the presets of a new teacher, under this widget or the list's own button."""
        button = under or self.add_button
        menu = self.menu()
        menu.exec(button.mapToGlobal(button.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """Return the menu of presets."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, keys in GROUPS:
            head = menu.addAction(self.tr(title))
            head.setEnabled(False)
            for key in keys:
                preset = PRESETS[key]
                action = menu.addAction(preset.name)
                action.triggered.connect(lambda _=False, preset=preset: self.add(preset))
        return menu

    def add(self, preset: TeacherConfig) -> None:
        """Wish for a new teacher made of a preset."""
        self.add_wanted.emit(TeacherConfig(self._free(preset.name), preset.kind, dict(preset.settings)))

    def copy_current(self) -> None:
        """Wish for a copy of the chosen teacher."""
        config = self._configs.get(self.current())
        if config is not None and self.copy_button.isEnabled():
            self.add(config)

    def rename_current(self) -> None:
        """Edit the name of the chosen teacher in its place."""
        if self.names.currentItem() is not None and self.rename_button.isEnabled():
            self.names.setFocus()
            self.names.editItem(self.names.currentItem())

    def remove_current(self) -> None:
        """Wish that the chosen teacher be forgotten."""
        if self.current() and self.remove_button.isEnabled():
            self.remove_wanted.emit(self.current())

    # --- helpers ----------------------------------------------------------------------------------

    def _keys(self) -> None:
        for keys, title, do in (
            ("Delete", self.tr("Remove this teacher"), self.remove_current),
            ("Ctrl+D", self.tr("Copy this teacher"), self.copy_current),
            ("Insert", self.tr("Add a teacher"), self.show_menu),
        ):
            action = QAction(title, self.names)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, do=do: do())
            self.names.addAction(action)

    def _free(self, name: str) -> str:
        base, number = name.rstrip("0123456789 ") or name, 2
        while name in self._configs:
            name, number = f"{base} {number}", number + 1
        return name

    def _current_changed(self, *_: object) -> None:
        self.chosen.emit(self.current())

    def _renamed(self, item: QListWidgetItem) -> None:
        old, new = str(item.data(NAME)), " ".join(item.text().split())
        if new and new != old and new not in self._configs:
            self.rename_wanted.emit(old, new)
        elif item.text() != old:
            self.names.blockSignals(True)
            item.setText(old)
            self.names.blockSignals(False)
