"""The run: which questions, what is asked for, limits; what it will take; start, pause, stop, ask again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.pages.teacher_estimate import estimate_text
from kpdd_app.pages.teacher_wanted import Again, Wanted
from kpdd_app.widgets.generation_view import GenerationView
from training_backend.methods import KINDS
from training_backend.project.listing import RowFilter
from training_backend.teacher.teacher_config import TeacherConfig

ESTIMATE_MS = 500
PILOT = 20
# from here on, in quarters of a line, the form and how the run stands have room beside each other
TWO_COLUMNS = 176
ALL, PART, FILTER, SHOWN, AGAIN = "all", "part", "filter", "shown", "again"


class RunPanel(QScrollArea):
    """The form of a run over how it stands."""

    pilot_wanted = Signal()
    start_wanted = Signal()
    pause_wanted = Signal()
    stop_wanted = Signal()
    estimate_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a teacher."""
        super().__init__(parent)
        self._config: TeacherConfig | None = None
        self.status = ""
        self.writable = True
        self._read_only = ""
        self.shown_filter: RowFilter | None = None
        self.again: Again | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ESTIMATE_MS)
        self._timer.timeout.connect(self.estimate_wanted)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._build()

    # --- methods ----------------------------------------------------------------------------------

    def wanted(self) -> Wanted:
        """Return what was chosen, as data."""
        how, *about = self.rows.currentData() or (ALL,)
        dataset, split = about if how == PART else ("", "")
        rows = self.shown_filter if how == SHOWN else about[0] if how == FILTER else None
        if how == AGAIN:
            return Wanted(
                paths=self.paths.value(), one_call=self.one_call.isChecked(), again=self.again,
                concurrency=self.concurrency.value(), budget=self.budget.value() or None,
            )  # fmt: skip
        return Wanted(
            dataset, split, rows,
            tuple(kind for kind, box in self.kinds.items() if box.isChecked()),
            self.paths.value(), self.limit.value(), self.one_call.isChecked(), self.concurrency.value(),
            self.budget.value() or None,
        )  # fmt: skip

    def show_config(self, config: TeacherConfig) -> None:
        """Fit the form to a teacher."""
        changed = self._config is None or self._config.name != config.name
        self._config = config
        asks = config.kind in ("endpoint", "local")
        for row in (self.one_call, self.concurrency):
            self.form.setRowVisible(row, asks)
        self.form.setRowVisible(self.budget, config.kind == "endpoint")
        self.pilot_button.setVisible(asks)
        self.how.setText(self._sentence(config))
        if changed:
            self.budget.setValue(float(config.get("budget") or 0.0))
            self.concurrency.setValue(0)
        self.concurrency.setSpecialValueText(self.tr("as set ({0})").format(config.get("concurrency") or 1))
        offered = _kinds_of(config)
        for kind, box in self.kinds.items():
            box.setEnabled(kind in offered)
            if kind not in offered:
                box.setChecked(False)
        self.show_buttons(self.status)
        self._changed()

    def resizeEvent(self, event) -> None:
        """Put the form beside how the run stands, or above it; the kinds beside each other, or below."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        ways, wraps = QBoxLayout.Direction, QFormLayout.RowWrapPolicy
        two = self.width() >= theme.gap(TWO_COLUMNS)
        self._halves.setDirection(ways.LeftToRight if two else ways.TopToBottom)
        room = (self.width() - theme.gap(18)) // (2 if two else 1)
        kinds = sum(box.sizeHint().width() + theme.gap(4) for box in self.kinds.values())
        title = theme.text_metrics().horizontalAdvance(self.tr("At the same time")) + theme.gap(6)
        self.form.setRowWrapPolicy(wraps.DontWrapRows if room >= theme.gap(84) else wraps.WrapAllRows)
        beside = kinds + title <= room
        self._kinds_line.setDirection(ways.LeftToRight if beside else ways.TopToBottom)

    def set_questions(self, found: Sequence[tuple[str, str, int]], kept: Sequence[Any]) -> None:
        """Offer these data sets and splits, and the kept filters of the Dataset page."""
        before = self.rows.currentData()
        number = QLocale().toString
        self.rows.blockSignals(True)
        self.rows.clear()
        total = sum(count for *_, count in found)
        if self.again is not None:
            self.rows.addItem(self._again_words(self.again), (AGAIN,))
        self.rows.addItem(self.tr("all questions ({0})").format(number(total)), (ALL,))
        not_asked = RowFilter({"verdict": frozenset({"not_asked"})})
        self.rows.addItem(self.tr("questions that were not asked yet"), (FILTER, not_asked))
        for dataset, split, count in found:
            self.rows.addItem(f"{dataset} / {split} ({number(count)})", (PART, dataset, split))
        self.rows.addItem(self.tr("rows that the Dataset page shows now"), (SHOWN,))
        for one in kept:
            self.rows.addItem(self.tr("kept filter: {0}").format(one.name), (FILTER, one.filter))
        for index in range(self.rows.count()):
            if self.rows.itemData(index) == before:
                self.rows.setCurrentIndex(index)
        self.rows.blockSignals(False)
        self._changed()

    def set_again(self, again: Again) -> None:
        """Choose another answer to these rows as what is asked."""
        if self.again is not None:
            self.rows.removeItem(0)
        self.again = again
        self.rows.insertItem(0, self._again_words(again), (AGAIN,))
        self.rows.setCurrentIndex(0)
        self.paths.setValue(1)
        self._changed()

    def forget_again(self) -> None:
        """Offer other answers no longer; their rows belong to a project that is closed."""
        if self.again is not None:
            self.again = None
            self.rows.removeItem(0)

    def _again_words(self, again: Again) -> str:
        if not again.row_ids:
            return self.tr("other answers that were begun before")
        if len(again.row_ids) == 1:
            return self.tr("another answer to row {0}").format(QLocale().toString(again.row_ids[0]))
        return self.tr("another answer to {0} rows").format(QLocale().toString(len(again.row_ids)))

    def asks_again(self) -> bool:
        """Tell whether other answers are chosen as what is asked."""
        return (self.rows.currentData() or (ALL,))[0] == AGAIN

    def recall(self, settings: Mapping[str, Any]) -> None:
        """Choose what a run was started with."""
        kinds = settings.get("kinds") or ()
        for kind, box in self.kinds.items():
            box.setChecked(kind in kinds if kinds else box.isChecked())
        self.paths.setValue(int(settings.get("paths") or 1))
        self.one_call.setChecked(bool(settings.get("one_call")))
        self.budget.setValue(float(settings.get("budget") or 0.0))

    def set_writable(self, writable: bool, why_not: str = "") -> None:
        """Let runs be started, or say why not."""
        self.writable = writable
        reason = self.tr("This project is open read-only. {0}").format(why_not).strip()
        self._read_only = "" if writable else reason
        self.show_problem("")

    def problem(self) -> str:
        """Return why nothing can be asked, in one sentence; empty when all is well."""
        if self._config is None:
            return self.tr("Choose a teacher.")
        if wrong := self._config.validate():
            return self.tr("The teacher's settings are not complete: {0}").format(wrong[0])
        if self.asks_again():
            asked = self._config.kind in ("endpoint", "local")
            return "" if asked else self.tr("This teacher has no other answers; choose one that is asked.")
        return "" if self.wanted().kinds else self.tr("Choose at least one kind of rationale.")

    def show_estimate(self, estimate: Any, note: str = "") -> None:
        """Show what the rest of the run will take; None: nothing is known, `note` says why."""
        self.estimate.setText(estimate_text(estimate, self.wanted().budget) if estimate is not None else note)

    def show_buttons(self, status: str) -> None:
        """Fit the buttons to a run's status; empty: none is running."""
        began_or_ended = bool(status) != bool(self.status)
        self.status = status
        running = bool(status)
        focus = QApplication.focusWidget()
        had_focus = focus is not None and self.isAncestorOf(focus)
        for button in (self.pilot_button, self.start_button):
            button.setEnabled(not running and self.writable)
        self.pause_button.setVisible(running and self._config is not None
                                     and self._config.kind in ("endpoint", "local"))  # fmt: skip
        self.pause_button.setEnabled(status in ("running", "paused"))
        self.pause_button.setText(self.tr("Go on") if status == "paused" else self.tr("Pause"))
        self.stop_button.setVisible(running)
        self.stop_button.setEnabled(status != "stopping")
        for part in (self.rows, self.paths, self.limit, self.one_call, self.concurrency, self.budget,
                     self.kinds_box):  # fmt: skip
            part.setEnabled(not running and self.writable)
        if had_focus and began_or_ended:
            # what is switched off loses the keyboard, and with it the keys of the page
            (self.stop_button if running else self.start_button).setFocus()

    def show_problem(self, text: str) -> None:
        """Say under the form what is missing; in a project that is only read, that."""
        text = text or self._read_only
        self.mistake.setText(text)
        self.mistake.setVisible(bool(text))

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.rows = QComboBox()
        self.rows.setAccessibleName(self.tr("Which questions"))
        self.rows.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.rows.setMinimumContentsLength(14)
        self.rows.currentIndexChanged.connect(self._changed)
        self.kinds_box = QWidget()
        kinds = self._kinds_line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.kinds_box)
        kinds.setContentsMargins(0, theme.gap(1), 0, theme.gap(1))
        kinds.setSpacing(theme.gap(4))
        self.kinds: dict[str, QCheckBox] = {}
        for kind, title in KINDS.items():
            self.kinds[kind] = QCheckBox(title)
            self.kinds[kind].setChecked(kind == "pot")
            self.kinds[kind].toggled.connect(self._changed)
            kinds.addWidget(self.kinds[kind])
        kinds.addStretch(1)
        self.one_call = QCheckBox(self.tr("key points and rationale together"))
        self.one_call.toggled.connect(self._changed)
        self.paths = _number(self.tr("Answers to each question"), 1, 100)
        self.limit = _number(self.tr("Only the first questions"), 0, 10_000_000)
        self.limit.setSpecialValueText(self.tr("all of them"))
        self.limit.setSingleStep(100)
        self.concurrency = _number(self.tr("Requests at the same time"), 0, 1024)
        self.budget = QDoubleSpinBox()
        self.budget.setAccessibleName(self.tr("Budget of the run"))
        self.budget.setRange(0, 1_000_000)
        self.budget.setDecimals(4)
        _dress(self.budget)
        self.budget.setSpecialValueText(self.tr("no limit"))
        self.budget.setGroupSeparatorShown(True)
        self.budget.setToolTip(self.tr("The most that this run may cost, what it cost before included"))
        for box in (self.paths, self.limit, self.concurrency, self.budget):
            box.valueChanged.connect(self._changed)
        self.how = _note("caption")
        self.mistake = _note("wrong")
        self.mistake.hide()
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(theme.gap(4))
        self.form.setVerticalSpacing(theme.gap(1.5))
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for title, widget in (
            (self.tr("Questions"), self.rows), (self.tr("Kinds"), self.kinds_box),
            (self.tr("One reply"), self.one_call), (self.tr("Paths"), self.paths),
            (self.tr("First"), self.limit), (self.tr("At the same time"), self.concurrency),
            (self.tr("Budget"), self.budget),
        ):  # fmt: skip
            self.form.addRow(title, widget)
        self.estimate = _note("")
        self.estimate.setTextFormat(Qt.TextFormat.AutoText)
        self.estimate.setAccessibleName(self.tr("What the run will take"))
        self.view = GenerationView()
        self.setWidget(self._columns())
        theme.notifier().changed.connect(self._arrange)

    def _columns(self) -> QWidget:
        inside = QWidget()
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self._halves.setContentsMargins(theme.gap(5), theme.gap(4), theme.gap(5), theme.gap(4))
        self._halves.setSpacing(theme.gap(8))
        chosen, stands = QVBoxLayout(), QVBoxLayout()
        for column in (chosen, stands):
            column.setSpacing(theme.gap(2.5))
            self._halves.addLayout(column, 1)
        chosen.addLayout(self.form)
        chosen.addWidget(self.how)
        chosen.addWidget(self.mistake)
        stands.addWidget(self.estimate)
        stands.addLayout(self._buttons())
        stands.addSpacing(theme.gap(2))
        stands.addWidget(self.view)
        for column in (chosen, stands):
            column.addStretch(1)
        return inside

    def _buttons(self) -> QHBoxLayout:
        self.pilot_button = QPushButton(self.tr("Pilot of {0}").format(PILOT))
        self.pilot_button.setToolTip(self.tr("Ask {0} of them first: they are a part of the run, and an "
                                             "estimate follows").format(PILOT))  # fmt: skip
        self.start_button = QPushButton(self.tr("Start"))
        self.start_button.setProperty("kind", "primary")
        self.start_button.setToolTip(self.tr("Ask what was not answered yet (Ctrl+Return)"))
        self.pause_button = QPushButton(self.tr("Pause"))
        self.stop_button = QPushButton(self.tr("Stop"))
        row = QHBoxLayout()
        row.setSpacing(theme.gap(2))
        for button, signal in (
            (self.pilot_button, self.pilot_wanted), (self.start_button, self.start_wanted),
            (self.pause_button, self.pause_wanted), (self.stop_button, self.stop_wanted),
        ):  # fmt: skip
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
            row.addWidget(button)
        row.addStretch(1)
        return row

    # --- slots ------------------------------------------------------------------------------------

    def _changed(self, *_: object) -> None:
        self.show_problem("")
        again = self.asks_again()
        for part in (self.kinds_box, self.limit):
            self.form.setRowVisible(part, not again)
        if self._config is not None:
            self.how.setText(self._sentence(self._config))
            self._timer.start()

    def _sentence(self, config: TeacherConfig) -> str:
        """Say in one line how the teacher is asked; the settings change it."""
        if config.kind not in ("endpoint", "local"):
            return self.tr("Nothing is sent and nothing costs.")
        parts = [str(config.get("model") or self.tr("no model"))]
        parts.append(self.tr("temperature {0}").format(config.get("temperature")))
        for name, word in (
            ("requests_per_minute", self.tr("requests")),
            ("tokens_per_minute", self.tr("tokens")),
        ):
            if config.get(name):
                parts.append(self.tr("{0} {1} a minute").format(QLocale().toString(config.get(name)), word))
        usual = self.tr("What was answered before is not asked again.")
        return " · ".join(parts) + "  " + (self._again_sentence(config) if self.asks_again() else usual)

    def _again_sentence(self, config: TeacherConfig) -> str:
        sentence = self.tr("Each row is asked for its own kind; the answer is a new path and what is there "
                           "stays. A row without a text is filled.")  # fmt: skip
        if config.get("temperature") == 0:
            sentence += " " + self.tr("At temperature 0 it may write the same again.")
        return sentence


def _kinds_of(config: TeacherConfig) -> set[str]:
    from training_backend.teacher.replay import PRESETS

    preset = PRESETS.get(str(config.get("preset"))) if config.kind == "replay" else None
    return set(preset.prompts) if preset is not None else set(KINDS)


def _number(name: str, least: int, most: int) -> QSpinBox:
    box = QSpinBox()
    box.setAccessibleName(name)
    box.setRange(least, most)
    box.setGroupSeparatorShown(True)
    _dress(box)
    return box


def _dress(box: QSpinBox | QDoubleSpinBox) -> None:
    box.lineEdit().setTextMargins(theme.gap(1.4), 0, 0, 0)
    # a number needs no line as wide as the window
    box.setMaximumWidth(theme.gap(40))


def _note(role: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label
