"""The form of the Teacher page: teacher, recordings, questions, kinds, paths, limit; mistakes under it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.pages.teacher_try import Choice
from kpdd_app.settings import Settings
from training_backend.methods import KINDS
from training_backend.teacher.replay import PRESETS

SAMPLE = "sample"
JSONL = "replay:jsonl"


class TeacherForm(QWidget):
    """What to ask whom."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with what was chosen last."""
        super().__init__(parent)
        self._settings = Settings()
        self._build()
        self._recall()
        self._fit()

    # --- methods ----------------------------------------------------------------------------------

    def title(self) -> str:
        """Return the chosen teacher's title."""
        return self.teacher.currentText()

    def choice(self) -> Choice:
        """Return what was chosen, as data."""
        dataset, split = self.questions.currentData() or ("", "")
        recordings = self.recordings.text().strip()
        return Choice(
            teacher=str(self.teacher.currentData()),
            recordings=Path(recordings).expanduser() if recordings and self._is_replay() else None,
            models=tuple(word.strip() for word in self.models.text().split(",") if word.strip()),
            mapping=self.mapping.text().strip(),
            dataset=dataset,
            split=split,
            kinds=tuple(kind for kind, box in self.kinds.items() if box.isChecked()),
            paths=self.paths.value(),
            limit=self.limit.value(),
        )

    def arguments(self, project: Path) -> list[str]:
        """Return the words of `kpdd generate` for what was chosen."""
        return self.choice().arguments(project)

    def check(self) -> bool:
        """Tell whether the choice can be carried out; say under the form what is missing."""
        choice = self.choice()
        problem = ""
        if not choice.kinds:
            problem = self.tr("Choose at least one kind of rationale.")
        elif self._is_replay() and choice.recordings is None:
            problem = self.tr("A replay needs its recordings.")
        elif choice.recordings is not None and not choice.recordings.exists():
            problem = self.tr("There is no such file or folder: {0}").format(choice.recordings)
        elif choice.teacher == JSONL and not choice.mapping:
            problem = self.tr("Say which field is which, for example question=problem,pot=code.")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        return not problem

    def set_datasets(self, found: list[tuple[str, str, int]]) -> None:
        """Offer these data sets and splits."""
        kept = self.questions.currentData()
        total = QLocale().toString(sum(count for *_, count in found))
        self.questions.blockSignals(True)
        self.questions.clear()
        self.questions.addItem(self.tr("all questions ({0})").format(total), ("", ""))
        for dataset, split, count in found:
            self.questions.addItem(f"{dataset} / {split} ({QLocale().toString(count)})", (dataset, split))
        for index in range(self.questions.count()):
            if self.questions.itemData(index) == kept:
                self.questions.setCurrentIndex(index)
        self.questions.blockSignals(False)
        only_sample = bool(found) and all(dataset == SAMPLE for dataset, *_ in found)
        if only_sample and not self._settings.text("teacher/name"):
            self.teacher.setCurrentIndex(self.teacher.findData(SAMPLE))

    def remember(self) -> None:
        """Keep the choice for the next start."""
        self._settings.set_text("teacher/name", str(self.teacher.currentData()))
        self._settings.set_text("teacher/recordings", self.recordings.text())
        self._settings.set_text("teacher/models", self.models.text())
        self._settings.set_text("teacher/mapping", self.mapping.text())

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.teacher = QComboBox()
        self.teacher.setAccessibleName(self.tr("Teacher"))
        self.teacher.addItem(self.tr("Sample teacher (built in)"), SAMPLE)
        for preset in PRESETS.values():
            self.teacher.addItem(self.tr("Replay: {0}").format(preset.title), f"replay:{preset.key}")
        self.teacher.addItem(self.tr("Replay: any JSON lines"), JSONL)
        self.teacher.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.teacher.setMinimumContentsLength(10)
        self.teacher.currentIndexChanged.connect(self._fit)
        self.recordings = _line(self.tr("Recordings"), self.tr("as their authors published them"))
        browse = QPushButton(self.tr("Choose…"))
        browse.setAccessibleName(self.tr("Choose the recordings"))
        browse.clicked.connect(self._browse)
        self.recordings_row = QWidget()
        row = QHBoxLayout(self.recordings_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(1.5))
        row.addWidget(self.recordings, 1)
        row.addWidget(browse)
        self.models = _line(self.tr("Recorded models"), "gpt4, gpt-3.5-turbo, code002")
        self.models.setToolTip(self.tr("One for each path, in their order"))
        self.mapping = _line(self.tr("Fields"), "question=problem,core_question=core,pot=code")
        self.questions = QComboBox()
        self.questions.setAccessibleName(self.tr("Questions"))
        self.paths = _number(self.tr("Paths per question"), 1, 20, 1)
        self.limit = _number(self.tr("Only the first questions"), 0, 10_000_000, 0)
        self.limit.setSpecialValueText(self.tr("all"))
        self.limit.setSingleStep(100)
        self.limit.setGroupSeparatorShown(True)
        self.problem = QLabel()
        self.problem.setProperty("role", "wrong")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(theme.gap(3))
        self.form.setVerticalSpacing(theme.gap(2.4))
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, widget in (
            (self.tr("Teacher"), self.teacher), (self.tr("Recordings"), self.recordings_row),
            (self.tr("Models"), self.models), (self.tr("Fields"), self.mapping),
            (self.tr("Questions"), self.questions),
            (self.tr("Kinds"), self._kinds()), (self.tr("Paths"), self.paths), (self.tr("Limit"), self.limit),
        ):  # fmt: skip
            self.form.addRow(title, widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self.form)
        column.addWidget(self.problem)

    def _kinds(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, theme.gap(0.5), 0, 0)
        column.setSpacing(theme.gap(1.2))
        self.kinds: dict[str, QCheckBox] = {}
        for kind, title in KINDS.items():
            check = QCheckBox(title)
            check.setChecked(kind == "pot")
            self.kinds[kind] = check
            column.addWidget(check)
        return box

    # --- slots ------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Show what the chosen teacher needs, and nothing else."""
        preset = str(self.teacher.currentData()).removeprefix("replay:")
        native = preset in PRESETS
        self.form.setRowVisible(self.recordings_row, self._is_replay())
        self.form.setRowVisible(self.models, native)
        self.form.setRowVisible(self.mapping, preset == "jsonl")
        offered = set(PRESETS[preset].prompts) if native else set(KINDS)
        for kind, box in self.kinds.items():
            box.setEnabled(kind in offered)
            if kind not in offered:
                box.setChecked(False)
        if native:
            self.models.setPlaceholderText(", ".join(PRESETS[preset].models))
        self.teacher.setToolTip(self.teacher.currentText())
        self.problem.hide()
        self.changed.emit()

    def _browse(self) -> None:
        start = self.recordings.text()
        if self.teacher.currentData() == JSONL:
            kinds = self.tr("JSON lines (*.jsonl *.gz)")
            path = messages.open_file(self, self.tr("Choose a recording"), kinds, start)
        else:
            path = messages.open_folder(self, self.tr("Choose the folder of recordings"), start)
        if path is not None:
            self.recordings.setText(str(path))

    # --- helpers ----------------------------------------------------------------------------------

    def _is_replay(self) -> bool:
        return str(self.teacher.currentData()).startswith("replay:")

    def _recall(self) -> None:
        index = self.teacher.findData(self._settings.text("teacher/name", SAMPLE))
        self.teacher.setCurrentIndex(max(0, index))
        self.recordings.setText(self._settings.text("teacher/recordings"))
        self.models.setText(self._settings.text("teacher/models"))
        self.mapping.setText(self._settings.text("teacher/mapping"))


def _line(name: str, placeholder: str) -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    line.setPlaceholderText(placeholder)
    return line


def _number(name: str, least: int, most: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.lineEdit().setTextMargins(theme.gap(1.4), 0, 0, 0)
    box.setAccessibleName(name)
    box.setRange(least, most)
    box.setValue(value)
    return box
