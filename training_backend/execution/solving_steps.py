"""How a system of equations was solved, in steps that a person can follow; or where it could not be.

The solver (`equation_solver.py`) says which unknown fell at which line with which value. Here its way is told
again: an equation with one unknown is written out with what is known by then, and linear equations that have
to be solved together are solved once more by substitution, as at school. Where that does not come out at the
solver's values the step only names the lines. Nothing is evaluated: the text is read by our own grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from training_backend.execution.equation_solver import encoded
from training_backend.execution.linear import Linear, NotLinear, linear
from training_backend.execution.program_lines import Literal
from training_backend.execution.worked_steps import RESULT, Source, WorkedStep, with_places
from training_backend.rationale.equations import (
    ANSWER,
    Binary,
    Call,
    Equation,
    EquationError,
    Name,
    Negative,
    Number,
    Tree,
    names_in,
    parse,
)

MAX_TOGETHER = 40
_LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "^": 4}
_SIGNED = 3
_DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+")


def solving_steps(
    text: str,
    records: Iterable[Mapping[str, Any]] = (),
    reason: str = "",
    question: str = "",
    items: Sequence[str] = (),
) -> list[WorkedStep]:
    """Return the steps to the values of a trace's records (of the strict reading), in their order.

    `reason` says why there was no answer; the last steps then show it. Empty for a text that cannot be read.
    """
    try:
        system = parse(text)
    except EquationError:
        return []
    retold = _Retold(list(system.equations))
    retold.follow([(name, value[0], int(record["ln"])) for record in records
                   for name, value in (record.get("ch") or {}).items() if value])  # fmt: skip
    if reason:
        retold.end(reason)
    lines = text.splitlines()
    written = [_literals(step, lines, system.comments) for step in retold.steps]
    return with_places(retold.steps, written, question, items)


@dataclass
class _Retold:
    """Goes the solver's way through the equations that wait, and writes down each step."""

    waiting: list[Equation]
    known: dict[str, str] = field(default_factory=dict)
    steps: list[WorkedStep] = field(default_factory=list)
    found_by: dict[str, int] = field(default_factory=dict)

    def follow(self, found: Sequence[tuple[str, str, int]]) -> None:
        """Take (name, value, line) of every unknown that fell."""
        at = 0
        while at < len(found):
            name, value, line = found[at]
            alone = [e for e in self.waiting if self._unknowns(e) == {name}]
            equation = next((e for e in alone if e.line == line), None)
            if equation is not None:
                self._one(equation, name, value)
                at += 1
                continue
            group, rest = self._group(found[at:])
            self._together(group, rest)
            at += len(group)

    def end(self, reason: str) -> None:
        """Show why there is no answer."""
        rest = [e for e in self.waiting if e.assigned != ANSWER and self._unknowns(e)]
        false = next((e for e in self.waiting if not self._unknowns(e) and self._is_false(e)), None)
        if false is not None:
            given = dict.fromkeys(_names(false))
            self._add(self._filled(false), False, f"line {false.line}: this cannot be", (false,), given)
            return
        retold = _Substitution(self._numbers())
        if rest and len(rest) <= MAX_TOGETHER and retold.solve(rest):
            self._take(retold, rest)
            if retold.false or retold.open:
                return
        about = [e for e in self.waiting if e.assigned != ANSWER and self._unknowns(e)][:1]
        said = self._filled(about[0]) if about else f"{ANSWER} = {self.known.get(ANSWER, '?')}"
        self._add(said, None, reason, about)

    # ---- one equation, several together

    def _one(self, equation: Equation, name: str, value: str) -> None:
        given = [one for one in dict.fromkeys(_names(equation)) if one in self.known]
        if equation.assigned == name:
            right = written(equation.right, self.known)
            text = f"{name} = {right}" + ("" if right == value else f" = {value}")
        else:
            text = f"{self._filled(equation)}  {RESULT}  {name} = {value}"
        told = ", ".join(f"{one} = {self.known[one]}" for one in given)
        detail = f"line {equation.line}" + (f", with {told}" if told else "")
        self._add(text, True, detail, (equation,), given, (name, value))
        self.waiting.remove(equation)
        self.known[name] = value

    def _group(
        self, found: Sequence[tuple[str, str, int]]
    ) -> tuple[list[tuple[str, str, int]], list[Equation]]:
        """Return what fell together with the first, and the equations that it was solved from."""
        rest = [e for e in self.waiting if e.assigned != ANSWER and self._unknowns(e)]
        names = {name for e in rest for name in self._unknowns(e)}
        if found[0][0] not in names:
            rest = [e for e in self.waiting if self._unknowns(e)]
            names = {name for e in rest for name in self._unknowns(e)}
        group = [found[0]]
        for one in found[1:]:
            if one[0] not in names or one[0] <= group[-1][0]:
                break
            group.append(one)
        return group, rest

    def _together(self, group: Sequence[tuple[str, str, int]], rest: list[Equation]) -> None:
        retold = _Substitution(self._numbers())
        told = len(rest) <= MAX_TOGETHER and retold.solve(rest) and not retold.false
        if told and all(number_text(retold.values.get(name)) == value for name, value, _ in group):
            self._take(retold, rest)
        else:
            for name, value, _ in group:
                self._add(
                    f"{name} = {value}", True, f"{_lines(rest)}, solved together", rest, (), (name, value)
                )
        self.known |= {name: value for name, value, _ in group}
        self.waiting = [e for e in self.waiting if e not in rest or self._unknowns(e)]

    def _take(self, retold: _Substitution, rest: Sequence[Equation]) -> None:
        given = [n for n in dict.fromkeys(n for e in rest for n in _names(e)) if n in self.known]
        offset = len(self.steps)
        for step in retold.steps:
            known = [name for name in given if any(name in _names(e) for e in step.equations)]
            sources = [Source(name, offset + n) for n, name in step.reads.items()]
            found = (step.name, number_text(retold.values.get(step.name)))
            self._add(step.text, step.holds, step.detail, step.equations, known, found, sources)

    # ---- helpers

    def _add(
        self, text: str, holds: bool | None, detail: str, equations: Sequence[Equation],
        given: Iterable[str] = (), found: tuple[str, str] = ("", ""), sources: Sequence[Source] = (),
    ) -> None:  # fmt: skip
        """Write down a step; `given` are known names that it reads, `found` the unknown with its value."""
        read = [Source(one, self.found_by[one]) for one in given if one in self.found_by]
        lines = tuple(sorted({equation.line for equation in equations}))
        self.steps.append(WorkedStep(text, holds, detail, None, lines, (*read, *sources), *found))
        if found[0]:
            self.found_by[found[0]] = len(self.steps)

    def _unknowns(self, equation: Equation) -> set[str]:
        return {name for name in _names(equation) if name not in self.known}

    def _numbers(self) -> dict[str, Fraction]:
        return {name: number for name, text in self.known.items() if (number := _number(text)) is not None}

    def _filled(self, equation: Equation) -> str:
        return f"{written(equation.left, self.known)} = {written(equation.right, self.known)}"

    def _is_false(self, equation: Equation) -> bool:
        try:
            known = self._numbers()
            left, right = linear(equation.left, known), linear(equation.right, known)
        except (NotLinear, ZeroDivisionError):
            return False
        difference = left.plus(right, Fraction(-1))
        return not difference.factors and abs(difference.constant) > Fraction(1, 10**6)


