"""Which tests of a program decide about which lines: the blocks of `if`, `while`, `for`, `try` and `match`.

Read from the indents and first words that the scanner (`program_lines`) found, in linear time, on any text.
A test decides about the lines of its block, about the branches that follow it (`elif`, `else`), and, where
its block can end a loop or the function early, about what comes after. It decides also when its block does
not run: `names` of a fork are what any of its branches can bind.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from training_backend.execution.program_lines import Program, Statement

_LOOPS = ("for", "while")
_FIRST = (*_LOOPS, "if", "match", "case", "try")
_ANEW = ("def", "class")
_NEXT = ("elif", "else", "except", "finally", "case")


@dataclass
class Fork:
    """A statement with a test and all its branches: `if … elif … else`, a loop, `try … except`, the cases.

    `names` is what its branches can bind, `loops` are the lines of the loops that they can end early,
    `leaves` tells that they can leave the function. `opened` is its last test.
    """

    opened: int
    names: set[str] = field(default_factory=set)
    loops: set[int] = field(default_factory=set)
    leaves: bool = False


@dataclass(frozen=True)
class Place:
    """Where a line stands: the lines whose tests decide whether it is reached, and about what it binds.

    They are two where a block stands on the line of its head, `if a > b: c = 1`. `fork` is set where the line
    has a test of its own, or is a `try`: that one decides once an exception has been raised (`tries`).
    """

    before: int | None
    inside: int | None
    fork: Fork | None = None
    tries: bool = False


@dataclass
class _Block:
    """An open block: its indent, the test that decides about its lines, the loop or function it is."""

    indent: int
    test: int | None
    fork: Fork | None
    word: str
    line: int


def read_blocks(program: Program) -> dict[int, Place]:
    """Return where each logical line stands, by its first line; never fails, whatever the text was."""
    places: dict[int, Place] = {}
    opened: list[_Block] = []
    for line, statements in program.statements.items():
        head, indent = statements[0], program.indents[line]
        closed: _Block | None = None
        while not head.only_text and opened and opened[-1].indent >= indent:
            closed = opened.pop()
        around = opened[-1].test if opened else None
        if head.head:
            same = closed if closed is not None and closed.indent == indent else None
            block, before, fork = _opening(line, head.word, indent, around, same)
            opened.append(block)
            inside = block.test if len(statements) > 1 else before
            places[line] = Place(before, inside, fork, head.word == "try")
        else:
            places[line] = Place(around, around)
        _note(statements, opened)
    return places


def _opening(
    line: int, word: str, indent: int, around: int | None, same: _Block | None
) -> tuple[_Block, int | None, Fork | None]:
    """Return the block that a head opens, the test that decides about the head, and the fork of its test.

    `same` is the block that ended at this indent: an `else` belongs to it.
    """
    if (
        same is not None
        and same.fork is not None
        and word in _NEXT
        and (word != "case" or same.word == "case")
    ):
        fork, before = same.fork, same.fork.opened
        if word in ("elif", "case"):
            fork.opened = line
            return _Block(indent, line, fork, word, line), before, fork
        return _Block(indent, around if word == "finally" else before, fork, word, line), before, None
    if word in _FIRST:
        fork = Fork(line)
        return _Block(indent, line, fork, word, line), around, fork
    # a function or a class begins anew; `with` decides nothing
    return _Block(indent, None if word in _ANEW else around, None, word, line), around, None


def _note(statements: list[Statement], opened: list[_Block]) -> None:
    """Enter what a line binds and where it jumps into the forks around it, up to its function."""
    names = {bind.name for made in statements for bind in made.binds}
    # `many.append(x)`, `show(many)`: a statement that is no assignment may change what it reads
    names |= {name for made in statements if not made.binds and not made.head for name in made.all.names}
    words = {made.word for made in statements}
    leaves, ends = bool(words & {"return", "raise"}), bool(words & {"break", "continue"})
    between: list[Fork] = []
    for block in reversed(opened):
        if block.word in _ANEW:
            break
        if block.fork is None:
            continue
        block.fork.names |= names
        block.fork.leaves |= leaves
        if ends and block.word in _LOOPS:
            for fork in between:
                fork.loops.add(block.line)
            ends = False
        between.append(block.fork)
