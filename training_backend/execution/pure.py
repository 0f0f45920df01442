"""The programs that may share a process: those that provably reach nothing that outlives them.

A program is pure when its whole tree is of the kinds below: arithmetic, containers, loops, functions, `print`
and `math`. It cannot set an attribute, name a special method, import anything but `math`, or use a builtin
that gives access to more, so all it can change are its own names, which nobody else sees. Whatever this
check does not know runs alone. Called in the child only: it parses.

Nothing that is pure is refused by the policy (`policy.py`), so a pure program is not read for that again.
"""

from __future__ import annotations

import ast
import builtins
import math
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training_backend.execution.given import GIVEN

# The kinds of a pure tree. What holds them is walked, so whatever a later Python adds to one is looked at.
_KINDS = (
    ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Name, ast.Constant, ast.BinOp,
    ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.keyword, ast.IfExp, ast.If, ast.For, ast.While,
    ast.Break, ast.Continue, ast.Pass, ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return,
    ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    ast.comprehension, ast.Subscript, ast.Slice, ast.Starred, ast.Attribute, ast.JoinedStr,
    ast.FormattedValue, ast.Assert, ast.Raise, ast.Try, ast.ExceptHandler, ast.Import, ast.ImportFrom,
    ast.NamedExpr, ast.Delete,
)  # fmt: skip
# fields that hold words and numbers, or operators and whether a name is read or bound, which are all allowed
_WORDS = frozenset([
    "ctx", "op", "ops", "id", "attr", "kind", "conversion", "is_async", "simple", "type_comment",
    "type_ignores", "module", "level", "name", "arg",
])  # fmt: skip
# looked at as a whole (`_import_is_pure`)
_ALIASES = "names"
_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name not in _WORDS and name != _ALIASES) for kind in _KINDS
}
# the value of a constant is no node; an optional field may hold nothing
_FIELDS |= {ast.Constant: (), type(None): ()}
_BUILTINS = frozenset([
    "abs", "all", "any", "bin", "bool", "chr", "complex", "dict", "divmod", "enumerate", "filter", "float",
    "format", "frozenset", "hex", "int", "isinstance", "len", "list", "map", "max", "min", "next", "oct",
    "ord", "pow", "print", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum",
    "tuple", "zip", "ArithmeticError", "AssertionError", "IndexError", "KeyError", "LookupError",
    "NameError", "OverflowError", "StopIteration", "TypeError", "ValueError", "ZeroDivisionError",
])  # fmt: skip
# what a handler may name: an exception that does not depend on what ran before in the process
_CAUGHT = frozenset(
    ["ArithmeticError", "AssertionError", "IndexError", "KeyError", "LookupError", "NameError",
     "OverflowError", "StopIteration", "TypeError", "ValueError", "ZeroDivisionError"]
)  # fmt: skip
# methods of strings, containers and numbers that read or change only their owner
_METHODS = frozenset([
    "append", "extend", "insert", "remove", "pop", "clear", "index", "count", "sort", "reverse", "copy",
    "add", "discard", "update", "union", "intersection", "difference", "symmetric_difference", "issubset",
    "issuperset", "get", "items", "keys", "values", "setdefault", "popitem", "lower", "upper", "title",
    "capitalize", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "join", "replace",
    "startswith", "endswith", "find", "rfind", "isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal",
    "isspace", "isupper", "islower", "zfill", "center", "ljust", "rjust", "partition", "is_integer",
    "bit_length", "numerator", "denominator", "real", "imag", "conjugate",
])  # fmt: skip
_MATH = frozenset(name for name in vars(math) if not name.startswith("_"))
# libraries whose import may be left out when their name is never read: all are loaded in other launchers
_IDLE = frozenset(["numpy", "sympy", "datetime", "random", "decimal", "fractions", "itertools", "collections",
                   "functools", "statistics", "operator", "re", "time", "typing"])  # fmt: skip
# names that surely are there, of libraries that the light launcher has not loaded
_SURE = {
    "sympy": frozenset([
        "Eq", "Float", "Integer", "Poly", "Rational", "Symbol", "ceiling", "cos", "diff", "expand", "factor",
        "floor", "integrate", "log", "nsolve", "pi", "simplify", "sin", "solve", "solveset", "sqrt",
        "symbols", "sympify",
    ]),
    "numpy": frozenset([
        "arange", "array", "ceil", "cumsum", "floor", "linspace", "max", "mean", "median", "min", "prod",
        "round", "sqrt", "std", "sum", "zeros",
    ]),
}  # fmt: skip
_ANSWERS = frozenset(["ans", "answer", "result"])
# what a program gets without an import, and only where those libraries are loaded
_GIVEN_BY_OTHERS = frozenset(name for name, (module, _) in GIVEN.items() if module != "math")
_OWN_NAMES = frozenset(["__name__"])


@dataclass
class _Seen:
    """What one walk over a tree found that is judged when all names are known."""

    read: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    attributes: list[ast.Attribute] = field(default_factory=list)


