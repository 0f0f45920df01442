"""A sentence in its place on a page: what happened, what to do, and at most one button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from kpdd_app import theme
from training_backend.events import Failed


class Notice(QFrame):
    """Hidden until it has something to say; errors can be copied."""

    acted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it hidden."""
        super().__init__(parent)
        self.setObjectName("notice")
        self._kind = "unjudged"
        self._full = ""
        self._sign = QLabel()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action = QPushButton()
        self.action.setProperty("kind", "link")
        self.action.clicked.connect(self.acted)
        self.action.hide()
        self.copy = QPushButton(self.tr("Copy"))
        self.copy.setProperty("kind", "link")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._full))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.gap(2), theme.gap(1), theme.gap(1), theme.gap(1))
        row.setSpacing(theme.gap(2))
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        row.addWidget(self.action)
        row.addWidget(self.copy)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        theme.notifier().changed.connect(self._restyle)
        self.hide()

    def say(self, text: str, kind: str = "unjudged", action: str = "", full: str = "") -> None:
        """Say a sentence; `kind` is unjudged (beware), wrong (failed) or accent (good to know)."""
        self._kind = kind
        self._full = full or text
        self.text.setText(text)
        self.action.setText(action)
        self.action.setVisible(bool(action))
        self.copy.setVisible(kind == "wrong")
        self.setAccessibleName(text)
        self._restyle()
        self.setVisible(bool(text))

    def say_failure(self, failure: Failed, action: str = "") -> None:
        """Say a failure with its place and hint; *Copy* takes its details too."""
        where = f"({failure.where})" if failure.where and failure.where not in failure.message else ""
        parts = [failure.message, failure.hint, where]
        short = " ".join(part for part in parts if part)
        full = "\n".join(part for part in (*parts, failure.traceback) if part)
        self.say(short, "wrong", action, full)
        self.text.setToolTip(failure.where)

    def clear(self) -> None:
        """Have nothing to say."""
        self.text.clear()
        self.hide()

    def _restyle(self) -> None:
        tokens = theme.current()
        sign = {"wrong": "cross", "accent": "info"}.get(self._kind, "warning")
        self._sign.setPixmap(theme.pixmap(sign, self._kind, theme.icon_size(), self.devicePixelRatioF()))
        self.setStyleSheet(
            f"#notice {{ background: {getattr(tokens, self._kind + '_tint')}; border-radius: 5px; }}"
            f"#notice QLabel {{ background: transparent; }}"
        )
