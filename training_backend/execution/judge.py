"""From a rationale of any kind and the gold answer to a judgement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from training_backend.execution.results import RunResult
from training_backend.execution.runner import ProgramRunner
from training_backend.rationale.answers import equal, read_answer
from training_backend.rationale.judgement import Judgement

K = TypeVar("K")


def judge(kind: str, text: str, gold: float | None, runner: ProgramRunner) -> Judgement:
    """Judge one rationale: `cot` is read, `pot` and `eot` run in the sandbox of `runner`."""
    if kind == "cot":
        return _judge_text(text, gold)
    return judge_result(kind, runner.run(text, kind), gold)


def judge_many(
    items: Iterable[tuple[K, str, str, float | None]], runner: ProgramRunner
) -> Iterator[tuple[K, Judgement]]:
    """Judge (key, kind, text, gold) items, in the order in which they finish, with bounded memory."""
    read: list[tuple[K, Judgement]] = []

    def jobs() -> Iterator[tuple[tuple[K, str, float | None], str, str]]:
        for key, kind, text, gold in items:
            if kind == "cot":
                read.append((key, _judge_text(text, gold)))
            else:
                yield (key, kind, gold), text, kind

    for (key, kind, gold), result in runner.run_many(jobs()):
        yield from _taken(read)
        yield key, judge_result(kind, result, gold)
    yield from _taken(read)


def judge_result(kind: str, result: RunResult, gold: float | None) -> Judgement:
    """Return the judgement of what running a program or equations gave."""
    return Judgement(
        state=_state(kind, result, gold),
        verdict=result.verdict,
        answer_text=result.answer_text,
        value=result.value,
        stdout=result.stdout,
        error=result.error or result.reason,
        error_line=result.error_line,
        elapsed_ms=result.elapsed_ms,
        rule=result.rule,
        isolation=result.isolation,
        python=result.python,
    )


def _state(kind: str, result: RunResult, gold: float | None) -> str:
    if result.verdict != "ok":
        unparsed = kind == "eot" and result.verdict == "raised" and result.error.startswith("EquationError")
        return "does_not_parse" if unparsed else result.verdict
    return _compared(result.value, gold)


def _judge_text(text: str, gold: float | None) -> Judgement:
    read = read_answer(text)
    if read is None:
        return Judgement("no_answer", "", "", None, error="The text holds no number.")
    return Judgement(_compared(read.value, gold), "", read.text, read.value, rule=read.rule)


def _compared(value: float | None, gold: float | None) -> str:
    if gold is None:
        return "no_gold"
    return "equal" if equal(value, gold) else "not_equal"


def _taken(items: list[tuple[K, Judgement]]) -> Iterator[tuple[K, Judgement]]:
    while items:
        yield items.pop(0)
