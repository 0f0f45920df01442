"""Solve a system of equations. Runs only inside the sandbox's child.

Everything is exact: decimals are fractions. In the order of the text, each equation with a single unknown
gives its value; what is left, and what is not linear, SymPy solves. Rules where the text leaves a choice:

- a name that is written twice has one value: a contradiction is no answer, and is named with its line;
- of several solutions those count that are real, that fulfil the conditions of the text and that are
  positive; if more than one is left there is no answer;
- an unknown that nothing determines, and a value that is not real, is no answer, with the reason.

`strict` reading (the default): the text is a system of equations, so `x = x + 1` contradicts itself; and a
negative answer is taken for a sign that the equations are set up wrongly (on recorded equations 19 of 21
were), so it is no answer. `free` reading: `x = x + 1` gives the name a new value from that line on, as in a
program, and any answer counts.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

from training_backend.execution.encoder import int_text, sympy_text
from training_backend.execution.linear import Linear, NotLinear, linear
from training_backend.rationale.equations import (
    ANSWER,
    Binary,
    Call,
    Equation,
    EquationError,
    Name,
    Negative,
    Number,
    System,
    Tree,
    names_in,
    parse,
)

_TOLERANCE = Fraction(1, 10**6)
_MAX_POWER = 10_000
_NEW = "′"


class NoSolution(Exception):
    """The system gives no answer; the message says why, `line` where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        """Keep the line beside the message."""
        super().__init__(message)
        self.line = line


class NeedsSympy(Exception):
    """The system needs SymPy and this process has not loaded it."""


def warm_up() -> None:
    """Bring in what SymPy loads on first use."""
    for text in ("2x + y = 5\nx - y = 1\nans = x", "x^2 = 4\nans = x", "x * y = 6\nx + y = 5\nans = x",
                 "a = sqrt(2)\nans = ceil(a) + round(a) + mod(a, 1) + max(1, abs(-a))", "2^x = 8\nans = x",
                 "12 / x = 3\nans = x", "x * (x + 2) = 8\nx < 3\nans = x"):  # fmt: skip
        try:
            Solver(parse(text)).solve()
        except NoSolution:
            continue


def run_equations(
    text: str, recorder: Any, reading: str = "strict", with_sympy: bool = True
) -> dict[str, Any]:
    """Return the end frame's content for the equations of `text`; `recorder` gets a record for each value."""
    try:
        system = parse(text)
    except EquationError as error:
        where = {"type": "EquationError", "message": str(error), "line": error.line}
        return {"status": "error", "error": where}
    solver = Solver(system, reading, with_sympy)
    try:
        value = solver.solve()
    except NeedsSympy:
        # the process that has SymPy records from the beginning
        recorder = None
        return {"status": "needs_sympy"}
    except NoSolution as nothing:
        return {"status": "no_answer", "reason": str(nothing), "line": nothing.line, "taken_from": ANSWER}
    finally:
        if recorder is not None:
            solver.record(recorder)
    return {"status": "ok", "taken_from": ANSWER, "answer": encoded(value)}


