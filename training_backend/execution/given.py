"""Names that recorded programs use without importing them, and get.

The public evaluators of the field run programs below a fixed head of imports (Program-of-Thoughts,
Faithful-CoT), so teachers that saw their examples leave the imports out. A name of this table that a
program uses and nowhere binds is given to it; the result says which. Everything else is as in a plain
interpreter.
"""

from __future__ import annotations

import ast
import importlib
import types
from typing import Any

# name → (module, attribute or "" for the module itself)
GIVEN: dict[str, tuple[str, str]] = {
    "math": ("math", ""), "ceil": ("math", "ceil"), "floor": ("math", "floor"), "sqrt": ("math", "sqrt"),
    "gcd": ("math", "gcd"), "lcm": ("math", "lcm"), "np": ("numpy", ""), "numpy": ("numpy", ""),
    "sympy": ("sympy", ""), "Symbol": ("sympy", "Symbol"), "symbols": ("sympy", "symbols"),
    "Eq": ("sympy", "Eq"),
    "solve": ("sympy", "solve"), "simplify": ("sympy", "simplify"), "Rational": ("sympy", "Rational"),
    "solve_it": (__name__, "solve_it"),
}  # fmt: skip


def given_names(source: str, code: types.CodeType) -> dict[str, Any]:
    """Return the values of the names that `source` uses, does not bind, and that GIVEN holds."""
    wanted = {name for name in _used(code) if name in GIVEN}
    if wanted:
        wanted -= _bound(ast.parse(source))
    found = {}
    for name in sorted(wanted):
        module, attribute = GIVEN[name]
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue
        found[name] = getattr(loaded, attribute) if attribute else loaded
    return found


def solve_it(equations: Any, unknowns: Any) -> dict[Any, Any]:
    """Return the first solution as {unknown: value}, with None for an unknown that has none.

    The helper of the same name in the Program-of-Thoughts prompts has this meaning.
    """
    import sympy

    solutions = sympy.solve(equations, unknowns, dict=True)
    if solutions:
        return solutions[0]
    return dict.fromkeys(unknowns if isinstance(unknowns, list | tuple) else [unknowns])


def _used(code: types.CodeType) -> set[str]:
    """Return the global and attribute names of a code object and of those inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _used(constant)
    return names


def _bound(tree: ast.Module) -> set[str]:
    """Return the names of GIVEN that a program binds anywhere, or never reads; all after a star import."""
    bound: set[str] = set()
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    return set(GIVEN)
                bound.add((alias.asname or alias.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.add(node.name)
    return bound | (GIVEN.keys() - read)
