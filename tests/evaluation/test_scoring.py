"""Accuracy and Wilson's interval, with unscored answers apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_backend.evaluation.scoring import Score, percent, score, wilson, with_interval
from training_backend.project.runs import Prediction


def prediction(value, gold):
    return Prediction("0", "q", str(gold), gold, "", (), "pot", "", "ok", str(value), value, None, "")


def test_each_outcome_counts_once():
    outcomes = [(18, 18), (18.0004, 18), (17, 18), (None, 18), (None, 18), (3, None), (None, None)]
    result = score(prediction(value, gold) for value, gold in outcomes)
    assert result == Score(right=2, wrong=1, unscored=2, no_gold=2)
    # what could not be read counts as wrong, what has no gold counts nowhere
    assert (result.total, result.accuracy) == (5, 0.4)


def test_nothing_to_score():
    empty = score([])
    assert (empty.accuracy, empty.interval, with_interval(empty), percent(None)) == (None, None, "n/a", "n/a")


# values of the formula computed with 40 digits
@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.277532799862889),
        (10, 10, 0.722467200137111, 1.0),
        (5, 10, 0.236593090512564, 0.763406909487436),
        (450, 1319, 0.316076120765490, 0.367181462971312),
        (1, 2, 0.094531205734230, 0.905468794265770),
    ],
)
def test_wilson(right, total, low, high):
    assert wilson(right, total) == pytest.approx((low, high), abs=1e-9)


@given(st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_holds_the_share_and_stays_inside(pair):
    right, total = pair
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1
    assert low < high
    # the interval of the wrong ones is its mirror
    assert wilson(total - right, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_no_share():
    for right, total in ((1, 0), (-1, 4), (5, 4)):
        with pytest.raises(ValueError, match="is no share"):
            wilson(right, total)


def test_text():
    assert with_interval(Score(450, 800, 69)) == "34.1 % [31.6, 36.7]"
