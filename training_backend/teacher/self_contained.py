"""Giving a recorded program the imports that its authors' runner had, so that it runs and is learnt on its own.

Faithful-CoT runs every program below a fixed head (sympy's Symbol, Eq, simplify, solve; all of math; `lcm` and
`solve_it`). The recorded programs use those names without importing them.
"""

from __future__ import annotations

import ast
import builtins
import math

SYMPY_NAMES = frozenset({"Symbol", "Eq", "simplify", "solve"})
MATH_NAMES = frozenset(name for name in dir(math) if not name.startswith("_"))
# the first solution as a dictionary; without one, None for each unknown
SOLVE_IT = """def solve_it(equation, variable):
    found = solve(equation, variable, dict=True)
    unknowns = variable if isinstance(variable, list) else [variable]
    return found[0] if found else dict.fromkeys(unknowns)
"""


def self_contained(program: str) -> str:
    """Return the program below the imports that it uses but does not make; unchanged where it needs none.

    The program's own text stays as it is, a program that does not parse too.
    """
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return program
    needed = _free_names(tree)
    lines = []
    if "math" in needed:
        lines.append("import math")
    if from_math := sorted((needed & MATH_NAMES) - {"math"}):
        lines.append(f"from math import {', '.join(from_math)}")
    if "solve_it" in needed:
        needed = needed | {"solve"}
    if from_sympy := sorted(needed & SYMPY_NAMES):
        lines.append(f"from sympy import {', '.join(from_sympy)}")
    if "solve_it" in needed:
        lines.append(SOLVE_IT.rstrip())
    return "\n".join([*lines, program]) if lines else program


def _free_names(tree: ast.Module) -> set[str]:
    """Return the names that a program reads and nowhere makes, built-in ones left out."""
    read: set[str] = set()
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return read - made - set(dir(builtins))
