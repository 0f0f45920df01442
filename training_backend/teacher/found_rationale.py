"""The rationale in a part of a reply: the chain of thought, the program, the equations, without the rest."""

from __future__ import annotations

import ast
import builtins
import functools
import re
import warnings
from collections.abc import Iterator, Sequence

from training_backend.execution.child import ANSWER_FUNCTIONS, ANSWER_NAMES
from training_backend.execution.given import GIVEN
from training_backend.rationale.answers import read_answer
from training_backend.rationale.equations import ANSWER, EquationError, names_in, parse
from training_backend.teacher.reply_text import PYTHON, Line, chatter_cut, lines_of

Found = tuple[str | None, str]  # (the rationale or None, problem)

_MAX_PROGRAM_CHARS = 20_000
_MOST_CUTS = 10
_CODE = re.compile(
    r"\s*(?:import |from \w|def |class |for |if |while |with |try:|#|\"\"\"|'''|@|print\("
    r"|\w+(?:, *\w+)* *[-+*/]?=)"
)
_SURELY_CODE = re.compile(r"[=(]|^\s*(?:import|def|class)\b|\bimport\b")
_BOLD = re.compile(r"(?<![\w)*])\*\*(?=\S)([^*\n]+)(?<=\S)\*\*(?![\w(*])")
# "Let b = the number of bulbs", "So the answer is ans = 42 bulbs."
_SENTENCE = re.compile(r"[A-Z][a-z]*,? [A-Za-z]")
_MARKED = re.compile(r"^\s*(?:[-*•]\s+|\(?\d{1,3}[.)]\s+)")


def find_chain(text: str) -> Found:
    """Return the chain of thought of a text; a problem when it states no number."""
    lines = chatter_cut(list(lines_of(text)))
    chain = _BOLD.sub(r"\1", "\n".join(line.text for line in lines)).strip()
    if not chain:
        return None, "The reply holds no chain of thought."
    if read_answer(chain) is None:
        return None, "The chain of thought states no number."
    return chain, ""


def find_program(text: str) -> Found:
    """Return the program of a text; a problem when it is no Python or stores no answer.

    The answer is what the sandbox takes for it: `ans`, `answer`, `result`, or what `solution()` returns. Of
    several programs the last that stands alone counts; pieces of one are joined.
    """
    lines = list(lines_of(text))
    blocks = [block for block in _blocks(lines) if _tree(block) is not None]
    if any(line.fence is not None for line in lines) and blocks:
        whole = [block for block in blocks if _answers(block) and not _unbound(block)]
        joined = "\n".join(blocks)
        program = whole[-1] if whole else joined if _answers(joined) else blocks[0]
    else:
        program = _without_prose([line.text for line in lines])
    program = program.strip("\n").rstrip()
    if not program.strip():
        return None, "The reply holds no program."
    if problem := _no_python(program):
        return None, problem
    if not _answers(program):
        return None, f"The program stores no answer ({', '.join(ANSWER_NAMES)} or solution())."
    return program, ""


def find_equations(text: str) -> Found:
    """Return the equations of a text; a problem when a line is none or none says what `ans` is."""
    lines = list(lines_of(text))
    fenced = [line for line in lines if line.fence is not None]
    written = [line.text for line in (fenced if any(line.text.strip() for line in fenced) else lines)]
    marked = [line for line in written if line.strip() and line.lstrip()[0] not in "%#"]
    if marked and all(map(_MARKED.match, marked)):
        written = [_MARKED.sub("", line, count=1) for line in written]
    written = [line.strip().strip("`$").rstrip() for line in written]
    equations = "\n".join(_without_words(written)).strip()
    if not equations:
        return None, "The reply holds no equations."
    try:
        system = parse(equations)
    except EquationError as error:
        return None, f"The equations cannot be read: {error}."
    sides = [side for equation in system.equations for side in (equation.left, equation.right)]
    if not any(ANSWER in names_in(side) for side in sides):
        return None, f"No equation says what {ANSWER} is."
    return equations, ""


