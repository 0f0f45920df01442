"""The worked examples of a prompt: a list, and every text of the chosen one in a field."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.icon_button import IconButton
from training_backend.rationale.key_points import split_items
from training_backend.teacher.prompts import MOST_DEMONSTRATIONS, Demonstration

# field → title and height in lines
FIELDS = {
    "question": ("Question", 3),
    "core_question": ("Core question", 2),
    "information": ("Information, an item a line", 4),
    "cot": ("Chain of thought", 3),
    "pot": ("Program", 5),
    "eot": ("Equations", 3),
    "answer": ("Answer (never sent)", 1),
    "harder_question": ("A more complex question", 3),
    "alike_question": ("A question of the same type", 3),
}
CODE = ("pot", "eot")


class ExamplesDialog(QDialog):
    """Edits a copy; `examples` are the result."""

    def __init__(self, examples: Sequence[Demonstration], title: str, parent: QWidget | None = None) -> None:
        """Begin with these examples."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Worked examples: {0}").format(title))
        self._examples = list(examples)
        self._build()
        self._fill(0)

    def examples(self) -> tuple[Demonstration, ...]:
        """Return the examples as they stand."""
        return tuple(self._examples)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Examples, in the order in which they are sent"))
        self.list.setFixedWidth(theme.gap(50))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._show)
        self.add_button = IconButton("plus", self.tr("Add an example"))
        self.add_button.clicked.connect(self.add)
        self.remove_button = IconButton("minus", self.tr("Remove this example"))
        self.remove_button.clicked.connect(self.remove)
        self.up_button = IconButton("chevron-up", self.tr("Send this example earlier"))
        self.up_button.clicked.connect(lambda: self.move_by(-1))
        self.down_button = IconButton("chevron-down", self.tr("Send this example later"))
        self.down_button.clicked.connect(lambda: self.move_by(1))
        self.fields: dict[str, QPlainTextEdit] = {}
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(theme.gap(1))
        for name, (title, lines) in FIELDS.items():
            box = QPlainTextEdit()
            box.setAccessibleName(self.tr(title))
            box.setTabChangesFocus(True)
            box.setFixedHeight(theme.line_height() * lines + theme.gap(4))
            if name in CODE:
                box.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.mono_font())} }}")
            box.textChanged.connect(self._take)
            self.fields[name] = box
            form.addRow(self.tr(title), box)
        inside = QWidget()
        inside.setLayout(form)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        tools = QHBoxLayout()
        for button in (self.add_button, self.remove_button, self.up_button, self.down_button):
            tools.addWidget(button)
        tools.addStretch(1)
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addLayout(tools)
        both = QHBoxLayout()
        both.setSpacing(theme.gap(4))
        both.addLayout(left)
        both.addWidget(scroll, 1)
        buttons = QDialogButtonBox()
        standard = QDialogButtonBox.StandardButton
        buttons.setStandardButtons(standard.Ok | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(5)] * 4)
        column.setSpacing(theme.gap(3))
        column.addLayout(both, 1)
        column.addWidget(buttons)
        screen = self.screen().availableGeometry()
        self.resize(min(theme.gap(240), screen.width() - 40), min(theme.gap(170), screen.height() - 60))

    # --- slots ------------------------------------------------------------------------------------

    def add(self) -> None:
        """Add an empty example behind the chosen one."""
        place = self.list.currentRow() + 1
        self._examples.insert(place, Demonstration("", "", (), "", "", "", ""))
        self._fill(place)
        self.fields["question"].setFocus()

    def remove(self) -> None:
        """Remove the chosen example."""
        place = self.list.currentRow()
        if 0 <= place < len(self._examples):
            del self._examples[place]
            self._fill(min(place, len(self._examples) - 1))

    def move_by(self, step: int) -> None:
        """Send the chosen example earlier or later."""
        place = self.list.currentRow()
        if 0 <= place + step < len(self._examples) and place >= 0:
            self._examples.insert(place + step, self._examples.pop(place))
            self._fill(place + step)

    def _take(self) -> None:
        place = self.list.currentRow()
        if not 0 <= place < len(self._examples):
            return
        texts: dict[str, Any] = {name: box.toPlainText() for name, box in self.fields.items()}
        texts["information"] = split_items(texts["information"])
        self._examples[place] = dataclasses.replace(self._examples[place], **texts)
        self.list.item(place).setText(_title(place, self._examples[place]))

    def _show(self, place: int) -> None:
        there = 0 <= place < len(self._examples)
        for name, box in self.fields.items():
            value = getattr(self._examples[place], name) if there else ""
            box.blockSignals(True)
            box.setPlainText("\n".join(value) if isinstance(value, tuple) else value)
            box.blockSignals(False)
            box.setEnabled(there)
        for button in (self.remove_button, self.up_button, self.down_button):
            button.setEnabled(there)
        self.add_button.setEnabled(len(self._examples) < MOST_DEMONSTRATIONS)

    def _fill(self, place: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItems([_title(number, example) for number, example in enumerate(self._examples)])
        self.list.setCurrentRow(place)
        self.list.blockSignals(False)
        self._show(place)


def _title(number: int, example: Demonstration) -> str:
    return f"{number + 1}. {example.question[:60] or '…'}"
