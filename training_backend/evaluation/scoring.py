"""Accuracy as a share of all questions with gold, its interval, and what could not be scored apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from training_backend.project.runs import Prediction
from training_backend.rationale.answers import equal

# the 97.5 % quantile of the normal distribution
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Score:
    """Counts of one evaluation: questions with gold = `right` + `wrong` + `unscored`.

    `unscored` are questions whose answer could not be read (the program raised, timed out, left no number);
    they count as wrong in the accuracy. `no_gold` questions have nothing to compare with and count nowhere.
    """

    right: int
    wrong: int
    unscored: int
    no_gold: int = 0

    @property
    def total(self) -> int:
        """Return the number of questions that have a gold answer."""
        return self.right + self.wrong + self.unscored

    @property
    def accuracy(self) -> float | None:
        """Return right / total in 0..1, or None without any question with gold."""
        return self.right / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return Wilson's 95 % interval of the accuracy, or None without any question with gold."""
        return wilson(self.right, self.total) if self.total else None


def wilson(right: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a share as (low, high) in 0..1.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212. Unlike the
    textbook interval it stays inside 0..1 and is of use at 0 and at `total`. ValueError unless
    0 <= right <= total and total > 0.
    """
    if total <= 0 or not 0 <= right <= total:
        raise ValueError(f"{right} of {total} is no share")
    share, spread = right / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    # at the ends the exact bound is 0 or 1; rounding must not cross it
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == total else min(1.0, centre + half)
    return low, high


def score(predictions: Iterable[Prediction]) -> Score:
    """Score predictions from the answers that were read; nothing is generated or run again."""
    right = wrong = unscored = no_gold = 0
    for prediction in predictions:
        if prediction.gold_value is None:
            no_gold += 1
        elif prediction.value is None:
            unscored += 1
        elif equal(prediction.value, prediction.gold_value):
            right += 1
        else:
            wrong += 1
    return Score(right, wrong, unscored, no_gold)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share of 0..1 as a percentage for people, `n/a` for None."""
    return "n/a" if share is None else f"{100 * share:.{digits}f} %"


def with_interval(result: Score) -> str:
    """Return `34.1 % [31.6, 36.7]`, the accuracy with its interval in percent."""
    if result.interval is None:
        return "n/a"
    low, high = result.interval
    return f"{percent(result.accuracy)} [{100 * low:.1f}, {100 * high:.1f}]"
