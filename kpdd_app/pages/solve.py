"""The Solve page: one question, two stages, one time line, and as many branches as somebody wants to try."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from kpdd_app.jobs import Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_actions import SolutionActions
from kpdd_app.pages.solve_branches import (
    Ask,
    Branch,
    key_points_of,
    origin_text,
    origins_of,
    told_origins,
    with_points,
)
from kpdd_app.pages.solve_desk import SolveDesk
from kpdd_app.pages.solve_recorded import name_of
from kpdd_app.pages.solve_students import is_demo, is_recorded, recorded_choice
from kpdd_app.pages.solve_worker import SolveWorker
from kpdd_app.settings import Settings
from kpdd_app.student_choices import DEMO, Choice, run_choices
from training_backend.events import Failed, Token
from training_backend.project.kept_solutions import by_person
from training_backend.project.replies import Origin
from training_backend.rationale.key_points import KeyPoints

if TYPE_CHECKING:
    from training_backend.project.details import RowDetail


class SolvePage(SolveDesk):
    """Question and key points, the rationale token by token, its run; one slider over all of it."""

    page_wanted = Signal(str)
    dataset_row_wanted = Signal(int)

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the page; the students are loaded when it is shown for the first time."""
        super().__init__(project, jobs, parent)
        self._project = project
        self._jobs = jobs
        self._settings = Settings()
        self._was_shown = False
        self._kept_row = 0
        self._last_good: Choice | None = None
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
        self.workers.stop()
        self.problem.clear()
        self._clear()
        self._add_recorded(detail)

    def use_students(self, students: str) -> None:
        """Choose `demo` or a run folder."""
        self.students.use(students)

    def take_focus(self) -> None:
        """Give the keyboard to the question, or to the time line when there is a solution."""
        (self.player.slider if self.recording is not None else self.question.edit).setFocus()

    def leave(self) -> None:
        """End the workers; called when the window closes."""
        self.workers.close()
        self.question.close_threads()
        self.columns.lights.close_threads()

    @property
    def worker(self) -> SolveWorker:
        """Return the worker of the page's own students."""
        return self.workers.first

    # --- construction -----------------------------------------------------------------------------

    def _connect(self) -> None:
        self.students.chosen.connect(self._students_chosen)
        self.students.cancel_wanted.connect(self._cancel_load)
        self.students.beside_wanted.connect(self._solve_beside)
        self.question.solve_asked.connect(self._solve)
        self.question.stop_asked.connect(lambda: self.workers.stop())
        self.question.hide_gold.toggled.connect(lambda _: self._show_step(self.player.step_shown))
        self.player.moved.connect(self._show_step)
        self.player.speed_changed.connect(lambda f: self._settings.set_text("solve/speed", str(f)))
        self.player.set_factor(float(self._settings.text("solve/speed", "1.0") or 1.0))
        self.workers.changed.connect(self._frame_soon)
        self.workers.failed.connect(self._failed)
        self.workers.state_changed.connect(self._show_workers)
        self.recorded.came.connect(self._rows_came)
        self.problem.acted.connect(self._load_again)
        self.columns.token_chosen.connect(self._go_to_token)
        self.columns.alternative_picked.connect(self._branch_off)
        self.columns.step_wanted.connect(self.player.go)
        self.player.next_step = self.columns.walk.next_step
        points = self.columns.key_points
        points.edit_wanted.connect(self._edit_key_points)
        points.teacher_wanted.connect(self._take_teachers)
        points.editor.solve_wanted.connect(self._solve_edited)
        self.tabs.chosen.connect(self._show_branch)
        self.tabs.closed.connect(self._close_branch)
        self.tabs.compare_toggled.connect(self._set_comparing)
        self.compare.go_wanted.connect(self.player.go)
        self.compare.other_chosen.connect(self._set_other)
        self.vote.path_wanted.connect(self._show_path)
        self._project.opened.connect(lambda _: self._fill_students())
        self._project.closed.connect(self._fill_students)
        self._project.runs_changed.connect(self._fill_students)

    def _make_actions(self) -> None:
        for name, do in (
            ("solve", self._solve_or_edit),
            ("pick", self.question.pick),
            ("draw", self.question.draw),
            ("play", self.player.toggle),
            ("to_start", self.player.to_start),
            ("to_end", self.player.to_end),
            ("alternatives", self._to_alternatives),
            ("what_if", self._edit_key_points),
            ("side_by_side", self.tabs.compare.toggle),
            ("next_branch", lambda: self._step_branch(1)),
            ("previous_branch", lambda: self._step_branch(-1)),
            ("close_branch", lambda: self._close_branch(self._current)),
        ):
            add_action(self, f"solve.{name}", do)
        self.columns.walk.make_actions(self)
        self.solution_actions = SolutionActions(
            self, self._project, lambda: self.recording, self._students_title, self._picture_of
        )
        self.solution_actions.step = lambda: self.player.step_shown
        self.solution_actions.go = self.player.go
        self.solution_actions.gold_shown = lambda: self.question.gold_shown
        self.solution_actions.origins = lambda: origins_of(self._shown_branch())
        self.solution_actions.told_origins = lambda: told_origins(self._shown_branch())
        self.solution_actions.origin_text = lambda: origin_text(self._shown_branch())
        self.solution_actions.kept.connect(self._say_kept)
        self.kept.acted.connect(lambda: self.dataset_row_wanted.emit(self._kept_row))
        self.player.add_buttons(self.solution_actions.present_button, self.solution_actions.more_button)

    def _picture_of(self) -> tuple[QWidget, list[QWidget]]:
        """Return what a picture of the solution shows, and what it leaves out."""
        return (self.compare, []) if self.comparing else (self.columns, self.columns.controls)

    def _shown_branch(self) -> Branch:
        assert self.branch is not None
        return self.branch

    def _say_kept(self, row: int, said: str) -> None:
        self._kept_row = row
        self.kept.say(said, "accent", self.tr("Show row {0}").format(row))

    def _students_title(self) -> str:
        """Return whose solution is on the page."""
        return self.branch.ask.choice.title if self.branch is not None else ""

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
            self.students.fill([])
            return

        def read(project: Any) -> list[Choice]:
            from training_backend.project.runs import runs

            return run_choices(project.path, runs(project))

        self._project.read(
            read,
            lambda found: self.students.fill(found, with_project=True),
            lambda _: self.students.fill([], with_project=True),
            key="solve-runs",
        )

    def _students_chosen(self) -> None:
        self._show_choice()
        if not self.students.recorded:
            self._load()

    def _show_choice(self) -> None:
        choice = self.students.choice
        if self.branch is None:
            self.columns.set_roles(choice.roles, choice.kind, is_demo(choice))
        folder = choice.folders.get(choice.roles[0])
        self.question.set_students(folder, choice.limit, choice.students == DEMO)

    def _load(self) -> None:
        choice = self.students.choice
        if self.students.recorded:
            return
        if choice.problem:
            self.problem.say_failure(Failed(message=choice.problem))
            self._show_workers()
            return
        self.problem.clear()
        self.worker.use(choice.students)

    def _load_again(self) -> None:
        self.problem.clear()
        self.worker.students = ""
        self._load()

    def _cancel_load(self) -> None:
        """Give up loading; the students that worked before come back."""
        self.workers.cancel_loading()
        if self._last_good is not None and self._last_good.students != self.students.choice.students:
            self.students.choose(self._last_good)

    # --- solving ----------------------------------------------------------------------------------

    def _solve_or_edit(self) -> None:
        editor = self.columns.key_points.editor
        if editor.isVisible() and editor.isAncestorOf(self.focusWidget() or self):
            editor.solve.click()
        else:
            self.question.solve()

    def _solve(self, question: str, gold: float | None) -> None:
        choice = self.students.choice
        if choice.problem and not self.students.recorded:
            self._load()
            return
        self.problem.clear()
        if not self._branches or self._branches[0].ask.question != question:
            self.workers.stop_traces()
            self._clear()
            self.recorded.forget()
        if self.students.recorded or self.students.from_teacher:
            self.recorded.read(question, self.question.question_id, True)
            return
        self.recorded.read(question, self.question.question_id)
        self._begin(Branch.of(Ask(question, gold, choice, self.students.way.way), choice.title))

    def _rows_came(self, wanted: bool) -> None:
        """Take what the project holds for the question; `wanted`: it is to be shown, or its points used."""
        self._offer()
        if not wanted:
            return
        if self.students.recorded and self.recorded.rows:
            self._add_recorded(self.recorded.rows[0])
        elif self.students.from_teacher and self.recorded.points is not None:
            self._take_teachers()
        else:
            self.problem.say(self.tr("The project holds nothing of a teacher for this question."))

    def _begin(self, branch: Branch, beside: bool = False) -> None:
        """Have a branch solved, and show it."""
        self.workers.begin(branch, beside)
        self._add(branch)
        self.player.begin()
        self._take_frame()
        self.player.slider.setValue(branch.recording.length)
        self.player.slider.setFocus()

    def _add_recorded(self, detail: RowDetail) -> None:
        from kpdd_app.row_trace import row_recording, start_trace

        recording = row_recording(detail)
        title = self.tr("Row {0}").format(detail.row.id)
        if not self._branches:
            source = self.tr("row {0}").format(detail.row.id)
            self.question.set_question(recording.question, recording.gold, source)
        choice, origins = recorded_choice(), detail.origins
        ask = Ask(recording.question, recording.gold, choice, by=title, origins=origins)
        branch = Branch(ask, title, recording)
        self.recorded.hold(detail)
        self._add(branch)
        self.player.begin()
        self._take_frame()
        self.player.slider.setFocus()
        if not recording.over:
            self.workers.trace(branch, start_trace(self._jobs, detail))

    # --- branches ---------------------------------------------------------------------------------

    def _branch_off(self, token: Token, number: int, text: str) -> None:
        """Continue from a token with another one."""
        branch = self.branch
        if branch is None or number < 0:
            return
        self._begin(branch.continued(token.role, token.index, number, text))

    def _to_alternatives(self) -> None:
        """Give the keyboard to the alternatives; where no token is shown, of the one least sure."""
        recording = self.recording
        stage = recording.solve_stage if recording is not None else None
        if not self.columns.alternatives.rows and stage is not None and stage.tokens:
            self._go_to_token("solve", min(stage.tokens, key=lambda token: token.probability).index)
        self.columns.alternatives.setFocus()

    def _edit_key_points(self) -> None:
        if self.recording is not None and self.columns.key_points.edit.isEnabled():
            self.player.pause()
            points, raw = key_points_of(self.recording)
            self.columns.key_points.begin_editing(points, raw)

    def _take_teachers(self) -> None:
        if self.recorded.points is not None:
            origin = self.recorded.points_origin
            by = self.tr("by {0}").format(name_of(origin))
            self._what_if(self.recorded.points, by, origin)

    def _solve_edited(self, points: KeyPoints) -> None:
        """Solve with what a person made of the key points that were there."""
        before = origins_of(self.branch)[0].teacher if self.branch is not None else ""
        self._what_if(points, self.tr("edited by hand"), by_person(changed=before))

    def _what_if(self, points: KeyPoints, by: str, origin: Origin | None) -> None:
        """Solve again with these key points, as a branch of the one on the page."""
        self.columns.key_points.end_editing()
        branch, choice = self.branch, self.students.choice
        if branch is not None and not is_recorded(branch.ask.choice):
            choice = branch.ask.choice
        if is_recorded(choice):
            choice = self.students.choices[0]
        way = self.students.way.way
        first = Ask(self.question.question, self.question.gold, choice, way)
        ask = with_points(branch.ask if branch is not None else first, choice, points, by, origin, way)
        self._begin(Branch.of(ask, self.tr("Key points {0}").format(by), branch))

    def _solve_beside(self, choice: Choice) -> None:
        """Solve the question of the page with other students too, and lay both side by side."""
        if choice.problem:
            self.problem.say_failure(Failed(message=choice.problem))
            return
        if self.branch is None or self.other.is_other:
            self.question.solve()
        branch = self.branch
        if branch is None or self.other.is_other:
            return
        ask = replace(branch.ask, choice=choice, forced=None, kind="", given={}, by="", origins={})
        self._begin(Branch.of(ask, choice.title, branch), beside=True)
        self.tabs.compare.setChecked(True)

    def _show_path(self, path: int) -> None:
        """Write one of the paths that voted again, token by token."""
        branch = self.branch
        if branch is not None:
            ask = replace(branch.ask, way=replace(branch.ask.way, path=path, paths=1))
            new = Branch.of(ask, self.tr("Path {0}").format(path + 1), branch)
            new.recording.vote = branch.recording.vote
            self._begin(new)

    # --- the workers ------------------------------------------------------------------------------

    def _failed(self, failure: Failed, load_again: bool) -> None:
        self.problem.say_failure(failure, self.tr("Load again") if load_again else "")
        self._bring_back()

    def _show_workers(self, text: str = "") -> None:
        if self.worker.state == "ready" and self.worker.students == self.students.choice.students:
            self._last_good = self.students.base
        state = self.workers.state
        self.students.say_state(text or STATES.get(state, state), state == "loading")
        self.question.set_busy(state in ("solving", "tracing") or (state == "loading" and self.workers.asked))


STATES = {"off": "", "loading": "loading the students …", "ready": "ready", "solving": "solving …",
          "tracing": "the program runs …", "failed": "could not be loaded", "died": "ended"}  # fmt: skip
