"""Where the numbers of a traced program come from: the question, the items, or the program alone."""

from __future__ import annotations

import ast
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_backend.execution.number_origins import number_origins


class Linked:
    """A traced program beside its question, with what the tests ask of it."""

    def __init__(self, runner, question: str, program: str, items: tuple[str, ...] = ()) -> None:
        with runner.trace(program) as trace:
            self.records = list(trace)
        self.question, self.items, self.program = question, items, program
        self.result = trace.result
        answered = self.result.verdict == "ok"
        self.found = number_origins(question, items, program, self.records, answered)

    def last(self, name: str):
        return next(value for value in reversed(self.found.values) if value.name == name)

    def texts(self, name: str) -> list[str]:
        return [self.question[a:b] for a, b in self.found.question_spans(self.last(name))]

    def numbers(self, name: str) -> set[float]:
        return {self.found.literals[index].value for index in self.last(name).literals}

    def cut(self, spans) -> list[str]:
        return [self.question[a:b] for a, b in spans]


QUESTION = "Tom picks 12 plums and 5 figs on each of 3 days, 12 figs rot. A plum costs $2. What is it worth?"


def test_values_are_followed_through_assignments(runner):
    linked = Linked(runner, QUESTION, "plums = 12\ndays = 3\nall_plums = plums * days\nans = all_plums * 2")
    assert linked.texts("all_plums") == ["12", "3"]
    assert linked.texts("ans") == ["12", "3", "2"]
    assert linked.found.answer == linked.last("ans")
    assert linked.cut(linked.found.unused) == ["5", "12"]
    assert linked.last("all_plums").read == ("plums", "days")
    literal = linked.found.literals[0]
    assert linked.program.split("\n")[literal.line - 1][literal.start : literal.end] == "12"


def test_equal_numbers_are_told_apart_by_words_then_by_order(runner):
    linked = Linked(runner, QUESTION, "rotten_figs = 12\nplums = 12\nans = plums - rotten_figs")
    first, second = linked.found.literals
    assert first.question == (QUESTION.index("12 figs"), QUESTION.index("12 figs") + 2)
    assert second.question == (QUESTION.index("12 plums"), QUESTION.index("12 plums") + 2)
    linked = Linked(runner, "3 and 3 and 3", "x = 3\ny = 3\nans = x + y")
    assert [one.question for one in linked.found.literals] == [(0, 1), (6, 7)]
    assert linked.found.unused == ((12, 13),)


def test_number_words_percentages_and_units(runner):
    question = "Half of two dozen eggs sell at 20% off, every day of the week."
    linked = Linked(runner, question, "eggs = 2 * 12\nsold = eggs / 2\nrate = 1 - 0.2\nans = sold * rate * 7")
    assert linked.texts("eggs") == ["two dozen"]
    assert linked.texts("sold") == ["Half", "two dozen"]
    assert linked.texts("rate") == ["20%"]
    assert linked.texts("ans") == ["Half", "two dozen", "20%", "week"]
    assert [one.how for one in linked.found.literals] == ["same", "part", "part", "", "percent", "unit"]
    assert linked.found.unused == ()


def test_a_fraction_in_the_program_is_the_fraction_of_the_question(runner):
    question = "She wrote 5 pages on Monday and 2/5 times more on Tuesday. Half of them got lost."
    code = "monday = 5\ntuesday = monday * 2/5\nlost = tuesday * 1 / 2\nans = lost"
    linked = Linked(runner, question, code)
    assert [one.question and question[slice(*one.question)] for one in linked.found.literals] == [
        "5", "2/5", "2/5", "Half", "Half",
    ]  # fmt: skip
    assert [one.how for one in linked.found.literals][1:5] == ["fraction"] * 4
    # 10/20 is a division of two numbers of the question, whatever it comes to
    linked = Linked(runner, "10 of 20 pens; half of the rest is red.", "ans = 10/20")
    assert linked.texts("ans") == ["10", "20"]


def test_thousands_with_a_space_after_a_money_sign(runner):
    linked = Linked(runner, "The house costs $400 000, the car £8,500.50.", "ans = 400000 - 8500.5")
    assert linked.texts("ans") == ["400 000", "8,500.50"]


def test_items_are_linked_beside_the_question(runner):
    linked = Linked(runner, "He has 4 pens.", "pens = 4\nprice = 6\nans = pens * price",
                    ("There are 4 pens.", "A pen costs 6."))  # fmt: skip
    spans = linked.found.item_spans(linked.last("ans"))
    assert [(span.item, linked.items[span.item][span.start : span.end]) for span in spans] == [
        (0, "4"),
        (1, "6"),
    ]
    assert linked.texts("ans") == ["4"]


FUNCTIONS = """\
def cost(n, price=2):
    whole = n * price
    return whole

def solution():
    plums = 12
    figs = 5
    days = 3
    ripe = cost(plums) + cost(figs - days, price=7)
    return ripe
"""