class Solver:
    """Solves one parsed system for `ans`; `order` holds (name, value, line) as the unknowns fall."""

    def __init__(self, system: System, reading: str = "strict", with_sympy: bool = True) -> None:
        """Take the equations in order; in the free reading give names that are updated a new meaning."""
        self._strict = reading == "strict"
        self._with_sympy = with_sympy
        self._waiting = list(system.equations if self._strict else _versioned(system.equations))
        self._conditions = system.conditions
        self._rational: dict[str, Fraction] = {}
        self._irrational: dict[str, Any] = {}
        self._target = _last_version(ANSWER, self._waiting)
        self.order: list[tuple[str, Any, int]] = []

    def solve(self) -> Any:
        """Return the value of `ans`, a Fraction or a SymPy expression; NoSolution says why there is none."""
        names = {name for e in self._waiting for side in (e.left, e.right) for name in names_in(side)}
        if self._target not in names:
            raise NoSolution("no line says what ans is; the last line should be: ans = NAME")
        while self._waiting:
            if not self._one_by_one() and not self._together():
                break
        value = self._rational.get(self._target, self._irrational.get(self._target))
        if value is None:
            known = {*self._rational, *self._irrational, self._target}
            free = sorted(names - known)
            raise NoSolution(f"nothing determines {', '.join(free[:5]) or ANSWER}".replace(_NEW, ""))
        if self._strict and value < 0:
            raise NoSolution(f"the answer is negative: {encoded(value)['v'][:40]}")
        return value

    def record(self, recorder: Any) -> None:
        """Emit one trace record for each value, in the order in which the unknowns fell."""
        for name, value, line in self.order:
            shown = {name.rstrip(_NEW): [encoded(value)["v"][:400], "number"]}
            recorder.emit(ev="line", f=0, depth=0, ln=line, nx=None, ch=shown)
        recorder.finish()

    def _learn(self, name: str, value: Any, line: int) -> None:
        if isinstance(value, Fraction):
            self._rational[name] = value
        else:
            self._irrational[name] = value
        self.order.append((name, value, line))

    # ---- one equation at a time

    def _one_by_one(self) -> bool:
        """Take every equation with one unknown, in order; return whether any gave a value."""
        progress = False
        waiting: list[Equation] = []
        for equation in self._waiting:
            try:
                done = self._take(equation)
            except ZeroDivisionError:
                raise NoSolution("a division by zero", equation.line) from None
            if done:
                progress = True
            else:
                waiting.append(equation)
        self._waiting = waiting
        return progress

    def _take(self, equation: Equation) -> bool:
        """Use an equation with at most one unknown; return whether it is used up."""
        try:
            difference = self._linear(equation)
        except NotLinear:
            return self._take_by_sympy(equation)
        if len(difference.factors) > 1:
            return False
        if difference.factors:
            ((name, factor),) = difference.factors.items()
            self._learn(name, -difference.constant / factor, equation.line)
        elif abs(difference.constant) > _TOLERANCE:
            raise NoSolution(f"line {equation.line} contradicts the others", equation.line)
        return True

    def _linear(self, equation: Equation) -> Linear:
        left, right = linear(equation.left, self._rational), linear(equation.right, self._rational)
        difference = left.plus(right, Fraction(-1))
        if self._irrational.keys() & difference.factors.keys():
            raise NotLinear
        return difference

    def _take_by_sympy(self, equation: Equation) -> bool:
        difference = self._expression(equation)
        unknowns = difference.free_symbols
        if not unknowns:
            self._check(difference, equation.line)
            return True
        if len(unknowns) > 1:
            return False
        (unknown,) = unknowns
        sp = self._sympy()
        try:
            found = sp.solve(difference, unknown)
        except NotImplementedError:
            return False
        found = [value for value in found if not isinstance(value, dict)]
        self._learn(unknown.name, self._choose(found, unknown, equation.line), equation.line)
        return True

    def _check(self, difference: Any, line: int) -> None:
        """Raise NoSolution when an equation without unknowns is false."""
        sp = self._sympy()
        if difference.has(sp.zoo, sp.nan, sp.oo):
            raise NoSolution("a division by zero", line)
        try:
            wrong = bool(abs(difference.evalf(30)) > float(_TOLERANCE))
        except TypeError:
            wrong = True
        if wrong:
            raise NoSolution(f"line {line} contradicts the others", line)

    # ---- with SymPy

    def _sympy(self) -> Any:
        if not self._with_sympy:
            raise NeedsSympy
        import sympy

        return sympy

    def _expression(self, equation: Equation) -> Any:
        return self._tree(equation.left) - self._tree(equation.right)

    def _tree(self, tree: Tree) -> Any:
        sp = self._sympy()
        if isinstance(tree, Number):
            return sp.Rational(tree.value.numerator, tree.value.denominator)
        if isinstance(tree, Name):
            return self._symbol_or_value(tree.name)
        if isinstance(tree, Negative):
            return -self._tree(tree.item)
        if isinstance(tree, Binary):
            return _binary(sp, tree.sign, self._tree(tree.left), self._tree(tree.right))
        return _call(sp, tree, [self._tree(argument) for argument in tree.arguments])

    def _symbol_or_value(self, name: str) -> Any:
        sp = self._sympy()
        if name in self._rational:
            value = self._rational[name]
            return sp.Rational(value.numerator, value.denominator)
        return self._irrational.get(name, sp.Symbol(name))

    def _together(self) -> bool:
        """Solve what is left as one system; return whether it gave a value."""
        # most often what ans is follows from the rest
        rest = [equation for equation in self._waiting if equation.assigned != self._target]
        if rest and self._solve_system(rest):
            return True
        return len(rest) < len(self._waiting) and self._solve_system(self._waiting)

    def _solve_system(self, rest: list[Equation]) -> bool:
        sp = self._sympy()
        expressions = [self._expression(equation) for equation in rest]
        unknowns = sorted({s for e in expressions for s in e.free_symbols}, key=str)
        line = rest[-1].line
        try:
            found = sp.solve(expressions, unknowns, dict=True)
        except NotImplementedError:
            raise NoSolution("SymPy knows no way to solve these equations", line) from None
        if not found:
            raise NoSolution("the equations contradict each other", line)
        learnt = False
        used: set[int] = set()
        for unknown in unknowns:
            values = [solution.get(unknown, unknown) for solution in found]
            if all(not value.free_symbols for value in values):
                value = self._choose(self._allowed(found, unknown), unknown, line)
                self._learn(unknown.name, value, _line_of(unknown.name, rest, used))
                learnt = True
        return learnt

    def _allowed(self, solutions: list[dict[Any, Any]], unknown: Any) -> list[Any]:
        """Return the values of `unknown` in the solutions that are all real and, if any are, positive."""
        real = [s for s in solutions if all(value.is_real is not False for value in s.values())]
        real = [s for s in real if self._fulfils(s)] or real
        positive = [s for s in real if all(value.is_negative is not True for value in s.values())]
        return [solution[unknown] for solution in positive or real]

    def _choose(self, values: list[Any], unknown: Any, line: int) -> Any:
        """Return the one value that the rules of the module leave, as a Fraction where it is rational."""
        sp = self._sympy()
        name = unknown.name.rstrip(_NEW)
        real = [value for value in values if value.is_real is not False and not value.free_symbols]
        if not real:
            raise NoSolution(f"{name} has no real value", line)
        real = [value for value in real if self._fulfils({unknown: value})] or real
        left = set([value for value in real if value.is_positive] or real)
        if len(left) > 1:
            shown = ", ".join(sympy_text(value)[:40] for value in sorted(left, key=str)[:4])
            raise NoSolution(f"{name} has several solutions: {shown}", line)
        (value,) = left
        if value.has(sp.zoo, sp.nan, sp.oo):
            raise NoSolution(f"{name} has no finite value", line)
        return Fraction(int(value.p), int(value.q)) if value.is_Rational else value

    def _fulfils(self, values: dict[Any, Any]) -> bool:
        """Tell whether no condition of the text is false with these values."""
        sp = self._sympy()
        relations = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge}
        for condition in self._conditions:
            difference = self._expression(condition).subs(values)
            if relations[condition.relation](difference, 0) == sp.false:
                return False
        return True


