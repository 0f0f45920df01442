"""Systems of equations as a teacher writes them: our own small grammar, from text to a tree.

    system     := line*                    a line is an equation, a condition, a `%` or `#` comment, or empty
    equation   := sum ("=" sum)+           `==` is read as `=`; `a = b = c` is two equations
    condition  := sum ("<" | "<=" | ">" | ">=") sum
    sum        := product (("+" | "-") product)*
    product    := signed (("*" | "/" | "//") signed)*
    signed     := ("+" | "-")* power
    power      := item (("**" | "^") signed)?
    item       := (number | name | function "(" sum ("," sum)* ")" | "(" sum ")") item?

The last `item?` is a multiplication without a sign, as in `2x`, `2(x + 1)` or `(a)(b)`: only where nothing
stands between the two. Text never reaches SymPy's parser, which evaluates code: only this tree does, so a
name that SymPy knows (`E I N S Q O beta gamma zeta`) is a plain unknown here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NoReturn

FUNCTIONS = {
    "sqrt": (1, 1), "abs": (1, 1), "ceil": (1, 1), "ceiling": (1, 1), "floor": (1, 1), "round": (1, 2),
    "min": (1, 20), "max": (1, 20), "mod": (2, 2),
}  # fmt: skip
ANSWER = "ans"
MAX_LINES = 500
MAX_NESTING = 60
_MAX_DIGITS = 400

_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)|(?P<name>[^\W\d]\w*)"
    r"|(?P<relation><=|>=|==|[<>=≤≥])|(?P<sign>\*\*|//|[-+*/^(),−×÷·])"
    r"|(?P<space>[ \t\u00a0]+)|(?P<money>[$€£])"
)
_SAME = {"−": "-", "×": "*", "·": "*", "÷": "/", "**": "^", "==": "=", "≤": "<=", "≥": ">="}
_PERCENT = re.compile(r"\d%\s*[-+*/^)=]")


class EquationError(ValueError):
    """A text that is no system of equations; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        """Keep the place beside the message."""
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Number:
    """A number, exactly as written."""

    value: Fraction
    column: int = 0


@dataclass(frozen=True)
class Name:
    """An unknown or a name that another line gives a value to."""

    name: str


@dataclass(frozen=True)
class Negative:
    """`-item`."""

    item: Tree


@dataclass(frozen=True)
class Binary:
    """`left sign right`, sign one of `+ - * / // ^`."""

    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Call:
    """A function of FUNCTIONS and its arguments."""

    function: str
    arguments: tuple[Tree, ...]


Tree = Number | Name | Negative | Binary | Call


@dataclass(frozen=True)
class Equation:
    """`left = right`, or a condition when `relation` is another sign; `line` counts from 1."""

    left: Tree
    right: Tree
    line: int
    relation: str = "="

    @property
    def assigned(self) -> str:
        """Return the name that stands alone on the left, or ''."""
        return self.left.name if self.relation == "=" and isinstance(self.left, Name) else ""


@dataclass(frozen=True)
class System:
    """The equations and conditions of a text, in order, and what its comment lines say."""

    equations: tuple[Equation, ...]
    conditions: tuple[Equation, ...]
    comments: dict[int, str]


def parse(text: str) -> System:
    """Read a system of equations; EquationError with line and column at the first thing that is none."""
    equations: list[Equation] = []
    conditions: list[Equation] = []
    comments: dict[int, str] = {}
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise EquationError(f"more than {MAX_LINES} lines", MAX_LINES + 1, 1)
    for number, line in enumerate(lines, 1):
        code, comment = _without_comment(line, number)
        if comment:
            comments[number] = comment
        for part, column in _parts(code):
            read = _Line(part, number, column).read()
            (conditions if read[0].relation != "=" else equations).extend(read)
    if not equations:
        raise EquationError("there is no equation", 1, 1)
    return System(tuple(equations), tuple(conditions), comments)


def names_in(tree: Tree) -> Iterator[str]:
    """Yield the names of a tree, with repetition."""
    if isinstance(tree, Name):
        yield tree.name
    elif isinstance(tree, Negative):
        yield from names_in(tree.item)
    elif isinstance(tree, Binary):
        yield from names_in(tree.left)
        yield from names_in(tree.right)
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from names_in(argument)


def _without_comment(line: str, number: int) -> tuple[str, str]:
    """Split a line at its first `%` or `#`; a percent sign that is meant as one is an error."""
    percent = _PERCENT.search(line)
    if percent and "#" not in line[: percent.start()] and "%" not in line[: percent.start() + 1]:
        raise EquationError(
            "a percent sign inside an equation has no stated meaning", number, percent.start() + 2
        )
    cuts = [place for mark in "%#" if (place := line.find(mark)) >= 0]
    if not cuts:
        return line, ""
    return line[: min(cuts)], line[min(cuts) + 1 :].strip().rstrip(":")


