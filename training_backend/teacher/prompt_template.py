"""Prompt templates: a small part of Jinja2 in its sandbox, strict about names, bounded in time and length.

What a template may hold: variables, `if`, `for`, comparisons, and the filters of FILTERS. There are no calls,
assignments, macros or includes, and sums are of numbers only, so that no text can grow by doubling; the
steps of all loops together and the length of what comes out are counted.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from training_backend.errors import ConfigError

MAX_TEMPLATE_CHARS = 50_000
MAX_STEPS = 10_000  # of all loops of a template together
MAX_TEXT_CHARS = 400_000
FILTERS = ("trim", "lower", "upper", "capitalize", "length", "first", "last", "default", "join")

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple,
    nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Test, nodes.Filter, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Add, nodes.Sub, nodes.Neg,
)  # fmt: skip
_WORDS = {
    nodes.Call: "a call", nodes.Assign: "set", nodes.AssignBlock: "set", nodes.With: "with",
    nodes.Macro: "a macro", nodes.Include: "include", nodes.Import: "import", nodes.Extends: "extends",
    nodes.Block: "a block", nodes.Concat: "the sign ~", nodes.Mul: "the sign *", nodes.Pow: "the sign **",
    nodes.Scope: "autoescape",
    nodes.Div: "the sign /", nodes.FloorDiv: "the sign //", nodes.Mod: "the sign %",
}  # fmt: skip
_COUNTED = "steps counted"
_STEPS = "steps left"
# what an expression can do wrong with the values it meets
_FAULTS = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError, MemoryError)


class _Environment(SandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add and subtract numbers; anything else would grow."""
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"only numbers can stand beside the sign {operator}")
        return super().call_binop(context, operator, left, right)


def render(template: str, variables: Mapping[str, Any], where: str) -> str:
    """Return the text of a template, without white space at its ends.

    ConfigError says what is wrong (an unknown variable by its name) and in which line of `where`.
    """
    compiled, _ = _looked_through(template, variables, where)
    pieces: list[str] = []
    length = 0
    try:
        for piece in compiled.generate({**variables, _STEPS: [MAX_STEPS]}):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_TEXT_CHARS:
                raise SecurityError(f"the text becomes longer than {MAX_TEXT_CHARS:,} characters")
    except _FAULTS as error:
        message = f"The template cannot be filled in: {error}."
        raise ConfigError(message, where=_place(where, _line_of(error))) from error
    return "".join(pieces).strip()


def names_in(template: str, variables: Iterable[str], where: str) -> frozenset[str]:
    """Return which variables a template names; ConfigError as for `render`."""
    return _looked_through(template, variables, where)[1]


class _Wrong(Exception):
    """What is wrong with a template, before any value is known."""

    def __init__(self, message: str, line: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.hint = message, line, hint


def _looked_through(template: str, variables: Iterable[str], where: str) -> tuple[Template, frozenset[str]]:
    try:
        return _compiled(template, tuple(sorted(variables)))
    except _Wrong as wrong:
        raise ConfigError(wrong.message, wrong.hint, where=_place(where, wrong.line)) from None


@functools.lru_cache(maxsize=200)
def _compiled(template: str, names: tuple[str, ...]) -> tuple[Template, frozenset[str]]:
    """Return a template that was looked through, and what it names; `names` is what it may name."""
    if len(template) > MAX_TEMPLATE_CHARS:
        raise _Wrong(f"The template is longer than {MAX_TEMPLATE_CHARS:,} characters.", 1)
    try:
        tree = _environment.parse(template)
        _check(tree, names)
        named = frozenset(meta.find_undeclared_variables(tree))
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
        code = _environment.compile(tree)
    except TemplateSyntaxError as error:
        raise _Wrong(f"The template is not well formed: {error.message}", error.lineno) from None
    except (RecursionError, MemoryError, ValueError, OverflowError, SyntaxError) as error:
        raise _Wrong(f"The template cannot be read: {error}.", 1) from None
    return Template.from_code(_environment, code, _environment.make_globals(None)), named


def _check(tree: nodes.Template, names: tuple[str, ...]) -> None:
    for node in tree.find_all(nodes.Node):
        if what := _refused(node):
            hint = "A template may hold variables, if, for, comparisons and filters."
            raise _Wrong(f"A template cannot hold {what}.", node.lineno, hint)
    # `self` is a name to Jinja2, and no text
    unknown = meta.find_undeclared_variables(tree) - set(names) | {"self"}
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name in unknown:
            hint = f"A template may name: {', '.join(names)}."
            hint += " A gold answer is never sent." * ("gold" in node.name)
            raise _Wrong(f"There is no variable '{node.name}'.", node.lineno, hint)


def _refused(node: nodes.Node) -> str:
    """Return in words what a node is, where a template may not hold it."""
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"the filter '{node.name}' (there are {', '.join(FILTERS)})"
    if isinstance(node, nodes.Getattr) and not (
        isinstance(node.node, nodes.Name) and node.node.name == "loop"
    ):
        return f"'.{node.attr}'"
    if isinstance(node, nodes.For) and node.recursive:
        return "a loop that calls itself"
    if isinstance(node, (*_ALLOWED, nodes.Helper, nodes.Keyword)):
        return ""
    return _WORDS.get(type(node), type(node).__name__.lower())


@pass_context
def _counted(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loop goes over, and end a template whose loops never seem to."""
    left = context.parent[_STEPS]
    for value in values:
        left[0] -= 1
        if left[0] < 0:
            raise SecurityError(f"its loops take more than {MAX_STEPS:,} steps")
        yield value


def _join(values: Iterable[Any], between: str = "") -> str:
    """Join the items of a list; a text is none."""
    if isinstance(values, str):
        raise SecurityError("join is for a list, such as information")
    items = [str(value) for value in values]
    if sum(map(len, items)) + len(items) * len(between) > MAX_TEXT_CHARS:
        raise SecurityError(f"the text becomes longer than {MAX_TEXT_CHARS:,} characters")
    return between.join(items)


def _line_of(error: BaseException) -> int:
    """Return the line of a template that an error came from, 0 where none is known."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _place(where: str, line: int) -> str:
    return f"{where}, line {line}" if line else where


_environment = _Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_environment.globals.clear()
_environment.filters = {name: DEFAULT_FILTERS[name] for name in FILTERS}
_environment.filters |= {"join": _join, _COUNTED: _counted}
