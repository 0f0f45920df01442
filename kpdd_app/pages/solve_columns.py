"""The three columns of the Solve page: question and key points, the rationale, its run; any step of them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.solve_lights import NumberLights
from kpdd_app.pages.solve_question import QuestionPanel
from kpdd_app.pages.solve_run import RunPanel
from kpdd_app.pages.solve_walk import TraceWalk
from kpdd_app.recording import Phase, Recording, Stage, stage_title
from kpdd_app.widgets.alternatives_view import AlternativesView
from kpdd_app.widgets.key_points_view import KeyPointsView
from kpdd_app.widgets.quick_label import QuickLabel
from kpdd_app.widgets.run_tools import RunTools
from kpdd_app.widgets.stage_header import StageHeader
from kpdd_app.widgets.tint_legend import TintLegend
from kpdd_app.widgets.token_strip import TokenStrip

SHARES = (0.30, 0.30, 0.40)
# in a wide window what is shown to people is larger than the text around it, in points
LARGER = 1.5
# so many lines high the columns are when the limits of the demo students are told
LIMITS_NEED = 26
TOKEN_HINT = "Point at a token"
PLACEHOLDER = "The second student reads the question and the key points, and writes this, token by token."
ALONE = "The student reads the question and writes this, token by token."
# what resources/demo_students/results.json counts as templates; a test holds both together
DEMO_PATTERNS = 116
DEMO_LIMITS = f"Tiny demo students: they know {DEMO_PATTERNS} patterns of word problems, and nothing else."
DEMO_EXPLAINED = (
    # as rich text a tooltip is wrapped
    f"<qt>The demo students have about a million parameters each. They know {DEMO_PATTERNS} patterns of word "
    "problems with whole numbers, not arithmetic or English at large: a question told in another way comes "
    "out wrong, and that is expected.</qt>"
)


class SolveColumns(QSplitter):
    """Shows the state of a recording after any number of steps; only what differs is touched."""

    token_chosen = Signal(str, int)
    alternative_picked = Signal(object, int, str)
    step_wanted = Signal(int)

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Build the columns, empty."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._shown: dict[str, Any] = {}
        self._moved = self._demo = False
        self._at: tuple[Recording, int] | None = None
        self.walk = TraceWalk(self)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(theme.gap(2))
        self.setStyleSheet("QSplitter::handle:horizontal { background: transparent; }")
        self.question = QuestionPanel(project)
        left, *others = self._left(), self._middle(), self._right()
        # what shows the solution, without the question
        self.panels = (self.key_panel, *others)
        for part in (left, *others):
            self.addWidget(part)
        self.splitterMoved.connect(lambda *_: setattr(self, "_moved", True))
        self.strip.token_hovered.connect(self._point_at)
        self.strip.token_clicked.connect(lambda token: self.token_chosen.emit("solve", token))
        self.key_points.token_clicked.connect(self.token_chosen)
        self.walk.step_wanted.connect(self.step_wanted)
        self.run.step_clicked.connect(self.walk.go_to)
        self.lights = NumberLights(self)
        self.key_points.alternative_picked.connect(self.alternative_picked)
        self.strip.alternative_picked.connect(self.alternative_picked)
        self.alternatives.picked.connect(self.alternative_picked)

    # --- construction -----------------------------------------------------------------------------

    def _left(self) -> QWidget:
        self.limits = QLabel(DEMO_LIMITS)
        self.limits.setProperty("role", "caption")
        self.limits.setWordWrap(True)
        self.limits.setToolTip(DEMO_EXPLAINED)
        self.key_head = StageHeader("1", self.tr("Key points"))
        self.key_points = KeyPointsView()
        self.key_panel, _ = _panel(self.key_head, self.key_points)
        left = QWidget()
        outer = QVBoxLayout(left)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.gap(2))
        outer.addWidget(self.question)
        outer.addWidget(self.limits)
        outer.addWidget(self.key_panel, 1)
        # keeps the question at the top where there are no key points
        self.room = QWidget()
        self.room.hide()
        outer.addWidget(self.room, 1)
        return left

    def _middle(self) -> QWidget:
        self.solve_head = StageHeader("2", self.tr("Program"))
        self.strip = TokenStrip(mono=True)
        self.strip.setAccessibleName(self.tr("What the student Solve wrote"))
        self.token_head = QLabel(TOKEN_HINT)
        self.token_head.setProperty("role", "caption")
        self.alternatives = AlternativesView()
        panel, column = _panel(self.solve_head, self.strip)
        row = QHBoxLayout()
        row.addWidget(self.token_head, 1)
        self.legend = TintLegend()
        row.addWidget(self.legend)
        column.addLayout(row)
        for part in (self.token_head, self.legend):
            part.hide()
        column.addWidget(self.alternatives)
        return panel

    def _right(self) -> QWidget:
        self.run_head = StageHeader("3", self.tr("Run"))
        self.run = RunPanel()
        panel, column = _panel(self.run_head, self.run)
        self.tools = RunTools()
        column.insertWidget(1, self.tools)
        # its line is always there: what lies under the pointer must not move because it was pointed at
        self.origin = QuickLabel()
        column.insertWidget(2, self.origin)
        return panel

    # --- methods ----------------------------------------------------------------------------------

    def set_roles(self, roles: tuple[str, ...], kind: str, demo: bool) -> None:
        """Make room for the students that work before Solve, and name what Solve writes."""
        first = [role for role in roles if role != "solve"]
        self.key_points.set_roles(first)
        self.key_panel.setVisible(bool(first))
        self.room.setVisible(not first)
        self._demo = demo
        self.strip.set_placeholder(PLACEHOLDER if first else ALONE)
        self.solve_head.say(stage_title("solve", kind))
        self.solve_head.set_number("2" if first else "1")
        self.run_head.set_number("3" if first else "2")
        self._size_text()

    @property
    def controls(self) -> list[QWidget]:
        """Return what can be pressed and what only helps to press it: no part of a solution."""
        panel = self.question
        return [
            panel.pick_button, panel.random_button, panel.hide_gold, panel.solve_button, panel.stop_button,
            panel.unknown, panel.empty, self.limits, self.key_points.buttons, self.tools, self.token_head,
        ]  # fmt: skip

    def part_of(self, phase: str) -> QWidget:
        """Return the part that shows a phase."""
        parts = {"solve": self.strip, "run": self.run.whole, "answer": self.run.answer}
        return parts.get(phase, self.key_panel)

    def clear(self) -> None:
        """Show no solution."""
        self._shown = {}
        self._at = None
        self.walk.clear()
        self.lights.clear()
        self.key_points.clear()
        self.strip.clear()
        self.run.clear()
        self._show_token(None)
        for head in (self.key_head, self.solve_head, self.run_head):
            head.set_state("waiting")
            head.say(head.title.text())

    def show_step(self, recording: Recording, step: int) -> None:
        """Show the state after `step` steps."""
        self._at = recording, step
        phases = recording.phases()
        for phase in phases:
            if phase.key not in ("run", "answer"):
                self._show_stage(recording, phase, step)
        run, answer = phases[-2], phases[-1]
        solve = next(phase for phase in phases if phase.key == "solve")
        stage = recording.solve_stage
        written = stage is not None and stage.text is not None and step >= solve.end
        done = answer.length > 0 and step >= answer.end
        local = max(0, min(run.length, step - run.start))
        gold_shown = self.question.gold_shown
        self._if_new(
            "run",
            (written, local, done, gold_shown, len(recording.program)),
            lambda: self.run.show_step(recording, written, local, done, gold_shown),
        )
        self.run_head.say(run.title, self._run_note(recording, local, written))
        self.run_head.set_state("done" if done else "at work" if written else "waiting")
        said = recording.checks[local - 1].span if recording.kind == "cot" and local else None
        self.strip.set_marks((said,) if said else ())
        self._show_current_token(recording, phases, step)
        self.walk.show_step(recording, run.start, local)
        self.lights.show_step(recording, local, done)

    def _show_stage(self, recording: Recording, phase: Phase, step: int) -> None:
        stage = next((stage for stage in recording.stages if stage.role == phase.key), None)
        count = max(0, min(phase.length, step - phase.start))
        finished = stage is not None and stage.text is not None and count == phase.length
        begun = stage is not None and step >= phase.start
        writing = begun and not finished and not (recording.over and count == phase.length)
        head = self.solve_head if phase.key == "solve" else self.key_head
        if phase.key == "solve":
            self._if_new(
                "solve",
                (count, writing, phase.length),
                lambda: self._show_strip(recording, stage, count, writing),
            )
        else:
            self._if_new(
                phase.key,
                (count, writing, phase.length),
                lambda: self.key_points.show_stage(phase.key, stage, count, writing),
            )
        note = counted(count, self.tr("token"), self.tr("tokens")) if count else ""
        note = stage.by if stage is not None and stage.by else note
        if phase.key == "solve" or count or head.title.text() == phase.title:
            title = phase.title if phase.key in ("solve", "key") else self.tr("Key points")
            head.say(title, note)
            head.set_state("done" if finished else "at work" if writing else "waiting")

    def _show_strip(self, recording: Recording, stage: Stage | None, count: int, writing: bool) -> None:
        self.strip.set_mono(recording.kind != "cot")
        for part in (self.token_head, self.legend):
            part.setVisible(any(one.tokens and not one.by for one in recording.stages))
        if stage is None:
            self.strip.clear()
        else:
            self.strip.show_tokens(stage.tokens, stage.ends, count, None, writing)

    def _show_current_token(self, recording: Recording, phases: list[Phase], step: int) -> None:
        for phase in phases[:-2]:
            if phase.start < step <= phase.end:
                stage = next(stage for stage in recording.stages if stage.role == phase.key)
                # what nobody of these students wrote has no other tokens
                self._show_token(None if stage.by else stage.tokens[step - phase.start - 1])
                return
        if self.strip.hovered_token < 0:
            self._show_token(None)

    def _point_at(self, token: Any) -> None:
        """Show the token under the pointer; once it is gone, the one that the time line stands on.

        So the alternatives can be reached with the mouse: the way to them leads away from the token.
        """
        if token is None and self._at is not None:
            recording, step = self._at
            self._show_current_token(recording, recording.phases(), step)
        else:
            self._show_token(token)

    def _show_token(self, token: Any) -> None:
        self.alternatives.show_token(token)
        self.token_head.setText(TOKEN_HINT if token is None else self.tr("Most likely here"))

    def _run_note(self, recording: Recording, local: int, written: bool) -> str:
        if not written:
            return ""
        if recording.worked:
            return self.tr("step {0} of {1}").format(local, len(recording.checks)) if recording.checks else ""
        state = recording.trace.state(local)
        if state.event == "call":
            return self.tr("calls {0}()").format(state.frame.name if state.frame else "")
        if state.returned is not None:
            return self.tr("returns {0}").format(state.returned[:40])
        return self.tr("line {0}").format(state.line) if state.line else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width until a person shares it."""
        super().resizeEvent(event)
        if not self._moved:
            self.setSizes([round(self.width() * share) for share in SHARES])
        self._size_text()

    def _size_text(self) -> None:
        larger = LARGER if self.width() > theme.line_height() * 70 else 0.0
        for strip in (self.strip, *self.key_points.strips.values()):
            strip.set_size_delta(larger)
        # large letters leave no room for what is only good to know
        self.limits.setVisible(self._demo and self.height() > theme.line_height() * LIMITS_NEED)
        self.run.set_size_delta(larger)

    def _if_new(self, what: str, state: Any, show: Any) -> None:
        if self._shown.get(what) != state:
            self._shown[what] = state
            show()


def counted(count: int, one: str, many: str) -> str:
    """Return `1 token`, `2 tokens`."""
    return f"{count:,} {one if count == 1 else many}"


def _panel(head: QWidget, body: QWidget) -> tuple[QFrame, QVBoxLayout]:
    panel = QFrame()
    panel.setProperty("panel", "surface")
    column = QVBoxLayout(panel)
    column.setContentsMargins(*[theme.gap(theme.M)] * 4)
    column.setSpacing(theme.gap(2))
    column.addWidget(head)
    column.addWidget(body, 1)
    return panel, column