def _line_of(name: str, equations: list[Equation], used: set[int]) -> int:
    """Return the line of an equation that names `name`; one not used for another unknown comes first."""
    lines = [e.line for e in equations if name in {*names_in(e.left), *names_in(e.right)}]
    line = next((line for line in lines if line not in used), lines[0] if lines else equations[-1].line)
    used.add(line)
    return line


def _versioned(equations: tuple[Equation, ...]) -> list[Equation]:
    """Rename names that their own line updates: from there on the name is another unknown."""
    versions: dict[str, str] = {}
    renamed = []
    for equation in equations:
        right = _renamed(equation.right, versions)
        name = equation.assigned
        if name and name in set(names_in(equation.right)):
            versions[name] = versions.get(name, name) + _NEW
        renamed.append(dataclasses.replace(equation, left=_renamed(equation.left, versions), right=right))
    return renamed


def _renamed(tree: Tree, versions: dict[str, str]) -> Tree:
    if isinstance(tree, Name):
        return Name(versions.get(tree.name, tree.name))
    if isinstance(tree, Negative):
        return Negative(_renamed(tree.item, versions))
    if isinstance(tree, Binary):
        return Binary(tree.sign, _renamed(tree.left, versions), _renamed(tree.right, versions))
    if isinstance(tree, Call):
        return Call(tree.function, tuple(_renamed(item, versions) for item in tree.arguments))
    return tree


def _last_version(name: str, equations: list[Equation]) -> str:
    """Return the name under which the last value of `name` goes."""
    found = [name]
    for equation in equations:
        for side in (equation.left, equation.right):
            found += [other for other in names_in(side) if other.rstrip(_NEW) == name]
    return max(found, key=len)


def _binary(sp: Any, sign: str, left: Any, right: Any) -> Any:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if sign == "/":
        return left / right
    if sign == "//":
        return sp.floor(left / right)
    if right.is_number and abs(right) > _MAX_POWER:
        raise NoSolution(f"a power with an exponent beyond {_MAX_POWER}")
    return left**right


def _call(sp: Any, call: Call, values: list[Any]) -> Any:
    if call.function == "round":
        scale = sp.Integer(10) ** (values[1] if len(values) > 1 else 0)
        scaled = values[0] * scale
        return sp.sign(scaled) * sp.floor(abs(scaled) + sp.Rational(1, 2)) / scale
    functions = {"sqrt": sp.sqrt, "abs": sp.Abs, "ceil": sp.ceiling, "ceiling": sp.ceiling, "floor": sp.floor,
                 "min": sp.Min, "max": sp.Max, "mod": sp.Mod}  # fmt: skip
    return functions[call.function](*values)


def encoded(value: Any) -> dict[str, Any]:
    """Return a solved value as tagged data: integer, decimal where it ends, fraction, or expression."""
    if isinstance(value, Fraction):
        return _fraction(value)
    real, imaginary = value.evalf(30).as_real_imag()
    shown = {"k": "sympy", "v": sympy_text(value)}
    return {**shown, "x": repr(float(real))} if abs(imaginary) < 1e-12 else shown


def _fraction(value: Fraction) -> dict[str, Any]:
    if value.denominator == 1:
        return {"k": "int", "v": int_text(value.numerator)}
    twos, fives = _times(value.denominator, 2), _times(value.denominator, 5)
    if (
        2**twos * 5**fives == value.denominator
        and max(twos, fives) < 40
        and value.numerator.bit_length() < 400
    ):
        places = max(twos, fives)
        digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        sign = "-" if value < 0 else ""
        return {"k": "decimal", "v": f"{sign}{digits[:-places]}.{digits[-places:]}"}
    return {"k": "fraction", "v": f"{int_text(value.numerator)}/{int_text(value.denominator)}"}


def _times(number: int, factor: int) -> int:
    count = 0
    while number % factor == 0:
        number //= factor
        count += 1
    return count
