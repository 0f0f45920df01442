"""The grammar of equations: what is read, and each error with its line and column."""

from __future__ import annotations

from fractions import Fraction

import pytest

from training_backend.rationale.equations import (
    Binary,
    Call,
    EquationError,
    Name,
    Negative,
    Number,
    names_in,
    parse,
)


def tree(text):
    return parse(f"ans = {text}").equations[0].right


def number(value):
    return Number(Fraction(value))


def same(left, right):
    """Compare trees without the columns of numbers."""
    if isinstance(left, Number) and isinstance(right, Number):
        return left.value == right.value
    if isinstance(left, Binary) and isinstance(right, Binary):
        return left.sign == right.sign and same(left.left, right.left) and same(left.right, right.right)
    if isinstance(left, Negative) and isinstance(right, Negative):
        return same(left.item, right.item)
    if isinstance(left, Call) and isinstance(right, Call):
        return left.function == right.function and all(map(same, left.arguments, right.arguments))
    return left == right


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * x", Binary("+", number(1), Binary("*", number(2), Name("x")))),
        ("8 - 2 - 1", Binary("-", Binary("-", number(8), number(2)), number(1))),
        ("2x", Binary("*", number(2), Name("x"))),
        ("2(x + 1)", Binary("*", number(2), Binary("+", Name("x"), number(1)))),
        ("(a)(b)", Binary("*", Name("a"), Name("b"))),
        ("-x^2", Negative(Binary("^", Name("x"), number(2)))),
        ("2^3^2", Binary("^", number(2), Binary("^", number(3), number(2)))),
        ("2 ** -1", Binary("^", number(2), Negative(number(1)))),
        ("3 × 4 ÷ 2", Binary("/", Binary("*", number(3), number(4)), number(2))),
        ("7 // 2", Binary("//", number(7), number(2))),
        ("0.25", number("1/4")),
        (".5", number("1/2")),
        ("$1,200.50", number("1200.5")),
        ("max(1,200)", Call("max", (number(1), number(200)))),
        ("ceil(x / 2)", Call("ceil", (Binary("/", Name("x"), number(2)),))),
        ("E + I * S", Binary("+", Name("E"), Binary("*", Name("I"), Name("S")))),
        ("num_2x4x10", Name("num_2x4x10")),
        ("--3", number(3)),
    ],
)
def test_an_expression_is_read_as_it_is_meant(text, wanted):
    assert same(tree(text), wanted), tree(text)


def test_lines_comments_conditions_and_chains():
    system = parse("% the price:\nprice = 3 % dollars\n\nx = y = 2; z >= x # must hold\nans == z\r\n")
    assert [(e.line, e.assigned) for e in system.equations] == [(2, "price"), (4, "x"), (4, "y"), (5, "ans")]
    assert [(c.relation, c.line) for c in system.conditions] == [(">=", 4)]
    assert system.comments[1] == "the price" and system.comments[2] == "dollars"


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("x = 1\nthis is prose", 2, 6, "operator is missing"),
        ("x + 1", 1, 6, "no '='"),
        ("x = ", 1, 4, "missing"),
        ("x = (1 + 2", 1, 11, "')' is missing"),
        ("x = 5 dollars", 1, 7, "operator is missing"),
        ("x = __import__('os')", 1, 16, "unexpected"),
        ("x = sin(1)", 1, 8, "no function 'sin'"),
        ("x = sqrt(1, 2)", 1, 15, "takes 1 to 1"),
        ("x = [1]", 1, 5, "unexpected '['"),
        ("x = 'a'", 1, 5, "unexpected"),
        ("x = y.z", 1, 6, "unexpected '.'"),
        ("x = 20% * y", 1, 7, "percent"),
        ("", 1, 1, "no equation"),
        ("% only a comment", 1, 1, "no equation"),
        ("x = 2 = < 3", 1, 9, "unexpected"),
        ("a < b < c", 1, 10, "chained"),
        ("x = " + "(" * 100 + "1" + ")" * 100, 1, 66, "nested"),
        ("x = " + "9" * 500, 1, 5, "digits"),
        ("x = 1\x00", 1, 6, "unexpected"),
        ("x = 1\ny = 2 3", 2, 7, "operator is missing"),
        ("= 3", 1, 1, "unexpected '='"),
        ("x = \ud800", 1, 5, "unexpected"),
        ("\n" * 600 + "x = 1", 501, 1, "more than 500 lines"),
    ],
)
def test_an_error_has_its_line_and_column(text, line, column, part):
    with pytest.raises(EquationError) as error:
        parse(text)
    assert (error.value.line, error.value.column) == (line, column), error.value
    assert part in error.value.message
    assert f"line {line}" in str(error.value)


def test_names_in_a_tree():
    assert list(names_in(tree("a + max(b, -c) * a"))) == ["a", "b", "c", "a"]


def test_a_percent_sign_at_the_end_begins_a_comment():
    assert same(tree("25% of all"), number(25))