def _parts(code: str) -> Iterator[tuple[str, int]]:
    """Yield the statements of a line, cut at `;`, each with the column it starts at."""
    column = 1
    for part in code.split(";"):
        if part.strip():
            yield part, column
        column += len(part) + 1


class _Line:
    """Recursive descent over the tokens of one statement."""

    def __init__(self, text: str, line: int, column: int) -> None:
        self._line = line
        self._tokens: list[tuple[str, str, int, bool]] = []
        self._at = 0
        self._nesting = 0
        self._cut(text, column)

    def _cut(self, text: str, column: int) -> None:
        place, spaced, depth = 0, True, 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if not match:
                raise EquationError(f"unexpected {text[place]!r}", self._line, column + place)
            kind, word = str(match.lastgroup), match.group()
            if kind == "number" and depth and "," in word:
                # inside a call a comma separates
                word = word.split(",", 1)[0]
            if kind not in ("space", "money"):
                depth += (word == "(") - (word == ")")
                self._tokens.append((kind, _SAME.get(word, word), column + place, spaced))
            spaced = kind == "space"
            place += len(word)
        self._end = column + len(text.rstrip())

    def read(self) -> list[Equation]:
        """Return the equations of the statement: several for a chain."""
        sides = [self._sum()]
        relations: list[str] = []
        while self._kind() == "relation":
            relations.append(self._next())
            sides.append(self._sum())
        if self._at < len(self._tokens):
            self._fail(f"an operator is missing before {self._word()!r}")
        if not relations:
            self._fail("this line is no equation: it has no '='")
        if len(set(relations)) > 1 or (relations[0] != "=" and len(relations) > 1):
            self._fail("only '=' can be chained")
        return [Equation(left, right, self._line, relations[0]) for left, right in pairwise(sides)]

    def _sum(self) -> Tree:
        tree = self._product()
        while self._word() in ("+", "-"):
            tree = Binary(self._next(), tree, self._product())
        return tree

    def _product(self) -> Tree:
        tree = self._signed()
        while self._word() in ("*", "/", "//"):
            tree = Binary(self._next(), tree, self._signed())
        return tree

    def _signed(self) -> Tree:
        negative = False
        while self._word() in ("+", "-"):
            negative ^= self._next() == "-"
        tree = self._power()
        return Negative(tree) if negative else tree

    def _power(self) -> Tree:
        tree = self._item()
        if self._word() == "^":
            self._next()
            self._deeper()
            tree = Binary("^", tree, self._signed())
            self._nesting -= 1
        # 2x, 2(x + 1), (a)(b): nothing stands between
        if self._at < len(self._tokens) and not self._tokens[self._at][3]:
            after_name = self._tokens[self._at - 1][0] == "name"
            if self._word() == "(" or (self._kind() == "name" and not after_name):
                return Binary("*", tree, self._power())
        return tree

    def _item(self) -> Tree:
        kind, word = self._kind(), self._word()
        column = self._column()
        if kind == "number":
            return self._number(self._next(), column)
        if kind == "name":
            self._next()
            return self._call(word) if self._word() == "(" else Name(word)
        if word == "(":
            self._next()
            self._deeper()
            tree = self._sum()
            self._nesting -= 1
            self._expect(")")
            return tree
        self._fail(f"unexpected {word!r}" if word else "something is missing at the end")

    def _number(self, word: str, column: int) -> Number:
        digits = word.replace(",", "")
        if len(digits) > _MAX_DIGITS:
            raise EquationError("a number with too many digits", self._line, column)
        return Number(Fraction(digits.rstrip(".") if digits.endswith(".") else digits), column)

    def _call(self, name: str) -> Tree:
        fewest, most = FUNCTIONS.get(name, (0, 0))
        if not most:
            self._fail(f"there is no function {name!r} (known: {', '.join(FUNCTIONS)})")
        self._expect("(")
        self._deeper()
        arguments = [self._sum()]
        while self._word() == ",":
            self._next()
            arguments.append(self._sum())
        self._nesting -= 1
        self._expect(")")
        if not fewest <= len(arguments) <= most:
            self._fail(f"{name} takes {fewest} to {most} values, not {len(arguments)}")
        return Call(name, tuple(arguments))

    def _deeper(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._fail("too deeply nested")

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _word(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _column(self) -> int:
        return self._tokens[self._at][2] if self._at < len(self._tokens) else self._end

    def _next(self) -> str:
        word = self._word()
        self._at += 1
        return word

    def _expect(self, word: str) -> None:
        if self._next() != word:
            self._at -= 1
            self._fail(f"{word!r} is missing")

    def _fail(self, message: str) -> NoReturn:
        raise EquationError(message, self._line, self._column())
