"""The queue of runs without a window: in order, past failures, never two at a time, nothing lost."""

from __future__ import annotations

import errno
import os
import platform

import pytest
from small_runs import Watching, small_run

from training_backend.errors import ConfigError, KpddError
from training_backend.events import Control, Failed, Log
from training_backend.project.runs import add_run
from training_backend.project.store import Project
from training_backend.students import command_child, queue_runner
from training_backend.students.queue_runner import Ran, run_queue
from training_backend.students.run_folder import RoleStatus
from training_backend.students.waiting_runs import Waiting, WaitingRuns


@pytest.fixture
def project(tmp_path):
    file = tmp_path / "mine.kpdd"
    Project.create(file).close()
    for name in ("one", "two", "three"):
        WaitingRuns(file).change(lambda runs, name=name: [*runs, Waiting(name, ["train", str(file)])])
    return file


def titles(project) -> list[str]:
    return [run.title for run in WaitingRuns(project).read()]


def test_all_run_in_their_order_past_one_that_fails(project):
    began = []

    def start(run, reporter, control):
        began.append((run.title, titles(project)))
        return Ran(run.title, "a folder", "failed" if run.title == "two" else "done")

    done = run_queue(project, Watching(), Control(), start)
    assert began == [("one", ["two", "three"]), ("two", ["three"]), ("three", [])]
    assert [ran.status for ran in done] == ["done", "failed", "done"]
    assert WaitingRuns(project).runner() is None


def test_one_that_cannot_start_stands_at_the_head_again(project):
    def start(run, reporter, control):
        return Ran(run.title, "", "failed", Failed("The base is gone.", "Choose another.", "here"))

    with pytest.raises(KpddError, match=r"here: one could not start: The base is gone\. Choose another\. It"):
        run_queue(project, Watching(), Control(), start)
    assert titles(project) == ["one", "two", "three"] and WaitingRuns(project).runner() is None


def test_a_stop_keeps_what_waits(project):
    control = Control()

    def start(run, reporter, control):
        control.stop()
        return Ran(run.title, "" if run.title == "two" else "a folder", "stopped")

    (ran,) = run_queue(project, Watching(), control, start)
    assert ran.status == "stopped" and titles(project) == ["two", "three"]
    assert run_queue(project, Watching(), control, start) == []
    # stopped before there was a folder
    assert run_queue(project, Watching(), Control(), start) == [] and titles(project) == ["two", "three"]


def test_two_never_run_one_queue(project):
    held = WaitingRuns(project).run_alone()
    with pytest.raises(ConfigError, match=rf"is run already \(process {os.getpid()} on "):
        run_queue(project, Watching(), Control(), lambda *_: pytest.fail("it began"))
    held.release()


def test_a_run_that_a_window_began_is_waited_for(project, tmp_path, lossy, monkeypatch):
    run = small_run(tmp_path, lossy)
    with Project.open(project) as opened:
        add_run(opened, str(run.path), "kpdd-pot", "of the window")
    run.set_role_status(RoleStatus("key", "running", pid=os.getpid(), host=platform.node()))
    reporter, control = Watching(), Control()
    looks = []

    def start(waiting, reporter, control):
        looks.append(run.role_status("key").status)
        return Ran(waiting.title, "a folder", "done")

    def later(reporter=reporter):
        if reporter.all(Log) and "of the window is at work" in reporter.all(Log)[0].text:
            run.set_role_status(RoleStatus("key", "done"))
        return real(project)

    real = queue_runner._at_work
    monkeypatch.setattr(queue_runner, "_at_work", lambda _: later())
    monkeypatch.setattr(queue_runner, "_LOOK_S", 0.1)
    assert len(run_queue(project, reporter, control, start)) == 3
    assert looks == ["done"] * 3


def test_what_is_no_training_is_not_started(project):
    WaitingRuns(project).change(lambda runs: [Waiting("odd", ["repair", "x"])])
    with pytest.raises(KpddError, match="odd could not start: 'repair' is no training"):
        run_queue(project, Watching(), Control())
    assert titles(project) == ["odd"]


def test_a_run_is_not_lost_where_no_process_can_be_started(project, monkeypatch):
    def none_left(*args, **options):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(command_child.subprocess, "Popen", none_left)
    with pytest.raises(KpddError, match="one could not start: no process could be started"):
        run_queue(project, Watching(), Control())
    assert titles(project) == ["one", "two", "three"]


@pytest.mark.expects_log_lines
def test_a_damaged_queue_is_kept_beside(project):
    file = WaitingRuns(project).file
    file.write_text("[{")
    assert titles(project) == [] and file.with_suffix(".damaged").exists()


@pytest.mark.expects_log_lines
def test_a_queue_that_cannot_be_read_now_is_neither_moved_nor_written_over(project):
    file = WaitingRuns(project).file
    text = file.read_text()
    file.rename(file.with_suffix(".kept"))
    file.mkdir()
    assert titles(project) == []
    with pytest.raises(OSError, match="directory"):
        WaitingRuns(project).change(lambda runs: [*runs, Waiting("new", ["train"])])
    assert file.is_dir()
    file.rmdir()
    file.with_suffix(".kept").rename(file)
    assert file.read_text() == text and titles(project) == ["one", "two", "three"]
