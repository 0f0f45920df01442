"""From the project's counts to the stages of the funnel, and to what is worth doing next. No widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kpdd_app.widgets.funnel_view import Step
from training_backend.project.listing import RowFilter

Say = Callable[[str], str]
PARSED = ("not_run", "equal", "not_equal", "no_answer", "raised", "timed_out", "out_of_memory", "refused",
          "crashed", "no_gold")  # fmt: skip
BROKEN = ("no_answer", "raised", "timed_out", "out_of_memory", "refused", "crashed")


@dataclass(frozen=True)
class Next:
    """One thing to do: the button's text, the reason, and what it opens (a page, rows, or "import")."""

    action: str
    why: str
    target: Any


def funnel_steps(counts: dict[str, int], say: Say) -> list[Step]:
    """Return the stages questions → replies → parsed → equal → reviewed → for training → runs.

    A bar's height is the share of the questions that were asked times the share of their replies.
    """
    replies = counts.get("asked", 0)
    asked = counts.get("asked_questions", 0) / max(1, counts.get("questions", 0))

    def rows(title: str, key: str, unit: str, tone: str, target: Any, through: float | None = None) -> Step:
        share = counts.get(key, 0) / max(1, replies)
        aside = f"{100 * share:.0f} %" if replies and key != "asked" else ""
        return Step(title, counts.get(key, 0), unit, asked * share, tone, target, aside, through)

    stream = asked * counts.get("equal", 0) / max(1, replies)
    return [
        Step(say("questions"), counts.get("questions", 0), say("questions in the project"), 1.0, "faint",
             RowFilter()),
        rows(say("replies"), "asked", say("rows that a teacher answered"), "accent", _kinds()),
        rows(say("parsed"), "parsed", say("replies that could be read"), "accent", _verdicts(*PARSED)),
        rows(say("equal to gold"), "equal", say("rows whose answer is the gold answer"), "equal",
             _verdicts("equal")),
        rows(say("reviewed"), "reviewed", say("rows that a person accepted or rejected"), "changed",
             RowFilter({"review": frozenset({"accepted", "rejected"})}), stream),
        rows(say("for training"), "used", say("rows equal to gold and not rejected, or accepted"), "equal",
             "train"),
        Step(say("runs"), counts.get("runs", 0), say("training runs of this project"), None, "accent",
             "train"),
    ]  # fmt: skip


def next_steps(counts: dict[str, int], say: Say) -> list[Next]:
    """Return at most three things to do, the most useful first."""
    if not counts.get("questions"):
        why = say("GSM8K, SVAMP, ASDiv, MultiArith as published, or your own JSON lines.")
        return [Next(say("Import questions…"), why, "import")]
    unasked = counts["questions"] - counts.get("asked_questions", 0)
    wrong = RowFilter({"verdict": frozenset({"not_equal"}), "review": frozenset({"unreviewed"})})
    candidates = [
        (unasked, say("Ask a teacher"), say("{0} questions have no rationale yet."), "teacher"),
        (counts.get("not_run", 0), say("Look at what was not run"), say("{0} rows wait for their verdict."),
         _verdicts("not_run")),
        (counts.get("failed", 0), say("See what failed"),
         say("{0} programs or texts gave no answer; often one line is missing."), _verdicts(*BROKEN)),
        (counts.get("not_equal", 0), say("Review the wrong ones"), say("{0} rows are not equal to gold."),
         wrong),
        (counts.get("runs", 0), say("Solve a question"), say("Watch the students at work, line by line."),
         "solve"),
    ]  # fmt: skip
    steps = [
        Next(action, why.format(f"{count:,}"), target) for count, action, why, target in candidates if count
    ]
    used = counts.get("used", 0)
    if used:
        train = Next(
            say("Train students"), say("{0} rows are fit for training.").format(f"{used:,}"), "train"
        )
        steps.insert(0 if not unasked and not counts.get("runs") else 1, train)
    return steps[:3]


def _kinds() -> RowFilter:
    return RowFilter({"kind": frozenset({"cot", "pot", "eot"})})


def _verdicts(*states: str) -> RowFilter:
    return RowFilter({"verdict": frozenset(states)})
