"""The time left: nothing at first, then what the pace says; a resumed run is measured from where it began."""

from __future__ import annotations

import pytest

from kpdd_app.pace import Pace


def test_nothing_is_said_until_the_pace_holds_still():
    pace = Pace()
    said = []
    for step in range(1, 31):
        # the first three steps take seconds, the others a tenth of one
        at = 4.0 * min(step, 3) + 0.5 * max(0, step - 3)
        pace.add(at, step, 100)
        said.append(pace.left())
    assert said[:4] == [None] * 4
    known = [left for left in said if left is not None]
    assert known and max(known) < 150
    assert pace.left() == pytest.approx(70 * (25.5 - 4) / 29, rel=0.01)


def test_a_steady_pace_is_known_after_a_few_seconds():
    pace = Pace()
    for step in range(1, 11):
        pace.add(step * 1.0, step, 20)
    assert pace.left() == pytest.approx(10) and not pace.measuring


def test_a_resumed_run_counts_from_where_it_went_on():
    pace = Pace()
    for step in range(501, 511):
        pace.add((step - 500) * 1.0, step, 600)
    assert pace.left() == pytest.approx(90)


def test_going_back_and_the_end():
    pace = Pace()
    for step in range(1, 11):
        pace.add(step * 1.0, step, 10)
    assert pace.left() is None and not pace.measuring
    pace.add(1.0, 1, 10)
    assert pace.left() is None and pace.measuring
