"""Evaluation reports as text for people and as lines of data."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from training_backend.evaluation.evaluate import EvaluationReport
from training_backend.evaluation.published import AVERAGE, KPDD_BENCHMARKS, neighbours, published
from training_backend.evaluation.scoring import percent, with_interval
from training_backend.methods import METHODS
from training_backend.project.runs import Prediction

WRONG_SHOWN = 10


def as_text(report: EvaluationReport, dataset: str = "", wrong_shown: int = WRONG_SHOWN) -> str:
    """Return a report for a terminal: figures, judgements, what the papers say, the first wrong answers."""
    result = report.score
    title = METHODS[report.method].title if report.method in METHODS else report.method
    unscored = percent(result.unscored / result.total if result.total else None)
    lines = [
        _line("students", f"{report.students} ({title})"),
        _line("benchmark", f"{report.benchmark}, {len(report.predictions):,} questions answered"),
        _line("accuracy", f"{with_interval(result)} (Wilson, 95 %), {result.right:,} of {result.total:,}"),
        _line("not scored", f"{result.unscored:,} ({unscored}), counted as wrong in the accuracy"),
    ]
    if result.no_gold:
        lines.append(_line("without gold", f"{result.no_gold:,}, not counted"))
    states = sorted(report.by_state.items(), key=lambda item: -item[1])
    lines.append(
        _line("judged", " · ".join(f"{state.replace('_', ' ')} {count:,}" for state, count in states))
    )
    if report.combined:
        shares = (
            (way, right / result.total if result.total else None) for way, right in report.combined.items()
        )
        lines += [_line("combined", f"{percent(share)} {way}") for way, share in shares]
    lines += [_line("published", text) for text in published_lines(report.method, dataset)]
    lines += [_line("note", note) for note in report.notes]
    wrong = report.wrong
    if wrong and wrong_shown:
        lines += [
            "",
            f"{len(wrong):,} not equal to gold" + (", the first:" if len(wrong) > wrong_shown else ":"),
        ]
        lines += [line for one in wrong[:wrong_shown] for line in _wrong(one)]
    return "\n".join(lines)


def published_lines(method: str, dataset: str) -> list[str]:
    """Return what the papers report for a method, and public neighbours on the data set."""
    lines = []
    title = METHODS[method].title if method in METHODS else method
    for benchmark in (dataset, AVERAGE) if dataset in KPDD_BENCHMARKS else (AVERAGE,):
        figure = published(method, benchmark)
        where = f"average of {', '.join(KPDD_BENCHMARKS)}" if benchmark == AVERAGE else benchmark
        source = f" ({figure.source}, {figure.note})" if figure.percent is not None else ""
        lines.append(f"{title}, {figure.student}, {where}: {figure.text}{source}")
    for figure in neighbours(dataset):
        note = f", {figure.note}" if figure.note else ""
        lines.append(f"{figure.method}, {figure.student}, {dataset}: {figure.text} ({figure.source}{note})")
    return lines


def as_line(prediction: Prediction) -> str:
    """Return one prediction as a JSON line with every field."""
    return json.dumps(dataclasses.asdict(prediction), ensure_ascii=False)


def wrong_as_data(report: EvaluationReport) -> list[dict[str, Any]]:
    """Return the wrong predictions as data: question, key points, program, answer read and by which rule."""
    return [dataclasses.asdict(one) for one in report.wrong]


def _wrong(one: Prediction) -> list[str]:
    read = f"read {one.answer_text or 'nothing'}" + (f" ({one.rule})" if one.rule else "")
    why = f", {one.error.splitlines()[0]}" if one.error else ""
    return [
        f"  {one.native_id}: gold {one.gold_text}, {read}, {one.verdict.replace('_', ' ')}{why}",
        f"      question       {_short(one.question)}",
        f"      core question  {_short(one.core_question)}",
        f"      information    {_short(' | '.join(one.information))}",
        f"      {one.kind:<14} {_short(' ⏎ '.join(one.rationale.splitlines()))}",
    ]


def _short(text: str, length: int = 120) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _line(name: str, value: str) -> str:
    return f"{name:<13} {value}"
