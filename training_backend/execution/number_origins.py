"""Where the numbers of a traced program come from: the question, the information items, or the program alone.

Two steps. Literals of the program are matched with the numbers that the question and the items mention: by
value (nearest meaning first), then by shared words, then by order. The finished trace then carries them
along (`value_following`): whatever a line binds was computed from the literals and names that the line reads,
through calls, returns and loops, and decided by those of the tests around it (`program_blocks`). The program
is read by a scanner (`program_lines`), never by Python's parser; which lines ran, in which order and with
which changes comes from the trace.

Everything is bounded: MAX_LITERALS literals, MAX_MENTIONS numbers of a text, the records of one trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training_backend.execution.literal_matching import match, written_shares
from training_backend.execution.program_lines import Literal, read_program
from training_backend.execution.value_following import ValueFollower, ValueOrigin
from training_backend.rationale.number_mentions import Mention, mentions


@dataclass(frozen=True)
class ItemSpan:
    """A number in an information item: `items[item][start:end]`."""

    item: int
    start: int
    end: int


@dataclass(frozen=True)
class LiteralOrigin:
    """A number written in the program, and where it was taken from.

    `line` counts from 1, `start:end` are columns of that line from 0. `question` is the span in the question
    and `how` its meaning there (`same`, `percent`, `part`, `unit`, …); None and '' when it is not there.
    """

    line: int
    start: int
    end: int
    value: float
    question: tuple[int, int] | None = None
    item: ItemSpan | None = None
    how: str = ""


@dataclass(frozen=True)
class NumberOrigins:
    """Literals with their places, every value of the trace with its literals, and what was left out.

    `answer` is the value that the answer was taken from. `unused` are numbers of the question that no literal
    was taken from; `aside` those that the program holds, but that the answer was neither computed from nor
    decided by. Both are empty for a program without an answer, `aside` also where the trace does not reach
    the end of the program.
    """

    literals: tuple[LiteralOrigin, ...]
    values: tuple[ValueOrigin, ...]
    answer: ValueOrigin | None
    unused: tuple[tuple[int, int], ...]
    aside: tuple[tuple[int, int], ...]

    def question_spans(self, value: ValueOrigin) -> tuple[tuple[int, int], ...]:
        """Return the places in the question that a value was computed from, in the order of the question."""
        return self._asked(value.literals)

    def deciding_spans(self, value: ValueOrigin) -> tuple[tuple[int, int], ...]:
        """Return the places in the question that only decided a value, by a test."""
        computed = self.question_spans(value)
        return tuple(span for span in self._asked(value.deciding) if span not in computed)

    def item_spans(self, value: ValueOrigin) -> tuple[ItemSpan, ...]:
        """Return the places in the information items that a value was computed from."""
        spans = {span for index in value.literals if (span := self.literals[index].item) is not None}
        return tuple(sorted(spans, key=lambda span: (span.item, span.start)))

    def _asked(self, literals: Iterable[int]) -> tuple[tuple[int, int], ...]:
        spans = {self.literals[index].question for index in literals}
        return tuple(sorted(span for span in spans if span is not None))


def number_origins(
    question: str,
    items: Sequence[str],
    program: str,
    records: Iterable[Mapping[str, Any]],
    answered: bool = True,
) -> NumberOrigins:
    """Link what a traced program computed with the numbers it was given.

    `records` are the dicts of a trace (`trace.py`), complete or cut. `answered` tells that the program's
    verdict is `ok`. Never fails on any text or program.
    """
    read = read_program(program)
    asked = mentions(question)
    in_items = [(number, mention) for number, item in enumerate(items) for mention in mentions(item)]
    shares = written_shares(read.literals, program)
    from_question = match(read.literals, asked, shares)
    from_items = match(read.literals, [mention for _, mention in in_items], shares)
    literals = tuple(
        _literal_origin(literal, asked, from_question.get(index), in_items, from_items.get(index))
        for index, literal in enumerate(read.literals)
    )
    follower = ValueFollower(read)
    for record in records:
        follower.take(record)
    values = tuple(follower.values)
    if not answered:
        return NumberOrigins(literals, values, None, (), ())
    answer = follower.answer()
    taken = {place for place, _ in from_question.values()}
    unused = tuple((m.start, m.end) for i, m in enumerate(asked) if i not in taken and not m.weak)
    if answer is None or not follower.ended:
        return NumberOrigins(literals, values, answer, unused, ())
    used = (*answer.literals, *answer.deciding)
    reached = {from_question[index][0] for index in used if index in from_question}
    aside = tuple((m.start, m.end) for i, m in enumerate(asked) if i in taken - reached and not m.weak)
    return NumberOrigins(literals, values, answer, unused, aside)


def _literal_origin(
    literal: Literal,
    asked: list[Mention],
    place: tuple[int, str] | None,
    in_items: list[tuple[int, Mention]],
    item_place: tuple[int, str] | None,
) -> LiteralOrigin:
    mention = asked[place[0]] if place else None
    span = None
    if item_place is not None:
        number, found = in_items[item_place[0]]
        span = ItemSpan(number, found.start, found.end)
    how = place[1] if place else item_place[1] if item_place else ""
    return LiteralOrigin(literal.line, literal.start, literal.end, literal.value,
                         (mention.start, mention.end) if mention else None, span, how)  # fmt: skip
