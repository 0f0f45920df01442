"""Measuring students: questions are solved in pieces, each answer is judged and kept, the figures follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from training_backend.errors import DatasetError
from training_backend.evaluation.combining import Answers, right_by_way
from training_backend.evaluation.scoring import Score, percent, score
from training_backend.events import Control, Reporter
from training_backend.execution.runner import ProgramRunner
from training_backend.project.runs import Prediction
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.solving import KIND_ORDER, Cancelled, Solution

if TYPE_CHECKING:
    from training_backend.project.store import Project
    from training_backend.students.solving import Solver

# questions solved together: large enough for batches of like length, small enough for stop and progress
PIECE = 64
# instead of a kind: all that the method has
ALL_KINDS = "all"


class BenchmarkQuestion(Protocol):
    """A question of a file or of a project."""

    @property
    def native_id(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def gold_text(self) -> str: ...
    @property
    def gold_value(self) -> float | None: ...


@dataclass(frozen=True)
class EvaluationReport:
    """Students on one benchmark: the score, the judgements by state, and every prediction in order."""

    students: str
    method: str
    benchmark: str
    score: Score
    by_state: dict[str, int]
    predictions: tuple[Prediction, ...]
    evaluation_id: int | None = None
    elapsed_s: float = 0.0
    stopped: bool = False
    notes: tuple[str, ...] = ()
    # how many questions each way to combine the kinds answers rightly; empty where only one way was tried
    combined: Mapping[str, int] = field(default_factory=dict)

    @property
    def wrong(self) -> list[Prediction]:
        """Return the predictions that do not equal gold, the ones that could not be scored among them."""
        return [one for one in self.predictions if one.gold_value is not None and not one.equal]


def evaluate(
    project: Project | None,
    solver: Solver,
    questions: Sequence[BenchmarkQuestion],
    reporter: Reporter,
    control: Control,
    *,
    students: str,
    method: str,
    benchmark: str,
    kind: str | None = None,
    run_id: int | None = None,
    settings: dict[str, Any] | None = None,
    notes: tuple[str, ...] = (),
    decoding: DecodingSettings | None = None,
    runner: ProgramRunner | None = None,
) -> EvaluationReport:
    """Let `solver` answer the questions and score it; with a project every prediction is stored as it comes.

    With the kind ALL_KINDS every kind is written for every question and the ways to combine them are counted;
    the predictions are those of the solver's own order. A stop keeps what was answered and reports on that.
    DatasetError when there is no question.
    """
    if not questions:
        raise DatasetError("There is no question to measure on.", "Choose another data set or file.")
    evaluation_id = None
    if project is not None:
        from training_backend.project.runs import add_evaluation

        evaluation_id = add_evaluation(project, run_id, students, benchmark, method, settings or {})
    answers: list[Answers] = []
    with runner or ProgramRunner() as programs:
        predictions, by_state = _predict(
            project, evaluation_id, solver, questions, reporter, control, kind, programs, decoding, answers
        )
    stopped = len(predictions) < len(questions)
    combined: Mapping[str, int] = {}
    if answers:
        combined = right_by_way(answers, [one.gold_value for one in predictions], solver.method.kinds)
    report = EvaluationReport(
        students, method, benchmark, score(predictions), dict(by_state), tuple(predictions), evaluation_id,
        round(reporter.elapsed_s, 3), stopped, notes, combined,
    )  # fmt: skip
    if project is not None and evaluation_id is not None:
        from training_backend.project.runs import finish_evaluation

        finish_evaluation(project, evaluation_id, summary(report))
    return report


def _predict(
    project: Project | None,
    evaluation_id: int | None,
    solver: Solver,
    questions: Sequence[BenchmarkQuestion],
    reporter: Reporter,
    control: Control,
    kind: str | None,
    programs: ProgramRunner,
    decoding: DecodingSettings | None,
    answers: list[Answers],
) -> tuple[list[Prediction], Counter[str]]:
    predictions: list[Prediction] = []
    by_state: Counter[str] = Counter()
    # the students' own progress is about one piece; the evaluation's is about all
    inner = _PieceReporter(reporter, len(questions))
    reporter.progress("evaluate", 0, len(questions))
    for start in range(0, len(questions), PIECE):
        control.wait_while_paused()
        if control.stop_requested:
            break
        piece = questions[start : start + PIECE]
        texts, gold = [one.text for one in piece], [one.gold_value for one in piece]
        try:
            found = {
                each: solver.solve_many(
                    texts, programs, inner, kind=each, gold=gold, settings=decoding,
                    stop=lambda: control.stop_requested,
                )
                for each in (solver.method.kinds if kind == ALL_KINDS else (kind,))
            }  # fmt: skip
        except Cancelled:
            break
        solutions = _chosen(found)
        if kind == ALL_KINDS:
            answers += _answers(found)
        fresh = [predicted(one, solution) for one, solution in zip(piece, solutions, strict=True)]
        if project is not None and evaluation_id is not None:
            from training_backend.project.runs import add_predictions

            add_predictions(project, evaluation_id, fresh)
        predictions += fresh
        by_state.update(solution.judgement.state for solution in solutions)
        inner.done = len(predictions)
        so_far = score(predictions)
        text = f"{percent(so_far.accuracy)} right, {so_far.unscored:,} not scored"
        reporter.progress("evaluate", len(predictions), len(questions), text)
    return predictions, by_state


def _chosen(found: Mapping[str | None, Sequence[Solution]]) -> list[Solution]:
    """Return one solution a question: of several kinds the first with an answer in the solver's order."""
    order = sorted(found, key=lambda kind: KIND_ORDER.index(kind) if kind else 0)
    return [
        next((one for one in each if one.judgement.value is not None), each[-1])
        for each in zip(*(found[kind] for kind in order), strict=True)
    ]


