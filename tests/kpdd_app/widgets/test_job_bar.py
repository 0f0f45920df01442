"""The running job in the status line: how far it is, and the time left once its pace holds still."""

from __future__ import annotations

from kpdd_app.jobs import Job
from kpdd_app.supervisor import Source
from kpdd_app.widgets.job_bar import describe
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
