"""One thread works in order, results come in the window's thread, newer tasks replace older ones."""

from __future__ import annotations

import threading

import pytest

from kpdd_app.background import Background


@pytest.fixture
def background(qtbot):
    thread = Background("test")
    yield thread
    thread.close()


def test_results_come_in_order_in_this_thread(qtbot, background):
    seen = []
    for number in range(20):
        background.run(lambda n=number: (n, threading.current_thread().name), seen.append)
    assert background.busy
    qtbot.waitUntil(lambda: len(seen) == 20)
    assert [number for number, _ in seen] == list(range(20))
    assert all(name.startswith("test") for _, name in seen)
    assert not background.busy


def test_a_newer_task_replaces_one_that_waits(qtbot, background):
    gate, done, delivered = threading.Event(), [], []
    background.run(gate.wait)
    for number in range(5):
        background.run(lambda n=number: done.append(n) or n, delivered.append, key="same")
    gate.set()
    qtbot.waitUntil(lambda: delivered == [4])
    assert done == [4]


def test_a_dropped_task_is_not_delivered(qtbot, background):
    gate, delivered = threading.Event(), []
    background.run(gate.wait)
    background.run(lambda: 1, delivered.append, key="a")
    background.drop("a")
    gate.set()
    background.run(lambda: 2, delivered.append)
    qtbot.waitUntil(lambda: delivered == [2])


def test_failures_go_to_their_handler(qtbot, background):
    failures = []
    background.run(lambda: 1 / 0, failed=failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert isinstance(failures[0], ZeroDivisionError)


def test_close_finishes_what_was_given(qtbot):
    thread, done = Background("closing"), []
    for number in range(3):
        thread.run(lambda n=number: done.append(n))
    thread.close()
    assert done == [0, 1, 2]
    assert thread.run(lambda: done.append(9)) is None
