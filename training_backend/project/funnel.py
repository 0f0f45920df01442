"""What Home shows: how many questions and rows stand at each stage of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training_backend.project.lines import FACETS
from training_backend.rationale.judgement import ANSWERED, FAILED

if TYPE_CHECKING:
    from training_backend.project.store import Project


def funnel(project: Project) -> dict[str, int]:
    """Return the counts from questions to training rows.

    questions · asked_questions (with at least one reply) · solved_questions (with a row equal to gold) ·
    rows (all lines of the list) · asked (rows with a reply) · parsed · judged · equal · not_equal · failed
    (judged, but no answer) · not_run · reviewed · accepted · rejected · flagged · changed ·
    used (training rows) · runs · evaluations.
    """
    with project.reading() as connection:
        groups = connection.execute(
            # grouped as the index is ordered, so that nothing has to be sorted
            "SELECT verdict, review, kind <> '', changed, flagged, count(*) FROM row "
            f"GROUP BY {', '.join(FACETS)}"
        ).fetchall()

        def one(sql: str) -> int:
            return connection.execute(sql).fetchone()[0]

        counts = {
            "questions": one("SELECT count(*) FROM question"),
            "asked_questions": one("SELECT count(DISTINCT question_id) FROM rationale"),
            "solved_questions": one("SELECT count(DISTINCT question_id) FROM row WHERE verdict = 'equal'"),
            # a person may accept what no program could read; the others of this kind hold no text at all
            "used": one(
                "SELECT count(*) FROM row WHERE verdict = 'does_not_parse' AND review = 'accepted' "
                "AND rationale <> ''"
            ),
            "runs": one("SELECT count(*) FROM run"),
            "evaluations": one("SELECT count(*) FROM evaluation"),
        }

    def rows(condition) -> int:
        return sum(count for *values, count in groups if condition(*values))

    # the same rule as the view training_rows, counted without reading a single text
    def used(verdict: str, review: str, asked: int, *_: int) -> bool:
        fit = review == "accepted" or (verdict == "equal" and review != "rejected")
        return bool(asked and fit and verdict != "does_not_parse")

    return {
        **counts,
        "used": counts["used"] + rows(used),
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
        "changed": rows(lambda verdict, review, asked, changed, flagged: changed),
        "flagged": rows(lambda verdict, review, asked, changed, flagged: flagged),
    }
