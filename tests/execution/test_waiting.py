"""What waits for a child: turns, and how long pure programs wait for others to share with."""

from __future__ import annotations

import pytest

from training_backend.execution import waiting
from training_backend.execution.jobs import Job
from training_backend.execution.limits import Limits
from training_backend.execution.waiting import Waiting


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose one number is the time."""
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    return now


def job(tier: str = "light", shares: bool = False, bulk: bool = True) -> Job:
    made = Job("ans = 1", "pot", Limits(), lambda result: None, bulk=bulk)
    assert made.prepare() == ""
    made.tier, made.shares = tier, shares
    return made


def filled(pure: int = 0, heavy: int = 0) -> Waiting:
    made = Waiting()
    for _ in range(pure):
        made.add(job(shares=True))
    for _ in range(heavy):
        made.add(job("heavy"))
    return made


def test_a_pure_program_of_a_bulk_waits_a_moment_for_others(clock):
    made = filled(pure=3)
    assert made.turns() == []
    assert 0 < made.soonest_s() < 0.01
    clock[0] += 0.01
    assert made.turns() == ["pure"] and made.soonest_s() is None


def test_it_waits_longer_while_others_keep_the_workers_busy_but_not_for_ever(clock):
    made = filled(pure=3, heavy=200)
    clock[0] += 0.1
    assert made.turns() == ["heavy"]
    clock[0] += 0.2
    assert set(made.turns()) == {"pure", "heavy"}


def test_a_full_batch_goes_at_once_beside_slower_programs(clock):
    assert set(filled(pure=64, heavy=200).turns()) == {"pure", "heavy"}


def test_what_somebody_asked_for_alone_never_waits(clock):
    made = filled(heavy=200)
    made.add(job(shares=True, bulk=False))
    assert set(made.turns()) == {"pure", "heavy"}


def test_queues_take_turns(clock):
    made = filled(pure=70, heavy=2)
    for _ in range(2):
        made.add(job("numpy"))
    served = []
    for _ in range(6):
        served.append(made.turns()[0])
        made.take(served[-1])
    assert served == ["pure", "heavy", "numpy"] * 2


def test_a_batch_is_split_among_workers_but_not_into_crumbs(clock):
    made = filled(pure=200)
    assert len(made.take_beside(made.take("pure"), workers=4)) == 1 + 199 // 4
    made = filled(pure=20)
    assert len(made.take_beside(made.take("pure"), workers=4)) == 16
    made = filled(pure=500)
    assert len(made.take_beside(made.take("pure"), workers=2)) == 64


def test_removing_and_putting_first(clock):
    made = filled(heavy=2)
    first, other = job("heavy"), job("heavy")
    made.add(first, first=True)
    assert made.take("heavy") is first
    assert not made.remove(other) and not made.remove(first)
    made.add(other)
    assert made.remove(other) and other not in list(made) and len(list(made)) == 2
    made.clear()
    assert list(made) == [] and made.turns() == [] and made.soonest_s() is None
