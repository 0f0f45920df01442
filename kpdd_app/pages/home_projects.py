"""The projects of before, and the ways to another one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme

SHOWN_BELOW = 5  # lines of the list when it lies below other things


class ProjectsPanel(QFrame):
    """New, open, the sample, and the recent projects: beside the overview, or below it."""

    new_wanted = Signal()
    open_wanted = Signal()
    sample_wanted = Signal()
    project_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without recent projects."""
        super().__init__(parent)
        self.setProperty("panel", "surface")
        heading = QLabel(self.tr("Projects"))
        heading.setProperty("role", "heading")
        self.new = QPushButton(self.tr("New…"))
        self.open = QPushButton(self.tr("Open…"))
        self.sample = QPushButton(self.tr("Sample"))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.gap(1.5))
        for button, signal in (
            (self.new, self.new_wanted), (self.open, self.open_wanted), (self.sample, self.sample_wanted)
        ):  # fmt: skip
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
            buttons.addWidget(button, 1)
        self.recent = self._list()
        hint = QLabel(self.tr("Drop a project or a file with questions anywhere on the window."))
        hint.setProperty("role", "caption")
        hint.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(3)] * 4)
        column.setSpacing(theme.gap(2))
        column.addWidget(heading)
        column.addLayout(buttons)
        column.addWidget(self.recent, 1)
        column.addWidget(hint)
        self.set_below(False)

    def show_recent(self, paths: Sequence[Path], current: Path | None) -> None:
        """List these projects, the one that is open in bold."""
        self.recent.clear()
        for path in paths:
            item = QListWidgetItem(theme.icon("file", "muted"), path.stem)
            item.setData(Qt.ItemDataRole.UserRole, path)
            item.setToolTip(str(path))
            font = item.font()
            font.setBold(path == current)
            item.setFont(font)
            self.recent.addItem(item)

    def set_below(self, below: bool) -> None:
        """Lie below other things, as wide as they are and with some lines; else stand beside them."""
        unbounded = 16_777_215
        width = theme.gap(60)
        self.setMinimumWidth(0 if below else width)
        self.setMaximumWidth(unbounded if below else width)
        lines = SHOWN_BELOW * theme.row_height()
        self.recent.setMinimumHeight(lines if below else theme.row_height())
        self.recent.setMaximumHeight(lines if below else unbounded)

    def _list(self) -> QListWidget:
        shown = QListWidget()
        shown.setFrameShape(QFrame.Shape.NoFrame)
        shown.setAccessibleName(self.tr("Recent projects"))
        shown.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        shown.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        shown.setStyleSheet("QListView { border: none; background: transparent; }")
        for signal in (shown.itemActivated, shown.itemClicked):
            signal.connect(lambda item: self.project_wanted.emit(item.data(Qt.ItemDataRole.UserRole)))
        return shown