def _blocks(lines: Sequence[Line]) -> list[str]:
    """Return the fenced blocks of Python; of those without a language only when there is none with it."""
    blocks: dict[int, list[Line]] = {}
    for line in lines:
        if line.block:
            blocks.setdefault(line.block, []).append(line)
    named = [block for block in blocks.values() if block[0].fence in PYTHON]
    return ["\n".join(line.text for line in block) for block in named or blocks.values()]


def _without_prose(lines: list[str]) -> str:
    """Return the lines that are Python, without sentences before and after them."""
    first = next((number for number, line in enumerate(lines) if _CODE.match(line)), 0)
    last = len(lines)
    for _ in range(_MOST_CUTS):
        wrong = _wrong_line("\n".join(lines[first:last]))
        if not wrong:
            break
        cut = first + wrong - 1
        if _answers("\n".join(lines[first:cut])):
            last = cut
            break
        later = (number for number in range(cut + 1, last) if _CODE.match(lines[number]))
        begins = next(later, None)
        # "For each box, we have:" looks like a loop; nothing else that looks like code is dropped
        if begins is None or any(map(_SURELY_CODE.search, lines[first : cut + 1])):
            break
        first = begins
    return "\n".join(lines[first:last])


def _without_words(lines: list[str]) -> list[str]:
    """Return the lines from the first equation to the last, with the comments above the first."""
    meant = [number for number, line in enumerate(lines) if _is_meant(line)]
    if not meant:
        return lines
    first = meant[0]
    while first and lines[first - 1][:1] in ("%", "#"):
        first -= 1
    return lines[first : meant[-1] + 1]


def _is_meant(line: str) -> bool:
    """Tell whether a line is an equation or is meant as one: it has an `=` and is no sentence."""
    try:
        parse(line)
    except EquationError:
        return "=" in line and line[:1] not in ("%", "#") and not _SENTENCE.match(line)
    return True


def _answers(program: str) -> bool:
    """Tell whether a program gives a value to a name, or writes a function, that the sandbox looks for."""
    tree = _tree(program)
    return tree is not None and any(map(_gives_answer, _top_level(tree)))


def _gives_answer(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef):
        required = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
        return node.name in ANSWER_FUNCTIONS and required <= 0
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in ANSWER_NAMES


def _top_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a program that do not lie inside a function or a class."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
        # `global ans` in a function
        elif isinstance(node, ast.FunctionDef):
            shared = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
            yield from (ast.Name(name, ast.Store()) for name in shared)


def _unbound(program: str) -> set[str]:
    """Return the names that a program reads and nowhere writes: another block writes them."""
    tree = _tree(program)
    if tree is None:
        return set()
    read: set[str] = set()
    written = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else written).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            written.add(node.name)
        elif isinstance(node, ast.arg):
            written.add(node.arg)
        elif isinstance(node, ast.alias):
            written.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            written.add(node.name)
    return read - written - GIVEN.keys()


def _wrong_line(program: str) -> int:
    """Return the line at which a text stops to be Python, 0 when it is."""
    error = _parse_error(program)
    return 0 if error is None else min(max(getattr(error, "lineno", 0) or 1, 1), program.count("\n") + 1)


def _no_python(program: str) -> str:
    error = _parse_error(program)
    if error is None:
        return ""
    if isinstance(error, SyntaxError):
        return f"The program is no Python: {error.msg} (line {error.lineno})."
    return "The program is no Python: it is too long or too deeply nested."


def _tree(program: str) -> ast.Module | None:
    return None if _parse_error(program) else _parsed(program)


@functools.lru_cache(maxsize=64)
def _parse_error(program: str) -> Exception | None:
    try:
        _parsed(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error.with_traceback(None)
    return None


def _parsed(program: str) -> ast.Module:
    if len(program) > _MAX_PROGRAM_CHARS:
        raise ValueError("too long")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(program)
