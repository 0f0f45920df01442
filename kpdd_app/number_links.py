"""From a name at a step of a solution to what lights up: the question, the items and the program."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from kpdd_app.recording import Recording, split_key_points
from training_backend.execution.number_origins import ItemSpan, NumberOrigins, ValueOrigin, number_origins

Span = tuple[int, int]


@dataclass(frozen=True)
class Links:
    """What a value came from: spans of the question and of each student's text.

    `program` holds (line, start, end), `items` the running numbers of the information items.
    """

    value: ValueOrigin
    question: tuple[Span, ...]
    key_points: dict[str, tuple[Span, ...]]
    program: tuple[tuple[int, int, int], ...]
    items: tuple[int, ...]


class NumberLinks:
    """The origins of one recording, as they were when it was over."""

    def __init__(self, recording: Recording) -> None:
        """Follow the numbers through the trace; some ten milliseconds for five thousand records."""
        self.question = recording.question
        self._items = _items_of(recording)
        texts = [text for _, _, text in self._items]
        self.found: NumberOrigins = number_origins(
            recording.question, texts, recording.program, recording.trace.records
        )
        self._values: dict[tuple[int, str], tuple[list[int], list[ValueOrigin]]] = {}
        for value in self.found.values:
            numbers, values = self._values.setdefault((value.frame, value.name), ([], []))
            numbers.append(value.n)
            values.append(value)

    @property
    def unused(self) -> tuple[Span, ...]:
        """Return the numbers of the question that nothing was computed from."""
        return tuple(sorted({*self.found.unused, *self.found.aside}))

    def of(self, name: str, frames: list[int], step: int) -> Links | None:
        """Return what a name of the innermost of these frames came from after `step` records."""
        for frame in reversed(frames):
            numbers, values = self._values.get((frame, name), ([], []))
            at = bisect_right(numbers, step)
            if at:
                return self._links(values[at - 1])
        return None

    def _links(self, value: ValueOrigin) -> Links:
        key_points: dict[str, list[Span]] = {}
        spans = self.found.item_spans(value)
        for span in spans:
            role, start, _ = self._items[span.item]
            key_points.setdefault(role, []).append(_moved(span, start))
        literals = [self.found.literals[index] for index in value.literals]
        return Links(
            value,
            self.found.question_spans(value),
            {role: tuple(found) for role, found in key_points.items()},
            tuple((literal.line, literal.start, literal.end) for literal in literals),
            tuple(dict.fromkeys(span.item + 1 for span in spans)),
        )


def _items_of(recording: Recording) -> list[tuple[str, int, str]]:
    """Return (role, start in that student's text, text) of every information item."""
    found = []
    for stage in recording.stages:
        if stage.role == "solve":
            continue
        text = stage.written
        parts = [part for part in split_key_points(text) if part[0].isdigit()]
        found += [(stage.role, start, text[start:end]) for _, start, end in parts]
    return found


def _moved(span: ItemSpan, by: int) -> Span:
    return span.start + by, span.end + by
