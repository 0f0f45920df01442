"""The process that keeps flags true lives as long as its project is open for writing."""

from __future__ import annotations

import pytest

from kpdd_app import flag_watch
from kpdd_app.flag_watch import FlagWatch
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from training_backend.events import RowsChanged
from training_backend.project.history import edit_field
from training_backend.project.store import Project


@pytest.fixture
def jobs(qtbot):
    made = Jobs()
    yield made
    made.close()


def test_flags_follow_the_open_project_and_the_file_is_left_whole(qtbot, jobs, small_project, monkeypatch):
    monkeypatch.setattr(flag_watch, "START_MS", 0)
    project = OpenProject()
    watch = FlagWatch(project, jobs)
    with qtbot.waitSignal(jobs.job_started) as started:
        project.open(small_project)
    job = started.args[0]
    assert job is watch.job and job.background and "--follow" in job.arguments
    seen = []
    job.event_came.connect(seen.append)
    edit_field(project.project, 1, "information", "There are 987 boxes.")
    qtbot.waitUntil(lambda: any(isinstance(event, RowsChanged) for event in seen), timeout=20_000)
    project.close()
    assert job.is_over and watch.job is None
    assert not small_project.with_name(small_project.name + "-wal").exists()
    project.shut_down()
    with Project.open(small_project) as again, again.reading() as connection:
        assert connection.execute("SELECT flags <> 0 FROM row WHERE id = 1").fetchone() == (1,)


def test_a_project_that_is_read_only_is_left_alone(qtbot, fake_jobs, small_project, monkeypatch):
    monkeypatch.setattr(flag_watch, "START_MS", 0)
    with Project.open(small_project, holder="window"):
        project = OpenProject()
        watch = FlagWatch(project, fake_jobs)
        project.open(small_project)
        assert project.read_only
        watch._start()
        assert watch.job is None and fake_jobs.running() == []
        project.shut_down()
