"""What the program found odd about a row: one line a flag, a quiet chip and the sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.widgets.row_fields import Pill
from training_backend.project.flags import BY_NAME


class FlagList(QWidget):
    """The flags of one row, the heaviest first; hidden where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without flags."""
        super().__init__(parent)
        self.flags: tuple[tuple[str, str], ...] = ()
        self.setAccessibleName(self.tr("What the program found odd"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.gap(0.8))
        self.hide()

    def take(self, flags: Sequence[tuple[str, str]]) -> None:
        """Show pairs (name of a flag, why)."""
        if tuple(flags) != self.flags:
            self.flags = tuple(flags)
            self._empty()
            for name, why in self.flags:
                self._add(name, why)
        self.setVisible(bool(self.flags))

    def _add(self, name: str, why: str) -> None:
        flag = BY_NAME[name]
        chip = Pill()
        chip.show_look(theme.Look("warning", flag.title, "text", "hover"))
        chip.setToolTip(f"{flag.meaning}\n{why}")
        sentence = QLabel(_breakable(why))
        sentence.setProperty("role", "muted")
        sentence.setTextFormat(Qt.TextFormat.PlainText)
        sentence.setWordWrap(True)
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column.addWidget(chip)
        self._column.addWidget(sentence)
        if name != self.flags[-1][0]:
            self._column.addSpacing(theme.gap(0.8))

    def _empty(self) -> None:
        while (taken := self._column.takeAt(0)) is not None:
            if (widget := taken.widget()) is not None:
                widget.hide()
                widget.deleteLater()


def _breakable(text: str, longest: int = 24) -> str:
    """Return the text with places to break in words that are longer than a narrow panel."""
    return " ".join(
        "\u200b".join(word[start : start + longest] for start in range(0, len(word), longest))
        for word in text.split(" ")
    )
