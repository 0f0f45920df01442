"""Texts that are no program, or hardly one: each gets a verdict, and the caller never an exception."""

from __future__ import annotations

import pytest

from training_backend.execution.limits import Limits
from training_backend.execution.results import VERDICTS

TEXTS = [
    *("-" * 60_000 + "1", "ans = " + "not " * 15_000 + "1", "(" * 30_000 + ")" * 30_000, "[" * 60_000),
    *("ans = " + "(" * 150 + "1" + ")" * 150, "ans = " + "1+" * 30_000 + "1", "ans = " + "a." * 30_000 + "b"),
    *("ans = " + "f" + "'{" * 200 + "1" + "}'" * 200, "f'{f\"{f'''{1:{2:{3}}}'''}\"}'", "ans = f'{'"),
    *(
        "x" + "[0]" * 20_000,
        "lambda:" * 15_000 + "1",
        "if 1:\n" + " if 1:\n" * 20_000,
        "ans = 1" + ";" * 60_000,
    ),
    *("\n".join(" " * i + "if 1:" for i in range(300)), "try:\n" * 5000, "x = " + "{" * 20_000),
    *("ans = 1\0", "\0" * 60_000, "ans = '\0'", "\ufeffans = 1", "# -*- coding: utf-16 -*-\nans = 1"),
    *(
        "# coding: no-such\nans = 1",
        "ans = 1\x0c\n\x0cx = 2",
        "\x0c" * 60_000,
        "ans = '\ud800'",
        "\udcff" * 9,
    ),
    *(
        "if 1:\n\tans = 1\n        x = 2",
        "if 1:\n        ans = 1\n\tx = 2",
        "ans = 1\r\nx = 2\r\n",
        "ans = 1\rx = 2",
    ),
    *(
        "\r" * 60_000,
        "ans = 1 \\",
        "ans = 1\\\n",
        "'" * 60_001,
        '"""' * 9999,
        "ans = 0x",
        "ans = 1__0",
        "ans = 08",
    ),
    *("ans = " + "9" * 60_000, "ans = 1e" + "9" * 60_000, "ans = 0x" + "f" * 60_000, "ans = 1" + "j" * 9),
    *(
        "",
        " ",
        "\n" * 60_000,
        "\t" * 60_000,
        "#" * 60_000,
        "a" * 60_000,
        "é" * 30_000,
        "\u202eans = 1",
        "a\u0301=1",
    ),
    *(
        "x = 1\n" * 10_000,
        "def f(" + ",".join(f"a{i}" for i in range(9000)) + "): pass",
        "return 1",
        "yield 1",
    ),
    *("await x", "break", "nonlocal x", "from __future__ import nothing", "from __future__ import braces"),
    *(
        "import " + ".".join("a" * 20_000),
        "global ans\nans: int = 5",
        "def f():\n    global x; x = 1\n    nonlocal x",
    ),
    *(
        "match 1:\n    case _: ans = 1",
        "type X = int",
        "ans = (yield)",
        "x: " + "(" * 90 + ")" * 90,
        "del ans",
    ),
    *(
        "import math\n" + "import math;" * 5000,
        "@" * 30_000,
        "\\\n" * 30_000 + "x",
        "f(**" * 15_000,
        "*" * 60_000,
    ),
    *(
        "class A" + ("(" * 60_000),
        "print(" * 15_000,
        "ans = " + " if 1 else ".join(["1"] * 7000),
        "x" * 10**6,
    ),
    *(
        "{" * 99 + "}" * 99 + "\x1a\x04",
        "ans = b'\xff'",
        "\N{FULLWIDTH LATIN SMALL LETTER O}pen('x')",
        "ans = ٣",
    ),
]


def test_every_text_gets_a_verdict_alone_together_and_traced(runner):
    results = dict(runner.run_many((n, text, "pot") for n, text in enumerate(TEXTS)))
    assert len(results) == len(TEXTS)
    for number, result in results.items():
        assert result.verdict in VERDICTS, (TEXTS[number][:80], result)
        assert result.verdict != "crashed" or "died" in result.reason, (TEXTS[number][:80], result)
        assert len(result.error) < 3000 and len(result.answer_text) <= 2000
    for text in TEXTS[::6]:
        with runner.trace(text) as trace:
            assert all(len(str(record)) < 50_000 for record in trace)
        assert trace.result.verdict in VERDICTS
    assert runner.run("ans = 6 * 7").value == 42


def test_every_text_as_equations_gets_a_verdict(runner):
    for number, result in runner.run_many((n, text, "eot") for n, text in enumerate(TEXTS)):
        assert result.verdict in VERDICTS, (TEXTS[number][:80], result)
        assert result.verdict != "crashed", (TEXTS[number][:80], result)
    assert runner.run("2x = 84\nans = x", "eot").value == 42


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("ans = (1\nx = 2", 1, "line 1, column 7"),
        ("x = 1\nans = 1 +", 2, "line 2, column"),
        ("if 1:\n\tx = 1\n        y = 2", 3, "line 3"),
        ("if 1:\nx = 1", 2, "line 2, column 1"),
        ("x = 1\nans = 08", 2, "line 2, column"),
        ("x = 1\n  y = 2", 2, "line 2"),
        ("x = 'abc", 1, "line 1, column 5"),
        ("x = 1\nans = f'{x'", 2, "line 2"),
        ("x = 1\nreturn x", 2, "line 2, column 1"),
        ("x = 1\nans = \u20ac5", 2, "line 2, column 7"),
        ("x = 1\nans = 5\0", 2, "line 2, column 8"),
        ("x = 1\nans = '\ud800'", 2, "line 2, column 8"),
    ],
)
def test_a_syntax_error_says_line_and_column(runner, text, line, part):
    result = runner.run(text)
    assert (result.verdict, result.error_line) == ("raised", line), result
    assert part in result.error, result


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ans = 1\r\nans += 1\r\n", 2),
        ("ans = 1\rans += 1", 2),
        ("ans = 1\x0c\n\x0cans += 1", 2),
        ("# -*- coding: latin-1 -*-\nans = len('\u00e9')", 1),
        ("\u00e9 = 2\nans = \u00e9", 2),
        ("if 1:\n\tans = 2", 2),
        ("ans = 2\\\n + 1", 3),
        ("ans = 2  # \u202e\ufeff", 2),
        ("ans = " + "(" * 90 + "7" + ")" * 90, 7),
        ("ans = " + "+".join(["1"] * 900), 900),
        ("ans = 10 ** 300 // 10 ** 299", 10),
        ("#" + "x" * 60_000 + "\nans = 3", 3),
    ],
)
def test_an_odd_text_that_is_legal_is_run(runner, text, value):
    assert runner.run(text).value == value


def test_a_text_that_is_slow_to_parse_is_ended_by_its_limit(runner):
    slow = "x = " + "{" * 95 + "1:" * 95
    result = runner.run(slow, limits=Limits(cpu_s=0.3, wall_s=2))
    assert result.verdict in VERDICTS and result.cpu_ms < 1500
