"""Measuring students: every question is answered, judged, stored and counted; a stop keeps what was done."""

from __future__ import annotations

import json

import pytest

from training_backend.errors import DatasetError
from training_backend.evaluation.evaluate import ALL_KINDS, PIECE, evaluate, summary
from training_backend.evaluation.tables import as_line, as_text, published_lines, wrong_as_data
from training_backend.events import Control, Progress, Reporter
from training_backend.execution.judge import judge
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import get
from training_backend.project.questions import NewQuestion
from training_backend.project.runs import evaluations, predictions
from training_backend.project.store import Project
from training_backend.students.solving import Cancelled, Solution


class Doubles:
    """Stands for two students: the program doubles the question's number, with a slip on multiples of ten."""

    def __init__(self, control=None, stop_after=None):
        self.pieces = []
        self.control, self.stop_after = control, stop_after

    def solve_many(self, questions, runner, reporter, kind=None, gold=(), settings=None, stop=None):
        self.pieces.append(len(questions))
        if stop and stop():
            raise Cancelled
        solved = [self.solve(text, g, runner) for text, g in zip(questions, gold, strict=True)]
        if self.stop_after is not None and len(self.pieces) >= self.stop_after:
            self.control.stop()
        return solved

    def solve(self, text, gold, runner):
        n = int(text.split()[2])
        program = f"ans = {n} * 2" if n % 10 else "ans = nothing"
        program = program if n != 7 else "ans = 13"
        return Solution(
            text, gold, f"What is twice {n}?", (f"the number is {n}",), "pot", program,
            judge("pot", program, gold, runner),
        )  # fmt: skip


def benchmark(count):
    return [
        NewQuestion("d", "test", f"q{n}", f"What is {n} twice?", str(2 * n), 2.0 * n if n != 3 else None)
        for n in range(count)
    ]


def measure(project, students, questions, control=None, reporter=None):
    return evaluate(
        project, students, questions, reporter or Reporter(quiet=True), control or Control(),
        students="doubles", method="kpdd-pot", benchmark="d test", settings={"kind": None},
    )  # fmt: skip


@pytest.fixture(scope="module")
def runner():
    with ProgramRunner(workers=1) as running:
        yield running


