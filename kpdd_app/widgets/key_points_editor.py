"""Key points to change: the core question above, the information below with one item to a line."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.widgets.notice import Notice
from training_backend.rationale.key_points import KeyPoints, split_items

UNREAD = (
    "The student's text could not be read as key points; here it stands as written. "
    "Put the question above, and each fact on a line of its own."
)


class KeyPointsEditor(QWidget):
    """Two fields and what can be done with them; Ctrl+Return solves, Escape gives up."""

    solve_wanted = Signal(object)
    """Solve with these KeyPoints."""
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the editor, empty."""
        super().__init__(parent)
        self.core = QPlainTextEdit()
        self.core.setAccessibleName(self.tr("Core question"))
        self.items = QPlainTextEdit()
        self.items.setAccessibleName(self.tr("Information, one item to a line"))
        self.note = Notice()
        self.solve = QPushButton(self.tr("Solve with these"))
        self.solve.setProperty("kind", "primary")
        self.solve.setToolTip(self.tr("Solve again with these key points  (Ctrl+Return)"))
        self.solve.clicked.connect(self._solve)
        cancel = QPushButton(self.tr("Cancel"))
        cancel.clicked.connect(self.cancelled)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.solve)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1))
        for field, stretch in ((self.core, 2), (self.items, 4)):
            label = QLabel(field.accessibleName())
            label.setProperty("role", "caption")
            label.setBuddy(field)
            field.setTabChangesFocus(True)
            field.setMinimumHeight(round(theme.line_height() * 2.6))
            column.addWidget(label)
            column.addWidget(field, stretch)
        self.core.setMaximumHeight(round(theme.line_height() * 4.5))
        column.addWidget(self.note)
        column.addLayout(buttons)

    @property
    def points(self) -> KeyPoints:
        """Return what stands in the fields."""
        return KeyPoints(" ".join(self.core.toPlainText().split()), split_items(self.items.toPlainText()))

    def begin(self, points: KeyPoints, raw: str = "") -> None:
        """Put key points into the fields; those that could not be read come as they were written."""
        unread = not (points.core_question and points.information)
        self.core.setPlainText(points.core_question or ("" if points.information else raw))
        self.items.setPlainText("\n".join(points.information))
        if unread and raw:
            self.note.say(UNREAD)
        else:
            self.note.clear()
        self.core.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape gives up."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _solve(self) -> None:
        points = self.points
        if points.core_question and points.information:
            self.solve_wanted.emit(points)
            return
        missing = self.items if points.core_question else self.core
        self.note.say(
            self.tr("There is no information yet: write each fact on a line of its own.")
            if points.core_question
            else self.tr("There is no core question yet.")
        )
        missing.setFocus()
