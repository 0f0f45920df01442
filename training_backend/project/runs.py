"""Runs of students, their evaluations, and every single prediction, as rows of the project."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from training_backend.errors import StoreError
from training_backend.project.lines import storable

if TYPE_CHECKING:
    from training_backend.project.store import Project

CHUNK = 500  # predictions to a transaction


@dataclass(frozen=True)
class Run:
    """One training run: its folder (relative to the project file where it lies beside it), how it stands."""

    id: int
    folder: str
    method: str
    title: str
    status: str
    created_at: str
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """Students measured on one benchmark; `finished` is False while predictions still arrive."""

    id: int
    run_id: int | None
    students: str
    benchmark: str
    method: str
    settings: Mapping[str, Any]
    summary: Mapping[str, Any]
    created_at: str
    finished: bool


@dataclass(frozen=True)
class Prediction:
    """What students answered to one question; `equal` is None without gold, `rule` says how it was read."""

    native_id: str
    question: str
    gold_text: str
    gold_value: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str
    verdict: str
    answer_text: str
    value: float | None
    equal: bool | None
    error: str
    rule: str = ""


def add_run(project: Project, folder: str, method: str, title: str) -> int:
    """Note a run and return its id; a folder that is known already keeps its id."""
    from training_backend.project.store import now

    with project.writing() as connection:
        return connection.exec_driver_sql(
            "INSERT INTO run (folder, method, title, status, created_at) VALUES (?, ?, ?, 'prepared', ?) "
            "ON CONFLICT (folder) DO UPDATE SET title = excluded.title RETURNING id",
            (str(folder), method, title, now()),
        ).scalar_one()


def set_run_status(project: Project, run_id: int, status: str, summary: Mapping[str, Any]) -> None:
    """Write how a run stands and its figures so far."""
    with project.writing() as connection:
        changed = connection.exec_driver_sql(
            "UPDATE run SET status = ?, summary = ? WHERE id = ?", (status, _dump(summary), run_id)
        ).rowcount
    if not changed:
        raise StoreError("The project has no such run.", where=f"run {run_id}")


def runs(project: Project) -> list[Run]:
    """Return all runs, newest first."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT id, folder, method, title, status, created_at, summary FROM run ORDER BY id DESC"
        ).fetchall()
    return [Run(*(*line[:6], json.loads(line[6]))) for line in found]


def add_evaluation(
    project: Project,
    run_id: int | None,
    students: str,
    benchmark: str,
    method: str,
    settings: Mapping[str, Any],
) -> int:
    """Begin an evaluation and return its id; `run_id` is None for students from outside the project."""
    from training_backend.project.store import now

    with project.writing() as connection:
        return connection.exec_driver_sql(
            "INSERT INTO evaluation (run_id, students, benchmark, method, settings, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (run_id, str(students), benchmark, method, _dump(settings), now()),
        ).scalar_one()


def add_predictions(project: Project, evaluation_id: int, predictions: Iterable[Prediction]) -> int:
    """Store predictions as they come, five hundred to a transaction, and return how many."""
    stored = 0
    source = iter(predictions)
    while chunk := list(islice(source, CHUNK)):
        with project.writing() as connection:
            connection.exec_driver_sql(
                """INSERT INTO prediction (evaluation_id, native_id, question, gold_text, gold_value,
                       core_question, information, kind, rationale, verdict, answer_text, value, equal,
                       error, rule)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                [_prediction_line(evaluation_id, prediction) for prediction in chunk],
            )
        stored += len(chunk)
    return stored


def _prediction_line(evaluation_id: int, prediction: Prediction) -> tuple:
    information = "\n".join(" ".join(item.split()) for item in prediction.information)
    texts = (prediction.native_id, prediction.question, prediction.gold_text)
    written = (prediction.core_question, information, prediction.kind, prediction.rationale,
               prediction.verdict, prediction.answer_text)  # fmt: skip
    equal = None if prediction.equal is None else int(prediction.equal)
    return (evaluation_id, *map(storable, texts), prediction.gold_value, *map(storable, written),
            prediction.value, equal, storable(prediction.error), storable(prediction.rule))  # fmt: skip


def finish_evaluation(project: Project, evaluation_id: int, summary: Mapping[str, Any]) -> None:
    """Write the figures of an evaluation and mark it finished."""
    from training_backend.project.store import now

    with project.writing() as connection:
        changed = connection.exec_driver_sql(
            "UPDATE evaluation SET summary = ?, finished_at = ? WHERE id = ?",
            (_dump(summary), now(), evaluation_id),
        ).rowcount
    if not changed:
        raise StoreError("The project has no such evaluation.", where=f"evaluation {evaluation_id}")


def evaluations(project: Project) -> list[Evaluation]:
    """Return all evaluations, newest first."""
    with project.reading() as connection:
        found = connection.execute(
            """SELECT id, run_id, students, benchmark, method, settings, summary, created_at,
                      finished_at IS NOT NULL FROM evaluation ORDER BY id DESC"""
        ).fetchall()
    return [
        Evaluation(*(*line[:5], json.loads(line[5]), json.loads(line[6]), line[7], bool(line[8])))
        for line in found
    ]


def predictions(project: Project, evaluation_id: int, only_wrong: bool = False) -> list[Prediction]:
    """Return the predictions of an evaluation in order; `only_wrong`: those known not to equal gold."""
    wrong = "AND equal = 0" if only_wrong else ""
    with project.reading() as connection:
        found = connection.execute(
            f"""SELECT native_id, question, gold_text, gold_value, core_question, information, kind,
                       rationale, verdict, answer_text, value, equal, error, rule
                FROM prediction WHERE evaluation_id = ? {wrong} ORDER BY id""",
            (evaluation_id,),
        ).fetchall()
    return [_prediction(line) for line in found]


def _prediction(line: tuple) -> Prediction:
    equal = None if line[11] is None else bool(line[11])
    return Prediction(*(*line[:5], tuple(line[5].splitlines()), *line[6:11], equal, *line[12:]))


def _dump(data: Mapping[str, Any]) -> str:
    return json.dumps(dict(data), ensure_ascii=False, default=str)
