"""What the values of a traced program were computed from: sets of its literals, carried along the records.

Two sets for each value, held as the bits of one number. The lower half: the literals that its data came from,
through assignments, calls, returns and loops. The upper half: the literals of the tests that decided it: of
the `if`, `while`, `for`, `except` and `case` around the line that bound it, of the branches not taken that
would have bound it, of what ended its loop or function early. What decides within an expression (`a if b else
c`, `and`, the filter of a comprehension) is data of that expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from training_backend.execution.child import ANSWER_FUNCTIONS, ANSWER_NAMES
from training_backend.execution.program_blocks import Fork, Place, read_blocks
from training_backend.execution.program_lines import Binding, Call, Program, Reads, Statement
from training_backend.rationale.answers import parse_number

_MAX_VALUES = 50_000
# what a `def`, a `class` and an import bind
_NO_DATA = ("function", "type", "module")
_NOWHERE = Place(None, None)


@dataclass(frozen=True)
class ValueOrigin:
    """What a name held after trace record `n`, and the literals (indices into `literals`) it came from.

    `frame` and `line` are those of the record, `read` the names that the line itself read. A returned value
    has the name of its function with brackets, `solution()`. `mask` holds the literals of its data as bits,
    `decided` those of the tests that decided it.
    """

    n: int
    frame: int
    name: str
    line: int
    text: str
    read: tuple[str, ...]
    mask: int
    decided: int = 0

    @property
    def literals(self) -> tuple[int, ...]:
        """Return the indices of the literals it was computed from, in the order of the program."""
        return _places(self.mask)

    @property
    def deciding(self) -> tuple[int, ...]:
        """Return the indices of the literals that only decided it, in the order of the program."""
        return _places(self.decided & ~self.mask)


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
    # what the tests came from, by their lines, with all that decided about the test; what could have ended
    # the function before
    tests: dict[int, int] = field(default_factory=dict)
    left: int = 0


class ValueFollower:
    """Carries sets of literals (as bits) along the records of one trace."""

    def __init__(self, program: Program) -> None:
        """Begin before the first record of the trace of `program`."""
        self._program = program
        self._blocks = read_blocks(program)
        self._half = len(program.literals)
        self._low = (1 << self._half) - 1
        self._ended = False
        first = next((n for n, made in program.statements.items() if not made[0].only_text), None)
        self._frames = {0: _Frame(line=first)}
        self._stack = [0]
        self.values: list[ValueOrigin] = []
        self._returns: dict[str, ValueOrigin] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next record."""
        if len(self.values) > _MAX_VALUES:
            self._ended = False
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
        if number == 0:
            self._ended = kind == "line" and record.get("nx") is None
        elif depth == 0:
            # `solution()`, called once the program's own level is done
            self._ended = kind == "return"

    @property
    def ended(self) -> bool:
        """Tell whether the program was followed to its end: the trace was not cut, nothing was raised."""
        return self._ended

    def answer(self) -> ValueOrigin | None:
        """Return the last value of the first of `ans answer result`, else what `solution()` … gave back."""
        for name in ANSWER_NAMES:
            for value in reversed(self.values):
                if value.frame == 0 and value.name == name:
                    # also what could have changed it after that
                    since = self._frames[0].names.get(name, 0) >> self._half
                    return replace(value, decided=value.decided | since)
        return next((self._returns[name] for name in ANSWER_FUNCTIONS if name in self._returns), None)

    # ---- one record

    def _line(self, record: Mapping[str, Any], frame: _Frame) -> None:
        line, changed = int(record["ln"] or 0), record.get("ch") or {}
        statements = self._program.at(line)
        self._test(line, statements, frame, record["ev"] == "exc")
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
        mask = self._mask(bind.reads, frame) | self._unnamed(frame, line) | self._context(line, frame)
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
        self.values.append(ValueOrigin(int(record["n"]), int(record["f"]), name, line, text, names,
                                       mask & self._low, mask >> self._half))  # fmt: skip

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
        mask |= self._context(line, frame)
        read = [name for s in returning for name in s.all.names]
        self._keep(record, f"{frame.function}()", str(record.get("rv") or ""), read, mask)
        self._returns[frame.function] = self.values[-1]
        if self._stack and (caller := self._frames.get(self._stack[-1])) is not None:
            caller.given_back[frame.function] = caller.given_back.get(frame.function, 0) | mask

    # ---- what decides

    def _place(self, line: int | None) -> Place:
        return self._blocks.get(self._program.first_line.get(line or 0, 0), _NOWHERE)

    def _context(self, line: int, frame: _Frame) -> int:
        """Return what decided that this line's names are bound."""
        return frame.left | self._known(self._place(line).inside, frame)

    def _known(self, test: int | None, frame: _Frame) -> int:
        """Return what a test came from; of one that leaves no record (`while True`) what decided about it."""
        while test is not None and test not in frame.tests:
            test = self._place(test).before
        return 0 if test is None else frame.tests[test]

    def _test(self, line: int, statements: list[Statement], frame: _Frame, raised: bool) -> None:
        """Let the test of a line decide about all that it could change, whichever way it went.

        What raised an exception is the test of the `try` around it.
        """
        at: int | None = self._program.first_line.get(line)
        if raised:
            at = self._place(line).inside
            while at is not None and not self._place(at).tries:
                at = self._place(at).before
        place = self._place(at)
        if at is None or place.fork is None or place.tries != raised:
            return
        read = statements if raised else statements[:1]
        mask = sum_bits(self._mask(made.all, frame) for made in read) | self._unnamed(frame, line)
        mask = self._deciding(mask) | self._known(place.before, frame)
        frame.tests[at] = frame.tests.get(at, 0) | mask
        self._touch(place.fork, mask, frame)
        for loop in place.fork.loops:
            frame.tests[loop] = self._known(loop, frame) | mask
            if (ended := self._place(loop).fork) is not None:
                self._touch(ended, mask, frame)
        if place.fork.leaves:
            frame.left |= mask

    def _touch(self, fork: Fork, mask: int, frame: _Frame) -> None:
        for name in frame.names.keys() & fork.names:
            frame.names[name] |= mask

    def _deciding(self, mask: int) -> int:
        """Return a set with all its literals as those of a test."""
        return (mask & self._low | mask >> self._half) << self._half

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
        return same | mask & ~self._low if same else mask

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


def _places(bits: int) -> tuple[int, ...]:
    return tuple(index for index in range(bits.bit_length()) if bits >> index & 1)