@dataclass
class _Told:
    """A step of a substitution; `reads` are its own earlier steps (from 1) with what is taken from them."""

    text: str
    detail: str
    equations: tuple[Equation, ...] = ()
    holds: bool | None = True
    name: str = ""
    reads: dict[int, str] = field(default_factory=dict)


class _Substitution:
    """Linear equations solved by expressing one unknown through the others; `values` is what came out."""

    def __init__(self, known: Mapping[str, Fraction]) -> None:
        self._known = known
        self._through: dict[str, tuple[Linear, int]] = {}
        self.values: dict[str, Fraction] = {}
        self._found_at: dict[str, int] = {}
        self.steps: list[_Told] = []
        self.false = False
        self.open: list[str] = []

    def solve(self, equations: Sequence[Equation]) -> bool:
        """Solve; return False where an equation is not linear."""
        try:
            sides = [(e, linear(e.left, self._known), linear(e.right, self._known)) for e in equations]
        except (NotLinear, ZeroDivisionError):
            return False
        for equation, left, right in sides:
            self._use(equation, left, right)
            if self.false:
                return True
        self._back()
        return True

    def _use(self, equation: Equation, left: Linear, right: Linear) -> None:
        """Put what is known of the unknowns into an equation, and solve it for one of them."""
        put: dict[str, str] = {}
        reads: dict[int, str] = {}
        while names := [name for name in {**left.factors, **right.factors} if name in self._through]:
            through, reads_step = self._through[names[0]]
            put[names[0]] = linear_text(through)
            reads[reads_step] = names[0]
            left, right = (_put(side, names[0], through) for side in (left, right))
        row = left.plus(right, Fraction(-1))
        told = " and ".join(f"{name} = {said}" for name, said in put.items())
        line = f"line {equation.line}" + (f", with {told}" if told else "")
        if not row.factors:
            self.false = abs(row.constant) > Fraction(1, 10**6)
            said = (
                "this cannot be, the equations contradict each other" if self.false else "it says nothing new"
            )
            shown = f"{number_text(left.constant)} = {number_text(right.constant)}"
            self._tell(shown, f"{line}: {said}", equation, reads, not self.false)
            return
        name = min(row.factors, key=lambda one: (abs(row.factors[one]) != 1, list(row.factors).index(one)))
        through = _solved_for(row, name)
        known = {one: number_text(number) for one, number in self._known.items()}
        filled = f"{written(equation.left, {**known, **put})} = {written(equation.right, {**known, **put})}"
        result = f"{name} = {linear_text(through)}"
        self._tell(f"{filled}  {RESULT}  {result}" if filled != result else result,
                   line if put else f"{line}, solved for {name}", equation, reads, True,
                   name if not through.factors else "")  # fmt: skip
        self._through[name] = (through, len(self.steps))
        if not through.factors:
            self.values[name] = through.constant
            self._found_at[name] = len(self.steps)

    def _back(self) -> None:
        """Put what was found last into what was expressed first."""
        for name, (through, step) in reversed(list(self._through.items())):
            if not through.factors:
                continue
            found = {one: self.values[one] for one in through.factors if one in self.values}
            value = through
            for one, number in found.items():
                value = _put(value, one, Linear(number))
            if value.factors:
                self.open += [one for one in value.factors if one not in self.open]
                continue
            told = ", ".join(f"{one} = {number_text(number)}" for one, number in found.items())
            text = linear_text(through, {one: number_text(number) for one, number in found.items()})
            reads = {step: name} | {self._found_at[one]: one for one in found}
            said = f"{name} = {text} = {number_text(value.constant)}"
            self._tell(said, f"with {told}", None, reads, True, name)
            self.values[name] = value.constant
            self._found_at[name] = len(self.steps)
        if self.open:
            free = ", ".join(self.open[:5])
            said = f"nothing determines {free}: any value fits the equations"
            self._tell(f"{self.open[0]} = ?", said, None, {}, None)

    def _tell(
        self, text: str, detail: str, equation: Equation | None, reads: dict[int, str],
        holds: bool | None = True, name: str = "",
    ) -> None:  # fmt: skip
        equations = (equation,) if equation is not None else ()
        self.steps.append(_Told(text, detail, equations, holds, name, reads))


