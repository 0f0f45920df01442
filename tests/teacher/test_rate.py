"""Limits by the minute, and the one rule for asking again."""

from __future__ import annotations

import random

import pytest

from training_backend.teacher.rate import Rate, Retry


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_requests_are_spread_over_the_minute():
    clock = Clock()
    rate = Rate(requests_per_minute=60, clock=clock)
    assert [rate.reserve() for _ in range(3)] == [0.0, 1.0, 2.0]
    clock.now += 10
    assert [rate.reserve() for _ in range(2)] == [0.0, 1.0]


def test_tokens_count_as_expected_first_and_as_used_afterwards():
    clock = Clock()
    rate = Rate(tokens_per_minute=6000, clock=clock)
    assert rate.reserve(500) == 0.0
    rate.settle(500, 100)
    assert rate.reserve(100) == pytest.approx(1.0)
    assert rate.reserve(100) == pytest.approx(2.0)


def test_a_hold_keeps_every_request_back():
    clock = Clock()
    rate = Rate(clock=clock)
    rate.hold(7)
    rate.hold(3)
    assert rate.reserve() == rate.held_s == 7.0
    clock.now += 8
    assert rate.reserve() == rate.held_s == 0.0


def test_waits_double_with_jitter_and_honour_what_the_provider_says():
    retry = Retry(first_s=2.0, longest_s=10.0, random=random.Random(1))
    for number, most in ((1, 2), (2, 4), (3, 8), (4, 10), (9, 10)):
        delays = [retry.delay(number) for _ in range(200)]
        assert all(0 <= delay <= most for delay in delays) and max(delays) > 0.9 * most
    told = [retry.delay(1, 30.0) for _ in range(50)]
    assert all(30 <= delay <= 32 for delay in told) and len(set(told)) > 40
