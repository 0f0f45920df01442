"""The Train page and the Solve page, each with a stand-in for its command."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from training_backend.project.judgements import store_judgements, to_judge
from training_backend.project.questions import NewQuestion, add_questions, questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.store import Project
from training_backend.rationale.judgement import Judgement
from training_backend.rationale.key_points import KeyPoints

SOLVING = [sys.executable, str(Path(__file__).parents[1] / "fake_solver.py")]
TRAINING = [sys.executable, str(Path(__file__).parents[1] / "fake_training.py")]


def make_project(path: Path, count: int = 40) -> Path:
    """Make a project whose every fourth row is not equal to gold."""
    project = Project.create(path)
    new = [
        NewQuestion("mine", "train", f"q{n}", f"Mia has {n} pens, buys 2. How many?", str(n + 2), n + 2.0)
        for n in range(count)
    ]
    add_questions(project, new)
    origin = add_origin(project, Origin("sample", "none", "test"))
    add_replies(project, [
        Reply(q.id, "pot", 0, KeyPoints("How many pens?", ("Mia has pens.",)), f"p = {q.id}\nans = p + 2",
              key_points_origin=origin, rationale_origin=origin)
        for q in questions(project)
    ])  # fmt: skip
    judged = [
        (key, Judgement("not_equal" if n % 4 == 0 else "equal", "ok", "1", 1.0))
        for n, (key, *_) in enumerate(to_judge(project))
    ]
    store_judgements(project, judged)
    project.close()
    return path


@pytest.fixture
def train_window(qtbot, tmp_path):
    """The page over a project of forty rows, with a stand-in for the command."""
    from kpdd_app.pages.train import TrainPage

    jobs = Jobs(command=TRAINING, grace_s=1.0)
    project = OpenProject()
    page = TrainPage(project, jobs)
    qtbot.addWidget(page)
    page.resize(1200, 760)
    with qtbot.waitExposed(page):
        page.show()
    project.open(make_project(tmp_path / "mine.kpdd"))
    yield page
    page.view.release()
    jobs.close(stop_detached=True)
    project.close()
    project.shut_down()


@pytest.fixture
def make_page(qtbot):
    """Make Solve pages over a project, with the stand-in's students; they end with the test."""
    from kpdd_app.pages.solve import SolvePage

    made: list[tuple[SolvePage, Jobs]] = []

    def make(project: OpenProject, ready: bool = True) -> SolvePage:
        jobs = Jobs(command=SOLVING, grace_s=0.5)
        page = SolvePage(project, jobs)
        made.append((page, jobs))
        page.students.base = dataclasses.replace(page.students.base, problem="")
        page.students.choices = [page.students.base]
        qtbot.addWidget(page)
        page.resize(1200, 760)
        page.player.set_factor(0.0)
        if ready:
            with qtbot.waitExposed(page):
                page.show()
            qtbot.waitUntil(lambda: page.worker.state == "ready", timeout=10_000)
        return page

    yield make
    for page, jobs in made:
        page.leave()
        jobs.close()


@pytest.fixture
def page(make_page):
    """A Solve page without a project, its students loaded."""
    project = OpenProject()
    yield make_page(project)
    project.shut_down()
