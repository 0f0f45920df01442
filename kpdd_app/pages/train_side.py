"""At the left of the Train page: the runs, those that wait, and what becomes of them with the window."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.pages.train_list import RunList
from kpdd_app.pages.train_queue import QueueView
from kpdd_app.run_queue import RunQueue
from kpdd_app.settings import ON_CLOSE, Settings
from kpdd_app.widgets.choice_box import ChoiceBox


class Side(QWidget):
    """The list of runs between its buttons and the queue."""

    closing_chosen = Signal()

    def __init__(self, queue: RunQueue, parent: QWidget | None = None) -> None:
        """Build it without runs."""
        super().__init__(parent)
        self._settings = Settings()
        self.new_button = QPushButton(self.tr("New run"))
        self.open_button = QPushButton(self.tr("Open a run…"))
        self.open_button.setToolTip(self.tr("A run folder that was made or trained elsewhere"))
        self.runs = RunList()
        self.none = _caption(self.tr("Runs stand here, with their curves, also after the window was closed."))
        self.hint = _caption(self.tr("Choose several (Ctrl+click) to compare them."))
        self.waiting = QueueView(queue)
        self.on_close = ChoiceBox(self.tr("When the window closes"))
        for words, value in (
            (self.tr("ask about runs"), ""),
            (self.tr("runs go on"), "leave"),
            (self.tr("runs stop, kept"), "stop"),
        ):
            self.on_close.addItem(words, value)
        self.on_close.activated.connect(self._choose)
        closing = _caption(self.tr("When the window closes"))
        closing.setBuddy(self.on_close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        buttons = QVBoxLayout()
        buttons.setSpacing(theme.gap(1))
        for button in (self.new_button, self.open_button):
            buttons.addWidget(button)
        column.addLayout(buttons)
        for part in (self.none, self.runs, self.hint, self.waiting):
            column.addWidget(part, 1 if part is self.runs else 0)
        column.addStretch(0)
        column.addWidget(closing)
        column.addWidget(self.on_close)

    @property
    def ends_with_window(self) -> bool:
        """Tell whether runs are to stop with the window, by what was chosen here or at an earlier closing."""
        return self._settings.text(ON_CLOSE) == "stop"

    def show_runs(self, count: int) -> None:
        """Show the list where it holds `count` runs, else what belongs there."""
        self.none.setVisible(not count)
        self.runs.setVisible(bool(count))
        self.hint.setVisible(count > 1)

    def showEvent(self, event) -> None:
        """Show what was chosen for the closing of the window, also when the closing itself asked."""
        super().showEvent(event)
        self.on_close.setCurrentIndex(max(0, self.on_close.findData(self._settings.text(ON_CLOSE))))

    def _choose(self) -> None:
        self._settings.set_text(ON_CLOSE, str(self.on_close.currentData()))
        self.closing_chosen.emit()


def _caption(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "caption")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