# ---- trees and sums as text


def written(tree: Tree, known: Mapping[str, str]) -> str:
    """Return a side of an equation as text, with values in place of the names that are known.

    >>> written(parse("a = 2 * (b + 1)").equations[0].right, {"b": "4"})
    '2 * (4 + 1)'
    """
    return _written(tree, known, 0)


def _written(tree: Tree, known: Mapping[str, str], around: int) -> str:
    if isinstance(tree, Number):
        return _in_brackets(number_text(tree.value), around)
    if isinstance(tree, Name):
        return _in_brackets(known[tree.name], around) if tree.name in known else tree.name
    if isinstance(tree, Negative):
        text = f"-{_written(tree.item, known, _SIGNED)}"
        return f"({text})" if around > 0 else text
    if isinstance(tree, Call):
        return f"{tree.function}({', '.join(_written(one, known, 0) for one in tree.arguments)})"
    level = _LEVELS[tree.sign]
    # `a - (b - c)`, `a / (b * c)`, `a * (b // c)` and `(a ^ b) ^ c` need their brackets
    whole = isinstance(tree.right, Binary) and tree.right.sign == "//"
    left = _written(tree.left, known, level + (tree.sign == "^") - 1)
    right = _written(tree.right, known, level - (tree.sign in ("+", "*", "^") and not whole))
    text = f"{left}^{right}" if tree.sign == "^" else f"{left} {tree.sign} {right}"
    return f"({text})" if level <= around else text


