"""One solution as it was recorded: the tokens of every stage, the trace, the answer, on one line of steps.

Steps are counted over all phases: a token of a stage, a record of the trace (or a checked step of a chain of
thought, a step of solving equations), and at the very end the answer. Every position is a state that can be
shown, forward and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kpdd_app.trace_log import TraceLog
from training_backend.events import Answer, Event, Failed, StageEnded, StageStarted, Token, Trace, Vote
from training_backend.execution.worked_steps import WorkedStep

# what becomes of a rationale that no program is
RUN_TITLES = {"cot": "Check", "eot": "Solving"}


@dataclass
class Stage:
    """What one student wrote: its exact source, its tokens, and once it ended the text and its fields.

    `by` says who wrote it when it was not the student of this solution: a person, the teacher.
    """

    role: str
    source: str = ""
    tokens: list[Token] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    text: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    by: str = ""

    @property
    def written(self) -> str:
        """Return all text so far."""
        return self.text_at(len(self.tokens))

    def add(self, token: Token) -> None:
        """Append one token."""
        self.tokens.append(token)
        self.ends.append((self.ends[-1] if self.ends else 0) + len(token.text))

    def text_at(self, count: int) -> str:
        """Return the text of the first `count` tokens."""
        return "".join(token.text for token in self.tokens[:count])


@dataclass(frozen=True)
class Phase:
    """A stretch of the line of steps: steps `start + 1` to `start + length` belong to it."""

    key: str
    title: str
    start: int
    length: int

    @property
    def end(self) -> int:
        """Return the last step of the phase."""
        return self.start + self.length


@dataclass
class Recording:
    """Everything that came for one question; grows while a student writes, is replayed afterwards."""

    question: str
    gold: float | None = None
    kind: str = "pot"
    expected: tuple[str, ...] = ()
    stages: list[Stage] = field(default_factory=list)
    trace: TraceLog = field(default_factory=TraceLog)
    checks: list[WorkedStep] = field(default_factory=list)
    answer: Answer | None = None
    vote: Vote | None = None
    failure: Failed | None = None
    over: bool = False

    def add(self, event: Event) -> bool:
        """Take an event of the request; return whether something to show came."""
        if isinstance(event, StageStarted):
            self._begin_stage(event)
        elif isinstance(event, Token):
            self._stage(event.role).add(event)
        elif isinstance(event, StageEnded):
            self._end_stage(event)
        elif isinstance(event, Trace):
            self.trace.add(event.records)
        elif isinstance(event, Vote):
            self.vote = event
        elif isinstance(event, Answer):
            self.answer = event
            self.over = True
        elif isinstance(event, Failed):
            self.failure = event
            self.over = True
        else:
            return False
        return True

    def phases(self) -> list[Phase]:
        """Return the phases in order; those to come stand there with length 0."""
        phases: list[Phase] = []
        start = 0
        roles = [stage.role for stage in self.stages]
        for role in [*roles, *self.expected[len(roles) :]]:
            stage = self._find(role)
            length = len(stage.tokens) if stage is not None else 0
            phases.append(Phase(role, stage_title(role, self.kind), start, length))
            start += length
        run = len(self.checks) if self.worked else len(self.trace)
        phases.append(Phase("run", RUN_TITLES.get(self.kind, "Run"), start, run))
        start += run
        phases.append(Phase("answer", "Answer", start, int(self.answer is not None)))
        return phases

    @property
    def worked(self) -> bool:
        """Tell whether it is followed by worked steps (a chain of thought, equations), not by a trace."""
        return self.kind in RUN_TITLES

    @property
    def length(self) -> int:
        """Return the number of steps so far."""
        return self.phases()[-1].end

    @property
    def solve_stage(self) -> Stage | None:
        """Return the stage that writes the rationale, once it has begun."""
        return self._find("solve")

    @property
    def program(self) -> str:
        """Return the rationale of the Solve stage once it has ended, else an empty text."""
        stage = self.solve_stage
        if stage is None or stage.text is None:
            return ""
        for name in ("rationale", "program", self.kind):
            if stage.fields.get(name):
                return str(stage.fields[name])
        return stage.text

    def _begin_stage(self, event: StageStarted) -> None:
        """Take a stage that begins; of one student's kinds only the one tried last is shown."""
        stage = Stage(event.role, event.source)
        old = self._find(event.role)
        if old is None:
            self.stages.append(stage)
            return
        self.stages[self.stages.index(old)] = stage
        if event.role == "solve":
            self.trace, self.checks = TraceLog(), []

    def _find(self, role: str) -> Stage | None:
        for stage in self.stages:
            if stage.role == role:
                return stage
        return None

    def _stage(self, role: str) -> Stage:
        stage = self._find(role)
        if stage is None:
            stage = Stage(role)
            self.stages.append(stage)
        return stage

    def _end_stage(self, event: StageEnded) -> None:
        stage = self._stage(event.role)
        stage.text = event.text
        stage.fields = dict(event.fields)
        if stage.written != event.text and event.text.strip() != stage.written.strip():
            # the whole text is the truth: pieces that do not add up to it are shown as one
            whole = Token(role=event.role, index=0, text=event.text)
            stage.tokens, stage.ends = [whole], [len(event.text)]


def stage_title(role: str, kind: str) -> str:
    """Return what a stage is called on screen."""
    if role == "solve":
        return {"cot": "Chain of thought", "eot": "Equations"}.get(kind, "Program")
    return {"key": "Key points", "core": "Core question", "info": "Information"}.get(role, role.capitalize())


def split_key_points(text: str) -> list[tuple[str, int, int]]:
    """Return the parts of a half-written key-points text as (label, start, end) of the text.

    Labels are `core question` and the running numbers `1`, `2`, …; a text without labels is one part `""`.
    """
    lower = text.lower()
    core_at = lower.find("core question:")
    info_at = lower.find("information:")
    if core_at < 0 and info_at < 0:
        return [("", *_trim(text, 0, len(text)))] if text.strip() else []
    parts: list[tuple[str, int, int]] = []
    if core_at >= 0:
        end = info_at if info_at > core_at else len(text)
        parts.append(("core question", *_trim(text, core_at + len("core question:"), end)))
    if info_at >= 0:
        parts.extend(_items(text, info_at + len("information:")))
    return parts


def items_of(recording: Recording) -> list[tuple[str, int, str]]:
    """Return (role, start in that student's text, text) of every information item."""
    found = []
    for stage in recording.stages:
        if stage.role == "solve":
            continue
        text = stage.written
        parts = [part for part in split_key_points(text) if part[0].isdigit()]
        found += [(stage.role, start, text[start:end]) for _, start, end in parts]
    return found


def _items(text: str, begin: int) -> list[tuple[str, int, int]]:
    starts: list[tuple[int, int]] = []
    at = begin
    while True:
        mark = f"{len(starts) + 1}."
        at = text.find(mark, at)
        if at < 0:
            break
        after = at + len(mark)
        # a running number stands alone: not the 1 of 21. nor of 1.5
        alone = (at == begin or text[at - 1].isspace()) and (after == len(text) or text[after].isspace())
        if alone:
            starts.append((at, after))
        at = after
    if not starts:
        start, end = _trim(text, begin, len(text))
        return [("1", start, end)] if end > start else []
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [
        (str(number), *_trim(text, after, end))
        for number, ((_, after), end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
