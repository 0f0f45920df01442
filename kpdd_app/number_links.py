"""From a name at a step of a solution to what lights up: the question, the items and the program."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from kpdd_app.recording import Recording, items_of
from training_backend.execution.number_origins import ItemSpan, NumberOrigins, number_origins
from training_backend.execution.value_following import ValueOrigin
from training_backend.execution.worked_steps import Source, WorkedStep, unused_numbers

Span = tuple[int, int]


@dataclass(frozen=True)
class Links:
    """What a value, named in `head`, came from: spans of the question and of each student's text.

    `program` holds (line, start, end), `items` the running numbers of the information items, `steps` those of
    worked steps, `nowhere` numbers that stand nowhere before. `deciding` are numbers of the question that
    only decided the value: the bound of a loop, the test of a branch.
    """

    head: str
    question: tuple[Span, ...]
    key_points: dict[str, tuple[Span, ...]]
    program: tuple[tuple[int, int, int], ...]
    items: tuple[int, ...]
    steps: tuple[int, ...] = ()
    nowhere: tuple[str, ...] = ()
    deciding: tuple[Span, ...] = ()


class NumberLinks:
    """The origins of one recording, as they were when it was over."""

    # nothing lights up before something is pointed at
    follows = False

    def __init__(self, recording: Recording) -> None:
        """Follow the numbers through the trace; some ten milliseconds for five thousand records."""
        self.question = recording.question
        self._items = items_of(recording)
        texts = [text for _, _, text in self._items]
        self.found: NumberOrigins = number_origins(
            recording.question, texts, recording.program, recording.trace.records, is_answered(recording)
        )
        self._values: dict[tuple[int, str], tuple[list[int], list[ValueOrigin]]] = {}
        for value in self.found.values:
            numbers, values = self._values.setdefault((value.frame, value.name), ([], []))
            numbers.append(value.n)
            values.append(value)

    @property
    def unused(self) -> tuple[Span, ...]:
        """Return the numbers of the question that the answer does not use; none where there is no answer."""
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
            f"{value.name} = {' '.join(value.text.split())[:60]}",
            self.found.question_spans(value),
            {role: tuple(found) for role, found in key_points.items()},
            tuple((literal.line, literal.start, literal.end) for literal in literals),
            tuple(dict.fromkeys(span.item + 1 for span in spans)),
            deciding=self.found.deciding_spans(value),
        )


class StepLinks:
    """What the worked steps of one recording read; the one on the time line is lit by itself."""

    follows = True

    def __init__(self, recording: Recording) -> None:
        """Take the steps as they are."""
        self.question = recording.question
        self.unused = unused_numbers(recording.checks, recording.question) if is_answered(recording) else ()
        self._items = items_of(recording)
        self._steps = recording.checks

    def of(self, name: str, frames: list[int], step: int) -> Links | None:
        """Return what a step (named by its number, or '' for the one at `step`) or an unknown came from."""
        if name and not name.isdigit():
            found = [n for n, one in enumerate(self._steps[:step], 1) if one.name == name]
            if not found:
                return None
            one = self._steps[found[-1] - 1]
            return self._links(f"{name} = {one.value}", [*self._all(found[-1])], ())
        number = int(name) if name else step
        if not 0 < number <= len(self._steps):
            return None
        one = self._steps[number - 1]
        return self._links(f"Step {number}", list(one.sources), tuple(s.step for s in one.sources if s.step))

    def _all(self, number: int) -> list[Source]:
        """Return what a step reads, with what the steps before read for it."""
        reached, found = {number}, []
        for at in range(number, 0, -1):
            if at in reached:
                one: WorkedStep = self._steps[at - 1]
                reached |= {source.step for source in one.sources}
                found += [source for source in one.sources if not source.step]
        return found

    def _links(self, head: str, sources: list[Source], steps: tuple[int, ...]) -> Links:
        key_points: dict[str, list[Span]] = {}
        items = [source.item for source in sources if source.item is not None]
        for item in items:
            role, start, _ = self._items[item.item]
            key_points.setdefault(role, []).append(_moved(item, start))
        return Links(
            head,
            tuple(sorted({source.question for source in sources if source.question is not None})),
            {role: tuple(found) for role, found in key_points.items()},
            (),
            tuple(sorted({item.item + 1 for item in items})),
            tuple(dict.fromkeys(steps)),
            tuple(s.text for s in sources if not s.step and s.question is None and s.item is None),
        )


def is_answered(recording: Recording) -> bool:
    """Tell whether the rationale came to an answer."""
    return recording.answer is not None and recording.answer.verdict == "ok"


def links_of(recording: Recording) -> NumberLinks | StepLinks:
    """Return where the numbers of a recording that is over came from."""
    return StepLinks(recording) if recording.worked else NumberLinks(recording)


def _moved(span: ItemSpan, by: int) -> Span:
    return span.start + by, span.end + by