def _in_brackets(text: str, around: int) -> str:
    """Return a value that stands inside an expression; one with a sign of its own gets brackets."""
    plain = re.fullmatch(r"\w[\w.]*", text)
    return text if plain or not around else f"({text})"


def number_text(value: Fraction | None) -> str:
    """Return a value as the solver writes it: an integer, a decimal where it ends, else a fraction."""
    return "" if value is None else str(encoded(value)["v"])


def linear_text(value: Linear, known: Mapping[str, str] | None = None) -> str:
    """Return a sum of unknowns as text, what is added before what is taken away.

    >>> linear_text(Linear(Fraction(35), {"cows": Fraction(-2)}))
    '35 - 2 * cows'
    """
    known = known or {}
    parts: list[tuple[bool, str]] = []
    for name, factor in value.factors.items():
        shown = _in_brackets(known.get(name, name), 1)
        size = abs(factor)
        parts.append((factor < 0, shown if size == 1 else f"{_in_brackets(number_text(size), 1)} * {shown}"))
    if value.constant or not parts:
        place = 0 if value.constant > 0 and parts and parts[0][0] else len(parts)
        parts.insert(place, (value.constant < 0, number_text(abs(value.constant))))
    parts.sort(key=lambda part: part[0])
    text = ("-" if parts[0][0] else "") + parts[0][1]
    return text + "".join(f" {'-' if minus else '+'} {shown}" for minus, shown in parts[1:])


def _put(row: Linear, name: str, value: Linear) -> Linear:
    factor = row.factors.get(name, Fraction(0))
    rest = Linear(row.constant, {one: f for one, f in row.factors.items() if one != name})
    return rest.plus(value, factor)


def _solved_for(row: Linear, name: str) -> Linear:
    rest = Linear(row.constant, {one: f for one, f in row.factors.items() if one != name})
    return rest.times(Fraction(-1) / row.factors[name])


def _names(equation: Equation) -> list[str]:
    return [*names_in(equation.left), *names_in(equation.right)]


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _lines(equations: Sequence[Equation]) -> str:
    numbers = sorted({equation.line for equation in equations})
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _literals(step: WorkedStep, lines: Sequence[str], comments: Mapping[int, str]) -> list[Literal]:
    """Return the numbers that stand in the lines of a step, as they are written there."""
    found = []
    for number in step.lines:
        line = lines[number - 1]
        code = re.split("[%#]", line, maxsplit=1)[0]
        # what a line is about stands beside it, or in the comment above
        beside = f"{line} {comments.get(number - 1, '')}"
        found += [
            Literal(number, match.start(), match.end(), float(match.group().replace(",", "")), 0, beside)
            for match in _DIGITS.finditer(code)
            if not re.match(r"\w", code[match.start() - 1 : match.start()] or " ")
        ]
    return found