def test_figures_and_what_is_stored(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as project:
        report = measure(project, Doubles(), benchmark(12))
        result = report.score
        # 0 and 10 raise, 7 is wrong, 3 has no gold
        assert (result.right, result.wrong, result.unscored, result.no_gold) == (8, 1, 2, 1)
        assert report.by_state == {"equal": 8, "not_equal": 1, "raised": 2, "no_gold": 1}
        assert [one.native_id for one in report.wrong] == ["q0", "q7", "q10"]
        (stored,) = evaluations(project)
        assert stored.finished and stored.summary["accuracy"] == pytest.approx(8 / 11)
        assert (stored.benchmark, stored.method) == ("d test", "kpdd-pot")
        assert list(report.predictions) == predictions(project, report.evaluation_id)
        (seven,) = [one for one in predictions(project, report.evaluation_id, only_wrong=True) if one.value]
        assert (seven.answer_text, seven.rule, seven.core_question) == (
            "13",
            "a number (int)",
            "What is twice 7?",
        )
        assert seven.information == ("the number is 7",)
        raised = report.predictions[10]
        assert raised.verdict == "raised" and "NameError" in raised.error and raised.equal is False


def test_pieces_and_progress():
    class Seen(Reporter):
        def __init__(self):
            super().__init__(quiet=True)
            self.done = []

        def emit(self, event):
            if isinstance(event, Progress):
                self.done.append((event.done, event.total))

    count, reporter, students = PIECE + 5, Seen(), Doubles()
    measure(None, students, benchmark(count), reporter=reporter)
    assert students.pieces == [PIECE, 5]
    assert reporter.done == [(0, count), (PIECE, count), (count, count)]


def test_what_goes_on_within_a_piece_is_said_beside_the_whole():
    class Writing(Doubles):
        def solve_many(self, questions, runner, reporter, **settings):
            reporter.progress("Key: writing", 1, len(questions))
            return super().solve_many(questions, runner, reporter, **settings)

    class Seen(Reporter):
        def emit(self, event):
            if isinstance(event, Progress) and "writing" in event.text:
                said.append((event.stage, event.done, event.total, event.text))

    said: list[tuple] = []
    measure(None, Writing(), benchmark(PIECE + 5), reporter=Seen(quiet=True))
    assert said == [
        ("evaluate", 0, PIECE + 5, f"Key: writing 1 of {PIECE}"),
        ("evaluate", PIECE, PIECE + 5, "Key: writing 1 of 5"),
    ]


def test_a_stop_reports_on_what_was_answered(tmp_path):
    control = Control()
    with Project.create(tmp_path / "p.kpdd") as project:
        report = measure(project, Doubles(control, stop_after=1), benchmark(PIECE + 5), control)
        assert report.stopped and len(report.predictions) == PIECE
        assert evaluations(project)[0].summary["stopped"] is True


def test_no_question_is_said():
    with pytest.raises(DatasetError, match="no question"):
        measure(None, Doubles(), [])


def test_the_table_for_people(runner):
    report = measure(None, Doubles(), benchmark(12))
    text = as_text(report, "gsm8k")
    assert "72.7 % [43.4, 90.3] (Wilson, 95 %), 8 of 11" in text
    assert "2 (18.2 %), counted as wrong" in text
    assert "KPDD-PoT, FlanT5-Large, gsm8k: not available" in text
    assert "63.83 (arXiv 2407.10167, one source)" in text
    assert "q7: gold 14, read 13 (a number (int)), ok" in text
    assert "What is twice 7?" in text and "ans = 13" in text
    data = summary(report)
    assert json.loads(json.dumps(data))["interval_95"] == pytest.approx([0.4344, 0.9025], abs=1e-3)
    assert [one["native_id"] for one in wrong_as_data(report)] == ["q0", "q7", "q10"]
    assert json.loads(as_line(report.predictions[7]))["rationale"] == "ans = 13"


def test_published_lines_of_a_set_nobody_reports():
    assert published_lines("potd", "mine") == [
        "PoTD, FlanT5-Large, average of gsm8k, asdiv, svamp, multiarith: not available"
    ]


class ThreeKinds(Doubles):
    """Stands for a student of three kinds: the program fails on odd numbers, the chain of thought on 4."""

    method = get("etd")

    def solve_many(self, questions, runner, reporter, kind=None, gold=(), settings=None, stop=None):
        return [self.write(kind, text, g, runner) for text, g in zip(questions, gold, strict=True)]

    def write(self, kind, text, gold, runner):
        n = int(text.split()[2])
        written = {
            "pot": f"ans = {n} * 2" if n % 2 == 0 else "ans = nothing",
            "eot": f"x = {n} + {n}\nans = x",
            "cot": f"The answer is {2 * n if n != 4 else 9}.",
        }[kind]
        return Solution(text, gold, "", (), kind, written, judge(kind, written, gold, runner))


def test_ways_to_combine_kinds_are_counted_on_the_same_texts():
    questions = [one for one in benchmark(6) if one.gold_value is not None]
    report = evaluate(
        None, ThreeKinds(), questions, Reporter(quiet=True), Control(), students="three", method="etd",
        benchmark="d test", kind=ALL_KINDS,
    )  # fmt: skip
    assert [one.kind for one in report.predictions] == ["pot", "eot", "pot", "pot", "eot"]
    assert report.score.right == 5
    assert report.combined["program"] == 3 and report.combined["chain of thought"] == 4
    assert set(report.combined.values()) == {3, 4, 5} and len(report.combined) == 8
    assert summary(report)["combined"] == report.combined
    assert "60.0 % program" in as_text(report) and "100.0 % any kind (upper bound)" in as_text(report)


def test_one_kind_is_combined_with_nothing(tmp_path):
    with ProgramRunner(workers=1) as runner:
        report = evaluate(
            None, Doubles(), benchmark(2), Reporter(quiet=True), Control(), students="doubles",
            method="kpdd-pot", benchmark="d test", runner=runner,
        )  # fmt: skip
    assert report.combined == {} and "combined" not in as_text(report)
