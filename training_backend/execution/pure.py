"""The programs that may share a process: those that provably reach nothing that outlives them.

A program is pure when its whole tree is of the kinds below: arithmetic, containers, loops, functions, `print`
and `math`. It cannot set an attribute, name a special method, import anything but `math`, or use a builtin
that gives access to more, so all it can change are its own names, which nobody else sees. Whatever this
check does not know runs alone. Called in the child only: it parses.
"""

from __future__ import annotations

import ast
import builtins
import math
import types
from typing import Any

from training_backend.execution.given import GIVEN

_NODES = frozenset([
    ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Name, ast.Constant, ast.BinOp,
    ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.keyword, ast.IfExp, ast.If, ast.For, ast.While,
    ast.Break, ast.Continue, ast.Pass, ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return,
    ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    ast.comprehension, ast.Subscript, ast.Slice, ast.Starred, ast.Attribute, ast.JoinedStr,
    ast.FormattedValue, ast.Assert, ast.Raise, ast.Try, ast.ExceptHandler, ast.Import, ast.ImportFrom,
    ast.alias, ast.NamedExpr, ast.Delete,
])  # fmt: skip
# operators, and whether a name is read or bound: all of them
_SIGNS = frozenset(
    kind
    for base in (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
    for kind in base.__subclasses__()
)
# those whose fields matter
_CHECKED = frozenset([
    ast.Name, ast.Attribute, ast.FunctionDef, ast.arg, ast.keyword, ast.Import, ast.ImportFrom,
    ast.ExceptHandler, ast.Delete,
])  # fmt: skip
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
# what a program gets without an import, and only where those libraries are loaded
_GIVEN_BY_OTHERS = frozenset(name for name, (module, _) in GIVEN.items() if module != "math")
_OWN_NAMES = frozenset(["__name__"])


def pure_tree(source: str) -> ast.Module | None:
    """Return the tree of a pure program without its idle imports, or None when it must run alone.

    SyntaxError and its like are left to the caller; a text that does not parse is not pure.
    """
    tree = ast.parse(source, "<program>")
    read: set[str] = set()
    bound: set[str] = set()
    math_names: set[str] = {"math"}
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import):
            math_names |= {alias.asname or alias.name for alias in node.names if alias.name == "math"}
    if (read & _GIVEN_BY_OTHERS) - bound:
        return None
    if not all(_is_pure(node, read, math_names) for node in nodes):
        return None
    if any(type(node) is ast.Import for node in nodes):
        return _WithoutIdleImports(read).visit(tree)
    return tree


def fresh_names() -> dict[str, Any]:
    """Return the global names of one program: builtins of its own, and nothing that was there before."""
    allowed = {name: getattr(builtins, name) for name in _BUILTINS}
    allowed["__import__"] = _import_math
    return {"__name__": "__main__", "__builtins__": allowed}


def _import_math(name: str, *rest: Any, **more: Any) -> types.ModuleType:
    if name != "math":
        raise ImportError(name)
    return math


def _is_pure(node: ast.AST, read: set[str], math_names: set[str]) -> bool:
    kind = type(node)
    if kind in _SIGNS or (kind in _NODES and kind not in _CHECKED):
        return True
    if kind not in _NODES:
        return False
    if isinstance(node, ast.Name):
        return _name_is_pure(node.id)
    if isinstance(node, ast.Attribute):
        return _attribute_is_pure(node, math_names)
    if isinstance(node, ast.FunctionDef):
        return not node.decorator_list and not node.name.startswith("__")
    if isinstance(node, ast.arg):
        return not node.arg.startswith("__")
    if isinstance(node, ast.keyword):
        return node.arg is None or not node.arg.startswith("__")
    if isinstance(node, ast.Import):
        return all(_import_is_pure(alias, read) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module == "math" and not node.level and all(
            alias.name in _MATH and not (alias.asname or "").startswith("__") for alias in node.names
        )  # fmt: skip
    if isinstance(node, ast.ExceptHandler):
        return _handler_is_pure(node)
    return not isinstance(node, ast.Delete) or all(isinstance(target, ast.Name) for target in node.targets)


def _name_is_pure(name: str) -> bool:
    """Tell whether a name is the program's own, or one of the builtins that reach nothing else."""
    if name.startswith("__"):
        return name in _OWN_NAMES
    return name in _BUILTINS or not hasattr(builtins, name)


def _attribute_is_pure(node: ast.Attribute, math_names: set[str]) -> bool:
    if not isinstance(node.ctx, ast.Load):
        return False
    if node.attr in _METHODS:
        return True
    if isinstance(node.value, ast.Name) and node.value.id in math_names and node.attr in _MATH:
        return True
    # a format string can read attributes, so it must be in sight
    owner = node.value
    return (
        node.attr == "format"
        and isinstance(owner, ast.Constant)
        and type(owner.value) is str
        and "_" not in owner.value
        and "." not in owner.value.replace(":.", ":")
        and "[" not in owner.value
    )


def _import_is_pure(alias: ast.alias, read: set[str]) -> bool:
    bound = alias.asname or alias.name
    if bound.startswith("__"):
        return False
    return alias.name == "math" or (alias.name in _IDLE and bound not in read)


def _handler_is_pure(node: ast.ExceptHandler) -> bool:
    if (node.name or "").startswith("__"):
        return False
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return all(isinstance(kind, ast.Name) and kind.id in _CAUGHT for kind in kinds)


class _WithoutIdleImports(ast.NodeTransformer):
    """Takes out imports of libraries whose name is never read."""

    def __init__(self, read: set[str]) -> None:
        self._read = read

    def visit_Import(self, node: ast.Import) -> ast.AST:
        kept = [a for a in node.names if a.name == "math" or (a.asname or a.name) in self._read]
        if kept:
            return ast.copy_location(ast.Import(kept), node)
        return ast.copy_location(ast.Pass(), node)
