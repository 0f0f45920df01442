"""A new run: method, base student, preset and settings, the check before the start."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train_check import Finding, check, missing_students
from kpdd_app.pages.train_parts import choice_box, finding_line, form_line, note_label
from kpdd_app.settings import Settings
from kpdd_app.widgets.config_form import ConfigForm
from training_backend import methods
from training_backend.students.run_config import FIELDS, PRESET_TITLES, PRESETS, RunConfig, convert

GROUPS = {"training": "Training", "watching": "Watching", "memory": "Memory"}
CHECK_MS = 400
DEMO, TINY, RANDOM, NAMED = "demo", "tiny", "random", "named"
PLACED = (RANDOM, NAMED)
# what fits a base student when it is chosen
PRESET_OF = {DEMO: "go-on", TINY: "demo", RANDOM: "quick-look", NAMED: "kpdd-paper"}
# where there is no sample project, and nothing was trained before
USUAL_BASE = "google/flan-t5-small"


class TrainForm(QWidget):
    """Everything a run needs; `start_wanted` carries the arguments of the command `train`."""

    start_wanted = Signal(list, str)

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Build the form with the first preset."""
        super().__init__(parent)
        self._project = project
        self._checked = False
        self._chosen = False
        self._starting = False
        self._settings = Settings()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHECK_MS)
        self._timer.timeout.connect(self._check)
        self._build()
        self._fill_datasets()
        project.opened.connect(lambda _: self._opened())
        project.closed.connect(self._changed)
        project.rows_changed.connect(lambda _: self._timer.start())
        self._choose_preset_of_base()

    # --- properties -------------------------------------------------------------------------------

    @property
    def method(self) -> str:
        """Return the key of the chosen method."""
        return str(self.method_box.currentData())

    @property
    def preset(self) -> str:
        """Return the key of the chosen preset."""
        return str(self.preset_box.currentData())

    @property
    def base(self) -> str:
        """Return the base student as the command takes it."""
        place = self.place.text().strip()
        form = self.base_box.currentData()
        return {RANDOM: f"random:flan-t5-small:{place}", NAMED: place}.get(form, form)

    # --- methods ----------------------------------------------------------------------------------

    def settings(self) -> tuple[RunConfig | None, dict[str, str]]:
        """Return the settings, or None, and the mistakes by field."""
        mistakes = self.form.check(convert)
        values: dict[str, Any] = {**PRESETS[self.preset], "method": self.method, "base": self.base}
        values |= {name: text for name, text in self.form.entered().items() if name not in mistakes}
        config = RunConfig.from_dict(values)
        mistakes = {mistake.field: mistake.text for mistake in config.validate()} | mistakes
        if self.base_box.currentData() in PLACED and not self.place.text().strip():
            mistakes["base"] = self.tr("name a folder or a hub id")
        lacking = missing_students(config.base, self.method)
        if lacking:
            mistakes["base"] = self.tr("there is no student {0} to go on from").format(" and ".join(lacking))
        return (None if mistakes else config), mistakes

    def arguments(self) -> list[str]:
        """Return the arguments of `kpdd train` that make this run."""
        path = str(self._project.path) if self._project.path is not None else "PROJECT.kpdd"
        line = ["train", path, "--method", self.method, "--base", self.base, "--preset", self.preset]
        dataset, split = self._chosen_rows()
        line += ["--dataset", dataset] if dataset else []
        line += ["--split", split] if split else []
        line += ["--title", self.title.text().strip()] if self.title.text().strip() else []
        for name, text in self.form.entered().items():
            line += ["--" + name.replace("_", "-"), text]
        return line

    def command(self) -> str:
        """Return the run as a line for a terminal."""
        return shlex.join(["kpdd", *self.arguments()])

    def start(self) -> None:
        """Ask for the run, if nothing is wrong with it."""
        config, mistakes = self.settings()
        self._show_mistakes(mistakes)
        if config is None or self._project.path is None:
            return
        self._settings.set_text("train/base", f"{self.base_box.currentData()}|{self.place.text()}")
        title = self.title.text().strip() or methods.get(self.method).title
        self.start_wanted.emit(self.arguments(), title)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, theme.gap(3), 0)
        column.setSpacing(theme.gap(2))
        self._build_what(column)
        self.form = ConfigForm(FIELDS, RunConfig().to_dict(), GROUPS)
        self.form.changed.connect(self._changed)
        column.addWidget(self.form)
        scroll = QScrollArea()
        scroll.setWidget(form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # nothing of the form may be cut off at its right: the check beside it gives way
        bar = scroll.verticalScrollBar().sizeHint().width()
        scroll.setMinimumWidth(form.minimumSizeHint().width() + bar + theme.gap(1))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(4))
        row.addWidget(scroll, 5)
        row.addWidget(self._side(), 4)

    def _build_what(self, column: QVBoxLayout) -> None:
        self.method_box = choice_box(self.tr("Method"))
        for key, method in methods.METHODS.items():
            self.method_box.addItem(method.title, key)
        self.method_box.setCurrentIndex(self.method_box.findData(RunConfig.method))
        self.method_box.currentIndexChanged.connect(lambda _: self._changed())
        self.method_note = note_label()
        self.base_box = choice_box(self.tr("Base student"))
        self.base_box.addItem(self.tr("The demo students, trained further"), DEMO)
        self.base_box.addItem(self.tr("Tiny T5 with the demo's vocabulary, random weights"), TINY)
        self.base_box.addItem(self.tr("FlanT5-small's geometry, random weights, a tokenizer folder"), RANDOM)
        self.base_box.addItem(self.tr("A folder, a run or a hub id"), NAMED)
        self.base_box.currentIndexChanged.connect(lambda _: self._changed())
        self.base_box.activated.connect(lambda _: self._base_chosen())
        self.place = QLineEdit()
        self.place.setAccessibleName(self.tr("Folder or hub id"))
        self.place.textChanged.connect(lambda _: self._changed())
        self.browse = QPushButton(self.tr("Browse…"))
        self.browse.clicked.connect(self._browse)
        self.place_mistake = note_label("wrong")
        self.preset_box = choice_box(self.tr("Preset"))
        for key in PRESETS:
            self.preset_box.addItem(PRESET_TITLES[key][0], key)
        self.preset_box.currentIndexChanged.connect(lambda _: self._choose_preset())
        self.preset_note = note_label()
        self.rows_box = choice_box(self.tr("Rows"))
        self.rows_box.currentIndexChanged.connect(lambda _: self._changed())
        self.title = QLineEdit()
        self.title.setAccessibleName(self.tr("Name of the run"))
        self.title.setPlaceholderText(self.tr("a name for this run (may be empty)"))
        self.place_row = QWidget()
        place = QHBoxLayout()
        place.addWidget(self.place, 1)
        place.addWidget(self.browse)
        below = form_line("", place, self.place_mistake)
        below.setContentsMargins(0, 0, 0, 0)
        self.place_row.setLayout(below)
        for label, field, note in (
            (self.tr("Method"), self.method_box, self.method_note),
            (self.tr("Base student"), self.base_box, None),
            (None, self.place_row, None),
            (self.tr("Preset"), self.preset_box, self.preset_note),
            (self.tr("Rows"), self.rows_box, None),
            (self.tr("Name"), self.title, None),
        ):
            if label is None:
                column.addWidget(field)
            else:
                column.addLayout(form_line(label, field, note))

    def _side(self) -> QWidget:
        panel = QFrame()
        panel.setProperty("panel", "surface")
        heading = QLabel(self.tr("Before the start"))
        heading.setProperty("role", "heading")
        self.findings = QVBoxLayout()
        self.findings.setSpacing(theme.gap(1.5))
        self.command_label = QLabel()
        self.command_label.setFont(theme.mono_font(-1))
        self.command_label.setWordWrap(True)
        self.command_label.setTextFormat(Qt.TextFormat.PlainText)
        self.command_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.command_label.setProperty("role", "muted")
        copy = QPushButton(self.tr("Copy as command"))
        copy.clicked.connect(self._copy)
        self.start_button = QPushButton(self.tr("Train"))
        self.start_button.setProperty("kind", "primary")
        self.start_button.clicked.connect(self.start)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch(1)
        buttons.addWidget(self.start_button)
        column = QVBoxLayout(panel)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(3))
        column.addWidget(heading)
        column.addLayout(self.findings)
        column.addStretch(1)
        column.addWidget(self.command_label)
        column.addLayout(buttons)
        return panel

    # --- slots ------------------------------------------------------------------------------------

    def _choose_preset(self) -> None:
        self.form.set_defaults(RunConfig.from_preset(self.preset).to_dict())
        self.preset_note.setText(PRESET_TITLES[self.preset][1])
        form = PRESETS[self.preset].get("base")
        if form is not None:
            self.base_box.setCurrentIndex(self.base_box.findData(form))
        self._changed()

    def _base_chosen(self) -> None:
        self._chosen = True
        self._choose_preset_of_base()

    def _choose_preset_of_base(self) -> None:
        self.preset_box.setCurrentIndex(self.preset_box.findData(PRESET_OF[self.base_box.currentData()]))

    def _choose_base(self, datasets: list[str]) -> None:
        """Begin with what brings a newcomer to a result; else with what was trained last."""
        form, _, place = self._settings.text("train/base").partition("|")
        if "sample" in datasets:
            form, place = DEMO, ""
        elif self.base_box.findData(form) < 0 or not form:
            form, place = NAMED, USUAL_BASE
        self.base_box.setCurrentIndex(self.base_box.findData(form))
        self.place.setText(place)
        self._choose_preset_of_base()

    def _changed(self) -> None:
        method = methods.get(self.method)
        self.method_note.setText(f"{method.note} ({method.source})")
        self.place_row.setVisible(self.base_box.currentData() in PLACED or "base" in self.settings()[1])
        for part in (self.place, self.browse):
            part.setVisible(self.base_box.currentData() in PLACED)
        hub = self.base_box.currentData() == NAMED
        self.place.setPlaceholderText(
            "google/flan-t5-small" if hub else self.tr("a folder with tokenizer.json")
        )
        config, mistakes = self.settings()
        self._show_mistakes(mistakes)
        self.command_label.setText(self.command())
        self._show_start(config is not None)
        self._timer.start()

    def set_starting(self, starting: bool) -> None:
        """Hold the button back while a run that was asked for has not begun."""
        self._starting = starting
        self._show_start(self.settings()[0] is not None)

    def _show_start(self, fine: bool) -> None:
        self.start_button.setEnabled(fine and not self._starting and not self._project.read_only)
        self.start_button.setText(self.tr("Starting …") if self._starting else self.tr("Train"))

    def _show_mistakes(self, mistakes: dict[str, str]) -> None:
        self.form.show_mistakes(mistakes)
        self.place_mistake.setText(mistakes.get("base", ""))
        self.place_mistake.setVisible("base" in mistakes)

    def _check(self) -> None:
        config, mistakes = self.settings()
        if self._project.project is None:
            self._show_findings([Finding("unjudged", self.tr("Open a project first."))])
        elif config is None:
            wrong = ", ".join(FIELDS[name].title.lower() for name in mistakes)
            self._show_findings([Finding("wrong", self.tr("Something is wrong with: {0}.").format(wrong))])
        elif self.isVisible():
            rows = self._chosen_rows()
            if not self._checked:
                self._show_findings([Finding("muted", self.tr("Looking at the rows …"))])
            self._project.read(
                lambda project: check(project, config, *rows),
                self._show_checked,
                self._show_failure,
                key="train-check",
            )

    def showEvent(self, event) -> None:
        """Check again when the form is seen."""
        super().showEvent(event)
        self._timer.start()

    def _show_findings(self, findings: list[Finding]) -> None:
        while (item := self.findings.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for finding in findings:
            self.findings.addWidget(finding_line(finding))

    def _show_checked(self, findings: list[Finding]) -> None:
        self._checked = True
        self._show_findings(findings)

    def _show_failure(self, error: Exception) -> None:
        self._show_findings([Finding("wrong", str(error))])

    def _opened(self) -> None:
        self._chosen = False
        self._fill_datasets()

    def _fill_datasets(self) -> None:
        self._checked = False
        self.rows_box.clear()
        self.rows_box.addItem(self.tr("all that are fit for training"), ("", ""))

        def read(project: Any) -> list[tuple[str, str, int]]:
            from training_backend.project.questions import datasets

            return datasets(project)

        def fill(found: list[tuple[str, str, int]]) -> None:
            for dataset, split, count in found:
                self.rows_box.addItem(f"{dataset} {split}".strip() + f"  ({count:,})", (dataset, split))
            if not self._chosen:
                self._choose_base([dataset for dataset, _, _ in found])

        self._project.read(read, fill, lambda _: None, key="train-datasets")
        self._changed()

    def _chosen_rows(self) -> tuple[str | None, str | None]:
        dataset, split = self.rows_box.currentData() or ("", "")
        return dataset or None, split or None

    def _browse(self) -> None:
        folder = messages.open_folder(self, self.tr("Choose a folder"), str(Path(self.place.text()).parent))
        if folder is not None:
            self.place.setText(str(folder))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command())
        messages.note(self.tr("The command is on the clipboard"))
