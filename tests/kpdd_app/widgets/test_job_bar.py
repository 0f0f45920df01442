"""The running job in the status line: how far it is, and the time left once its pace holds still."""

from __future__ import annotations

from PySide6.QtCore import QPoint

from kpdd_app.jobs import Job
from kpdd_app.open_project import OpenProject
from kpdd_app.supervisor import Source
from kpdd_app.widgets.job_bar import describe
from kpdd_app.widgets.status_line import StatusLine
from training_backend.events import Progress


class Quiet(Source):
    """A source that nothing comes from."""

    def send(self, line: str) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...

    def release(self) -> None: ...


def test_the_time_left_is_not_guessed_at_first(qapp):
    job = Job("Training", [], Quiet())
    assert describe(job) == "starting …"
    said = []
    for step in range(1, 12):
        job._take(Progress("Key: training", step, 100, t=float(1000 + 2 * step)))
        said.append(describe(job))
    assert said[0] == "1 of 100 · measuring …"
    assert said[-1] == "11 of 100 · 2 min 58 s left"


def test_another_stage_is_measured_anew(qapp):
    job = Job("Training", [], Quiet())
    for step in range(1, 12):
        job._take(Progress("Key: training", step, 100, t=float(1000 + 2 * step)))
    job._take(Progress("Solve: training", 12, 100, t=2000.0))
    assert describe(job) == "12 of 100 · measuring …"
    job._take(Progress("reading", 5, 0, "rows", t=2001.0))
    assert describe(job) == "rows"


def test_of_a_file_that_is_read_its_questions_are_told_and_not_its_bytes(qapp):
    job = Job("Importing", [], Quiet())
    job._take(Progress("import", 2_220_032, 4_440_064, "4,001 questions", t=1.0))
    assert describe(job).startswith("50 % · 4,001 questions")
    job._take(Progress("download", 1, 3, t=2.0))
    assert describe(job).startswith("33 %")


def test_a_narrow_line_shortens_words_and_keeps_stop(qtbot, fake_jobs):
    project = OpenProject()
    line = StatusLine(project, fake_jobs)
    qtbot.addWidget(line)
    line.resize(420, line.minimumSizeHint().height())
    line.show()
    job = fake_jobs.start("A job with a name that is much longer than the line has room for", ["wait"])
    qtbot.waitUntil(line.job_bar.stop.isVisible)
    stop = line.job_bar.stop
    qtbot.waitUntil(lambda: stop.mapTo(line, QPoint(stop.width(), 0)).x() <= line.width())
    assert line.job_bar.title.width() < line.job_bar.title.sizeHint().width()
    assert line.job_bar.bar.width() > 0
    job.kill()
    project.shut_down()
