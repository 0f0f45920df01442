"""What Home shows: how many questions and rows stand at each stage of the work, and the best accuracy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.project.flags import mask_of
from training_backend.project.lines import FACETS
from training_backend.rationale.judgement import ANSWERED, FAILED

if TYPE_CHECKING:
    from training_backend.project.store import Project


UNFIT = mask_of(["unfit_for_student"])
_BY_HAND = (
    "SELECT count(*) FROM row WHERE verdict = 'does_not_parse' AND review = 'accepted' AND rationale <> ''"
)


@dataclass(frozen=True)
class BestAccuracy:
    """The finished evaluation with the highest accuracy (0..1), and on how many questions it was measured."""

    accuracy: float
    students: str
    benchmark: str
    total: int


def best_accuracy(project: Project) -> BestAccuracy | None:
    """Return the best of the finished evaluations, the newest among equals; None: nothing was measured."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT students, benchmark, summary FROM evaluation WHERE finished_at IS NOT NULL "
            "ORDER BY id DESC"
        ).fetchall()
    best: BestAccuracy | None = None
    for students, benchmark, text in found:
        summary = json.loads(text)
        accuracy = summary.get("accuracy")
        if accuracy is not None and (best is None or accuracy > best.accuracy):
            best = BestAccuracy(float(accuracy), students, benchmark, int(summary.get("total", 0)))
    return best


def funnel(project: Project) -> dict[str, int]:
    """Return the counts from questions to training rows.

    questions · asked_questions (with at least one reply) · solved_questions (with a row equal to gold) ·
    rows (all lines of the list) · asked (rows with a reply) · parsed · judged · equal · not_equal · failed
    (judged, but no answer) · not_run · reviewed · accepted · rejected · flagged · changed ·
    suspects (unreviewed rows with a flag of the program) ·
    unfit (training rows that the chosen student cannot carry) · used (the other training rows) · runs ·
    trained (runs that ended whole) · evaluations.
    """
    with project.reading() as connection:
        groups = connection.execute(
            # first as the index is ordered, so that no row has to be sorted; then the few that are told apart
            f"SELECT verdict, review, asked, changed, flagged, flags & {UNFIT}, flags <> 0, sum(rows) FROM ("
            "SELECT verdict, review, kind <> '' AS asked, changed, flagged, flags, count(*) AS rows FROM row "
            f"GROUP BY {', '.join(FACETS)}) GROUP BY 1, 2, 3, 4, 5, 6, 7"
        ).fetchall()

        def one(sql: str) -> int:
            return connection.execute(sql).fetchone()[0]

        counts = {
            "questions": one("SELECT count(*) FROM question"),
            "asked_questions": one("SELECT count(DISTINCT question_id) FROM rationale"),
            "solved_questions": one("SELECT count(DISTINCT question_id) FROM row WHERE verdict = 'equal'"),
            # a person may accept what no program could read; the others of this kind hold no text at all
            "used": one(f"{_BY_HAND} AND flags & {UNFIT} = 0"),
            "unfit": one(f"{_BY_HAND} AND flags & {UNFIT} <> 0"),
            "runs": one("SELECT count(*) FROM run"),
            "trained": one("SELECT count(*) FROM run WHERE status = 'done'"),
            "evaluations": one("SELECT count(*) FROM evaluation"),
        }

    def rows(condition) -> int:
        return sum(count for *values, count in groups if condition(*values))

    # the same rule as the view training_rows, counted without reading a single text
    def training(verdict: str, review: str, asked: int) -> bool:
        fit = review == "accepted" or (verdict == "equal" and review != "rejected")
        return bool(asked and fit and verdict != "does_not_parse")

    return {
        **counts,
        "used": counts["used"] + rows(lambda *row: training(*row[:3]) and not row[5]),
        "unfit": counts["unfit"] + rows(lambda *row: training(*row[:3]) and row[5]),
        "rows": rows(lambda *_: True),
        "asked": rows(lambda verdict, review, asked, *_: asked),
        "parsed": rows(lambda verdict, review, asked, *_: asked and verdict != "does_not_parse"),
        "not_run": rows(lambda verdict, *_: verdict == "not_run"),
        "judged": rows(lambda verdict, *_: verdict in ANSWERED + FAILED),
        "equal": rows(lambda verdict, *_: verdict == "equal"),
        "not_equal": rows(lambda verdict, *_: verdict == "not_equal"),
        "failed": rows(lambda verdict, *_: verdict in FAILED),
        "reviewed": rows(lambda verdict, review, *_: review != "unreviewed"),
        "accepted": rows(lambda verdict, review, *_: review == "accepted"),
        "rejected": rows(lambda verdict, review, *_: review == "rejected"),
        "changed": rows(lambda verdict, review, asked, changed, *_: changed),
        "flagged": rows(lambda verdict, review, asked, changed, flagged, *_: flagged),
        "suspects": rows(lambda verdict, review, *others: others[-1] and review == "unreviewed"),
    }
