"""A form made from the description of settings: title, unit, the default shown as default, mistakes below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.widgets.choice_box import ChoiceBox


class FieldRow:
    """One setting of the form: its label, its editor, its unit and its mistake."""

    def __init__(self, name: str, info: Any, default: Any, words: Mapping[Any, str]) -> None:
        """`info` has title, help, unit and choices; `default` gives the type and what empty means.

        `words` say in words what certain values mean.
        """
        self.name = name
        self.info = info
        self.words = words
        self.default = default
        self.label = QLabel(info.title)
        self.label.setToolTip(info.help)
        self.editor = self._make_editor()
        self.editor.setAccessibleName(info.title)
        self.editor.setAccessibleDescription(info.help)
        self.editor.setToolTip(info.help)
        # a choice without a unit takes its room
        self.has_unit = bool(info.unit) or not info.choices
        self.unit = QLabel(info.unit)
        self.unit.setProperty("role", "muted")
        self.mistake = QLabel()
        self.mistake.setProperty("role", "wrong")
        self.mistake.setWordWrap(True)
        self.mistake.hide()
        self.set_default(default)

    def set_default(self, default: Any) -> None:
        """Change what an untouched field means, and show it as the default."""
        before = self.text()
        self.default = default
        if isinstance(self.editor, QCheckBox):
            if before is None:
                self.editor.setChecked(bool(default))
            self.unit.setText("default: yes" if default else "default: no")
        elif isinstance(self.editor, QComboBox):
            chosen = before
            self.editor.blockSignals(True)
            self.editor.clear()
            for choice in self.info.choices:
                word = self.words.get(choice, choice)
                self.editor.addItem(f"{word}  (default)" if choice == default else word, choice)
            self.editor.setCurrentIndex(self.editor.findData(chosen if chosen is not None else default))
            self.editor.blockSignals(False)
        else:
            word = self.words.get(default)
            self.editor.setPlaceholderText(word or shown(default))
            # a unit behind words would be read as a part of them
            self.unit.setText("" if word and before is None else self.info.unit)

    def text(self) -> str | None:
        """Return what was entered as text, or None when the field stands at its default."""
        if isinstance(self.editor, QCheckBox):
            value = self.editor.isChecked()
            return None if value == bool(self.default) else str(value).lower()
        if isinstance(self.editor, QComboBox):
            value = self.editor.currentData()
            return None if value is None or value == self.default else str(value)
        return self.editor.text().strip() or None

    def set_text(self, text: str | None) -> None:
        """Enter a value; None means the default."""
        if isinstance(self.editor, QCheckBox):
            self.editor.setChecked(bool(self.default) if text is None else text == "true")
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentIndex(self.editor.findData(self.default if text is None else text))
        else:
            self.editor.setText(text or "")

    def show_mistake(self, text: str) -> None:
        """Say what is wrong with the field; empty: nothing is."""
        self.mistake.setText(text)
        self.mistake.setVisible(bool(text))
        self.editor.setProperty("wrong", "true" if text else "false")
        self.editor.style().unpolish(self.editor)
        self.editor.style().polish(self.editor)

    def _make_editor(self) -> Any:
        if isinstance(self.default, bool):
            return QCheckBox()
        if self.info.choices:
            return ChoiceBox(self.info.title, 10)
        return QLineEdit()

    def set_visible(self, visible: bool) -> None:
        """Show the setting, or hide one that says nothing beside the others."""
        for part in (self.label, self.editor, *([self.unit] if self.has_unit else [])):
            part.setVisible(visible)
        self.mistake.setVisible(visible and bool(self.mistake.text()))

    def mind_unit(self) -> None:
        """Show the unit behind a number, none behind words."""
        if isinstance(self.editor, QLineEdit):
            bare = not self.editor.text() and self.default in self.words
            self.unit.setText("" if bare else self.info.unit)


class ConfigForm(QWidget):
    """Rows of settings under the titles of their groups."""

    changed = Signal()

    def __init__(
        self,
        fields: Mapping[str, Any],
        defaults: Mapping[str, Any],
        titles: Mapping[str, str],
        words: Mapping[str, Mapping[Any, str]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`fields` describe the settings by name; `titles` name the groups that are shown, in order.

        `words` say for some settings what certain values mean.
        """
        super().__init__(parent)
        self._words = words or {}
        self.rows: dict[str, FieldRow] = {}
        self._grids: list[QGridLayout] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        for group, title in titles.items():
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            heading.setContentsMargins(0, theme.gap(3), 0, 0)
            column.addWidget(heading)
            column.addLayout(self._group({k: v for k, v in fields.items() if v.group == group}, defaults))
        column.addStretch(1)
        theme.notifier().changed.connect(self._align)
        self._align()

    def label_width(self) -> int:
        """Return the room that the labels of every group have."""
        return self._grids[0].columnMinimumWidth(0) if self._grids else 0

    def entered(self) -> dict[str, str]:
        """Return the fields that differ from their defaults, as text."""
        return {name: text for name, row in self.rows.items() if (text := row.text()) is not None}

    def enter(self, values: Mapping[str, str]) -> None:
        """Enter values; fields that are not named go back to their defaults."""
        for name, row in self.rows.items():
            row.set_text(values.get(name))

    def hide_fields(self, names: Collection[str]) -> None:
        """Hide the fields that say nothing beside the others; they go back to their defaults."""
        for name, row in self.rows.items():
            if name in names and row.text() is not None:
                row.set_text(None)
            row.set_visible(name not in names)

    def set_defaults(self, defaults: Mapping[str, Any]) -> None:
        """Change what untouched fields mean (another preset)."""
        for name, row in self.rows.items():
            row.set_default(defaults[name])

    def show_mistakes(self, mistakes: Mapping[str, str]) -> None:
        """Say under each field what is wrong with it."""
        for name, row in self.rows.items():
            row.show_mistake(mistakes.get(name, ""))

    def check(self, convert: Callable[[str, Any], Any]) -> dict[str, str]:
        """Return what `convert(name, text)` has against the texts that were entered."""
        mistakes = {}
        for name, text in self.entered().items():
            try:
                convert(name, text)
            except ValueError as error:
                mistakes[name] = str(error)
        return mistakes

    def _group(self, fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.gap(2))
        grid.setVerticalSpacing(theme.gap(1))
        grid.setColumnStretch(1, 1)
        self._grids.append(grid)
        for number, (name, info) in enumerate(fields.items()):
            row = FieldRow(name, info, defaults[name], self._words.get(name, {}))
            row.label.setBuddy(row.editor)
            grid.addWidget(row.label, number * 2, 0)
            grid.addWidget(row.editor, number * 2, 1, 1, 1 if row.has_unit else 2)
            if row.has_unit:
                grid.addWidget(row.unit, number * 2, 2)
            grid.addWidget(row.mistake, number * 2 + 1, 1, 1, 2, Qt.AlignmentFlag.AlignTop)
            self._connect(row)
            self.rows[name] = row
        return grid

    def _align(self) -> None:
        """Give the labels and the units of all groups the same room."""
        line = theme.line_height()
        names = max((row.label.sizeHint().width() for row in self.rows.values()), default=0)
        units = max(
            (theme.text_metrics().horizontalAdvance(row.info.unit) for row in self.rows.values()), default=0
        )
        for grid in self._grids:
            grid.setColumnMinimumWidth(0, max(line * 8, names))
            grid.setColumnMinimumWidth(2, units + theme.gap(1))

    def _connect(self, row: FieldRow) -> None:
        if isinstance(row.editor, QCheckBox):
            row.editor.toggled.connect(lambda _: self.changed.emit())
        elif isinstance(row.editor, QComboBox):
            row.editor.currentIndexChanged.connect(lambda _: self.changed.emit())
        else:
            row.editor.textChanged.connect(lambda _: row.mind_unit())
            row.editor.textChanged.connect(lambda _: self.changed.emit())


def shown(value: Any) -> str:
    """Return a default as it is written in a field.

    >>> shown(0.0005), shown(10.0), shown("")
    ('0.0005', '10', '')
    """
    return f"{value:g}" if isinstance(value, float) else str(value)
