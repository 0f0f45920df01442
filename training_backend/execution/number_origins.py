"""Where the numbers of a traced program come from: the question, the information items, or the program alone.

Two steps. Literals of the program are matched with the numbers that the question and the items mention: by
value (nearest meaning first), then by shared words, then by order. The finished trace then carries them
along: whatever a line binds was computed from the literals and names that the line reads, through calls,
returns and loops. The program is read by a scanner (`program_lines`), never by Python's parser; which lines
ran, in which order and with which changes comes from the trace. What a condition decides is no part of it.

Everything is bounded: MAX_LITERALS literals, MAX_MENTIONS numbers of a text, the records of one trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from training_backend.execution.child import ANSWER_FUNCTIONS, ANSWER_NAMES
from training_backend.execution.literal_matching import match, written_shares
from training_backend.execution.program_lines import (
    Binding,
    Call,
    Literal,
    Program,
    Reads,
    Statement,
    read_program,
)
from training_backend.rationale.answers import parse_number
from training_backend.rationale.number_mentions import Mention, mentions

_MAX_VALUES = 50_000
# what a `def`, a `class` and an import bind
_NO_DATA = ("function", "type", "module")


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
class ValueOrigin:
    """What a name held after trace record `n`, and the literals (indices into `literals`) it came from.

    `frame` and `line` are those of the record, `read` the names that the line itself read. A returned value
    has the name of its function with brackets, `solution()`.
    """

    n: int
    frame: int
    name: str
    line: int
    text: str
    read: tuple[str, ...]
    mask: int

    @property
    def literals(self) -> tuple[int, ...]:
        """Return the indices of the literals, in the order of the program."""
        return tuple(index for index in range(self.mask.bit_length()) if self.mask >> index & 1)


@dataclass(frozen=True)
class NumberOrigins:
    """Literals with their places, every value of the trace with its literals, and what was left out.

    `answer` is the value that the answer was taken from. `unused` are numbers of the question that no literal
    was taken from; `aside` those that the program holds, but that the answer was not computed from.
    """

    literals: tuple[LiteralOrigin, ...]
    values: tuple[ValueOrigin, ...]
    answer: ValueOrigin | None
    unused: tuple[tuple[int, int], ...]
    aside: tuple[tuple[int, int], ...]

    def question_spans(self, value: ValueOrigin) -> tuple[tuple[int, int], ...]:
        """Return the places in the question that a value was computed from, in the order of the question."""
        spans = {self.literals[index].question for index in value.literals}
        return tuple(sorted(span for span in spans if span is not None))

    def item_spans(self, value: ValueOrigin) -> tuple[ItemSpan, ...]:
        """Return the places in the information items that a value was computed from."""
        spans = {span for index in value.literals if (span := self.literals[index].item) is not None}
        return tuple(sorted(spans, key=lambda span: (span.item, span.start)))


def number_origins(
    question: str, items: Sequence[str], program: str, records: Iterable[Mapping[str, Any]]
) -> NumberOrigins:
    """Link what a traced program computed with the numbers it was given.

    `records` are the dicts of a trace (`trace.py`), complete or cut. Never fails on any text or program.
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
    follower = _Follower(read)
    for record in records:
        follower.take(record)
    answer = follower.answer()
    taken = {place for place, _ in from_question.values()}
    reached = {from_question[i][0] for i in (answer.literals if answer else ()) if i in from_question}
    unused = tuple((m.start, m.end) for i, m in enumerate(asked) if i not in taken and not m.weak)
    aside = tuple((m.start, m.end) for i, m in enumerate(asked) if i in taken - reached and not m.weak)
    return NumberOrigins(literals, tuple(follower.values), answer, unused, aside if answer else ())


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


@dataclass
class _Frame:
    """What is known of one running function: where its names come from, and its line that runs now."""

    function: str = ""
    names: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    line: int | None = None
    # of the line that runs now: what the functions it called gave back, and how often each was called
    given_back: dict[str, int] = field(default_factory=dict)
    called: dict[str, int] = field(default_factory=dict)


