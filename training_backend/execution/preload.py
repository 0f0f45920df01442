"""What a launcher loads before its doors close: nothing can be read from disk afterwards.

Libraries load parts of themselves on first use; the calls of the warm-up bring those in.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from typing import Any

_STANDARD = [
    "abc", "array", "bisect", "calendar", "cmath", "collections", "collections.abc", "contextlib", "copy",
    "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "heapq", "itertools", "json",
    "locale", "math", "numbers", "operator", "pprint", "random", "re", "secrets", "statistics", "string",
    "textwrap", "time", "timeit", "typing", "unicodedata", "warnings", "traceback", "io", "_strptime",
    "encodings.idna", "encodings.ascii", "encodings.latin_1", "encodings.unicode_escape",
    "encodings.raw_unicode_escape", "stringprep", "ast", "keyword", "reprlib", "zoneinfo",
    "typing_extensions",
]  # fmt: skip
_NUMPY = [
    "numpy", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.polynomial", "numpy.ma",
    "numpy.lib.recfunctions",
]  # fmt: skip
_HEAVY = [
    "sympy", "sympy.abc", "sympy.solvers", "sympy.solvers.inequalities", "sympy.solvers.diophantine",
    "sympy.solvers.recurr", "sympy.solvers.ode", "sympy.parsing.sympy_parser", "sympy.stats",
    "sympy.ntheory", "sympy.physics.units", "sympy.geometry", "sympy.matrices", "sympy.combinatorics",
    "sympy.functions.combinatorial.numbers", "sympy.integrals.manualintegrate",
    "sympy.utilities.lambdify", "sympy.printing.pycode", "sympy.printing.numpy", "sympy.plotting",
    "dateutil", "dateutil.parser", "dateutil.relativedelta", "dateutil.rrule", "dateutil.tz",
    "dateutil.easter", "mpmath",
]  # fmt: skip


def preload(tier: str) -> list[str]:
    """Import and warm up what programs of `tier` use; return a sentence for each library that is missing.

    The tiers are light (the standard library), numpy, and heavy (SymPy and dates besides).
    """
    missing = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _STANDARD + (_NUMPY if tier != "light" else []) + (_HEAVY if tier == "heavy" else []):
            try:
                importlib.import_module(name)
            except ImportError as error:
                missing.append(f"{name} cannot be imported: {error}.")
        _warm_standard()
        if tier != "light" and "numpy" not in " ".join(missing):
            _warm_numpy()
        if tier == "heavy" and "sympy" not in " ".join(missing):
            _warm_sympy()
            _warm_dates()
    return missing


def _warm_standard() -> None:
    import datetime
    import decimal
    import fractions
    import random
    import re
    import statistics
    import time
    import traceback

    time.localtime()
    time.strftime("%A %d %B %Y %Z")
    datetime.datetime.strptime("2020-02-29 10:11", "%Y-%m-%d %H:%M").strftime("%a %b")
    datetime.datetime.now().astimezone()
    random.Random(0).gauss(0, 1)
    statistics.quantiles([1, 2, 3, 4])
    statistics.median([fractions.Fraction(1, 3)])
    str(decimal.Decimal("0.5") + 1)
    re.findall(r"(?i)\d+(?P<unit>[a-z]+)", "12cm")
    format(decimal.Decimal("1234.5"), ",.2f")
    "ß".casefold().encode("utf-16").decode("utf-16")
    "x".encode("latin-1").decode("ascii")
    traceback.format_exception_only(ValueError("x"))
    eval(compile("[i for i in range(2) if i]", "<warm>", "eval"))


def _warm_numpy() -> None:
    import numpy as np

    np.random.seed(0)
    np.random.default_rng(0).integers(3, size=2)
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    np.linalg.solve(a, np.array([1.0, 2.0]))
    np.linalg.inv(a), np.linalg.eig(a), np.linalg.det(a)
    np.roots([1, -3, 2]), np.polyfit([0, 1, 2], [0, 1, 4], 2)
    np.mean(a), np.median(a), np.std(a), np.percentile(a, 50), np.unique([1, 1]), np.cumsum(a)
    np.einsum("ij->i", a), np.datetime64("2020-01-01"), np.busday_count("2020-01-01", "2020-01-09")
    str(a), repr(np.float64(1.5)), np.array2string(a), np.allclose(a, a), np.gcd(4, 6)
    np.fft.fft([1, 2, 3]), np.polynomial.Polynomial([1, 2])(3), np.vectorize(abs)([1])


# each is evaluated alone: one that a version of SymPy does not take leaves the others warm
_SYMPY_CALLS = """
sp.solve([x + y - 3, x - y - 1], [x, y]) ;; sp.solve([x ** 2 + y - 3, x - y - 1], [x, y], dict=True)
sp.solve(x ** 3 - 2 * x + 1, x) ;; sp.solve(sp.Eq(0.5 * x, 3), x) ;; sp.solve(sp.sqrt(x) - 2)
sp.solve(sp.exp(x) - 2, x) ;; sp.solve(abs(r) - 2, r) ;; sp.solve(x > 3, x) ;; sp.solve(1 / x - 2, x)
sp.solve(2 ** x - 8, x) ;; sp.solve(sp.sin(x) - 1, x) ;; sp.solve(sp.log(x) - 1, x)
sp.solve(x ** 5 - x - 1, x) ;; sp.solveset(x ** 2 - 4, x) ;; sp.solveset(x ** 2 - 4, x, sp.S.Reals)
sp.linsolve([x + y - 2, x - y], x, y) ;; sp.nonlinsolve([x * y - 1, x - 2], [x, y])
sp.nsolve(x ** 2 - 2, x, 1) ;; sp.diophantine(2 * x + 3 * y - 5)
sp.reduce_inequalities([x > 1, x < 3], x) ;; sp.rsolve(sp.Function("f")(n + 1) - 2, sp.Function("f")(n))
sp.diff(x ** 2 * sp.sin(x), x) ;; sp.integrate(x ** 2, x) ;; sp.integrate(sp.exp(-x), (x, 0, sp.oo))
sp.limit(sp.sin(x) / x, x, 0) ;; sp.series(sp.exp(x), x, 0, 3) ;; sp.summation(k, (k, 1, n))
sp.Sum(k, (k, 1, 10)).doit() ;; sp.product(k, (k, 1, 4)) ;; sp.factorial(5) ;; sp.binomial(5, 2)
sp.simplify((x ** 2 - 1) / (x - 1)) ;; sp.factor(x ** 2 - 1) ;; sp.expand((x + 1) ** 2)
sp.apart(1 / (x ** 2 - 1)) ;; sp.together(1 / x + 1 / y) ;; sp.cancel((x ** 2 - 1) / (x - 1))
sp.trigsimp(sp.sin(x) ** 2 + sp.cos(x) ** 2) ;; sp.nsimplify(0.5) ;; sp.Rational(1, 3).evalf()
sp.N(sp.pi, 20) ;; sp.sympify("2*x+1") ;; sp.parse_expr("x+1") ;; sp.Matrix([[1, 2], [3, 4]]).inv()
sp.Matrix([[1, 2], [3, 4]]).eigenvals() ;; sp.Matrix([[1, 2]]).rref()
sp.Poly(x ** 2 + 1, x).all_coeffs() ;; sp.roots(x ** 2 - 1) ;; sp.gcd(12, 18) ;; sp.lcm(4, 6)
sp.primefactors(12) ;; sp.isprime(7) ;; sp.divisors(12) ;; sp.factorint(12) ;; sp.nextprime(7)
sp.floor(2.5) ;; sp.ceiling(2.5) ;; sp.lambdify(x, x + 1)(1) ;; sp.lambdify(x, sp.sqrt(x), "math")(4)
sp.latex(x / 2) ;; sp.pretty(x / 2) ;; sp.Piecewise((x, x > 0), (0, True)).subs(x, 2)
sp.Max(1, x).subs(x, 3) ;; sp.Mod(7, 3) ;; sp.Interval(0, 1)
sp.dsolve(sp.Function("g")(x).diff(x) - 2, sp.Function("g")(x))
sp.Point(0, 0).distance(sp.Point(3, 4))
sp.Triangle(sp.Point(0, 0), sp.Point(3, 0), sp.Point(0, 4)).area ;; sp.Circle(sp.Point(0, 0), 2).area
str(x / 3 + sp.sqrt(2)) ;; repr(sp.Eq(x, 2)) ;; float(sp.sqrt(2)) ;; int(sp.Integer(3))
round(sp.Float(2.5), 1) ;; sp.solve(x ** 4 - 5 * x ** 2 + 4)
sp.solve([x + 2 * y - 5.5, 3 * x - y - 1.2]) ;; sp.checksol(x - 1, x, 1)
"""


def _warm_sympy() -> None:
    import sympy as sp

    names: dict[str, Any] = {
        "sp": sp,
        "x": sp.Symbol("x"),
        "y": sp.Symbol("y"),
        "r": sp.Symbol("r", real=True),
    }
    names["k"], names["n"] = sp.symbols("k n", integer=True, positive=True)
    for line in _SYMPY_CALLS.split("\n"):
        for call in filter(None, (part.strip() for part in line.split(";;"))):
            with contextlib.suppress(Exception):
                eval(call, names)


def _warm_dates() -> None:
    import datetime

    from dateutil import parser, relativedelta, rrule  # type: ignore[import-untyped]

    start = parser.parse("May 3, 2001 10:00 PM")
    start + relativedelta.relativedelta(months=+1, days=-2, weekday=relativedelta.MO(-1))
    list(rrule.rrule(rrule.DAILY, count=2, dtstart=datetime.datetime(2020, 1, 1)))
