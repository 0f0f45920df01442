"""A hard budget: what is on its way counts as if it cost the most it can."""

from __future__ import annotations

import pytest

from training_backend.teacher.budget import Budget


def price(prompt, cached, completion):
    return prompt * 0.001 + completion * 0.01


def test_nothing_goes_out_that_could_cost_more_than_is_left():
    budget = Budget(3.0, price)
    first = budget.reserve(1000, 100)
    assert first == pytest.approx(1000 / 2.0 * 1.2 * 0.001 + 1.0)
    assert budget.reserve(1000, 100) is None
    assert budget.waiting
    budget.settle(first, 1000, 250, 0.35)
    assert not budget.waiting and budget.spent == pytest.approx(0.35)
    # four bytes were a token, so the next one is expected to cost less
    assert budget.reserve(1000, 100) == pytest.approx(1000 / 4.0 * 1.2 * 0.001 + 1.0)


def test_without_a_limit_everything_fits_and_a_limit_needs_a_price():
    assert Budget(None, None).reserve(10**9, None) == 0.0
    with pytest.raises(ValueError, match="price"):
        Budget(1.0, None)
