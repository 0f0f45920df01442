"""Names that recorded programs use without importing them, and get.

The public evaluators of the field run programs below a fixed head of imports (Program-of-Thoughts,
Faithful-CoT), so teachers that saw their examples leave the imports out. A name of this table that a
program uses and nowhere binds is given to it; the result says which. Everything else is as in a plain
interpreter.
"""

from __future__ import annotations

import importlib
import symtable
import types
from collections.abc import Set
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
# how a code object holds `from … import *`
_STAR = ("*",)


def given_names(source: str, code: types.CodeType) -> dict[str, Any]:
    """Return the values of the names that `source` uses, does not bind, and that GIVEN holds."""
    wanted = {name for name in _used(code) if name in GIVEN}
    return _values(_free(wanted, source, code)) if wanted else {}


def given_of(free: Set[str], code: types.CodeType) -> dict[str, Any]:
    """Return what `given_names` does; `free` are the names of GIVEN that the text reads and does not bind."""
    return _values(free & _used(code)) if free else {}


def _values(names: Set[str]) -> dict[str, Any]:
    found = {}
    for name in sorted(names):
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


def _free(names: set[str], source: str, code: types.CodeType) -> set[str]:
    """Return which of `names` a program reads and binds nowhere; none after a star import."""
    if _STAR in code.co_consts:
        return set()
    read: set[str] = set()
    bound: set[str] = set()
    scopes = [symtable.symtable(source, "<program>", "exec")]
    while scopes:
        scope = scopes.pop()
        for name in names.intersection(scope.get_identifiers()):
            symbol = scope.lookup(name)
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_parameter():
                bound.add(name)
            if symbol.is_referenced():
                read.add(name)
        scopes += scope.get_children()
    return read - bound