def _answers(found: Mapping[str | None, Sequence[Solution]]) -> list[Answers]:
    return [
        {str(kind): one.judgement.value for kind, one in zip(found, each, strict=True)}
        for each in zip(*found.values(), strict=True)
    ]


class _PieceReporter(Reporter):
    """Says what the students are at within a piece as a text beside how far the evaluation is."""

    def __init__(self, outer: Reporter, total: int) -> None:
        super().__init__(quiet=True)
        self._outer, self._total, self.done = outer, total, 0

    def progress(
        self, stage: str, done: int, total: int = 0, text: str = "", counts: dict[str, int] | None = None
    ) -> None:
        """Pass a step of the piece on."""
        self._outer.progress("evaluate", self.done, self._total, f"{stage} {done:,} of {total:,}")


def predicted(question: BenchmarkQuestion, solution: Solution) -> Prediction:
    """Return what is stored of one solution."""
    judgement = solution.judgement
    equal = None if question.gold_value is None else judgement.state == "equal"
    return Prediction(
        native_id=question.native_id,
        question=question.text,
        gold_text=question.gold_text,
        gold_value=question.gold_value,
        core_question=solution.core_question,
        information=tuple(solution.information),
        kind=solution.kind,
        rationale=solution.rationale,
        verdict=judgement.verdict or judgement.state,
        answer_text=judgement.answer_text,
        value=judgement.value,
        equal=equal,
        error=judgement.error,
        rule=judgement.rule,
    )


def summary(report: EvaluationReport) -> dict[str, Any]:
    """Return the figures of a report as data: counts, accuracy and interval in 0..1, judgements by state."""
    result = report.score
    return {
        "students": report.students,
        "method": report.method,
        "benchmark": report.benchmark,
        "questions": len(report.predictions),
        "total": result.total,
        "right": result.right,
        "wrong": result.wrong,
        "unscored": result.unscored,
        "no_gold": result.no_gold,
        "accuracy": result.accuracy,
        "interval_95": list(result.interval) if result.interval else None,
        "by_state": report.by_state,
        "elapsed_s": report.elapsed_s,
        "stopped": report.stopped,
        "notes": list(report.notes),
        "combined": dict(report.combined),
    }
