"""Runs that wait: their order, and that they are there after a restart, whatever happened."""

from __future__ import annotations

import pytest

from kpdd_app.run_queue import RunQueue
from training_backend.paths import runs_dir
from training_backend.students.waiting_runs import FILE_NAME, Waiting, WaitingRuns


@pytest.fixture
def project(tmp_path):
    return tmp_path / "mine.kpdd"


@pytest.fixture
def queue(qapp, project):
    queue = RunQueue()
    queue.open(project)
    for name in ("a", "b", "c"):
        queue.add(name, ["train", str(project), "--title", name])
    return queue


def titles(queue: RunQueue) -> list[str]:
    return [run.title for run in queue.waiting]


def test_the_order_can_be_changed_and_the_head_is_taken(queue):
    assert queue.move(2, -1) == 1 and titles(queue) == ["a", "c", "b"]
    assert queue.move(0, -1) == 0 and titles(queue) == ["a", "c", "b"]
    queue.remove(1)
    assert queue.take().title == "a" and titles(queue) == ["b"]
    assert queue.take(7) is None and titles(queue) == ["b"]


def test_a_restart_finds_the_queue_and_holds_it(queue, project):
    again = RunQueue()
    again.open(project)
    assert again.waiting == queue.waiting and again.held
    assert again.waiting[0] == Waiting("a", ["train", str(project), "--title", "a"])
    again.open(None)
    assert not again.waiting and not again.held


def test_what_could_not_start_stands_at_the_head_again(queue):
    run = queue.take()
    queue.put_back(run)
    assert titles(queue) == ["a", "b", "c"] and queue.held


@pytest.mark.expects_log_lines
def test_a_damaged_file_is_kept_beside(queue, project):
    file = runs_dir(project) / FILE_NAME
    file.write_text('[{"title": "half', encoding="utf-8")
    again = RunQueue()
    again.open(project)
    assert again.waiting == [] and file.with_suffix(".damaged").exists()
    again.add("new", ["train"])
    assert titles(again) == ["new"]


def test_what_another_process_does_is_seen_and_not_undone(queue, project, qtbot):
    with qtbot.waitSignal(queue.changed, timeout=10_000):
        assert WaitingRuns(project).take().title == "a"
    qtbot.waitUntil(lambda: titles(queue) == ["b", "c"], timeout=10_000)
    # not told yet: what the file holds counts
    queue.blockSignals(True)
    queue._files.blockSignals(True)
    WaitingRuns(project).take()
    queue.add("d", ["train"])
    assert titles(queue) == ["c", "d"]
    assert queue.take().title == "c" and titles(queue) == ["d"]


def test_a_queue_that_a_terminal_runs_is_left_to_it(queue, project):
    held = WaitingRuns(project).run_alone()
    assert queue.take() is None and titles(queue) == ["a", "b", "c"]
    held.release()
    assert queue.take().title == "a"
