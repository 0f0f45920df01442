"""The notation of the sample templates, and its reader.

One template is a block of lines; the first character says what a line is:

    @ key scene [slot:CLASS …] [new]     a name, the scene (for distractors), the things it is about
    # a=2..9 b=10|20 c=:a*b d:=3..7      numbers: a range, a choice, computed, drawn but never shown
    : condition                          must hold for the numbers and results
    - sentence                           told, but nothing that a solution needs
    + sentence | item & item             told; after the bar how the key points say it (else the same words)
    ? question | core question
    = [condition] name = expression | sentence      one step; `{=}` shows the sum; `=~` allows a rest
    > line                               the program, where the steps alone would not make it

Texts hold `{number}`, `{slot}` (plural), `{slot1}` (singular), `{a slot}`/`{A slot}` (with article), `{A}`
and `{B}` (people of opposite gender), `{he} {He} {his} {His} {him}` (A) and `{he2}` (B), and `[this/that]`:
one of the wordings. `new` templates are kept out of the students' training.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from types import CodeType

ALTERNATIVES = re.compile(r"\[([^\]]*)\]")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"(\w+)(:=|=:|=)(\S+)")
_STEP = re.compile(r"=(~?)\s*(?:\[([^\]]*)\])?\s*(\w+) = (.*?) \| (.*)")


@dataclass(frozen=True)
class Number:
    """A number of a template: `choices` to draw from, or `formula`; `shown` tells whether the text has it."""

    name: str
    choices: tuple[int, ...] = ()
    formula: CodeType | None = None
    shown: bool = True
    is_range: bool = True


@dataclass(frozen=True)
class Clause:
    """One told sentence and the items of the key points that it holds (none for a mere setting)."""

    text: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One step of the solution: `name = expression`, told by `text`, taken when `condition` holds."""

    name: str
    expression: str
    code: CodeType
    text: str
    condition: CodeType | None
    exact: bool


@dataclass(frozen=True)
class Template:
    """One kind of problem; `slots` maps a slot to its class of words."""

    key: str
    scene: str
    slots: dict[str, str]
    new: bool
    numbers: tuple[Number, ...]
    conditions: tuple[CodeType, ...]
    clauses: tuple[Clause, ...]
    question: str
    core_question: str
    steps: tuple[Step, ...]
    program: tuple[str, ...]

    def texts(self) -> list[str]:
        """Return every text with placeholders that a problem may show."""
        clauses = [text for clause in self.clauses for text in (clause.text, *clause.items)]
        return [*clauses, self.question, self.core_question, *(step.text for step in self.steps)]


def read_templates(text: str) -> list[Template]:
    """Return the templates of a text of blocks; ValueError names the block that cannot be read."""
    templates = []
    for block in text.strip().split("\n\n"):
        try:
            templates.append(_read(block.splitlines()))
        except (ValueError, IndexError, AttributeError, SyntaxError) as error:
            raise ValueError(f"template {block.splitlines()[0]!r}: {error}") from error
    return templates


def _read(lines: list[str]) -> Template:
    by_mark: dict[str, list[str]] = {mark: [] for mark in "@#:-+?=>"}
    clauses = []
    for line in lines:
        by_mark[line[0]].append(line)
        if line[0] in "+-":
            clauses.append(_clause(line))
    key, scene, *rest = by_mark["@"][0][1:].split()
    question, core = ([*by_mark["?"][0][1:].split("|"), ""])[:2]
    return Template(
        key=key,
        scene=scene,
        slots=dict(word.split(":") for word in rest if ":" in word),
        new="new" in rest,
        numbers=_numbers(by_mark["#"][0][1:]),
        conditions=tuple(_compile(line[1:]) for line in by_mark[":"]),
        clauses=tuple(clauses),
        question=question.strip(),
        core_question=core.strip() or question.strip(),
        steps=tuple(_step(line) for line in by_mark["="]),
        program=tuple(line[2:] for line in by_mark[">"]),
    )


def _clause(line: str) -> Clause:
    told, _, items = line[1:].partition("|")
    if line[0] == "-":
        return Clause(told.strip(), ())
    return Clause(told.strip(), tuple(item.strip() for item in (items or told).split("&")))


def _numbers(text: str) -> tuple[Number, ...]:
    """Read the numbers of a `#` line; drawn ones first, computed ones after those that they need."""
    drawn, computed = [], []
    for name, sign, value in _NUMBER.findall(text):
        if sign == "=:":
            computed.append((name, value))
        elif ".." in value:
            low, high = map(int, value.split(".."))
            drawn.append(Number(name, tuple(range(low, high + 1)), shown=sign == "="))
        else:
            choices = tuple(map(int, value.split("|")))
            drawn.append(Number(name, choices, shown=sign == "=", is_range=False))
    known = {number.name for number in drawn}
    ordered = []
    while computed:
        ready = [(name, formula) for name, formula in computed if names_in(formula) <= known]
        if not ready:
            raise ValueError(f"cannot compute {computed}")
        for name, formula in ready:
            ordered.append(Number(name, formula=_compile(formula)))
            known.add(name)
            computed.remove((name, formula))
    return (*drawn, *ordered)


def _step(line: str) -> Step:
    inexact, condition, name, expression, text = _STEP.fullmatch(line).groups()  # type: ignore[union-attr]
    # "/" in the notation is a division without a rest; programs say it with "//"
    expression = re.sub(r"(?<!/)/(?!/)", "//", expression)
    return Step(name, expression, _compile(expression), text.strip(),
                _compile(condition) if condition else None, not inexact)  # fmt: skip


def _compile(expression: str) -> CodeType:
    return compile(expression.strip(), "<template>", "eval")


def names_in(expression: str) -> set[str]:
    """Return the variables of an expression."""
    return {node.id for node in ast.walk(ast.parse(expression.strip())) if isinstance(node, ast.Name)}
