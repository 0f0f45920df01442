"""What the Solve page shows: its parts, the branches of a question, any step of one or two of them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_branches import Branch, BranchBar, key_points_of
from kpdd_app.pages.solve_columns import SolveColumns
from kpdd_app.pages.solve_compare import CompareView, length_of, title_of
from kpdd_app.pages.solve_other import OtherQuestion
from kpdd_app.pages.solve_recorded import Recorded
from kpdd_app.pages.solve_students import StudentsBar, is_demo
from kpdd_app.pages.solve_workers import Workers
from kpdd_app.recording import Recording
from kpdd_app.widgets.notice import Notice
from kpdd_app.widgets.player_bar import PlayerBar
from kpdd_app.widgets.trace_slider import Stretch
from kpdd_app.widgets.vote_view import VoteView

# events that came meanwhile are shown together: the eye sees sixty pictures a second
FRAME_MS = 16


class _Area(QScrollArea):
    """Gives its widget the room that there is, the least it needs where that is more, and scrolls.

    A scroll area that resizes its widget by itself asks for the height at which no text is ever cut.
    Keys belong to the time line.
    """

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def _fit(self) -> None:
        inner = self.widget()
        if inner is None:
            return
        least, most = inner.minimumSizeHint(), self.maximumViewportSize()
        fits = least.width() <= most.width() and least.height() <= most.height()
        inner.resize(most if fits else self.viewport().size().expandedTo(least))


class SolveDesk(QWidget):
    """The parts of the page over a list of branches, of which one is shown, or two side by side."""

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the parts, without a branch."""
        super().__init__(parent)
        self._branches: list[Branch] = []
        self._current = -1
        self._other = -1
        self._settled: tuple = ()
        self._in_sight: tuple = ()
        self.workers = Workers(jobs, self)
        self.recorded = Recorded(project, self)
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._take_frame)
        self._build(project)

    @property
    def branch(self) -> Branch | None:
        """Return the branch on the page."""
        return self._branches[self._current] if 0 <= self._current < len(self._branches) else None

    @property
    def branches(self) -> list[Branch]:
        """Return all branches of the question, in the order of their tabs."""
        return list(self._branches)

    @property
    def recording(self) -> Recording | None:
        """Return the solution on the page."""
        return self.branch.recording if self.branch is not None else None

    def _build(self, project: OpenProject) -> None:
        self.problem, self.kept = Notice(), Notice()
        self.students = StudentsBar()
        self.tabs = BranchBar()
        self.vote = VoteView()
        self.columns = SolveColumns(project)
        self.question = self.columns.question
        self.compare = CompareView()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.columns)
        self.stack.addWidget(self.compare)
        self.player = PlayerBar()
        columns = self.columns
        dimmed = (*columns.panels, self.tabs, self.vote, self.compare)
        self.other = OtherQuestion(self.question, dimmed, columns.run.answer)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.M)] * 4)
        column.setSpacing(theme.gap(2))
        for part in (self.students, self.problem, self.kept, self.other.notice, self.tabs, self.vote):
            column.addWidget(part)
        # large letters in a small window: the columns scroll, nothing lies over anything else
        self.area = _Area()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(self.stack)
        column.addWidget(self.area, 1)
        column.addWidget(self.player)

    # --- branches ---------------------------------------------------------------------------------

    def _add(self, branch: Branch) -> None:
        """Give a branch its tab; the same request again takes the place of the older one."""
        same = [number for number, old in enumerate(self._branches) if old.ask == branch.ask]
        if same:
            branch.replaced = self._branches[same[0]]
            branch.replaced.replaced = None
            self._branches[same[0]] = branch
        else:
            self._branches.append(branch)
        self._other = -1
        self._show_branch(same[0] if same else len(self._branches) - 1)

    def _bring_back(self) -> None:
        """Put solutions back whose newer ones ended before anything of them came."""
        for number, branch in enumerate(self._branches):
            recording = branch.recording
            written = any(stage.tokens and not stage.by for stage in recording.stages)
            came = not recording.over or recording.answer is not None or written
            if not came and branch.replaced is not None:
                self._branches[number] = branch.replaced
                if number == self._current:
                    self._current = -1
                    self._show_branch(number)

    def _clear(self) -> None:
        self._branches, self._current, self._other = [], -1, -1
        self.player.pause()
        self.player.set_phases([], (0, 0), False)
        self.tabs.compare.setChecked(False)
        self.stack.setCurrentWidget(self.columns)
        self.tabs.show_branches([], -1)
        self.vote.show_vote(None)
        self.columns.clear()
        self.other.show_for(None)

    def _show_branch(self, number: int) -> None:
        """Show a branch where its time line stood."""
        self._remember_step()
        self._current = number
        self.kept.clear()
        branch = self.branch
        if branch is None:
            return
        recording = branch.recording
        self.columns.clear()
        roles = recording.expected or tuple(stage.role for stage in recording.stages)
        self.columns.set_roles(roles, recording.kind, is_demo(branch.ask.choice))
        if self._other in (number, -1) or self._other >= len(self._branches):
            self._other = self._natural_other()
        self._take_frame()
        if recording.over and not self.comparing:
            self.player.go(recording.length if branch.step is None else branch.step)
        self._show_step(self.player.step_shown)

    def _remember_step(self) -> None:
        # side by side the time line counts lines of both, which is no step of one
        if self.branch is not None and not self.comparing and self.branch.recording.over:
            self.branch.step = self.player.step_shown

    def _natural_other(self) -> int:
        branch = self.branch
        if branch is not None and branch.parent in self._branches:
            return self._branches.index(branch.parent)
        return next((n for n in range(len(self._branches)) if n != self._current), -1)

    def _step_branch(self, by: int) -> None:
        if self._branches:
            self._show_branch((self._current + by) % len(self._branches))

    def _close_branch(self, number: int) -> None:
        if len(self._branches) < 2 or not 0 <= number < len(self._branches):
            return
        gone = self._branches.pop(number)
        self.workers.stop(gone)
        self._current = -1
        self._other, self._settled = -1, ()
        if len(self._branches) < 2:
            self.stack.setCurrentWidget(self.columns)
            self.tabs.compare.setChecked(False)
        self._show_branch(min(number, len(self._branches) - 1))

    # --- side by side -----------------------------------------------------------------------------

    @property
    def comparing(self) -> bool:
        """Tell whether two branches lie side by side."""
        return self.stack.currentWidget() is self.compare

    def _set_comparing(self, on: bool) -> None:
        on = on and len(self._branches) > 1
        self.tabs.compare.setChecked(on)
        if on == self.comparing or self.branch is None:
            return
        self._remember_step()
        number, self._current, self._settled = self._current, -1, ()
        self.stack.setCurrentWidget(self.compare if on else self.columns)
        self._show_branch(number)

    def _set_other(self, number: int) -> None:
        self._other = number
        self._take_frame()

    # --- what came --------------------------------------------------------------------------------

    def _frame_soon(self) -> None:
        if not self._frame.isActive():
            self._frame.start()

    def _take_frame(self) -> None:
        """Show what has come since the last picture."""
        branch = self.branch
        if branch is None:
            return
        self.tabs.show_branches(self._branches, self._current)
        self.vote.show_vote(branch.recording.vote)
        self.other.show_for((branch.ask, branch.recording))
        if self.comparing:
            self._frame_both(branch)
            return
        recording = branch.recording
        phases = recording.phases()
        run = next(phase for phase in phases if phase.key == "run")
        self.player.set_phases([Stretch(p.title, p.start, p.length) for p in phases], (run.start, run.end),
                               not recording.over)  # fmt: skip
        if branch.fork and recording.length > branch.fork:
            self.player.slider.setValue(max(branch.fork, self.player.step_shown))
            branch.fork = 0
        self._offer()
        self._show_step(self.player.step_shown)

    def _frame_both(self, branch: Branch) -> None:
        other = self._branches[self._other]
        others = [(n, title_of(one)) for n, one in enumerate(self._branches) if n != self._current]
        self.compare.offer(others, self._other)
        length = max(length_of(branch.recording), length_of(other.recording))
        live = not (branch.recording.over and other.recording.over)
        self.player.set_phases([Stretch(self.tr("Both run"), 0, length)], (0, length), live)
        self._show_step(self.player.step_shown)
        if not live and self._settled != (id(branch), id(other)):
            self._settled = (id(branch), id(other))
            self.player.go(self.compare.divergence or length)

    def _offer(self) -> None:
        """Say what can be done with the key points of the page."""
        recording = self.recording
        stages = recording.stages if recording is not None else []
        written = any(stage.role != "solve" and stage.text is not None for stage in stages)
        points, shown = self.recorded.points, key_points_of(recording)[0] if recording and written else None
        # what stands there already need not be taken
        self.columns.key_points.offer(written, written and points is not None and shown != points)

    # --- showing a step ---------------------------------------------------------------------------

    def _show_step(self, step: int) -> None:
        """Show the state after `step` steps; only what differs from the picture before is touched."""
        branch = self.branch
        if branch is None:
            return
        if self.comparing:
            self.compare.show_branches(branch, self._branches[self._other], step, self.question.gold_shown)
        else:
            self.columns.show_step(branch.recording, step)
            self._bring_into_sight(branch.recording, step)

    def _bring_into_sight(self, recording: Recording, step: int) -> None:
        """Scroll to the part that a step belongs to, where the columns are larger than the window."""
        if not (self.area.verticalScrollBar().maximum() or self.area.horizontalScrollBar().maximum()):
            return
        phases = recording.phases()
        at = next((phase.key for phase in phases if phase.start < step <= phase.end), phases[0].key)
        if (at, step > 0) != self._in_sight:
            self._in_sight = (at, step > 0)
            self.area.ensureWidgetVisible(self.columns.part_of(at) if step else self.question, 0, 0)

    def _go_to_token(self, role: str, token: int) -> None:
        if self.recording is None:
            return
        phase = next(phase for phase in self.recording.phases() if phase.key == role)
        self.player.go(phase.start + token + 1)
