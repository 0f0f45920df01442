"""What each statement of a program reads and binds, found by a scanner in linear time.

Untrusted text is never given to Python's parser in this process: nested source can take all memory or end
the interpreter (`execution/child.py` parses, behind its limits). The scanner knows strings, comments,
brackets and line joins, nothing deeper; it needs no more, because a trace says what really happened.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise

from training_backend.execution.program_tokens import Token, logical_lines

MAX_LITERALS = 2000
_MAX_READS = 400
# of one expression; what is past them counts as plain reading
_MAX_CALLS = 200
_MAX_NESTING = 60
_MAX_STATEMENTS = 200
_UPDATES = frozenset({"+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "&=", "|=", "^=", ">>=", "<<="})
_HEADS = frozenset({"for", "if", "elif", "while", "with", "def", "class", "else", "try", "except", "finally",
                    "async", "match", "case"})  # fmt: skip
_IN_BRACES = re.compile(r"\{\s*([^\W\d]\w*)")


@dataclass(frozen=True)
class Literal:
    """A number in a program: line from 1, columns from 0; `beside`: names and comment of the line."""

    line: int
    start: int
    end: int
    value: float
    decimals: int
    beside: str


@dataclass
class Reads:
    """What an expression reads: names, literals (by index), and calls by name with their arguments."""

    names: list[str] = field(default_factory=list)
    literals: int = 0
    calls: list[Call] = field(default_factory=list)


@dataclass
class Call:
    """A call in an expression: the name before its bracket, the arguments in place and by keyword."""

    name: str
    arguments: list[Reads] = field(default_factory=list)
    keywords: dict[str, Reads] = field(default_factory=dict)


@dataclass
class Binding:
    """One name and what its new value is read from; `one_of` for the name of a loop: one value of many."""

    name: str
    reads: Reads
    one_of: bool = False


@dataclass
class Statement:
    """One simple statement, or the head of a compound one.

    `binds` in order; `all` is everything the statement reads; `certain` tells that it always binds;
    `defines` is the function of a `def`, with its parameters in `parameters`. `word` is the first word
    (without `async`), `head` tells that a colon follows, as after `if a > b`.
    """

    binds: list[Binding] = field(default_factory=list)
    all: Reads = field(default_factory=Reads)
    certain: bool = True
    defines: str = ""
    parameters: dict[str, Reads] = field(default_factory=dict)
    starred: set[str] = field(default_factory=set)
    only_text: bool = False
    word: str = ""
    head: bool = False


@dataclass
class Program:
    """The statements and the indent (in letters) of each logical line, and every literal in order."""

    literals: list[Literal] = field(default_factory=list)
    statements: dict[int, list[Statement]] = field(default_factory=dict)
    indents: dict[int, int] = field(default_factory=dict)
    first_line: dict[int, int] = field(default_factory=dict)
    following: dict[int, int | None] = field(default_factory=dict)

    def at(self, line: int | None) -> list[Statement]:
        """Return the statements of the logical line that a line belongs to."""
        return self.statements.get(self.first_line.get(line or 0, 0), [])

    def after(self, line: int) -> int | None:
        """Return the first line of the next logical line that is more than a text."""
        return self.following.get(self.first_line.get(line, line))


def read_program(source: str) -> Program:
    """Read a program; never fails, whatever the text is."""
    program = Program()
    for tokens, comment in logical_lines(source):
        first, last = tokens[0].line, tokens[-1].line
        for line in range(first, last + 1):
            program.first_line.setdefault(line, first)
        statements = islice(_statements(tokens, comment, program.literals), _MAX_STATEMENTS)
        program.statements[first] = list(statements) or [Statement(only_text=True)]
        program.indents[first] = tokens[0].start
    following = None
    for first in reversed(program.statements):
        program.following[first] = following
        following = following if program.statements[first][0].only_text else first
    return program


def _statements(tokens: list[Token], comment: str, literals: list[Literal]) -> Iterator[Statement]:
    """Cut a logical line at `;` and after the colon of a compound head, and read each part."""
    beside = " ".join([comment, *(token.text for token in tokens if token.kind == "name")])[:2000]
    compound = tokens[0].text in _HEADS
    base = tokens[0].depth
    parts: list[list[Token]] = [[]]
    heads: set[int] = set()
    lambdas = 0
    for token in tokens:
        here = token.depth == base
        lambdas += here and token.text == "lambda"
        if here and token.text == ":" and lambdas:
            lambdas -= 1
        elif here and (
            token.text == ";" or (token.text == ":" and parts[-1] and parts[-1][0].text in _HEADS)
        ):
            if token.text == ":":
                heads.add(len(parts) - 1)
            parts.append([])
            lambdas = 0
            continue
        parts[-1].append(token)
    for number, part in enumerate(parts):
        if part:
            statement = _statement(part, beside, literals)
            statement.certain, statement.head = not compound, number in heads
            yield statement


def _statement(tokens: list[Token], beside: str, literals: list[Literal]) -> Statement:
    made = Statement(only_text=all(token.kind == "string" for token in tokens))
    word = tokens[0].text
    if word == "async":
        tokens = tokens[1:] or tokens
        word = tokens[0].text
    made.word = word
    if word == "def" and len(tokens) > 2:
        made.defines = tokens[1].text
        made.parameters = _parameters(tokens[3:-1], beside, literals)
        made.starred = {two.text for one, two in pairwise(tokens) if one.text in ("*", "**")}
        return made
    if word == "for":
        cut = next(
            (i for i, t in enumerate(tokens) if t.text == "in" and t.depth == tokens[0].depth), len(tokens)
        )
        made.all = _reads(tokens[cut + 1 :], beside, literals)
        made.binds = [Binding(name, made.all, one_of=True) for name in _targets(tokens[1:cut])]
        return made
    if word in ("import", "from", "global", "nonlocal"):
        return made
    made.binds, made.all = _assignment(tokens, beside, literals)
    for place, token in enumerate(tokens[:-1]):
        if tokens[place + 1].text in (":=",) or (token.text == "as" and tokens[place + 1].kind == "name"):
            name = token.text if tokens[place + 1].text == ":=" else tokens[place + 1].text
            made.binds.append(Binding(name, made.all))
    return made


def _assignment(tokens: list[Token], beside: str, literals: list[Literal]) -> tuple[list[Binding], Reads]:
    base = tokens[0].depth
    cuts = [i for i, t in enumerate(tokens) if t.kind == "op" and t.depth == base
            and (t.text == "=" or t.text in _UPDATES)]  # fmt: skip
    if not cuts:
        return [], _reads(tokens, beside, literals)
    right = tokens[cuts[-1] + 1 :]
    pieces = _split(right)
    target_groups = [
        tokens[start:end] for start, end in zip([0, *(c + 1 for c in cuts[:-1])], cuts, strict=True)
    ]
    split_groups = [_split(_without_annotation(group)) for group in target_groups]
    together = (
        any(len(group) != len(pieces) or _has_star(group) for group in split_groups) or len(pieces) == 1
    )
    read = [_reads(piece, beside, literals) for piece in pieces]
    everything = _merged(read)
    update = tokens[cuts[-1]].text in _UPDATES
    bound: list[Binding] = []
    for group in split_groups:
        for number, target in enumerate(group):
            from_here = everything if together or number >= len(read) else read[number]
            inside = _reads(target, beside, literals)
            for name in _targets(target):
                # `x += 1`, `d["a"] = 3`, `p.x = 3` keep what was there
                keeps = update or (len(target) > 1 and target[0].text == name)
                extra = Reads([name], inside.literals, inside.calls) if keeps else Reads()
                bound.append(Binding(name, _merged([from_here, extra]) if keeps else from_here))
    return bound, everything


def _has_star(group: list[list[Token]]) -> bool:
    return any(target and target[0].text == "*" for target in group)


def _without_annotation(tokens: list[Token]) -> list[Token]:
    base = tokens[0].depth if tokens else 0
    cut = next((i for i, t in enumerate(tokens) if t.text == ":" and t.depth == base), len(tokens))
    return tokens[:cut]


def _split(tokens: list[Token]) -> list[list[Token]]:
    """Cut at the commas that stand outside of all brackets, a pair of brackets around everything left out."""
    if len(tokens) > 2 and tokens[0].text in ("(", "[") and tokens[-1].text in (")", "]"):
        inner = tokens[1:-1]
        if all(token.depth > tokens[0].depth for token in inner) and any(t.text == "," for t in inner):
            tokens = inner
    if not tokens:
        return []
    base = tokens[0].depth
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == "," and token.depth == base:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [piece for piece in pieces if piece]


def _targets(tokens: list[Token]) -> list[str]:
    """Return the names that a target binds: `a`, `a, (b, c)`, the owner in `d[0]` and `p.x`."""
    names: list[str] = []
    index_depth: int | None = None
    for place, token in enumerate(tokens):
        if index_depth is not None:
            index_depth = None if token.depth <= index_depth else index_depth
            continue
        before = tokens[place - 1] if place else None
        if token.text in ("(", "[") and before and (before.kind == "name" or before.text in (")", "]")):
            # an index or a call: nothing inside is bound
            index_depth = token.depth
        elif token.kind == "name" and not keyword.iskeyword(token.text) and (
            before is None or before.text in (",", "(", "[", "*")
        ):  # fmt: skip
            names.append(token.text)
    return names


def _parameters(tokens: list[Token], beside: str, literals: list[Literal]) -> dict[str, Reads]:
    """Return the parameters of a `def` in order, each with what its default reads."""
    found: dict[str, Reads] = {}
    if not tokens:
        return found
    inner = tokens[0].depth
    inside = [token for token in tokens if token.depth >= inner]
    for piece in _split_flat(inside, inner):
        names = [token.text for token in piece if token.kind == "name"]
        cut = next((i for i, t in enumerate(piece) if t.text == "=" and t.depth == inner), len(piece))
        if names:
            found[names[0]] = _reads(piece[cut + 1 :], beside, literals)
    return found


def _split_flat(tokens: list[Token], depth: int) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == "," and token.depth == depth:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [piece for piece in pieces if piece]


def _merged(parts: list[Reads]) -> Reads:
    made = Reads()
    for part in parts:
        made.names += [name for name in part.names if name not in made.names][:_MAX_READS]
        made.literals |= part.literals
        made.calls += part.calls
    return made


def _reads(tokens: list[Token], beside: str, literals: list[Literal]) -> Reads:
    """Read an expression. Arguments of a call by name are kept apart; the nesting is followed by a stack."""
    made = Reads()
    # (depth of the opening bracket, the call, where its values go)
    stack: list[tuple[int, Call, Reads]] = []
    opening: Call | None = None
    calls = 0
    for place, token in enumerate(tokens):
        while stack and token.depth <= stack[-1][0]:
            stack.pop()
        here = stack[-1][2] if stack else made
        following = tokens[place + 1].text if place + 1 < len(tokens) else ""
        before = tokens[place - 1].text if place else ""
        if token.kind == "number":
            here.literals |= _literal(token, beside, literals)
        elif opening is not None and token.text == "(":
            stack.append((token.depth, opening, opening.arguments[0]))
            opening = None
        elif token.kind == "string" and token.text[:2].lower().strip("r'\"").startswith("f"):
            here.names += _IN_BRACES.findall(token.text)[:20]
        elif token.text == "," and stack and token.depth == stack[-1][0] + 1:
            depth, call, _ = stack.pop()
            call.arguments.append(Reads())
            stack.append((depth, call, call.arguments[-1]))
        elif token.kind == "name" and not keyword.iskeyword(token.text):
            if following == "(" and len(stack) < _MAX_NESTING and calls < _MAX_CALLS:
                calls += 1
                call = Call(token.text, [Reads()])
                here.calls.append(call)
                opening = call
            elif following == "=" and stack and token.depth == stack[-1][0] + 1:
                depth, call, _ = stack.pop()
                call.arguments.pop()
                stack.append((depth, call, call.keywords.setdefault(token.text, Reads())))
            elif before != "." and token.text not in here.names and len(here.names) < _MAX_READS:
                here.names.append(token.text)
    return made


def _literal(token: Token, beside: str, literals: list[Literal]) -> int:
    """Remember a literal; return its bit."""
    known = literals[-40:]
    for back, literal in enumerate(reversed(known), 1):
        if (literal.line, literal.start) == (token.line, token.start):
            return 1 << (len(literals) - back)
    if len(literals) >= MAX_LITERALS or token.text[-1] in "jJ":
        return 0
    digits = token.text.replace("_", "")
    try:
        value = float(int(digits, 0)) if digits[:2].lower() in ("0x", "0o", "0b") else float(digits[:400])
    except (ValueError, OverflowError):
        return 0
    decimals = len(digits.partition(".")[2])
    literals.append(Literal(token.line, token.start, token.end, value, decimals, beside))
    return 1 << (len(literals) - 1)
