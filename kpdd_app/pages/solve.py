"""The Solve page: one question, two stages, one time line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from kpdd_app import messages, theme
from kpdd_app.jobs import Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_columns import SolveColumns
from kpdd_app.pages.solve_worker import SolveWorker
from kpdd_app.recording import Recording
from kpdd_app.settings import Settings
from kpdd_app.student_choices import DEMO, Choice, demo_choice, folder_choice, run_choices
from kpdd_app.widgets.notice import Notice
from kpdd_app.widgets.player_bar import PlayerBar
from kpdd_app.widgets.steps_view import Step
from kpdd_app.widgets.trace_slider import Stretch
from training_backend import methods
from training_backend.events import Event, Failed, StageEnded
from training_backend.rationale.answers import format_number
from training_backend.rationale.arithmetic import claims

if TYPE_CHECKING:
    from training_backend.project.details import RowDetail

# events that came meanwhile are shown together: the eye sees sixty pictures a second
FRAME_MS = 16


class SolvePage(QWidget):
    """Question and key points, the rationale token by token, its run; one slider over all of it."""

    page_wanted = Signal(str)

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the page; the students are loaded when it is shown for the first time."""
        super().__init__(parent)
        self._project = project
        self._jobs = jobs
        self._settings = Settings()
        self._recording: Recording | None = None
        self._request = ""
        self._was_shown = False
        self._choices: list[Choice] = []
        self._choice = demo_choice()
        self.worker = SolveWorker(jobs, self)
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._take_frame)
        self._build()
        self._connect()
        self._make_actions()
        self._fill_students()
        self._show_choice()

    # --- what other parts of the window use -------------------------------------------------------

    def key(self) -> str:
        """Return the page's name in the rail."""
        return "solve"

    def solve_question(self, question: str, gold: Any = None) -> None:
        """Put a question on the page and solve it."""
        self.question.set_question(question, gold)
        self.question.solve()

    def trace_row(self, detail: RowDetail) -> None:
        """Show a row of the project as if it had just been written, and run its program line by line."""
        from kpdd_app.row_trace import row_recording, start_trace

        self.worker.cancel()
        self.problem.clear()
        self._clear()
        recording = row_recording(detail)
        self._recording = recording
        self.columns.set_roles(tuple(stage.role for stage in recording.stages), recording.kind, False)
        self.question.set_question(
            recording.question, recording.gold, self.tr("row {0}").format(detail.row.id)
        )
        self.player.begin()
        self._take_frame()
        job = start_trace(self._jobs, detail)
        job.event_came.connect(
            lambda event: self._take_event(event) if self._recording is recording else None
        )
        self.player.slider.setFocus()

    def use_students(self, students: str) -> None:
        """Choose `demo` or a run folder."""
        for index, choice in enumerate(self._choices):
            if choice.students == students:
                self.students.setCurrentIndex(index)
                self._choose(choice)
                return
        self._add_choice(folder_choice(Path(students)))

    def take_focus(self) -> None:
        """Give the keyboard to the question, or to the time line when there is a solution."""
        (self.player.slider if self._recording is not None else self.question.edit).setFocus()

    def leave(self) -> None:
        """End the worker; called when the window closes."""
        self.worker.close()
        self.question.close_threads()
        self.columns.lights.close_threads()

    @property
    def recording(self) -> Recording | None:
        """Return the solution on the page."""
        return self._recording

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.problem = Notice()
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.M)] * 4)
        column.setSpacing(theme.gap(2))
        column.addLayout(self._head())
        column.addWidget(self.problem)
        self.columns = SolveColumns(self._project)
        self.question = self.columns.question
        column.addWidget(self.columns, 1)
        self.player = PlayerBar()
        column.addWidget(self.player)

    def _head(self) -> QHBoxLayout:
        self.students = QComboBox()
        self.students.setAccessibleName(self.tr("Students"))
        self.students.setMinimumContentsLength(18)
        self.students.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.about = QLabel()
        self.about.setProperty("role", "muted")
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.state = QLabel()
        self.state.setProperty("role", "muted")
        label = QLabel(self.tr("Students"))
        label.setBuddy(self.students)
        row = QHBoxLayout()
        row.setSpacing(theme.gap(2))
        row.addWidget(label)
        row.addWidget(self.students)
        row.addWidget(self.about, 1)
        row.addWidget(self.state)
        return row

    def _connect(self) -> None:
        self.students.activated.connect(self._student_chosen)
        self.question.solve_asked.connect(self._solve)
        self.question.stop_asked.connect(self._stop)
        self.question.hide_gold.toggled.connect(lambda _: self._show_step(self.player.step_shown))
        self.player.moved.connect(self._show_step)
        self.player.speed_changed.connect(lambda f: self._settings.set_text("solve/speed", str(f)))
        self.player.set_factor(float(self._settings.text("solve/speed", "1.0") or 1.0))
        self.worker.event_came.connect(self._take_event)
        self.worker.failed.connect(self._worker_failed)
        self.worker.state_changed.connect(self._show_worker)
        self.problem.acted.connect(self._load_again)
        self.columns.token_chosen.connect(self._go_to_token)
        self.columns.step_wanted.connect(self.player.go)
        self.player.next_step = self.columns.walk.next_step
        self._project.opened.connect(lambda _: self._fill_students())
        self._project.closed.connect(self._fill_students)
        self._project.runs_changed.connect(self._fill_students)

    def _make_actions(self) -> None:
        for name, do in (
            ("solve", self.question.solve),
            ("pick", self.question.pick),
            ("draw", self.question.draw),
            ("play", self.player.toggle),
            ("to_start", self.player.to_start),
            ("to_end", self.player.to_end),
        ):
            add_action(self, f"solve.{name}", do)
        self.columns.walk.make_actions(self)

    # --- events -----------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Load the students when the page is seen for the first time, after it was painted."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            QTimer.singleShot(0, self, self._load)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left, Right, Home, End and Space move on the time line wherever nothing is being typed."""
        if not self.player.take_key(event):
            super().keyPressEvent(event)

    # --- students ---------------------------------------------------------------------------------

    def _fill_students(self) -> None:
        """Offer the demo students, the project's runs, and any folder."""
        if self._project.project is None:
            self._set_choices([])
            return

        def read(project: Any) -> list[Choice]:
            from training_backend.project.runs import runs

            return run_choices(project.path, runs(project))

        self._project.read(read, self._set_choices, lambda _: self._set_choices([]), key="solve-runs")

    def _set_choices(self, runs: list[Choice]) -> None:
        extra = [self._choice] if self._choice.students != DEMO else []
        known = {choice.students for choice in runs}
        self._choices = [demo_choice(), *runs, *(choice for choice in extra if choice.students not in known)]
        self.students.clear()
        for choice in self._choices:
            self.students.addItem(choice.title)
        self.students.addItem(self.tr("Choose a folder…"))
        index = [choice.students for choice in self._choices].index(self._choice.students)
        self.students.setCurrentIndex(index)

    def _student_chosen(self, index: int) -> None:
        if index < len(self._choices):
            self._choose(self._choices[index])
            return
        self.students.setCurrentIndex([c.students for c in self._choices].index(self._choice.students))
        folder = messages.open_folder(self, self.tr("Choose a run folder"))
        if folder is not None:
            self._add_choice(folder_choice(folder))

    def _add_choice(self, choice: Choice) -> None:
        if choice.students not in [known.students for known in self._choices]:
            self._choices.append(choice)
            self.students.insertItem(len(self._choices) - 1, choice.title)
        self.students.setCurrentIndex([c.students for c in self._choices].index(choice.students))
        self._choose(choice)

    def _choose(self, choice: Choice) -> None:
        if choice.students == self._choice.students and self.worker.state in ("ready", "loading"):
            return
        self._choice = choice
        self._clear()
        self._show_choice()
        self._load()

    def _show_choice(self) -> None:
        method = methods.get(self._choice.method)
        way = " → ".join([self.tr("question"), *(words(role) for role in method.roles)])
        self.about.setText(
            f"{method.title}: {way}" + (self.tr(" → run") if self._choice.kind != "cot" else "")
        )
        self.columns.set_roles(self._choice.roles, self._choice.kind, self._choice.students == DEMO)
        folder = self._choice.folders.get(self._choice.roles[0])
        self.question.set_students(folder, self._choice.limit, self._choice.students == DEMO)

    def _load(self) -> None:
        if self._choice.problem:
            self.problem.say_failure(Failed(message=self._choice.problem))
            self._show_worker("off")
            return
        self.problem.clear()
        self.worker.use(self._choice.students)

    def _load_again(self) -> None:
        self.problem.clear()
        self.worker.students = ""
        self._load()

    # --- solving ----------------------------------------------------------------------------------

    def _solve(self, question: str, gold: float | None) -> None:
        if self._choice.problem:
            self._load()
            return
        self.problem.clear()
        self._clear()
        self._recording = Recording(question, gold, self._choice.kind, self._choice.roles)
        if self.worker.students != self._choice.students:
            self.worker.use(self._choice.students)
        self._request = self.worker.solve(question, gold)
        self.player.begin()
        self._take_frame()
        self.player.slider.setFocus()

    def _stop(self) -> None:
        self.worker.cancel()
        if self._recording is not None:
            self._recording.over = True
        self._take_frame()

    def _clear(self) -> None:
        self._recording = None
        self.player.pause()
        self.player.set_phases([], (0, 0), False)
        self.columns.clear()

    def _take_event(self, event: Event) -> None:
        if self._recording is None:
            return
        self._recording.add(event)
        if isinstance(event, StageEnded) and event.role == "solve":
            self._read_kind(event)
        if isinstance(event, Failed):
            self.problem.say_failure(event)
        if not self._frame.isActive():
            self._frame.start()

    def _read_kind(self, event: StageEnded) -> None:
        assert self._recording is not None
        kind = event.fields.get("kind")
        if kind in methods.KINDS:
            self._recording.kind = str(kind)
        if self._recording.kind == "cot":
            self._recording.checks = checked_steps(self._recording.program)

    def _take_frame(self) -> None:
        """Show what has come since the last picture."""
        recording = self._recording
        if recording is None:
            return
        phases = recording.phases()
        run = next(phase for phase in phases if phase.key == "run")
        self.player.set_phases([Stretch(p.title, p.start, p.length) for p in phases], (run.start, run.end),
                               not recording.over)  # fmt: skip
        self._show_step(self.player.step_shown)

    # --- showing a step ---------------------------------------------------------------------------

    def _show_step(self, step: int) -> None:
        """Show the state after `step` steps; only what differs from the picture before is touched."""
        recording = self._recording
        if recording is None:
            return
        self.columns.show_step(recording, step)

    def _go_to_token(self, role: str, token: int) -> None:
        if self._recording is None:
            return
        phase = next(phase for phase in self._recording.phases() if phase.key == role)
        self.player.go(phase.start + token + 1)

    # --- the worker -------------------------------------------------------------------------------

    def _worker_failed(self, failure: Failed) -> None:
        self.problem.say_failure(failure, self.tr("Load again"))
        if self._recording is not None and not self._recording.over:
            self._recording.over = True
            self._take_frame()

    def _show_worker(self, state: str) -> None:
        self.state.setText(STATES.get(state, state))
        self.question.set_busy(state == "solving" or (state == "loading" and self._waiting()))

    def _waiting(self) -> bool:
        return self._recording is not None and not self._recording.over


STATES = {"off": "", "loading": "loading the students …", "ready": "ready", "solving": "solving …",
          "failed": "could not be loaded", "died": "ended"}  # fmt: skip


def words(role: methods.Role) -> str:
    """Return what a student writes, in words."""
    kinds = [methods.KINDS.get(task.writes, task.writes.replace("_", " ")) for task in role.tasks]
    return " / ".join(kinds)


def checked_steps(text: str) -> list[Step]:
    """Return the equations of a chain of thought, each computed again."""
    return [
        Step(
            " ".join(text[claim.start : claim.end].split()),
            claim.holds,
            "" if claim.holds else f"it is {format_number(claim.computed)}",
        )
        for claim in claims(text)
    ]
