"""The runs that wait for their turn, below the list of runs: their order, and what is at the head."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.run_queue import RunQueue
from kpdd_app.widgets.icon_button import IconButton


class QueueView(QWidget):
    """Hidden while nothing waits; Alt+Up and Alt+Down move a run, Delete takes it out."""

    go_on_wanted = Signal()

    def __init__(self, queue: RunQueue, parent: QWidget | None = None) -> None:
        """Show `queue` and follow it."""
        super().__init__(parent)
        self._queue = queue
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.note = QLabel()
        self.note.setProperty("role", "caption")
        self.note.setWordWrap(True)
        self.note.setToolTip(self.tr("Without a window: kpdd train PROJECT --queue"))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Waiting runs"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.installEventFilter(self)
        self.list.currentRowChanged.connect(lambda _: self._show_allowed())
        self.go_on = QPushButton(self.tr("Start the queue"))
        self.go_on.clicked.connect(self.go_on_wanted)
        self.up = IconButton("chevron-up", self.tr("Move up"))
        self.down = IconButton("chevron-down", self.tr("Move down"))
        self.remove = IconButton("cross", self.tr("Take out of the queue"))
        for button, do in (
            (self.up, lambda: self._move(-1)),
            (self.down, lambda: self._move(1)),
            (self.remove, self._remove),
        ):
            button.clicked.connect(lambda _=False, do=do: do())
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        for button in (self.up, self.down, self.remove):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1))
        column.addLayout(head)
        column.addWidget(self.list)
        column.addWidget(self.note)
        column.addWidget(self.go_on)
        queue.changed.connect(self.refresh)
        theme.notifier().changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the queue as it stands."""
        chosen = self.list.currentRow()
        waiting = self._queue.waiting
        self.setVisible(bool(waiting))
        self.title.setText(self.tr("Waiting: {0}").format(len(waiting)))
        self.list.blockSignals(True)
        self.list.clear()
        for number, run in enumerate(waiting, 1):
            self.list.addItem(f"{number}. {run.title}")
            item = self.list.item(number - 1)
            item.setToolTip(" ".join(["kpdd", *run.arguments]))
            item.setSizeHint(QSize(0, theme.row_height()))
        self.list.setCurrentRow(min(max(chosen, 0), len(waiting) - 1))
        self.list.blockSignals(False)
        self.list.setFixedHeight(theme.row_height() * min(4, max(1, len(waiting))) + theme.gap(2))
        self.note.setText(
            self.tr("Held: nothing starts by itself.")
            if self._queue.held
            else self.tr("The next one starts when no run is at work.")
        )
        self.go_on.setVisible(self._queue.held)
        self._show_allowed()

    def eventFilter(self, watched, event) -> bool:
        """Move or take out the chosen run, before the list takes the arrows for its own."""
        if event.type() == QEvent.Type.KeyPress:
            moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
            if event.key() in moves and event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._move(moves[event.key()])
                return True
            if event.key() == Qt.Key.Key_Delete:
                self._remove()
                return True
        return super().eventFilter(watched, event)

    def _move(self, by: int) -> None:
        number = self.list.currentRow()
        if number >= 0:
            to = self._queue.move(number, by)
            self.list.setCurrentRow(to)

    def _remove(self) -> None:
        if self.list.currentRow() >= 0:
            self._queue.remove(self.list.currentRow())

    def _show_allowed(self) -> None:
        number, last = self.list.currentRow(), self.list.count() - 1
        self.up.setEnabled(number > 0)
        self.down.setEnabled(0 <= number < last)
        self.remove.setEnabled(number >= 0)
