"""The worked steps of a recording: a chain of thought checked, equations solved; as states too."""

from __future__ import annotations

from functools import lru_cache

from kpdd_app.recording import Recording, items_of
from kpdd_app.trace_log import PROGRAM, Frame, TraceState
from training_backend import methods
from training_backend.events import Answer, Event, StageEnded
from training_backend.execution.chain_steps import chain_steps
from training_backend.execution.solving_steps import solving_steps
from training_backend.execution.worked_steps import Source, WorkedStep
from training_backend.rationale.equations import EquationError, names_in, parse

UNKNOWN = ("?", "unknown")


def add_event(recording: Recording, event: Event) -> None:
    """Take an event into a recording; its steps are worked out as soon as all that they need is there."""
    recording.add(event)
    if isinstance(event, StageEnded) and event.role == "solve":
        kind = event.fields.get("kind")
        if kind in methods.KINDS:
            recording.kind = str(kind)
        if recording.kind == "cot":
            recording.checks = chain_steps(recording.program, recording.question, _items(recording))
    elif isinstance(event, Answer) and recording.kind == "eot":
        reason = event.error if event.verdict == "no_answer" else ""
        recording.checks = solving_steps(
            recording.program, recording.trace.records, reason, recording.question, _items(recording)
        )


def _items(recording: Recording) -> list[str]:
    return [text for _, _, text in items_of(recording)]


def equations_state(text: str, steps: list[WorkedStep], count: int) -> TraceState:
    """Return what is known after `count` steps of solving: the values, and the line that the last used."""
    frame = Frame(0, PROGRAM, 0, variables=dict.fromkeys(_unknowns(text), UNKNOWN))
    state = TraceState(count, "line", frames=[frame])
    for number, step in enumerate(steps[:count], 1):
        line = line_of(steps, number)
        if step.name:
            frame.variables[step.name] = (step.value, "number")
            if line is not None:
                state.line_values[line] = f"{step.name} = {step.value}"
        state.changed = (step.name,) if step.name else ()
        state.line = line
    return state


def line_of(steps: list[WorkedStep], number: int) -> int | None:
    """Return the line of the equations that a step (from 1) is about; its own, or that of what it reads."""
    step = steps[number - 1]
    if step.lines:
        return step.lines[-1]
    return next((line_of(steps, s.step) for s in step.sources if 0 < s.step < number), None)


@lru_cache(maxsize=8)
def _unknowns(text: str) -> tuple[str, ...]:
    # asked at every step of the time line
    try:
        equations = parse(text).equations
    except EquationError:
        return ()
    names = [name for e in equations for side in (e.left, e.right) for name in names_in(side)]
    return tuple(dict.fromkeys(names))


def why(step: WorkedStep) -> str:
    """Return why a step is wrong, or how it came about."""
    if step.span is None:
        return step.detail
    if step.holds is False:
        return f"wrong: {step.detail}"
    return "right in itself, but it builds on a wrong step" if step.shaky else ""


def origin(step: WorkedStep) -> str:
    """Return what the numbers of a step of a chain of thought come from."""
    if step.span is None:
        return ""
    places: dict[str, list[str]] = {}
    for source in step.sources:
        places.setdefault(_place(source), []).append(source.text)
    return " · ".join(f"{', '.join(texts)} {place}" for place, texts in places.items())


def _place(source: Source) -> str:
    if source.step:
        return f"from step {source.step}"
    if source.question is not None:
        return "from the question"
    return "from the information" if source.item is not None else "written nowhere before"
