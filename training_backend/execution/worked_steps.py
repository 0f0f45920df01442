"""A step of a chain of thought or of a solved system of equations, and where its numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training_backend.execution.literal_matching import match
from training_backend.execution.number_origins import ItemSpan
from training_backend.execution.program_lines import Literal
from training_backend.rationale.number_mentions import mentions

# stands before what follows from an equation
RESULT = "→"


@dataclass(frozen=True)
class Source:
    """A number or a name that a step reads: `text`, and its place.

    The place is an earlier step (counted from 1), or a span of the question, or one of an item, or none.
    """

    text: str
    step: int = 0
    question: tuple[int, int] | None = None
    item: ItemSpan | None = None


@dataclass(frozen=True)
class WorkedStep:
    """One step: what it says, whether that is true (None: neither), and in `detail` why, or how it came.

    `span` is its place in a chain of thought, `lines` are those of the equations that it used, `name` the
    unknown that it found and `value` its value. `shaky`: it builds on a step that is false.
    """

    text: str
    holds: bool | None
    detail: str = ""
    span: tuple[int, int] | None = None
    lines: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()
    name: str = ""
    value: str = ""
    shaky: bool = False


def with_places(
    steps: Sequence[WorkedStep], written: Sequence[Sequence[Literal]], question: str, items: Sequence[str]
) -> list[WorkedStep]:
    """Return the steps with the numbers that each of them writes as sources, found in question and items."""
    literals = [literal for found in written for literal in found]
    asked = mentions(question)
    in_items = [(number, mention) for number, item in enumerate(items) for mention in mentions(item)]
    from_question = match(literals, asked)
    from_items = match(literals, [mention for _, mention in in_items])
    done, at = [], 0
    for step, found in zip(steps, written, strict=True):
        sources = []
        for index, literal in enumerate(found, at):
            span = item = None
            if index in from_question:
                mention = asked[from_question[index][0]]
                span = (mention.start, mention.end)
            if index in from_items:
                number, mention = in_items[from_items[index][0]]
                item = ItemSpan(number, mention.start, mention.end)
            sources.append(Source(f"{literal.value:.10g}", 0, span, item))
        at += len(found)
        done.append(replace(step, sources=(*step.sources, *dict.fromkeys(sources))))
    return done


def unused_numbers(steps: Sequence[WorkedStep], question: str) -> tuple[tuple[int, int], ...]:
    """Return the numbers of the question that no step reads."""
    read = {source.question for step in steps for source in step.sources}
    return tuple((m.start, m.end) for m in mentions(question) if not m.weak and (m.start, m.end) not in read)
