"""One teacher's settings: address, key, model, price, and how it is asked; saved as they are typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.pages.teacher_fields import FIELDS, GROUPS, SHOWN, defaults, to_text, to_value
from kpdd_app.pages.teacher_key import KeyField
from kpdd_app.pages.teacher_price import PriceLine
from kpdd_app.widgets.config_form import ConfigForm
from training_backend.teacher.setting_rules import secrets_in
from training_backend.teacher.teacher_config import DEFAULTS, TeacherConfig

SAVE_MS = 400
ABOUT = {
    "endpoint": "Any address with the chat interface of OpenAI: a hosted provider or a server of yours.",
    "local": "A language model from a folder or the hub, in a process of its own on this machine.",
    "replay": "Answers that were recorded before: nothing is sent and nothing costs.",
    "sample": "The teacher of the sample questions, built in. It needs no settings and answers only those.",
}


class TeacherSettings(QScrollArea):
    """The form; `changed` carries the teacher as it stands half a second after the last key."""

    changed = Signal(object)
    models_wanted = Signal()
    test_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a teacher."""
        super().__init__(parent)
        self._config: TeacherConfig | None = None
        self._form: ConfigForm | None = None
        self._asked_from: QPushButton | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.flush)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._build()

    # --- methods ----------------------------------------------------------------------------------

    def show_config(self, config: TeacherConfig) -> None:
        """Show a teacher; what was typed for the one before is saved first."""
        self.flush()
        kind_changed = self._config is None or self._config.kind != config.kind
        self._config = config
        if kind_changed:
            self._make_form(config.kind)
        self._quietly(config)
        self._fit(config)
        self.results.hide()
        self._say_problems(config)

    def config(self) -> TeacherConfig | None:
        """Return the teacher as the form stands; fields that cannot be read keep their last value."""
        if self._config is None or self._form is None:
            return None
        kind = self._config.kind
        settings = {name: value for name, value in self._config.settings.items() if name not in SHOWN[kind]}
        mistakes = {}
        for name, text in self._form.entered().items():
            try:
                settings[name] = to_value(kind, name, text)
            except ValueError as error:
                mistakes[name] = str(error)
                if name in self._config.settings:
                    settings[name] = self._config.settings[name]
        self._form.show_mistakes(mistakes)
        if kind == "endpoint":
            settings["base_url"] = self.address.text().strip()
        if kind in ("endpoint", "local"):
            settings["model"] = self.model.currentText().strip()
        if kind == "replay":
            settings["recordings"] = self.recordings.text().strip()
            settings["preset"] = self._form.rows["preset"].editor.currentData()
        return TeacherConfig(self._config.name, kind, settings)

    def forget(self) -> None:
        """Have no teacher: the project it belonged to is closed."""
        self._timer.stop()
        self._config = None

    def shown(self) -> TeacherConfig | None:
        """Return the teacher as it was told last; the project may still be writing it."""
        return self._config

    def first_field(self) -> QWidget:
        """Return the field that takes the keyboard first."""
        kind = self._config.kind if self._config is not None else ""
        return {"endpoint": self.address, "local": self.model, "replay": self.recordings}.get(kind, self)

    def flush(self) -> None:
        """Tell what was typed and not told yet."""
        self._timer.stop()
        config = self.config()
        if config is None or self._config is None or config == self._config:
            return
        self._say_problems(config)
        if secrets_in(config.settings):
            return
        self._config = config
        self._forget_checks()
        self._fit(config)
        self.changed.emit(config)

    def set_models(self, found: Sequence[str]) -> None:
        """Offer the models that the server has; the list is kept with the teacher."""
        if self._config is None:
            return
        current = self.model.currentText().strip() or (found[0] if found else "")
        self._offer(found, current)
        settings = {**self._config.settings, "models": list(found), "model": current}
        self._config = TeacherConfig(self._config.name, self._config.kind, settings)
        self._fit(self._config)
        self._say_problems(self._config)
        self.changed.emit(self._config)

    def show_busy(self, text: str) -> None:
        """Say that the server is being asked; empty: it no longer is."""
        buttons = (self.models_button, self.test_button)
        if text:
            # a button that is switched off loses the keyboard; it gets it back
            self._asked_from = next((button for button in buttons if button.hasFocus()), None)
        for button in buttons:
            button.setEnabled(not text)
        if not text and self._asked_from is not None:
            self._asked_from.setFocus()
        if text:
            self.results.setText(text)
            self.results.setTextFormat(Qt.TextFormat.PlainText)
            self.results.show()

    def show_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        """Show the results of *Test*: a sign, what was looked at, what came of it, what to do."""
        lines = []
        for check in checks:
            good = bool(check.get("ok"))
            tone = theme.current().equal if good else theme.current().wrong
            sign, hint = ("✓" if good else "✕"), "" if good else _html(str(check.get("hint", "")))
            title, sentence = _html(str(check.get("title", ""))), _html(str(check.get("sentence", "")))
            lines.append(f"<p style='margin:2px 0'><b style='color:{tone}'>{sign} {title}</b> — {sentence}"
                         + (f"<br>{hint}" if hint else "") + "</p>")  # fmt: skip
        self.results.setTextFormat(Qt.TextFormat.RichText)
        self.results.setText("".join(lines))
        self.results.show()
        self.ensureWidgetVisible(self.results)

    def set_narrow(self, narrow: bool) -> None:
        """Put the titles above their fields, or beside them."""
        ways = QBoxLayout.Direction
        for line in self.lines.values():
            layout = line.layout()
            assert isinstance(layout, QBoxLayout)
            layout.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)

    def set_writable(self, writable: bool) -> None:
        """Let the settings be changed, or only be looked at."""
        self.inside.setEnabled(writable)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.inside = QWidget()
        self.column = QVBoxLayout(self.inside)
        self.column.setContentsMargins(theme.gap(5), theme.gap(4), theme.gap(5), theme.gap(4))
        self.column.setSpacing(theme.gap(2))
        self.about = _note("muted")
        self.address = _line(self.tr("Address"), "https://api.example.com/v1")
        self.address.textChanged.connect(self._typed)
        self.key = KeyField()
        self.key.source_changed.connect(self._source_changed)
        self.model = QComboBox()
        self.model.setEditable(True)
        self.model.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.model.setAccessibleName(self.tr("Model"))
        self.model.lineEdit().setAccessibleName(self.tr("Name of the model"))  # type: ignore[union-attr]
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(12)
        self.model.currentTextChanged.connect(self._typed)
        self.models_button = QPushButton(self.tr("Fetch list"))
        self.models_button.setAccessibleName(self.tr("Fetch the list of models from the server"))
        self.models_button.clicked.connect(self._ask_models)
        self.folder_button = QPushButton(self.tr("Folder…"))
        self.folder_button.setAccessibleName(self.tr("Choose the folder of a model"))
        self.folder_button.clicked.connect(self._choose_folder)
        self.recordings = _line(self.tr("Recordings"), self.tr("as their authors published them"))
        self.recordings.textChanged.connect(self._typed)
        self.recordings_button = QPushButton(self.tr("Choose…"))
        self.recordings_button.setAccessibleName(self.tr("Choose the recordings"))
        self.recordings_button.clicked.connect(self._choose_recordings)
        self.price = PriceLine()
        self.test_button = QPushButton(self.tr("Test"))
        self.test_button.setAccessibleName(self.tr("Test this teacher"))
        self.test_button.setToolTip(self.tr("Ask for the models and one short reply; says what is wrong"))
        self.test_button.clicked.connect(self._ask_test)
        self.test_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.results = _note("")
        self.results.setAccessibleName(self.tr("What the test found"))
        self.problems = _note("unjudged")
        self.lines = {
            "address": _labelled(self.tr("Address"), self.address),
            "key": _labelled(self.tr("Key"), self.key),
            "model": _labelled(self.tr("Model"), self.model, self.models_button, self.folder_button),
            "recordings": _labelled(self.tr("Recordings"), self.recordings, self.recordings_button),
            "price": _labelled(self.tr("Price"), self.price),
            "test": _labelled("", self.test_button),
        }
        self.column.addWidget(self.about)
        for line in self.lines.values():
            self.column.addWidget(line)
        for part in (self.results, self.problems):
            self.column.addWidget(part)
        self.place = QVBoxLayout()
        self.column.addLayout(self.place)
        self.column.addStretch(1)
        self.setWidget(self.inside)

    def _make_form(self, kind: str) -> None:
        if self._form is not None:
            self.place.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        fields = {name: FIELDS[name] for name in SHOWN[kind]}
        groups = {group: self.tr(title) for group, title in GROUPS.items()
                  if any(field.group == group for field in fields.values())}  # fmt: skip
        self._form = ConfigForm(fields, defaults(kind), groups)
        self._form.changed.connect(self._typed)
        self.place.addWidget(self._form)

    # --- slots ------------------------------------------------------------------------------------

    def _typed(self, *_: object) -> None:
        self._timer.start()

    def _source_changed(self, source: str) -> None:
        self.flush()
        if self._config is not None and self._config.get("key_source") != source:
            self._config = TeacherConfig(self._config.name, self._config.kind,
                                         {**self._config.settings, "key_source": source})  # fmt: skip
            self._forget_checks()
            self._say_problems(self._config)
            self.key.show_config(self._config)
            self.changed.emit(self._config)

    def _ask_models(self) -> None:
        self.flush()
        self.models_wanted.emit()

    def _ask_test(self) -> None:
        self.flush()
        self.test_wanted.emit()

    def _choose_folder(self) -> None:
        path = messages.open_folder(self, self.tr("Choose the folder of a model"), self.model.currentText())
        if path is not None:
            self.model.setCurrentText(str(path))

    def _choose_recordings(self) -> None:
        start = self.recordings.text()
        if self._form is not None and self._form.rows["preset"].editor.currentData() == "jsonl":
            kinds = self.tr("JSON lines (*.jsonl *.gz)")
            path = messages.open_file(self, self.tr("Choose a recording"), kinds, start)
        else:
            path = messages.open_folder(self, self.tr("Choose the folder of recordings"), start)
        if path is not None:
            self.recordings.setText(str(path))

    # --- helpers ----------------------------------------------------------------------------------

    def _quietly(self, config: TeacherConfig) -> None:
        """Put a teacher's settings into the fields without saying that they changed."""
        widgets = (self.address, self.model, self.recordings)
        for widget in widgets:
            widget.blockSignals(True)
        self.address.setText(str(config.get("base_url") or ""))
        self._offer(config.get("models") or (), str(config.get("model") or ""))
        self.recordings.setText(str(config.get("recordings") or ""))
        for widget in widgets:
            widget.blockSignals(False)
        assert self._form is not None
        self._form.blockSignals(True)
        for name, row in self._form.rows.items():
            value = config.settings.get(name)
            same = value is None or value == DEFAULTS[config.kind][name]
            row.set_text(None if same else to_text(name, value))
        self._form.blockSignals(False)
        self._timer.stop()

    def _offer(self, models: Sequence[str], current: str) -> None:
        self.model.blockSignals(True)
        self.model.clear()
        self.model.addItems(list(models))
        self.model.setCurrentIndex(self.model.findText(current))
        self.model.setEditText(current)
        self.model.setToolTip(current)
        line = self.model.lineEdit()
        if line is not None:
            line.setCursorPosition(0)
            local = self._config is not None and self._config.kind == "local"
            line.setPlaceholderText(self.tr("a folder, or a hub id") if local
                                    else self.tr("fetch the list, or write a name"))  # fmt: skip
        self.model.blockSignals(False)

    def _fit(self, config: TeacherConfig) -> None:
        kind = config.kind
        self.about.setText(self.tr(ABOUT[kind]))
        for name in ("address", "key"):
            self.lines[name].setVisible(kind == "endpoint")
        self.lines["model"].setVisible(kind in ("endpoint", "local"))
        self.lines["price"].setVisible(kind == "endpoint")
        self.lines["test"].setVisible(kind in ("endpoint", "local"))
        self.lines["recordings"].setVisible(kind == "replay")
        self.models_button.setVisible(kind == "endpoint")
        self.folder_button.setVisible(kind == "local")
        if kind == "endpoint":
            self.key.show_config(config)
            self.price.show_config(config)

    def _forget_checks(self) -> None:
        """Hide what a test found of other settings; one under way still says that it is."""
        if self.test_button.isEnabled():
            self.results.hide()

    def _say_problems(self, config: TeacherConfig) -> None:
        problems = list(dict.fromkeys([*secrets_in(config.settings), *config.validate()]))
        if secrets_in(config.settings):
            problems.append(self.tr("This is not saved: a key has its own field."))
        self.problems.setText("\n".join(problems))
        self.problems.setVisible(bool(problems))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _line(name: str, placeholder: str) -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    line.setPlaceholderText(placeholder)
    return line


def _note(role: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label


def _labelled(title: str, *widgets: QWidget) -> QWidget:
    """Return a line of the form, its title first; the first widget takes the room there is."""
    line = QWidget()
    both = QBoxLayout(QBoxLayout.Direction.LeftToRight, line)
    both.setContentsMargins(0, 0, 0, 0)
    both.setSpacing(theme.gap(1))
    label = QLabel(title)
    label.setMinimumWidth(theme.line_height() * 8 + theme.gap(1))
    label.setContentsMargins(0, theme.gap(1.4), 0, 0)
    label.setBuddy(widgets[0])
    both.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
    row = QHBoxLayout()
    row.setSpacing(theme.gap(2))
    for widget in widgets:
        first = widget is widgets[0]
        row.addWidget(widget, int(first), Qt.AlignmentFlag(0) if first else Qt.AlignmentFlag.AlignTop)
    if widgets[0].sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Fixed:
        row.addStretch(100)
    both.addLayout(row, 1)
    return line