def test_calls_keep_their_arguments_apart(runner):
    linked = Linked(runner, QUESTION, FUNCTIONS)
    whole = [value for value in linked.found.values if value.name == "whole"]
    assert [set(linked.cut(linked.found.question_spans(value))) for value in whole] == [
        {"12", "2"},
        {"5", "3"},
    ]
    assert linked.numbers("ripe") == {12, 5, 3, 2, 7}
    assert linked.found.answer.name == "solution()"
    assert linked.found.answer.literals == linked.last("ripe").literals


def test_loops_take_one_value_at_a_time_and_gather(runner):
    linked = Linked(runner, "Jobs pay 4, 9 and 16.", "t = 0\nfor pay in [4, 9, 16]:\n    t += pay\nans = t")
    pays = [value for value in linked.found.values if value.name == "pay"]
    assert [linked.cut(linked.found.question_spans(value)) for value in pays] == [["4"], ["9"], ["16"]]
    totals = [value for value in linked.found.values if value.name == "t"]
    assert [len(value.literals) for value in totals] == [1, 2, 3, 4]
    assert linked.texts("ans") == ["4", "9", "16"]


@pytest.mark.parametrize(
    ("program", "name", "numbers"),
    [
        ("xs = []\nxs.append(5)\nxs += [6]\nans = sum(xs)", "ans", {5, 6}),
        ("d = {'a': 5}\nd['b'] = 6\nans = d['b']", "ans", {5, 6}),
        ("a, b = 5, 6\na, b = b, a\nans = a", "ans", {6}),
        ("a = 5; b = a * 6; ans = b", "ans", {5, 6}),
        ("a = 5\na = 5\nb = 7\na = b\nans = a", "ans", {7}),
        ("if 1 < 2: a = 5\nelse: a = 6\nans = a", "ans", {5}),
        ("a = (5 +\n     6)\nans = a", "ans", {5, 6}),
        ("f = lambda x: x * 5\nans = f(6)", "ans", {5, 6}),
        ("ans = [x * 5 for x in (6, 7)][0]", "ans", {5, 6, 7, 0}),
        ("def f(x):\n    if x < 2:\n        return 1\n    return x * f(x - 1)\nans = f(3)", "ans", {3, 1}),
        ("class P:\n    def __init__(self, x):\n        self.x = x\n    @property\n    def y(self):\n"
         "        return self.x * 5\np = P(6)\nans = p.y", "ans", {5, 6}),
        ("n = 5\ndef f():\n    global n\n    n = n + 6\nf()\nans = n", "ans", {5, 6}),
        ("def g():\n    yield 5\n    yield 6\nt = 0\nfor v in g():\n    t += v\nans = t", "ans", {0, 5, 6}),
        ("def f(k):\n    return k\nans = max(map(f, [5, 6]))", "ans", {5, 6}),
        ("def o(a):\n    def p(b):\n        return a + b\n    return p(6)\nans = o(5)", "ans", {5, 6}),
        ("x = 5\ntry:\n    y = x / 0\nexcept ZeroDivisionError as e:\n    y = 6\nans = y", "ans", {6}),
        ("def f(*v):\n    return sum(v)\nans = f(5, 6)", "ans", {5, 6}),
        ("ans = int('5') + 6", "ans", {6}),
    ],
)  # fmt: skip
def test_ways_a_value_travels(runner, program, name, numbers):
    linked = Linked(runner, "", program)
    assert linked.result.verdict == "ok", linked.result
    assert linked.numbers(name) >= numbers
    assert linked.numbers(name) - numbers <= {0, 1, 2}


def test_numbers_that_the_answer_does_not_need_are_said(runner):
    linked = Linked(runner, "4 boys, 5 girls, 6 cats.", "boys = 4\ncats = 6\nans = boys * 10")
    assert linked.cut(linked.found.unused) == ["5"]
    assert linked.cut(linked.found.aside) == ["6"]


PAGES = "A book has 139 pages, she has read 67, and reads 12 a day. How many days more? Her 2 cats sleep."


@pytest.mark.parametrize(
    "program",
    [
        "pages = 139\nread = 67\ndays = 0\nwhile read < pages:\n    read += 12\n    days += 1\nans = days",
        "pages = 139\nread = 67\nans = 0\nif pages > read:\n    ans = 12 * 0.5",
        "ans = 12\nif 139 < 67:\n    ans = 5",
        "def solution():\n    for n in range(139):\n        if n * 12 > 67:\n            return n",
    ],
)
def test_a_number_that_decided_is_used(runner, program):
    linked = Linked(runner, PAGES, program)
    found = linked.found
    assert not found.aside and linked.cut(found.unused) == ["2"]
    computed, decided = found.question_spans(found.answer), found.deciding_spans(found.answer)
    assert linked.cut(sorted({*computed, *decided})) == ["139", "67", "12"]
    assert decided and not set(computed) & set(decided)


