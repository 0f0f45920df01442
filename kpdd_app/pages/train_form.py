"""A new run: method, base student, preset and settings, the check before the start."""

from __future__ import annotations

import shlex
from typing import Any

import yaml
from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QBoxLayout, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from kpdd_app import messages, theme
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train_base import DEMO, USUAL, BaseChoice
from kpdd_app.pages.train_check import Finding, check, missing_students
from kpdd_app.pages.train_parts import form_lines, note_label
from kpdd_app.pages.train_start import StartPanel
from kpdd_app.pages.train_words import GROUPS, WORDS, idle_fields
from kpdd_app.settings import Settings
from kpdd_app.widgets.choice_box import ChoiceBox
from kpdd_app.widgets.config_form import ConfigForm, shown
from training_backend import methods
from training_backend.events import Progress
from training_backend.students.run_config import FIELDS, PRESET_TITLES, PRESETS, RunConfig, convert
from training_backend.students.run_folder import base_title

CHECK_MS = 400


class TrainForm(QWidget):
    """Everything a run needs; `start_wanted` and `queue_wanted` carry the arguments of `kpdd train`."""

    start_wanted = Signal(list, str)
    queue_wanted = Signal(list, str)
    # a Finding whose rows are to be seen
    rows_wanted = Signal(object)

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Build the form with the first preset."""
        super().__init__(parent)
        self._project = project
        self._checked = False
        self._chosen = False
        self._starting = False
        self._busy = False
        # why the check lets no run start; empty as long as it does not know
        self._refusal = ""
        self._settings = Settings()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHECK_MS)
        self._timer.timeout.connect(self._check)
        self._build()
        self._fill_datasets()
        project.opened.connect(lambda _: self._opened())
        project.closed.connect(self._changed)
        project.rows_changed.connect(lambda _: self._look_again())
        theme.notifier().changed.connect(self._restyle)
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

    # --- methods ----------------------------------------------------------------------------------

    def settings(self) -> tuple[RunConfig | None, dict[str, str]]:
        """Return the settings, or None, and the mistakes by field."""
        mistakes = self.form.check(convert)
        values: dict[str, Any] = {**PRESETS[self.preset], "method": self.method, "base": self.base.base}
        values |= {name: text for name, text in self.form.entered().items() if name not in mistakes}
        config = RunConfig.from_dict(values)
        mistakes = {mistake.field: mistake.text for mistake in config.validate()} | mistakes
        if self.base.lacks_place():
            mistakes["base"] = self.base.lacks_place()
        lacking = missing_students(config.base, self.method)
        if lacking:
            mistakes["base"] = self.tr("there is no student {0} to go on from").format(" and ".join(lacking))
        return (None if mistakes else config), mistakes

    def arguments(self) -> list[str]:
        """Return the arguments of `kpdd train` that make this run."""
        path = str(self._project.path) if self._project.path is not None else "PROJECT.kpdd"
        line = ["train", path, "--method", self.method, "--base", self.base.base, "--preset", self.preset]
        dataset, split = self._chosen_rows()
        line += ["--dataset", dataset] if dataset else []
        line += ["--split", split] if split else []
        if title := self.title.text().strip():
            # a title that begins with a dash would be read as an option of its own
            line += [f"--title={title}"] if title.startswith("-") else ["--title", title]
        for name, text in self.form.entered().items():
            line += ["--" + name.replace("_", "-"), text]
        return line

    def command(self) -> str:
        """Return the run as a line for a terminal."""
        return shlex.join(["kpdd", *self.arguments()])

    def as_yaml(self) -> str:
        """Return the settings as YAML for `kpdd train --config`; empty where something is wrong with them."""
        config, _ = self.settings()
        if config is None:
            return ""
        settings = yaml.safe_dump(config.to_dict(), sort_keys=False)
        return f"# kpdd train PROJECT.kpdd --config THIS_FILE\n{settings}"

    def start(self) -> None:
        """Ask for the run, if nothing is wrong with it."""
        if self._refusal:
            messages.note(self._refusal)
            # what is missing may have come from outside
            self._timer.start()
        elif not self._starting:
            self._want(self.start_wanted)

    def queue(self) -> None:
        """Ask for the run to be started after those before it."""
        self._want(self.queue_wanted)

    def copy(self) -> None:
        """Put the run as a command on the clipboard."""
        QGuiApplication.clipboard().setText(self.command())
        messages.note(self.tr("The command is on the clipboard"))

    def copy_yaml(self) -> None:
        """Put the settings as YAML on the clipboard."""
        text = self.as_yaml()
        if text:
            QGuiApplication.clipboard().setText(text)
        messages.note(
            self.tr("The settings are on the clipboard") if text else self.tr("Mend the mistakes first")
        )

    def use_settings(self, config: RunConfig) -> None:
        """Fill the form with the settings of an earlier run, as what differs from the paper's."""
        self._chosen = True
        self.method_box.setCurrentIndex(self.method_box.findData(config.method))
        self.preset_box.setCurrentIndex(self.preset_box.findData("kpdd-paper"))
        self.base.choose_base(config.base)
        usual = RunConfig.from_preset("kpdd-paper").to_dict()
        different = {k: v for k, v in config.to_dict().items() if v != usual[k] and k in self.form.rows}
        self.form.enter(
            {k: str(v).lower() if isinstance(v, bool) else shown(v) for k, v in different.items()}
        )

    def set_starting(self, starting: bool) -> None:
        """Hold the button back while a run that was asked for has not begun."""
        self._starting = starting
        self.side.show_progress(Progress("", 0, 0, self.tr("Starting …")) if starting else None)
        self._show_start(self.settings()[0] is not None)

    def set_busy(self, busy: bool) -> None:
        """Say that another run is at work: this one would compute beside it."""
        if busy != self._busy:
            self._busy = busy
            self._show_start(self.settings()[0] is not None)
            self._timer.start()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, theme.gap(3), 0)
        column.setSpacing(theme.gap(2))
        self._build_what(column)
        self.form = ConfigForm(FIELDS, RunConfig().to_dict(), GROUPS, WORDS)
        self.form.changed.connect(self._changed)
        column.addWidget(self.form)
        scroll = QScrollArea()
        scroll.setWidget(form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.side = StartPanel()
        self.side.start_wanted.connect(self.start)
        self.side.queue_wanted.connect(self.queue)
        self.side.command_wanted.connect(self.copy)
        self.side.yaml_wanted.connect(self.copy_yaml)
        self.side.finding_acted.connect(self.rows_wanted)
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._halves.setContentsMargins(0, 0, 0, 0)
        self._halves.setSpacing(theme.gap(4))
        self._halves.addWidget(scroll, 5)
        self._halves.addWidget(self.side, 4)
        self._scroll, self._settings_side = scroll, form

    def _build_what(self, column: QVBoxLayout) -> None:
        self.method_box = ChoiceBox(self.tr("Method"))
        for key, method in methods.METHODS.items():
            self.method_box.addItem(method.title, key)
        self.method_box.setCurrentIndex(self.method_box.findData(RunConfig.method))
        self.method_box.currentIndexChanged.connect(lambda _: self._changed())
        self.method_note = note_label()
        self.base = BaseChoice()
        self.base.changed.connect(self._changed)
        self.base.chosen.connect(self._base_chosen)
        self.preset_box = ChoiceBox(self.tr("Preset"))
        for key in PRESETS:
            self.preset_box.addItem(PRESET_TITLES[key][0], key)
        self.preset_box.currentIndexChanged.connect(lambda _: self._choose_preset())
        self.preset_note = note_label()
        self.rows_box = ChoiceBox(self.tr("Rows"))
        self.rows_box.currentIndexChanged.connect(lambda _: self._changed())
        self.title = QLineEdit()
        self.title.setAccessibleName(self.tr("Name of the run"))
        self.title.setPlaceholderText(self.tr("a name for this run (may be empty)"))
        self.title.textChanged.connect(lambda _: self.side.command.setText(self.command()))
        lines = (
            (self.tr("Method"), self.method_box, self.method_note),
            (self.tr("Base student"), self.base, None),
            (self.tr("Preset"), self.preset_box, self.preset_note),
            (self.tr("Rows"), self.rows_box, None),
            (self.tr("Name"), self.title, None),
        )
        self._what = form_lines(lines)
        column.addLayout(self._what)

    # --- slots ------------------------------------------------------------------------------------

    def _want(self, signal: Any) -> None:
        config, mistakes = self.settings()
        self._show_mistakes(mistakes)
        if config is None or self._project.path is None or self._project.read_only:
            return
        self._settings.set_text("train/base", self.base.saved())
        usual = f"{methods.get(self.method).title}, {base_title(config.base)}"
        signal.emit(self.arguments(), self.title.text().strip() or usual)

    def _choose_preset(self) -> None:
        self.form.set_defaults(RunConfig.from_preset(self.preset).to_dict())
        self.preset_note.setText(PRESET_TITLES[self.preset][1])
        base = PRESETS[self.preset].get("base")
        if base is not None:
            self.base.choose(base)
        self._changed()

    def _base_chosen(self) -> None:
        self._chosen = True
        self._choose_preset_of_base()

    def _choose_preset_of_base(self) -> None:
        self.preset_box.setCurrentIndex(self.preset_box.findData(self.base.preset))

    def _choose_base(self, datasets: list[str]) -> None:
        """Begin with what brings a newcomer to a result; else with what was trained last."""
        form, _, place = self._settings.text("train/base").partition("|")
        if "sample" in datasets:
            self.base.choose(DEMO)
        elif not self.base.choose(form, place):
            self.base.choose(USUAL)
        self._choose_preset_of_base()

    def _changed(self) -> None:
        method = methods.get(self.method)
        self.method_note.setText(f"{method.note} ({method.source})")
        values = {**RunConfig.from_preset(self.preset).to_dict(), **self.form.entered()}
        self.form.rows["batch"].unit.setText(str(values["batch_unit"]))
        self.form.hide_fields(idle_fields(self.method, self.base.base, values))
        config, mistakes = self.settings()
        self._show_mistakes(mistakes)
        self.side.command.setText(self.command())
        self._refusal = ""
        self._show_start(config is not None)
        # what stands there is about the settings as they were
        self.side.looking.setVisible(self._checked)
        self._timer.start()

    def _look_again(self) -> None:
        """Check again; what the last check refused may be possible by now."""
        if self._refusal:
            self._refusal = ""
            self._show_start(self.settings()[0] is not None)
        self._timer.start()

    def _show_start(self, fine: bool) -> None:
        allowed = fine and not self._project.read_only
        self.side.queue.setEnabled(allowed)
        self.side.allow_start(allowed and not self._refusal and not self._starting, self._refusal)
        words = self.tr("Train beside it") if self._busy else self.tr("Train")
        self.side.start.setText(self.tr("Starting …") if self._starting else words)

    def _show_mistakes(self, mistakes: dict[str, str]) -> None:
        self.form.show_mistakes(mistakes)
        self.base.show_mistake(mistakes.get("base", ""))

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

    def minimumSizeHint(self) -> QSize:
        """Return the room of the check: where both have none side by side it goes below the settings."""
        return QSize(self.side.minimumSizeHint().width(), super().minimumSizeHint().height())

    def resizeEvent(self, event) -> None:
        """Put the check below the settings where both have no room side by side."""
        super().resizeEvent(event)
        self._share_room()

    def showEvent(self, event) -> None:
        """Check again when the form is seen."""
        super().showEvent(event)
        self._share_room()
        self._timer.start()

    def changeEvent(self, event: QEvent) -> None:
        """Check again when somebody comes back who may have freed memory or mended a folder."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self._refusal and self.isActiveWindow():
            self._timer.start()

    def _restyle(self) -> None:
        # once the new letters have been laid out
        QTimer.singleShot(0, self, self._share_room)

    def _share_room(self) -> None:
        """Let nothing of the settings be cut off at their right: the check gives way, below them at last."""
        self._what.setColumnMinimumWidth(0, self.form.label_width())
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        settings = self._settings_side.minimumSizeHint().width() + bar + theme.gap(1)
        self._scroll.setMinimumWidth(min(settings, self.width()))
        narrow = self.width() < settings + self._halves.spacing() + self.side.minimumSizeHint().width()
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._halves.direction() != way:
            self._halves.setDirection(way)

    def _show_findings(self, findings: list[Finding], refuses: bool = True) -> None:
        """Show what was found; `refuses`: no run starts while something is wrong."""
        stale = self._timer.isActive()
        self.side.looking.setVisible(stale)
        self.side.show_findings(findings)
        wrong = [each.text for each in findings if each.kind == "wrong"]
        self._refusal = " ".join(wrong) if refuses and not stale else ""
        self._show_start(self.settings()[0] is not None)

    def _show_checked(self, findings: list[Finding]) -> None:
        self._checked = True
        beside = [Finding("unjudged", self.tr(
            "Another run is at work: both would share the device and its memory, and both become slower. "
            "In the queue this one begins after it."
        ))]  # fmt: skip
        self._show_findings([*findings[:1], *(beside if self._busy else []), *findings[1:]])

    def _show_failure(self, error: Exception) -> None:
        self._show_findings([Finding("wrong", str(error))], refuses=False)

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
