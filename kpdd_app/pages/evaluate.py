"""The Evaluate page: students on benchmarks, results beside published figures, the wrong ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.evaluate_results import Result, ResultsTable
from kpdd_app.pages.evaluate_wrong import WrongList
from kpdd_app.student_choices import DEMO, Choice, demo_choice, folder_choice, run_choices
from kpdd_app.widgets.choice_box import ChoiceBox
from kpdd_app.widgets.empty_state import EmptyState
from kpdd_app.widgets.job_bar import describe
from kpdd_app.widgets.notice import Notice
from training_backend import methods
from training_backend.events import Event, Progress
from training_backend.events import Result as ResultEvent


class EvaluatePage(QWidget):
    """Choose students and a benchmark; the results stay in the project."""

    page_wanted = Signal(str)
    solve_wanted = Signal(str, object)
    solve_students_wanted = Signal(str)

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the page."""
        super().__init__(parent)
        self._project = project
        self._jobs = jobs
        self._job: Job | None = None
        # whether the table shows the evaluation that is at work
        self._listed = False
        self._choices: list[Choice] = []
        self._file: Path | None = None
        self._loose: list[Result] = []
        self._chosen: Result | None = None
        self._build()
        self._connect()
        add_action(self, "evaluate.start", self.start)
        self._fill()

    def key(self) -> str:
        """Return the page's name in the rail."""
        return "evaluate"

    def use_students(self, students: str) -> None:
        """Choose `demo` or a run folder."""
        if students not in [choice.students for choice in self._choices]:
            self._choices.append(folder_choice(Path(students)))
            self.students.insertItem(len(self._choices) - 1, self._choices[-1].title)
        self.students.setCurrentIndex([choice.students for choice in self._choices].index(students))
        self._changed()

    def arguments(self) -> list[str]:
        """Return the arguments of `kpdd evaluate`."""
        line = ["evaluate", "--students", self._choice().students]
        dataset, split, file = self.benchmark.currentData() or ("", "", "")
        writable = self._project.path is not None and not self._project.read_only
        if file:
            line += ["--benchmark", file]
        if self._project.path is not None and (writable or not file):
            line += ["--project", str(self._project.path)]
        if not file:
            line += ["--dataset", dataset] if dataset else []
            line += ["--split", split] if split else []
        line += ["--limit", self.limit.text().strip()] if self.limit.text().strip() else []
        method = self.method.currentData()
        line += ["--method", method] if method else []
        return line

    def start(self) -> None:
        """Measure the chosen students on the chosen benchmark."""
        mistake = self._mistake()
        if mistake:
            self.problem.say(mistake)
            return
        self.problem.clear()
        title = self.tr("Evaluating {0}").format(self._choice().title)
        job = self._jobs.start(title, self.arguments())
        self._job, self._listed = job, False
        job.event_came.connect(self._take)
        job.failed.connect(self.problem.say_failure)
        job.ended.connect(lambda _: self._ended(job))
        self._show_job()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.problem = Notice()
        self.note = Notice()
        self.results = ResultsTable()
        self.wrong = WrongList()
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.setProperty("panel", "apart")
        splitter.addWidget(self.results)
        splitter.addWidget(self.wrong)
        splitter.setSizes([260, 440])
        filled = QWidget()
        inside = QVBoxLayout(filled)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(theme.gap(2))
        inside.addWidget(splitter, 1)
        inside.addWidget(self.note)
        self.empty = EmptyState("evaluate", "")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        # where letters are large the results are scrolled as a whole
        filled.setMinimumHeight(theme.line_height() * 24)
        self.wrong.setMinimumHeight(theme.line_height() * 15)
        scroll = QScrollArea()
        scroll.setWidget(filled)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.stack.addWidget(scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.M)] * 4)
        column.setSpacing(theme.gap(2))
        column.addLayout(self._form())
        column.addLayout(self._running())
        column.addWidget(self.problem)
        column.addWidget(self.stack, 1)

    def _form(self) -> QBoxLayout:
        self.students = ChoiceBox(self.tr("Students"), 16)
        self.benchmark = ChoiceBox(self.tr("Benchmark"), 18)
        self.benchmark.setPlaceholderText(self.tr("choose a data set or a file"))
        self.method = ChoiceBox(self.tr("Method"), 12)
        self.limit = QLineEdit()
        self.limit.setAccessibleName(self.tr("Questions at most"))
        self.limit.setPlaceholderText(self.tr("all"))
        self.limit.setMinimumWidth(self.limit.fontMetrics().horizontalAdvance("100,000"))
        self.limit.returnPressed.connect(self.start)
        self.start_button = QPushButton(self.tr("Evaluate"))
        self.start_button.setProperty("kind", "primary")
        self.start_button.clicked.connect(self.start)
        who, how = QHBoxLayout(), QHBoxLayout()
        for half, title, field, stretch in (
            (who, self.tr("Students"), self.students, 1), (who, self.tr("Benchmark"), self.benchmark, 1),
            (how, self.tr("Method"), self.method, 3), (how, self.tr("Questions"), self.limit, 1),
        ):  # fmt: skip
            caption = QLabel(title)
            caption.setProperty("role", "caption")
            caption.setBuddy(field)
            cell = QVBoxLayout()
            cell.setSpacing(theme.gap(0.4))
            cell.addWidget(caption)
            cell.addWidget(field)
            half.addLayout(cell, stretch)
        how.addStretch(1)
        how.addWidget(self.start_button, 0, Qt.AlignmentFlag.AlignBottom)
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for half, stretch in ((who, 1), (how, 1)):
            half.setSpacing(theme.gap(2))
            self._halves.addLayout(half, stretch)
        self._halves.setSpacing(theme.gap(2))
        self._choosing = (who, how)
        return self._halves

    def _running(self) -> QHBoxLayout:
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the evaluation"))
        self.progress = QLabel()
        self.progress.setProperty("role", "muted")
        self.stop_button = QPushButton(self.tr("Stop"))
        self.stop_button.clicked.connect(lambda: self._job.stop() if self._job is not None else None)
        row = QHBoxLayout()
        row.setSpacing(theme.gap(2))
        row.addWidget(self.bar, 1)
        row.addWidget(self.progress)
        row.addWidget(self.stop_button)
        self._show_job()
        return row

    def _connect(self) -> None:
        self.students.activated.connect(self._student_chosen)
        self.benchmark.activated.connect(self._benchmark_chosen)
        self.results.chosen.connect(self._show_wrong)
        self.wrong.solve_wanted.connect(self._open_in_solve)
        self._project.opened.connect(lambda _: self._fill())
        self._project.closed.connect(self._fill)
        self._project.runs_changed.connect(self._fill)

    def resizeEvent(self, event) -> None:
        """Put the choices in one line, or in two where the letters are too large for one."""
        super().resizeEvent(event)
        wanted = sum(half.minimumSize().width() for half in self._choosing) + theme.gap(theme.M) * 3
        narrow = wanted > self.width()
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._halves.direction() != way:
            self._halves.setDirection(way)

    # --- what can be chosen -----------------------------------------------------------------------

    def _fill(self) -> None:
        if self._project.project is None:
            self._set_choices([], [])
            self._show_results([])
            return

        running = self._job is not None

        def read(project: Any) -> tuple[list[Choice], list[Any], list[Result]]:
            from training_backend.project.questions import datasets
            from training_backend.project.runs import evaluations, runs

            found = list(evaluations(project))
            newest = max((one.id for one in found), default=0)
            kept = [
                Result(
                    one.id,
                    one.students,
                    one.method,
                    one.benchmark,
                    one.summary,
                    one.created_at,
                    one.finished,
                    running=running and one.id == newest,
                )
                for one in found
            ]
            choices = run_choices(project.path, runs(project))
            titles = {Path(choice.students).name: choice.title for choice in choices}
            kept = [replace(one, title=titles.get(one.students, "")) for one in kept]
            return choices, datasets(project), kept

        def fill(found: tuple[list[Choice], list[Any], list[Result]]) -> None:
            self._set_choices(found[0], found[1])
            self._show_results(sorted(found[2], key=lambda result: -result.id))

        self._project.read(read, fill, key="evaluate-fill")

    def _set_choices(self, runs: list[Choice], datasets: list[Any]) -> None:
        chosen = self._choice().students if self._choices else DEMO
        known = {choice.students for choice in runs} | {DEMO}
        extra = [choice for choice in self._choices if choice.students not in known]
        self._choices = [demo_choice(), *runs, *extra]
        self.students.clear()
        for choice in self._choices:
            self.students.addItem(choice.title)
        self.students.addItem(self.tr("Choose a folder…"))
        names = [choice.students for choice in self._choices]
        self.students.setCurrentIndex(names.index(chosen) if chosen in names else 0)
        before = self.benchmark.currentData()
        self.benchmark.clear()
        for dataset, split, count in datasets:
            self.benchmark.addItem(f"{dataset} {split}".strip() + f"  ({count:,})", (dataset, split, ""))
        if self._file is not None:
            self.benchmark.addItem(self._file.name, ("", "", str(self._file)))
        self.benchmark.addItem(self.tr("A file…"), None)
        index = next((i for i in range(self.benchmark.count()) if self.benchmark.itemData(i) == before), -1)
        # "A file…" is something to do, not a choice
        first = 0 if self.benchmark.count() > 1 else -1
        self.benchmark.setCurrentIndex(index if before is not None and index >= 0 else first)
        self._changed()

    def _changed(self) -> None:
        chosen = self.method.currentData()
        self.method.clear()
        own = self._choice().method
        self.method.addItem(self.tr("{0} (as trained)").format(methods.get(own).title), "")
        for key, method in methods.METHODS.items():
            if key != own and {r.name for r in method.roles} <= set(self._choice().folders):
                self.method.addItem(method.title, key)
        self.method.setCurrentIndex(max(0, self.method.findData(chosen)))

    def _choice(self) -> Choice:
        index = self.students.currentIndex()
        return self._choices[index] if 0 <= index < len(self._choices) else self._choices[0]

    def _student_chosen(self, index: int) -> None:
        if index >= len(self._choices):
            self.students.setCurrentIndex(0)
            folder = messages.open_folder(self, self.tr("Choose a run folder"))
            if folder is not None:
                self.use_students(str(folder))
        self._changed()

    def _benchmark_chosen(self, index: int) -> None:
        if self.benchmark.itemData(index) is not None:
            return
        self.benchmark.setCurrentIndex(0 if self.benchmark.count() > 1 else -1)
        file = messages.open_file(
            self, self.tr("Open a benchmark"), self.tr("Questions (*.jsonl *.json *.xml)")
        )
        if file is not None:
            self.use_file(file)

    def use_file(self, file: Path) -> None:
        """Choose a benchmark file."""
        self._file = file
        self.benchmark.insertItem(self.benchmark.count() - 1, file.name, ("", "", str(file)))
        self.benchmark.setCurrentIndex(self.benchmark.count() - 2)

    def _mistake(self) -> str:
        limit = self.limit.text().strip()
        if self._choice().problem:
            return self._choice().problem
        if not self.benchmark.currentData():
            return self.tr("Choose a benchmark: a data set of the project, or a file.")
        if limit and (not limit.isdecimal() or int(limit) < 1):
            return self.tr("“{0}” is no number of questions.").format(limit)
        return ""

    # --- a running evaluation ---------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            if not self._listed:
                # its line is in the project now
                self._listed = True
                self._fill()
            self._show_job()
        elif isinstance(event, ResultEvent) and not event.data.get("evaluation_id"):
            self._loose.insert(0, loose_result(event.data))

    def _ended(self, job: Job) -> None:
        if job is self._job:
            self._job = None
        # a button that disappears would hand the keyboard to the list of pages
        had_keyboard = self.stop_button.hasFocus()
        self._show_job()
        if had_keyboard:
            self.start_button.setFocus()
        self.results.setCurrentCell(-1, -1)
        self._project.runs_changed.emit()
        if self._project.project is None:
            self._show_results([])

    def _show_job(self) -> None:
        job = self._job
        for widget in (self.bar, self.progress, self.stop_button):
            widget.setVisible(job is not None)
        self.start_button.setEnabled(job is None)
        self._say_empty()
        if job is None:
            return
        progress = job.progress
        self.bar.setRange(0, progress.total if progress else 0)
        self.bar.setValue(progress.done if progress else 0)
        text = progress.text if progress else ""
        self.progress.setText(" · ".join(part for part in (describe(job), text) if part))

    def _say_empty(self) -> None:
        """Say what belongs where no result is, or that the first one is on its way."""
        if self._job is None:
            self.empty.say(
                self.tr("No students were measured yet"),
                self.tr(
                    "Choose students and a benchmark above. Each result comes with its interval, the "
                    "published figures beside it, and every wrong answer to look at."
                ),
            )
        else:
            self.empty.say(
                self.tr("Measuring …"),
                self.tr("The result stands here when every question was answered. You can go on elsewhere."),
            )

    # --- results ----------------------------------------------------------------------------------

    def _show_results(self, kept: list[Result]) -> None:
        results = [*self._loose, *kept]
        self.stack.setCurrentIndex(1 if results else 0)
        self.results.show_results(results)
        if not results:
            self.wrong.show_predictions([])

    def _show_wrong(self, result: Result) -> None:
        self._chosen = result
        notes = result.summary.get("notes") or []
        self.note.say(" ".join(notes)) if notes else self.note.clear()
        of = f"{result.title or result.students}, {result.benchmark}"
        if not result.id:
            self.wrong.show_predictions(result.wrong, of)
            return

        def read(project: Any) -> list[Any]:
            from training_backend.project.runs import predictions

            return list(predictions(project, result.id, only_wrong=True))

        self._project.read(read, lambda found: self.wrong.show_predictions(found, of), key="evaluate-wrong")

    def _open_in_solve(self, question: str, gold: Any) -> None:
        students = self._students_of(self._chosen)
        if students:
            self.solve_students_wanted.emit(students)
        self.solve_wanted.emit(question, gold)

    def _students_of(self, result: Result | None) -> str:
        """Return the students that gave a result, where they can still be found."""
        for choice in self._choices if result is not None else []:
            name = "demo students" if choice.students == DEMO else Path(choice.students).name
            if result is not None and name == result.students:
                return choice.students
        return ""


def loose_result(data: dict[str, Any]) -> Result:
    """Return the result of an evaluation that no project keeps."""
    wrong = tuple(
        SimpleNamespace(**{**one, "information": tuple(one.get("information") or ())})
        for one in data.get("not_equal", [])
    )
    return Result(
        0,
        str(data.get("students", "")),
        str(data.get("method", "")),
        str(data.get("benchmark", "")),
        data,
        "",
        True,
        wrong,
    )
