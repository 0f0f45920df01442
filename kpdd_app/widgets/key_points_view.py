"""Stage one as it is written: the core question, then the information, item by item."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.recording import Stage, split_key_points
from kpdd_app.widgets.key_points_editor import KeyPointsEditor
from kpdd_app.widgets.token_layout import Block
from kpdd_app.widgets.token_strip import TokenStrip
from training_backend.rationale.key_points import KeyPoints


class KeyPointsView(QWidget):
    """One strip for every student that works before Solve (Key, or Core and Info).

    Once they have written, their text can be changed, or the teacher's taken, and the question solved again.
    """

    token_clicked = Signal(str, int)
    alternative_picked = Signal(object, int, str)
    edit_wanted = Signal()
    teacher_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with the strip of one student."""
        super().__init__(parent)
        self.strips: dict[str, TokenStrip] = {}
        self.written = QWidget()
        self._column = QVBoxLayout(self.written)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.editor = KeyPointsEditor()
        self.editor.hide()
        self.editor.cancelled.connect(self.end_editing)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.gap(1))
        whole.addWidget(self.written, 1)
        whole.addWidget(self.editor, 1)
        whole.addWidget(self._buttons())
        self.set_roles(("key",))

    def set_roles(self, roles: Sequence[str]) -> None:
        """Make a strip for every role; without roles there is nothing to show."""
        if list(roles) == list(self.strips):
            return
        for strip in self.strips.values():
            self._column.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        self.strips = {}
        for role in roles:
            strip = TokenStrip()
            strip.setAccessibleName(self.tr("What the student {0} wrote").format(role.capitalize()))
            strip.set_placeholder(PLACEHOLDERS.get(role, ""))
            strip.alternative_picked.connect(self.alternative_picked)
            strip.token_clicked.connect(lambda token, role=role: self.token_clicked.emit(role, token))
            self._column.addWidget(strip, 1 if role == "core" else 3)
            self.strips[role] = strip

    def show_stage(self, role: str, stage: Stage | None, count: int, writing: bool) -> None:
        """Show the first `count` tokens of a stage; `writing`: the student is at work here."""
        strip = self.strips.get(role)
        if strip is None:
            return
        if stage is None:
            strip.clear()
            return
        text = stage.text_at(count)
        strip.show_tokens(stage.tokens, stage.ends, count, blocks_of(role, text), writing)
        if not writing and count == len(stage.tokens):
            # what is done is read from its beginning: the core question comes first
            strip.verticalScrollBar().setValue(0)

    def begin_editing(self, points: KeyPoints, raw: str = "") -> None:
        """Put key points into fields in place of the strips; `raw`: the text where they could not be read."""
        self.written.hide()
        self.buttons.hide()
        self.editor.show()
        self.editor.begin(points, raw)

    def end_editing(self) -> None:
        """Show the strips again."""
        self.editor.hide()
        self.written.show()
        self.buttons.show()

    def offer(self, edit: bool, teacher: bool) -> None:
        """Say what can be done: change what was written, take what the teacher wrote."""
        self.edit.setEnabled(edit)
        self.teacher.setVisible(teacher)

    def _buttons(self) -> QWidget:
        self.buttons = QWidget()
        self.edit = QPushButton(self.tr("What if…"))
        self.edit.setToolTip(self.tr("Change the key points and solve again, beside this solution  (Ctrl+E)"))
        self.edit.clicked.connect(self.edit_wanted)
        self.edit.setEnabled(False)
        self.teacher = QPushButton(self.tr("With the teacher's"))
        self.teacher.setToolTip(self.tr("Solve again with the key points that the teacher wrote"))
        self.teacher.clicked.connect(self.teacher_wanted)
        self.teacher.hide()
        for button in (self.edit, self.teacher):
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(1.5))
        row.addWidget(self.edit)
        row.addWidget(self.teacher)
        row.addStretch(1)
        return self.buttons

    def clear(self) -> None:
        """Show nothing."""
        self.end_editing()
        self.offer(False, self.teacher.isVisibleTo(self.buttons))
        for strip in self.strips.values():
            strip.clear()


PLACEHOLDERS = {
    "key": "The first student reads the question and writes down what is asked, and what is known.",
    "core": "The first student writes down what is asked.",
    "info": "The second student writes down what is known.",
}


def blocks_of(role: str, text: str) -> list[Block]:
    """Return how a half-written text is laid out: the core question in strong type, items with numbers."""
    parts = split_key_points(text)
    if role == "core" and [label for label, _, _ in parts] == [""]:
        return [Block(parts[0][1], parts[0][2], "Core question", strong=True)]
    blocks: list[Block] = []
    for label, start, end in parts:
        if label == "core question":
            blocks.append(Block(start, end, "Core question", strong=True))
        elif label:
            blocks.append(Block(start, end, "Information" if label == "1" else "", marker=label))
        else:
            blocks.append(Block(start, end))
    return blocks
