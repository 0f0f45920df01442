"""A solution for a room full of people: the whole screen, large type, one key for what comes next."""

from __future__ import annotations

from bisect import bisect_left
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QTextDocumentFragment
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.number_links import links_of
from kpdd_app.recording import Phase, Recording, Stage, split_key_points
from kpdd_app.solution_steps import equations_state
from kpdd_app.trace_log import TraceState
from kpdd_app.trace_steps import TraceSteps
from kpdd_app.widgets.equations_view import EquationsView
from kpdd_app.widgets.program_view import ProgramView
from kpdd_app.widgets.steps_view import StepsView
from training_backend.rationale.answers import format_number

NEXT = (Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Return)
BACK = (Qt.Key.Key_Backspace, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp)
LEAVE = (Qt.Key.Key_Escape, Qt.Key.Key_F5, Qt.Key.Key_Q)
# text is a twenty-fourth of the height of the screen, in pixels; long questions get less
LINES = 24
LONG_QUESTION = 320


class PresentMode(QWidget):
    """Goes through the beats of one recording; `step_shown` tells where it stands, for the page behind it."""

    step_shown = Signal(int)

    def __init__(
        self,
        recording: Recording,
        step: int,
        gold_shown: bool,
        parent: QWidget | None = None,
        origin: str = "",
    ) -> None:
        """Begin at the beat of a step of the recording; `origin` says who wrote its stages."""
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Present"))
        self.setAccessibleName(self.tr("The solution in large type"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._recording = recording
        self._gold_shown = gold_shown
        self.origin = _label()
        self.origin.setText(origin)
        self.origin.setVisible(bool(origin))
        self.beats = beats(recording)
        self._at = max(0, min(len(self.beats) - 1, bisect_left(self.beats, step)))
        self._build()
        self._size_text()
        self._show()

    @property
    def step(self) -> int:
        """Return the step of the recording that is shown."""
        return self.beats[self._at]

    def go(self, by: int) -> None:
        """Go on (or back) by some beats."""
        at = max(0, min(len(self.beats) - 1, self._at + by))
        if at != self._at:
            self._at = at
            self._show()
            self.step_shown.emit(self.step)

    # --- events -----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and its like go on, Backspace and its like go back, Escape leaves."""
        key = Qt.Key(event.key())
        if key in LEAVE:
            self.close()
        elif key in NEXT:
            self.go(1)
        elif key in BACK:
            self.go(-1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.go(len(self.beats) if key == Qt.Key.Key_End else -len(self.beats))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click goes on, a click with the right button back."""
        self.go(-1 if event.button() == Qt.MouseButton.RightButton else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Text grows with the screen."""
        super().resizeEvent(event)
        self._size_text()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.question = _label(Qt.TextFormat.RichText)
        self._links = links_of(self._recording) if self._recording.checks else None
        self.points = _label(Qt.TextFormat.RichText)
        self.points.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.points.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.program = ProgramView(ground="window")
        self.program.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.program.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.equations = EquationsView()
        self.steps = StepsView()
        for view in (self.equations, self.steps):
            view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.written = _label()
        self.written.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.said = _label()
        self.answer = _label()
        self.where = _label()
        self.where.setWordWrap(False)
        self.where.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        right = QVBoxLayout()
        right.addWidget(self.program, 1)
        right.addWidget(self.equations, 1)
        right.addWidget(self.written)
        right.addWidget(self.steps, 1)
        right.addStretch(0)
        right.addWidget(self.said)
        body = QHBoxLayout()
        body.addWidget(self.points, 2)
        body.addLayout(right, 3)
        foot = QHBoxLayout()
        foot.addWidget(self.answer, 1)
        foot.addWidget(self.where)
        self._body, self._column = body, QVBoxLayout(self)
        self._column.addWidget(self.question)
        self._column.addLayout(body, 1)
        self._column.addLayout(foot)
        self._column.addWidget(self.origin)

    def _size_text(self) -> None:
        points = max(theme.point_size() + 4.0, self.height() / LINES * 72 / max(72, self.logicalDpiY()))
        delta = points - theme.point_size()
        tokens = theme.current()
        long = len(self._recording.question) > LONG_QUESTION
        sizes = (
            (self.question, delta * (0.45 if long else 1.0), "text", False),
            (self.points, delta * 0.7, "text", False),
            (self.written, delta * 0.7, "text", False),
            (self.said, delta * 0.55, "muted", False),
            (self.answer, delta * 1.5, "text", True),
            (self.where, 0.0, "faint", False),
            (self.origin, 0.0, "muted", False),
        )
        for label, size, colour, bold in sizes:
            rule = theme.font_rule(theme.text_font(size, bold=bold))
            label.setStyleSheet(f"QLabel {{ {rule} color: {getattr(tokens, colour)}; }}")
        self.setStyleSheet(f"PresentMode {{ background: {tokens.window}; }}")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        for view in (self.program, self.equations, self.steps):
            view.set_size_delta(delta * 0.75)
        edge = max(theme.gap(4), self.width() // 40)
        self._column.setContentsMargins(edge, edge, edge, edge // 2)
        self._column.setSpacing(edge)
        self._body.setSpacing(edge)

    # --- showing ----------------------------------------------------------------------------------

    def _show(self) -> None:
        recording, step = self._recording, self.step
        phases = recording.phases()
        run = phases[-2]
        solve = next(phase for phase in phases if phase.key == "solve")
        first = [phase for phase in phases if phase.key not in ("solve", "run", "answer")]
        self.points.setText("".join(_points(recording, phase, step) for phase in first))
        self.points.setVisible(bool(first))
        written = bool(recording.program) and step >= solve.end and step > solve.start
        kind = recording.kind if written else ""
        self.program.setVisible(kind == "pot")
        self.equations.setVisible(kind == "eot")
        for view in (self.written, self.steps):
            view.setVisible(kind == "cot")
        local = max(0, min(run.length, step - run.start))
        over = recording.answer is not None and step > run.end
        self.said.setText("")
        self.question.setText(self._question(0 if over else local))
        if kind == "pot":
            self._show_run(local, over)
        elif kind == "eot":
            text = recording.program.rstrip("\n")
            state = equations_state(text, recording.checks, local)
            self.equations.show_step(text, recording.checks, state, self._bad_end(over, None))
        elif kind == "cot":
            self.written.setText(recording.program.strip())
            self.steps.show_steps(recording.checks, local)
        self._show_answer(over)
        self.where.setText(
            self.tr("{0} / {1}   Space: next   Backspace: back   Esc: leave").format(
                self._at + 1, len(self.beats)
            )
        )
        points = QTextDocumentFragment.fromHtml(self.points.text()).toPlainText()
        self.setAccessibleDescription(" ".join((points, self.said.text(), self.answer.text())))

    def _question(self, local: int) -> str:
        """Return the question as rich text, with the numbers that a worked step reads lit up."""
        text, done, cut = self._recording.question, "", 0
        found = self._links.of("", [], local) if self._links is not None and local else None
        tokens = theme.current()
        style = f"background-color: {tokens.changed_tint}; color: {tokens.changed};"
        for start, end in found.question if found is not None else ():
            done += escape(text[cut:start]) + f'<u style="{style}">{escape(text[start:end])}</u>'
            cut = end
        return (done + escape(text[cut:])).replace("\n", "<br>")

    def _show_run(self, local: int, over: bool) -> None:
        recording = self._recording
        if self.program.toPlainText() != recording.program.rstrip("\n"):
            self.program.set_program(recording.program.rstrip("\n"), python=recording.kind == "pot")
        state = recording.trace.state(local) if local else None
        self.program.show_state(state, self._bad_end(over, state))
        if state is not None and state.frame is not None:
            told = [f"{name} = {state.frame.variables[name][0]}" for name in state.changed]
            printed = recording.trace.printed(state).rstrip("\n").rsplit("\n", 1)[-1]
            if len(state.frames) > 1:
                told.insert(0, self.tr("in {0}()").format(state.frame.name))
            if printed:
                told.append(self.tr("printed: {0}").format(printed))
            self.said.setText("   ·   ".join(one[:80] for one in told[:4]))

    def _bad_end(self, over: bool, state: TraceState | None) -> tuple[int | None, str] | None:
        """Return (line, text) of an end that the trace has not shown at its line."""
        answer = self._recording.answer
        if not over or answer is None or not answer.error or (state is not None and state.exception):
            return None
        # equations without an answer have a step that says why
        return None if self._recording.checks else (answer.error_line, answer.error)

    def _show_answer(self, over: bool) -> None:
        answer, gold = self._recording.answer, self._recording.gold
        if not over or answer is None:
            self.answer.setText("")
            return
        number = answer.answer_text or (format_number(answer.value) if answer.value is not None else "–")
        told = gold is not None and self._gold_shown
        gold_text = format_number(gold) if gold is not None else ""
        if answer.equal is None or answer.value is None:
            words = answer.verdict.replace("_", " ") if answer.value is None else ""
        elif answer.equal:
            words = self.tr("✓ equal to gold {0}") if told else "✓"
        else:
            words = self.tr("✗ gold is {0}") if told else "✗"
        self.answer.setText(f"{number[:24]}   {words.format(gold_text)}".rstrip())
        colour = "text" if answer.equal is None else "equal" if answer.equal else "wrong"
        sheet = self.answer.styleSheet().rsplit("color:", 1)[0]
        self.answer.setStyleSheet(f"{sheet}color: {getattr(theme.current(), colour)}; }}")


def beats(recording: Recording) -> list[int]:
    """Return the steps worth a key press: parts of the key points, the rationale, lines, the answer."""
    found = {0}
    phases = recording.phases()
    run, answer = phases[-2], phases[-1]
    for phase in phases[:-2]:
        stage = _stage(recording, phase)
        if stage is not None and phase.key != "solve":
            found |= {phase.start + _count(stage, end) for _, _, end in split_key_points(stage.written)}
        found.add(phase.end)
    if recording.worked or not len(recording.trace):
        found |= set(range(run.start, run.end + 1))
    else:
        steps = TraceSteps(recording.trace, recording.program)
        local = 0
        while local < run.length:
            local = min(run.length, steps.folded(local, 1))
            found.add(run.start + local)
    return sorted(found | {answer.end})


def _points(recording: Recording, phase: Phase, step: int) -> str:
    """Return what a student before Solve had written, part by part, as rich text."""
    stage = _stage(recording, phase)
    if stage is None:
        return ""
    text = stage.text_at(max(0, min(phase.length, step - phase.start)))
    rows, core = [], ""
    for label, start, end in split_key_points(text):
        if label.isdigit():
            rows.append(f"<tr><td>{label}.&nbsp;</td><td>{escape(text[start:end])}</td></tr>")
        else:
            core += f"<p><b>{escape(text[start:end])}</b></p>"
    return core + (f"<table cellspacing='0' cellpadding='4'>{''.join(rows)}</table>" if rows else "")


def _count(stage: Stage, end: int) -> int:
    """Return how many tokens reach a place of the text."""
    return min(len(stage.tokens), bisect_left(stage.ends, end) + 1)


def _stage(recording: Recording, phase: Phase) -> Stage | None:
    return next((stage for stage in recording.stages if stage.role == phase.key), None)


def _label(form: Qt.TextFormat = Qt.TextFormat.PlainText) -> QLabel:
    label = QLabel()
    label.setTextFormat(form)
    label.setWordWrap(True)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return label
