"""The prompts as text with their worked examples, and beside them exactly what will be sent about a row."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages as say
from kpdd_app import theme
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.teacher_drafts import Drafts
from kpdd_app.pages.teacher_examples import ExamplesDialog
from kpdd_app.pages.teacher_reads import find_prompts, find_versions, keep_prompt
from training_backend.errors import KpddError
from training_backend.methods import KINDS
from training_backend.teacher.prompts import (
    MOST_DEMONSTRATIONS,
    NAMES,
    TITLES,
    Prompt,
    built_in,
    messages,
)

if TYPE_CHECKING:
    from training_backend.teacher.trying import SampleRow

PREVIEW_MS = 250


class PromptsPanel(QWidget):
    """An editor of the project's prompts. A change is a draft until it is kept as a version, or used."""

    kept = Signal(str)
    row_wanted = Signal(int)

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Edit the prompts of whatever project is open."""
        super().__init__(parent)
        self.project = project
        self.structured = False
        self._current: dict[str, Prompt] = {}
        self._drafts = Drafts()
        self._versions: list[Any] = []
        self._row: SampleRow | None = None
        self._shown = built_in(NAMES[0])
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PREVIEW_MS)
        self._timer.timeout.connect(self._take_edit)
        self._build()

    # --- methods ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the project's prompts, and the drafts of earlier sessions."""
        self.project.read(find_prompts, self._take_prompts, key="teacher-prompts")

    def show_row(self, row: SampleRow) -> None:
        """Preview on this row."""
        self._row = row
        self.number.blockSignals(True)
        self.number.setRange(1, row.total)
        self.number.setValue(row.number + 1)
        self.number.setSuffix(self.tr(" of {0}").format(QLocale().toString(row.total)))
        self.number.blockSignals(False)
        self._preview()

    def set_narrow(self, narrow: bool) -> None:
        """Put the preview below the texts, or beside them."""
        self.splitter.setOrientation(Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal)

    def set_structured(self, structured: bool) -> None:
        """Preview for a teacher that replies in JSON after a schema, or in labelled text."""
        if structured != self.structured:
            self.structured = structured
            self._preview()

    def flush(self) -> None:
        """Make what was typed a draft that the next start finds."""
        if self._timer.isActive():
            self._take_edit()

    def keep_all(self) -> bool:
        """Keep every draft as a version before it is used; False when one cannot be used (it is shown)."""
        self.flush()
        for prompt in self._drafts.all():
            wrong = self._mistake(prompt)
            if wrong:
                self.name.setCurrentIndex(NAMES.index(prompt.name))
                title = self.tr("The prompt “{0}” cannot be used yet.").format(TITLES[prompt.name])
                say.inform(self, title, wrong)
                return False
        for prompt in self._drafts.all():
            self._store(prompt)
        return True

    def keep(self) -> None:
        """Keep the draft that is shown as a version."""
        self.flush()
        prompt = self._drafts.get(self.current_name())
        if prompt is None or not self.isEnabled():
            return
        wrong = self._mistake(prompt)
        if wrong:
            say.inform(self, self.tr("This prompt cannot be used yet."), wrong)
        else:
            self._store(prompt)

    def current_name(self) -> str:
        """Return the name of the prompt that is shown."""
        return str(self.name.currentData())

    def prompt(self) -> Prompt:
        """Return the prompt that is shown, as it stands."""
        name = self.current_name()
        return self._drafts.get(name) or self._current.get(name) or built_in(name)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.name = _combo(self.tr("Prompt"))
        for name in NAMES:
            self.name.addItem(TITLES[name], name)
        self.name.currentIndexChanged.connect(self._name_chosen)
        self.version = _combo(self.tr("Versions of this prompt"))
        self.version.activated.connect(self._choose_version)
        self.state = QLabel()
        self.state.setProperty("role", "caption")
        self.state.setWordWrap(True)
        self.keep_button = QPushButton(self.tr("Keep"))
        self.keep_button.setToolTip(self.tr("Keep as a version (Ctrl+S); asking keeps it too"))
        self.keep_button.setAccessibleName(self.tr("Keep this prompt as a version"))
        self.keep_button.clicked.connect(self.keep)
        self.system = _text(self.tr("System text"), False)
        self.user = _text(self.tr("User text, a template"), False)
        self.system.textChanged.connect(self._timer.start)
        self.user.textChanged.connect(self._timer.start)
        self.shown = QSpinBox()
        self.shown.setAccessibleName(self.tr("Worked examples that are sent"))
        self.shown.setRange(0, MOST_DEMONSTRATIONS)
        self.shown.lineEdit().setTextMargins(theme.gap(1.4), 0, 0, 0)
        self.shown.valueChanged.connect(self._timer.start)
        self.examples_button = QPushButton(self.tr("Edit examples…"))
        self.examples_button.clicked.connect(self.edit_examples)
        self.mistake = QLabel()
        self.mistake.setProperty("role", "wrong")
        self.mistake.setWordWrap(True)
        self.mistake.hide()
        self.number = QSpinBox()
        self.number.setAccessibleName(self.tr("Number of the question to preview"))
        self.number.setGroupSeparatorShown(True)
        self.number.setRange(1, 1)
        self.number.lineEdit().setTextMargins(theme.gap(1.4), 0, 0, 0)
        self.number.valueChanged.connect(lambda value: self.row_wanted.emit(value - 1))
        self.kind = _combo(self.tr("Kind of rationale in one reply"))
        for kind, title in KINDS.items():
            self.kind.addItem(title, kind)
        self.kind.setCurrentIndex(list(KINDS).index("pot"))
        self.kind.currentIndexChanged.connect(self._preview)
        self.preview = _text(self.tr("Exactly what will be sent"), True)
        self.length = QLabel()
        self.length.setProperty("role", "caption")
        self.length.setWordWrap(True)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self._left())
        self.splitter.addWidget(self._right())
        self.splitter.setSizes([1, 1])
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.gap(5), theme.gap(4), theme.gap(5), theme.gap(3))
        column.addWidget(self.splitter)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self._show_prompt()

    def _left(self) -> QWidget:
        head = QHBoxLayout()
        head.setSpacing(theme.gap(2))
        head.addWidget(self.name, 1)
        head.addWidget(self.version, 1)
        head.addWidget(self.keep_button)
        examples = QHBoxLayout()
        examples.setSpacing(theme.gap(2))
        label = QLabel(self.tr("Worked examples"))
        label.setBuddy(self.shown)
        for part in (label, self.shown, self.examples_button):
            examples.addWidget(part)
        examples.addStretch(1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, theme.gap(3), 0)
        column.setSpacing(theme.gap(1.5))
        column.addLayout(head)
        column.addWidget(self.state)
        column.addWidget(_head(self.tr("System text"), self.system))
        column.addWidget(self.system, 3)
        column.addWidget(_head(self.tr("Text for each question"), self.user))
        column.addWidget(self.user, 2)
        column.addWidget(self.mistake)
        column.addLayout(examples)
        return left

    def _right(self) -> QWidget:
        head = QHBoxLayout()
        head.setSpacing(theme.gap(2))
        label = QLabel(self.tr("Question"))
        label.setBuddy(self.number)
        head.addWidget(label)
        head.addWidget(self.number)
        head.addWidget(self.kind, 1)
        head.addStretch(0)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(theme.gap(3), 0, 0, 0)
        column.setSpacing(theme.gap(1.5))
        column.addLayout(head)
        column.addWidget(self.length)
        column.addWidget(self.preview, 1)
        return right

    # --- slots ------------------------------------------------------------------------------------

    def edit_examples(self) -> None:
        """Edit the worked examples of the prompt that is shown."""
        self.flush()
        prompt = self.prompt()
        dialog = ExamplesDialog(prompt.demonstrations, prompt.title, self)
        if dialog.exec():
            self._draft(dataclasses.replace(prompt, demonstrations=dialog.examples()))
            self._show_prompt()

    def _take_prompts(self, found: dict[str, Prompt]) -> None:
        self._current = found
        self._drafts.open(self.project.path)
        self._show_prompt()

    def _name_chosen(self) -> None:
        """Keep what was typed as the draft of the prompt that was shown before."""
        if self._timer.isActive():
            self._timer.stop()
            self._draft(self._edited(self._shown))
        self._show_prompt()

    def _edited(self, prompt: Prompt) -> Prompt:
        return dataclasses.replace(prompt, system=self.system.toPlainText(), user=self.user.toPlainText(),
                                   shown=self.shown.value())  # fmt: skip

    def _show_prompt(self) -> None:
        self._timer.stop()
        self._shown = self.prompt()
        prompt = self.prompt()
        for widget in (self.system, self.user, self.shown):
            widget.blockSignals(True)
        if self.system.toPlainText() != prompt.system:
            self.system.setPlainText(prompt.system)
        if self.user.toPlainText() != prompt.user:
            self.user.setPlainText(prompt.user)
        self.shown.setValue(prompt.shown)
        for widget in (self.system, self.user, self.shown):
            widget.blockSignals(False)
        self.kind.setVisible(prompt.name == "one_call")
        name = prompt.name
        self.project.read(partial(find_versions, name=name), partial(self._take_versions, name),
                          key="teacher-versions")  # fmt: skip
        self._preview()

    def _take_versions(self, name: str, found: list[Any]) -> None:
        if name != self.current_name():
            return
        self._versions = found
        self.version.blockSignals(True)
        self.version.clear()
        built = built_in(name)
        shown = {stored.version for stored in found}
        for stored in found:
            mark = self.tr("as shipped") if stored.version == built.version else stored.created_at[:16]
            self.version.addItem(mark.replace("T", " "), stored.prompt)
        if built.version not in shown:
            self.version.addItem(self.tr("as shipped"), built)
        current = self.prompt().version
        place = [self.version.itemData(row).version for row in range(self.version.count())]
        self.version.setCurrentIndex(place.index(current) if current in place else -1)
        self.version.setPlaceholderText(self.tr("changed"))
        self.version.blockSignals(False)

    def _choose_version(self, row: int) -> None:
        chosen = self.version.itemData(row)
        if chosen is not None:
            self._draft(chosen)
            self._show_prompt()

    def _take_edit(self) -> None:
        """Make what was typed the draft."""
        self._timer.stop()
        self._draft(self._edited(self.prompt()))
        self._preview()

    def _draft(self, prompt: Prompt) -> None:
        used = self._current.get(prompt.name) or built_in(prompt.name)
        if prompt == used:
            self._drafts.drop(prompt.name)
        else:
            self._drafts.put(prompt)
        self._say_state()

    def _store(self, prompt: Prompt) -> None:
        self._current[prompt.name] = prompt
        self._drafts.drop(prompt.name)
        self.project.change(partial(keep_prompt, prompt=prompt), lambda _: self._was_kept(prompt.name))
        self._show_prompt()

    def _was_kept(self, name: str) -> None:
        self._show_prompt()
        self.kept.emit(name)

    def _preview(self) -> None:
        self._say_state()
        prompt = self.prompt()
        row = self._row
        if row is None:
            return
        try:
            sent = messages(prompt, self._fields(prompt, row), self.structured)
        except KpddError as error:
            self.mistake.setText(f"{error.where}: {error.message} {error.hint}")
            self.mistake.show()
            return
        self.mistake.hide()
        place = self.preview.verticalScrollBar().value()
        self.preview.setPlainText("\n\n".join(f"── {one['role']} ──\n{one['content']}" for one in sent))
        self.preview.verticalScrollBar().setValue(place)
        self._say_length(sum(len(one["content"]) for one in sent), len(sent))

    # --- helpers ----------------------------------------------------------------------------------

    def _fields(self, prompt: Prompt, row: SampleRow) -> dict[str, Any]:
        from training_backend.rationale.key_points import KeyPoints
        from training_backend.teacher.trying import prompt_fields

        points = row.key_points
        if points is None:
            points = KeyPoints(self.tr("‹the core question that the teacher wrote›"),
                               (self.tr("‹the information that the teacher wrote›"),))  # fmt: skip
        asks_for_points = prompt.name in ("key_points", "one_call")
        kind = prompt.name if prompt.name in KINDS else str(self.kind.currentData())
        return prompt_fields(row.question.text, kind, None if asks_for_points else points)

    def _mistake(self, prompt: Prompt) -> str:
        row = self._row
        if row is None:
            return ""
        try:
            messages(prompt, self._fields(prompt, row), self.structured)
        except KpddError as error:
            return f"{error.where} {error.message} {error.hint}".strip()
        return ""

    def _say_state(self) -> None:
        changed = self._drafts.get(self.current_name()) is not None
        self.keep_button.setEnabled(changed and not self.project.read_only)
        text = self.tr("Changed; kept as a new version with Ctrl+S, or when you ask.")
        self.state.setText(text if changed else self.tr("In use: version {0}").format(self.prompt().version))

    def _say_length(self, characters: int, count: int) -> None:
        from training_backend.teacher.cost import tokens_about

        number = QLocale().toString
        text = self.tr("{0} messages, {1} characters, about {2} tokens (four characters each)")
        self.length.setText(text.format(number(count), number(characters), number(tokens_about(characters))))

    def _restyle(self) -> None:
        for box in (self.system, self.user, self.preview):
            box.setStyleSheet(f"QPlainTextEdit {{ {theme.font_rule(theme.mono_font(-0.5))} }}")
            box.setMinimumHeight(theme.line_height() * (8 if box is self.preview else 4))


def _combo(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box


def _text(name: str, read_only: bool) -> QPlainTextEdit:
    box = QPlainTextEdit()
    box.setAccessibleName(name)
    box.setReadOnly(read_only)
    box.setTabChangesFocus(True)
    return box


def _head(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setBuddy(buddy)
    return label
