"""From the project's counts to the stages of the funnel, and to what is worth doing next. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kpdd_app.widgets.funnel_view import Step
from training_backend.rationale.judgement import ANSWERED, FAILED

if TYPE_CHECKING:
    from training_backend.project.funnel import BestAccuracy
    from training_backend.project.listing import RowFilter

Say = Callable[[str], str]
PARSED = ("not_run", *ANSWERED, *FAILED)


@dataclass(frozen=True)
class Next:
    """One thing to do: the button's text, the reason, and what it opens (a page, rows, or "import")."""

    action: str
    why: str
    target: Any


def funnel_steps(counts: dict[str, int], say: Say, best: BestAccuracy | None = None) -> list[Step]:
    """Return the stages questions → replies → parsed → equal → reviewed → fit → trained → accuracy.

    A bar's height is the share of the questions that were asked times the share of their replies.
    """
    replies = counts.get("asked", 0)
    asked = counts.get("asked_questions", 0) / max(1, counts.get("questions", 0))

    def rows(title: str, key: str, unit: str, tone: str, target: Any, through: float | None = None) -> Step:
        share = counts.get(key, 0) / max(1, replies)
        aside = f"{100 * share:.0f} %" if replies and key != "asked" else ""
        return Step(title, counts.get(key, 0), unit, asked * share, tone, target, aside, through)

    fit = say("rows equal to gold and not rejected, or accepted, that the student can carry")
    if counts.get("unfit"):
        fit += say("; {0} more are unfit").format(f"{counts['unfit']:,}")
    stream = asked * counts.get("equal", 0) / max(1, replies)
    return [
        Step(say("questions"), counts.get("questions", 0), say("questions in the project"),
             1.0 if counts.get("questions") else 0.0, "faint", _filter()),
        rows(say("replies"), "asked", say("rows that a teacher answered"), "accent",
             _filter(kind=("cot", "pot", "eot"))),
        rows(say("parsed"), "parsed", say("replies that could be read"), "accent", _filter(verdict=PARSED)),
        rows(say("equal to gold"), "equal", say("rows whose answer is the gold answer"), "equal",
             _filter(verdict=("equal",))),
        rows(say("reviewed"), "reviewed", say("rows that a person accepted or rejected"), "changed",
             _filter(review=("accepted", "rejected")), stream),
        rows(say("fit for the student"), "used", fit, "equal",
             _filter(verdict=("equal",), review=("unreviewed", "accepted"))),
        Step(say("trained"), counts.get("trained", 0),
             say("of {0} training runs of this project are done").format(counts.get("runs", 0)), None,
             "accent", "train"),
        _accuracy(best, say),
    ]  # fmt: skip


def _accuracy(best: BestAccuracy | None, say: Say) -> Step:
    if best is None:
        return Step(say("accuracy"), 0, say("nothing was measured yet"), None, "accent", "evaluate", text="–")
    percent = f"{100 * best.accuracy:.1f} %"
    what = say("the best measured: {0} on {1}, {2} questions").format(
        best.students, best.benchmark, f"{best.total:,}"
    )
    title = say("accuracy on {0}").format(best.benchmark)
    return Step(title, round(100 * best.accuracy), what, None, "accent", "evaluate", text=percent)


def next_steps(counts: dict[str, int], say: Say) -> list[Next]:
    """Return at most three things to do, the most useful first."""
    if not counts.get("questions"):
        why = say("GSM8K, SVAMP, ASDiv, MultiArith as published, or your own JSON lines.")
        return [Next(say("Import questions…"), why, "import")]
    unasked = counts["questions"] - counts.get("asked_questions", 0)
    wrong = _filter(verdict=("not_equal",), review=("unreviewed",))
    candidates = [
        (unasked, say("Ask a teacher"), say("Questions without a rationale: {0}."), "teacher"),
        (counts.get("not_run", 0), say("Look at what was not run"),
         say("Rows that wait for their verdict: {0}."),
         _filter(verdict=("not_run",))),
        (counts.get("suspects", 0), say("Look at the most suspicious"),
         say("Rows in which the program found something odd: {0}. The first twenty are most worth your "
             "time."),
         _suspects() if counts.get("suspects") else None),
        (counts.get("failed", 0), say("See what failed"),
         say("Rows without an answer: {0}. Often one line is missing."), _filter(verdict=FAILED)),
        (counts.get("not_equal", 0), say("Review the wrong ones"), say("Rows not equal to gold: {0}."),
         wrong),
        (counts.get("runs", 0), say("Solve a question"), say("Watch the students at work, line by line."),
         "solve"),
    ]  # fmt: skip
    steps = [
        Next(action, why.format(f"{count:,}"), target) for count, action, why, target in candidates if count
    ]
    used = counts.get("used", 0)
    if used:
        train = Next(say("Train students"), say("Rows fit for training: {0}.").format(f"{used:,}"), "train")
        steps.insert(0 if not unasked and not counts.get("runs") else 1, train)
    return steps[:3]


def _suspects() -> RowFilter:
    """Return the rows with a flag that nobody has reviewed, the heaviest first."""
    from training_backend.project.flags import FLAGS
    from training_backend.project.listing import RowFilter

    facets = {"review": frozenset({"unreviewed"}), "flags": frozenset(flag.name for flag in FLAGS)}
    return RowFilter(facets, sort="suspicion", descending=True)


def _filter(**facets: tuple[str, ...]) -> RowFilter:
    # not at the top: numpy comes with it, and Home is painted before anything else
    from training_backend.project.listing import RowFilter

    return RowFilter({facet: frozenset(values) for facet, values in facets.items()})