def pure_tree(source: str) -> tuple[ast.Module, set[str]] | None:
    """Return the tree of a pure program without its idle imports, or None when it must run alone.

    Beside it the names of GIVEN that it reads and binds nowhere. SyntaxError and its like are left to the
    caller; a text that does not parse is not pure.
    """
    tree = ast.parse(source, "<program>")
    seen = _Seen()
    if not _walk(tree, seen):
        return None
    names = seen.read | seen.bound
    if (seen.read & _GIVEN_BY_OTHERS) - seen.bound or not all(map(_name_is_pure, names)):
        return None
    if not all(_import_is_pure(node, alias, seen) for node in seen.imports for alias in node.names):
        return None
    math_names = {"math"} | {
        alias.asname or alias.name
        for node in seen.imports
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "math"
    }
    if not all(_attribute_is_pure(node, math_names) for node in seen.attributes):
        return None
    imported = {alias.asname or alias.name for node in seen.imports for alias in node.names}
    for node in seen.imports:
        _leave_out(node)
    return tree, (seen.read & GIVEN.keys()) - seen.bound - imported


def _walk(tree: ast.AST, seen: _Seen) -> bool:
    """Look at every node; tell whether all are of the kinds above and pure by themselves."""
    read, bound = seen.read, seen.bound
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is ast.Name:
            # deleting a name needs it as reading does
            (bound if type(node.ctx) is ast.Store else read).add(node.id)
            continue
        fields = _FIELDS.get(kind)
        if fields is None:
            return False
        check = _CHECKS.get(kind)
        if check is not None and not check(node, seen):
            return False
        for name in fields:
            value = getattr(node, name, None)
            if type(value) is list:
                stack += value
            else:
                stack.append(value)
    return True


def fresh_names() -> dict[str, Any]:
    """Return the global names of one program: builtins of its own, and nothing that was there before."""
    allowed = {name: getattr(builtins, name) for name in _BUILTINS}
    allowed["__import__"] = _import_math
    return {"__name__": "__main__", "__builtins__": allowed}


def _import_math(name: str, *rest: Any, **more: Any) -> types.ModuleType:
    if name != "math":
        raise ImportError(name)
    return math


def _leave_out(node: ast.Import | ast.ImportFrom) -> None:
    """Let an idle import bind its name, which nobody reads, to something of `math`."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            alias.asname = alias.asname or alias.name
            alias.name = "math"
    elif node.module != "math":
        node.module = "math"
        for alias in node.names:
            alias.asname = alias.asname or alias.name
            alias.name = "sqrt"


def _name_is_pure(name: str) -> bool:
    """Tell whether a name is the program's own, or one of the builtins that reach nothing else."""
    if name.startswith("__"):
        return name in _OWN_NAMES
    # `sys` is a matter of the policy
    return name in _BUILTINS or not (name == "sys" or hasattr(builtins, name))


def _attribute_is_read(node: ast.Attribute, seen: _Seen) -> bool:
    if node.attr not in _METHODS:
        seen.attributes.append(node)
    return isinstance(node.ctx, ast.Load)


def _attribute_is_pure(node: ast.Attribute, math_names: set[str]) -> bool:
    """Tell whether an attribute that is no method of a container is one of `math`, or a plain `format`."""
    owner = node.value
    if isinstance(owner, ast.Name) and owner.id in math_names and node.attr in _MATH:
        return True
    # a format string can read attributes, so it must be in sight
    return (
        node.attr == "format"
        and isinstance(owner, ast.Constant)
        and type(owner.value) is str
        and "_" not in owner.value
        and "." not in owner.value.replace(":.", ":")
        and "[" not in owner.value
    )


def _import_is_pure(node: ast.Import | ast.ImportFrom, alias: ast.alias, seen: _Seen) -> bool:
    """Tell whether an import is one of `math`, or of a library whose name is neither read nor bound again."""
    bound = alias.asname or alias.name
    if bound.startswith("__"):
        return False
    idle = bound not in seen.read and bound not in seen.bound
    if isinstance(node, ast.Import):
        return alias.name == "math" or (alias.name in _IDLE and idle)
    if node.level:
        return False
    if node.module == "math":
        return alias.name in _MATH
    return node.module in _IDLE and idle and bound not in _ANSWERS and _is_there(node.module, alias.name)


def _is_there(module: str, name: str) -> bool:
    if name.startswith("_"):
        return False
    return name in _SURE[module] if module in _SURE else hasattr(sys.modules.get(module), name)


def _keep_import(node: ast.Import | ast.ImportFrom, seen: _Seen) -> bool:
    seen.imports.append(node)
    return True


def _function_is_pure(node: ast.FunctionDef, seen: _Seen) -> bool:
    seen.bound.add(node.name)
    return not node.decorator_list and not node.name.startswith("__")


def _parameter_is_pure(node: ast.arg, seen: _Seen) -> bool:
    seen.bound.add(node.arg)
    return not node.arg.startswith("__")


def _handler_is_pure(node: ast.ExceptHandler, seen: _Seen) -> bool:
    if node.name:
        seen.bound.add(node.name)
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return all(isinstance(kind, ast.Name) and kind.id in _CAUGHT for kind in kinds)


def _change_is_pure(node: ast.AugAssign, seen: _Seen) -> bool:
    if isinstance(node.target, ast.Name):
        seen.read.add(node.target.id)
    return True


_CHECKS: dict[type, Callable[[Any, _Seen], bool]] = {
    ast.Attribute: _attribute_is_read,
    ast.FunctionDef: _function_is_pure,
    ast.arg: _parameter_is_pure,
    ast.keyword: lambda node, seen: node.arg is None or not node.arg.startswith("__"),
    ast.Import: _keep_import,
    ast.ImportFrom: _keep_import,
    ast.ExceptHandler: _handler_is_pure,
    ast.AugAssign: _change_is_pure,
    ast.Delete: lambda node, seen: all(isinstance(target, ast.Name) for target in node.targets),
}