class _Follower:
    """Carries sets of literals (as bits) along the records of one trace."""

    def __init__(self, program: Program) -> None:
        self._program = program
        first = next((n for n, made in program.statements.items() if not made[0].only_text), None)
        self._frames = {0: _Frame(line=first)}
        self._stack = [0]
        self.values: list[ValueOrigin] = []
        self._returns: dict[str, ValueOrigin] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next record."""
        if len(self.values) > _MAX_VALUES:
            return
        number, depth, kind = int(record["f"]), int(record["depth"]), record["ev"]
        del self._stack[depth:]
        while len(self._stack) < depth:
            self._stack.append(0)
        frame = self._frames.setdefault(number, _Frame())
        if kind == "call":
            self._call(record, frame)
        elif kind == "return":
            self._return(record, frame)
        else:
            self._line(record, frame)
        self._stack.append(number)

    def answer(self) -> ValueOrigin | None:
        """Return the last value of the first of `ans answer result`, else what `solution()` … gave back."""
        for name in ANSWER_NAMES:
            for value in reversed(self.values):
                if value.frame == 0 and value.name == name:
                    return value
        return next((self._returns[name] for name in ANSWER_FUNCTIONS if name in self._returns), None)

    # ---- one record

    def _line(self, record: Mapping[str, Any], frame: _Frame) -> None:
        line, changed = int(record["ln"] or 0), record.get("ch") or {}
        statements = self._program.at(line)
        claimed: set[str] = set()
        for statement in statements:
            for bind in statement.binds:
                if bind.name in changed or (statement.certain and record["ev"] == "line"):
                    claimed.add(bind.name)
                    self._bind(record, frame, bind, line, changed)
        rest = [
            name for name, now in changed.items() if name not in claimed and now and now[1] not in _NO_DATA
        ]
        if rest:
            # changed by a method, through another name, or by a function that was called
            everything = [statement.all for statement in statements]
            for name in rest:
                own = Reads([name])
                joined = Reads(
                    [n for reads in [*everything, own] for n in reads.names],
                    sum_bits(reads.literals for reads in everything),
                    [call for reads in everything for call in reads.calls],
                )
                self._bind(record, frame, Binding(name, joined), line, changed)
        following = record.get("nx")
        # after the last line comes the return, which reads what the line was given back
        if following is not None and self._program.first_line.get(following) != self._program.first_line.get(
            line
        ):
            frame.given_back, frame.called = {}, {}
        frame.line = following

    def _bind(
        self, record: Mapping[str, Any], frame: _Frame, bind: Binding, line: int, changed: Mapping[str, Any]
    ) -> None:
        mask = self._mask(bind.reads, frame) | self._unnamed(frame, line)
        if bind.one_of and changed.get(bind.name):
            mask = self._narrowed(mask, str(changed[bind.name][0]))
        frame.names[bind.name] = mask
        if changed.get(bind.name):
            frame.texts[bind.name] = str(changed[bind.name][0])
        if bind.name in frame.texts:
            self._keep(record, bind.name, frame.texts[bind.name], bind.reads.names, mask)

    def _keep(self, record: Mapping[str, Any], name: str, text: str, read: Iterable[str], mask: int) -> None:
        line = int(record["ln"] or 0)
        names = tuple(dict.fromkeys(read))
        self.values.append(ValueOrigin(int(record["n"]), int(record["f"]), name, line, text, names, mask))

    def _call(self, record: Mapping[str, Any], frame: _Frame) -> None:
        """Hand the arguments of the calling line to the names of the function."""
        name, changed = str(record.get("fn") or ""), record.get("ch") or {}
        frame.function = name
        known = bool(frame.names)
        frame.line = frame.line if known else self._program.after(int(record["ln"] or 0))
        defined = next((made for made in self._program.at(record["ln"]) if made.defines == name), Statement())
        parameters = defined.parameters
        caller = self._frames.get(self._stack[-1]) if self._stack else None
        call = self._call_of(name, caller)
        names = [one for one in parameters if not (one == "self" and call and call.name == name)]
        if parameters and next(iter(parameters)) == "self":
            names = list(parameters)[1:]
        for place, parameter in enumerate(names or changed):
            if parameter not in changed:
                continue
            mask = 0
            if call and caller and parameter in defined.starred:
                mask = sum_bits(
                    self._mask(part, caller) for part in (*call.arguments[place:], *call.keywords.values())
                )
            elif call and caller and parameter in call.keywords:
                mask = self._mask(call.keywords[parameter], caller)
            elif call and caller and place < len(call.arguments) and not _is_empty(call.arguments[place]):
                mask = self._mask(call.arguments[place], caller)
            elif parameter in parameters and not _is_empty(parameters[parameter]):
                mask = self._mask(parameters[parameter], frame)
            elif caller is not None and call is None:
                # called by a library or under another name: all that the calling line reads
                mask = sum_bits(self._mask(s.all, caller) for s in self._program.at(caller.line))
            frame.names[parameter] = mask
            frame.texts[parameter] = str((changed[parameter] or [""])[0])
            self._keep(record, parameter, frame.texts[parameter], (), mask)

    def _return(self, record: Mapping[str, Any], frame: _Frame) -> None:
        line = int(record["ln"] or 0)
        returning = self._program.at(line)[-1:]
        mask = sum_bits(self._mask(s.all, frame) for s in returning) | self._unnamed(frame, line)
        read = [name for s in returning for name in s.all.names]
        self._keep(record, f"{frame.function}()", str(record.get("rv") or ""), read, mask)
        self._returns[frame.function] = self.values[-1]
        if self._stack and (caller := self._frames.get(self._stack[-1])) is not None:
            caller.given_back[frame.function] = caller.given_back.get(frame.function, 0) | mask

    # ---- expressions

    def _mask(self, reads: Reads, frame: _Frame) -> int:
        mask = reads.literals
        for name in reads.names:
            mask |= self._of_name(name, frame)
        for call in reads.calls:
            if call.name in frame.given_back:
                mask |= frame.given_back[call.name]
            else:
                mask |= self._of_name(call.name, frame)
                for part in (*call.arguments, *call.keywords.values()):
                    mask |= self._mask(part, frame)
        return mask

    def _of_name(self, name: str, frame: _Frame) -> int:
        """Return where a name comes from: its own frame, the functions around, the program's own level."""
        if name in frame.names:
            return frame.names[name]
        for number in reversed(self._stack):
            around = self._frames.get(number)
            if around is not None and name in around.names:
                return around.names[name]
        return self._frames[0].names.get(name, 0)

    def _narrowed(self, mask: int, text: str) -> int:
        """Return those literals of a list that a loop's name can have got its value from."""
        number = parse_number(text)
        same = 0
        for index, literal in enumerate(self._program.literals):
            if mask >> index & 1 and literal.value == number:
                same |= 1 << index
        return same or mask

    def _unnamed(self, frame: _Frame, line: int) -> int:
        """Return what functions gave back that the line does not call by name: a property, `__add__`."""
        if not frame.given_back:
            return 0
        called = {call.name for s in self._program.at(line) for call in _called(s.all)}
        called |= {call.name for s in self._program.at(line) for b in s.binds for call in _called(b.reads)}
        return sum_bits(mask for name, mask in frame.given_back.items() if name not in called)

    def _call_of(self, name: str, caller: _Frame | None) -> Call | None:
        """Return the call of a function in the line that runs now: the first, the second, … time."""
        if caller is None:
            return None
        calls: list[Call] = []
        for statement in self._program.at(caller.line):
            reads = [bind.reads for bind in statement.binds] or [statement.all]
            for call in (call for one in (*reads, statement.all) for call in _called(one)):
                if call.name == name and not any(call is known for known in calls):
                    calls.append(call)
        count = caller.called.get(name, 0)
        caller.called[name] = count + 1
        return calls[count % len(calls)] if calls else None


def sum_bits(masks: Iterable[int]) -> int:
    """Return the union of sets of bits."""
    total = 0
    for mask in masks:
        total |= mask
    return total


def _is_empty(reads: Reads) -> bool:
    return not (reads.names or reads.literals or reads.calls)


def _called(reads: Reads) -> Iterator[Call]:
    """Yield the calls of an expression, inner ones before the one that takes their values."""
    for call in reads.calls:
        for part in (*call.arguments, *call.keywords.values()):
            yield from _called(part)
        yield call