def test_nothing_is_unused_where_there_is_no_answer(runner):
    question = "4 boys, 5 girls, 6 cats."
    for program in ("boys = 4\nans = boys / 0", "cats = 6", "x = 'a' * (4 * 10**9)", "ans = 'none'"):
        linked = Linked(runner, question, program)
        assert linked.result.verdict != "ok"
        assert linked.found.answer is None and not linked.found.unused and not linked.found.aside


def test_of_a_trace_that_stops_early_only_what_the_program_lacks_is_unused(runner):
    program = "boys = 4\nans = 0\nfor n in range(9000):\n    ans += n\nans = ans * boys"
    linked = Linked(runner, "4 boys, 5 girls", program)
    assert len(linked.records) == 10_000 and linked.result.verdict == "ok"
    assert linked.cut(linked.found.unused) == ["5"] and not linked.found.aside


def test_no_trace_no_program_no_question():
    assert number_origins("", (), "", ()).answer is None
    found = number_origins("4 boys", (), "x = 4", ())
    assert found.literals[0].question == (0, 1) and not found.values and not found.unused
    record = {
        "n": 1,
        "ev": "line",
        "f": 7,
        "depth": 3,
        "ln": 99,
        "nx": None,
        "ch": {"q": ["1", "int"], "r": None},
    }
    strange = [record, {**record, "ev": "return", "rv": "2"}, {**record, "ev": "call", "fn": "f"}]
    assert number_origins("4", (), "x = (((", strange).values


def test_a_long_loop_stays_bounded(runner):
    linked = Linked(runner, "1 to 3", "t = 0\nfor i in range(20000):\n    t += i * 3\nans = t")
    assert linked.result.value == 599_970_000
    assert len(linked.found.values) <= len(linked.records) + 1


NAMES = ("a", "b", "c", "d")
TERM = st.one_of(st.sampled_from(NAMES), st.integers(2, 99).map(str))
LINE = st.tuples(st.sampled_from(NAMES), TERM, st.sampled_from("+-*"), TERM, st.sampled_from(["=", "+="]))


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=10))
def test_straight_programs_are_followed_exactly(lines):
    """Compare with the literals found by walking Python's own tree, on trusted programs of our own."""
    program = "\n".join(
        ["a = 3", "b = 4", "c = 5", "d = 6", *(f"{n} {o} {x} {s} {y}" for n, x, s, y, o in lines)]
    )
    values: dict[str, int] = {}
    known: dict[str, set[tuple[int, int]]] = {}
    records = []
    for number, node in enumerate(ast.parse(program).body, 1):
        assert isinstance(node, ast.Assign | ast.AugAssign)
        target = node.target.id if isinstance(node, ast.AugAssign) else node.targets[0].id
        places = {(n.lineno, n.col_offset) for n in ast.walk(node.value) if isinstance(n, ast.Constant)}
        for name in (n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)):
            places |= known[name]
        known[target] = places | (known[target] if isinstance(node, ast.AugAssign) else set())
        before = values.get(target)
        exec(compile(ast.Module([node], []), "<own>", "exec"), {}, values)
        changed = {} if values[target] == before else {target: [str(values[target]), "int"]}
        records.append(
            {"n": number, "ev": "line", "f": 0, "depth": 0, "ln": number, "nx": number + 1, "ch": changed}
        )
    found = number_origins("", (), program, records)
    for name, places in known.items():
        last = next(value for value in reversed(found.values) if value.name == name)
        assert {(found.literals[i].line, found.literals[i].start) for i in last.literals} == places
        assert last.text == str(values[name])


@pytest.mark.slow
def test_recorded_programs_use_most_numbers_of_their_questions(runner, shared_data, capsys):
    """Of GSM8K's questions, nine of ten numbers are linked, and of the literals at least 94 %."""
    folder = shared_data / "teacher" / "faithful_cot"
    asked = (folder / "data" / "GSM8K_test.jsonl").read_text(encoding="utf-8").splitlines()
    questions = {row["id"]: row["question"] for row in map(json.loads, asked)}
    path = folder / "GSM8K" / "gpt4_noNL.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no recorded programs at {path}")
    counts = {"numbers": 0, "linked": 0, "literals": 0, "with origin": 0, "programs": 0, "in the answer": 0}
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        for line in list(rows)[:300]:
            row = json.loads(line)
            linked = Linked(runner, questions[row["id"]], row["completion"])
            found = linked.found
            spans = {literal.question for literal in found.literals if literal.question}
            counts["programs"] += 1
            counts["numbers"] += len(spans) + len(found.unused)
            counts["linked"] += len(spans)
            counts["in the answer"] += len(spans) - len(found.aside)
            counts["literals"] += len(found.literals)
            counts["with origin"] += sum(literal.question is not None for literal in found.literals)
    with capsys.disabled():
        print(f"\n{counts}")
    assert counts["linked"] > 0.89 * counts["numbers"]
    assert counts["with origin"] > 0.94 * counts["literals"]
