"""The generation run: asked = done + failed + waiting, nothing is asked twice, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from training_backend.errors import ConfigError, TeacherError
from training_backend.events import Control, Progress, Reporter, RowsChanged
from training_backend.execution.judge import judge
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import NewQuestion, add_questions, questions
from training_backend.project.replies import Origin
from training_backend.project.store import Project
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher import judging
from training_backend.teacher.generation import BATCH, generate
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE, TeacherReply

PROGRAMS = ("ans = 2", "ans = 3", "ans = 1 / 0", "ans = 'much'", None)
STATES = {"equal": 1, "not_equal": 1, "raised": 1, "no_answer": 1}


class Scripted:
    """A teacher that answers question i with PROGRAMS[i % 5] and remembers what it was asked."""

    name = "scripted"

    def __init__(self, fail_after=None, stop_after=None, control=None):
        self.asked = []
        self.fail_after, self.stop_after, self.control = fail_after, stop_after, control

    def origins(self, path=0):
        origin = Origin("scripted", f"m{path}", "test")
        return {KEY_POINTS: origin, RATIONALE: origin}

    def paths(self, kind):
        return 2 if kind in ("pot", "cot") else 0

    def answer(self, questions, kinds, path):
        for question in questions:
            for kind in kinds:
                if self.fail_after is not None and len(self.asked) >= self.fail_after:
                    raise TeacherError("The provider refuses.", "Check the key.")
                self.asked.append((question.native_id, kind, path))
                if self.stop_after is not None and len(self.asked) >= self.stop_after:
                    self.control.stop()
                yield self.reply(question, kind, path)

    def reply(self, question, kind, path):
        text = PROGRAMS[int(question.native_id) % 5] if kind == "pot" else "The answer is 2."
        points = KeyPoints("How many?", ("two",))
        if text is None:
            return TeacherReply(
                question.id, kind, path, points, None, {kind: "I am sorry"}, "no program in it"
            )
        return TeacherReply(question.id, kind, path, points, text, {kind: text})


class Kept(Reporter):
    """A reporter that keeps its events."""

    def __init__(self):
        super().__init__(quiet=True)
        self.seen = []

    def emit(self, event):
        self.seen.append(event)

    def balances(self):
        """Return the counts of every Progress event."""
        return [event.counts for event in self.seen if isinstance(event, Progress) and event.counts]


def with_questions(path: Path, count: int) -> Project:
    project = Project.create(path)
    add_questions(project, [NewQuestion("d", "s", str(i), f"question {i}?", "2", 2.0) for i in range(count)])
    return project


def states(project: Project) -> dict[str, int]:
    return {state: count for state, count in Listing(project.path).facets(RowFilter())["verdict"] if count}


def run(project, teacher, kinds=("pot",), paths=1, control=None, reporter=None):
    return generate(project, teacher, kinds, paths, reporter or Kept(), control or Control())


def test_replies_become_judged_rows(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 5) as project:
        reporter = Kept()
        report = run(project, Scripted(), reporter=reporter)
        assert (report.asked, report.done, report.failed, report.waiting) == (5, 4, 1, 0)
        assert report.by_state == STATES
        assert states(project) == {**STATES, "does_not_parse": 1}
        (failure,) = report.failures
        assert (failure.native_id, failure.reason, failure.stored) == ("4", "no program in it", True)
        balances = reporter.balances()
        assert balances[0] == {"asked": 5, "done": 0, "failed": 0, "waiting": 5}
        assert all(b["asked"] == b["done"] + b["failed"] + b["waiting"] for b in balances)
        assert sum(event.count for event in reporter.seen if isinstance(event, RowsChanged)) == 5


def test_nothing_is_asked_twice(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 5) as project:
        run(project, Scripted())
        again = Scripted()
        report = run(project, again, kinds=("pot", "cot"), paths=2)
        # path 0 has its programs; the chains of path 0 and all of path 1 are missing
        assert (report.asked, report.existing) == (15, 5)
        assert len(again.asked) == len(set(again.asked)) == 15
        assert not {asked for asked in again.asked if asked[1:] == ("pot", 0)}
        assert run(project, Scripted(), kinds=("pot", "cot"), paths=2).asked == 0


def test_a_stop_keeps_what_was_answered_and_the_next_run_goes_on(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 40) as project:
        control = Control()
        first = Scripted(stop_after=7, control=control)
        report = run(project, first, control=control)
        assert report.stopped and len(first.asked) == 7
        assert report.asked == report.done + report.failed + report.waiting == 40
        second = Scripted()
        report = run(project, second)
        assert len(second.asked) == 33
        assert not {native for native, _, _ in first.asked} & {native for native, _, _ in second.asked}
        # also what was stored and not judged when the stop came
        assert "not_run" not in states(project) and "not_asked" not in states(project)


def test_a_stop_between_judgements_counts_what_was_judged(tmp_path, monkeypatch):
    control = Control()

    def two_then_stop(items, runner):
        for number, (row, kind, text, gold) in enumerate(items):
            if number == 2:
                control.stop()
            yield row, judge(kind, text, gold, runner)

    monkeypatch.setattr(judging, "judge_many", two_then_stop)
    with with_questions(tmp_path / "p.kpdd", 10) as project:
        one_batch = Scripted()
        one_batch.reply = lambda question, kind, path: TeacherReply(
            question.id, kind, path, KeyPoints("How many?", ("two",)), "ans = 2", {kind: "ans = 2"}
        )
        report = run(project, one_batch, control=control)
        assert report.stopped and report.done == sum(report.by_state.values()) > 0
        assert report.asked == report.done + report.failed + report.waiting


def test_a_teacher_that_gives_up_loses_nothing(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 12) as project:
        with pytest.raises(TeacherError, match="The provider refuses"):
            run(project, Scripted(fail_after=6))
        assert sum(count for state, count in states(project).items() if state != "not_asked") == 6
        again = Scripted()
        run(project, again)
        assert len(again.asked) == 6


def test_an_answer_that_never_came_is_not_stored_and_asked_again(tmp_path):
    class Silent(Scripted):
        def reply(self, question, kind, path):
            return TeacherReply(question.id, kind, path, None, None, {}, "no such row")

    with with_questions(tmp_path / "p.kpdd", 3) as project:
        report = run(project, Silent())
        assert (report.done, report.failed) == (0, 3)
        assert not any(failure.stored for failure in report.failures)
        assert states(project) == {"not_asked": 3}
        assert run(project, Scripted()).asked == 3


def test_more_than_one_batch(tmp_path):
    count = 2 * BATCH + 3

    class Chains(Scripted):
        def paths(self, kind):
            return 1

    with with_questions(tmp_path / "p.kpdd", count) as project:
        report = run(project, Chains(), kinds=("cot",))
        assert (report.done, report.by_state) == (count, {"equal": count})


def test_wishes_that_cannot_be_met(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 1) as project:
        with pytest.raises(ConfigError, match="has no answers of kind eot"):
            run(project, Scripted(), kinds=("eot",))
        with pytest.raises(ConfigError, match="3 are wanted"):
            run(project, Scripted(), paths=3)
        with pytest.raises(ConfigError, match="nothing to ask"):
            run(project, Scripted(), kinds=())


ENDLESS = """
import sys, os, time
sys.path.insert(0, sys.argv[2])
from test_generation import Scripted, run
from training_backend.project.store import Project
class Slow(Scripted):
    def reply(self, question, kind, path):
        if len(self.asked) == 60:
            print("now", flush=True)
            time.sleep(60)
        return super().reply(question, kind, path)
with Project.open(sys.argv[1]) as project:
    run(project, Slow())
"""


def test_a_kill_loses_no_reply_that_was_stored(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 100):
        pass
    folder = str(Path(__file__).parent)
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path / "p.kpdd"), folder], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "now\n"
    # replies are stored as soon as they are there: wait until the last one is
    while True:
        with Project.open(tmp_path / "p.kpdd", read_only=True) as project:
            stored = 100 - states(project).get("not_asked", 0)
        if stored == 59:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Project.open(tmp_path / "p.kpdd") as project:
        again = Scripted()
        report = run(project, again)
        assert len(again.asked) == report.asked == 41
        assert sum(states(project).values()) == 100
        assert states(project)["equal"] == 20 and "not_run" not in states(project)
        assert project.check(full=True) == []


def test_counts_travel_with_the_progress_event():
    event = Progress("generate", 3, 9, "x", {"done": 2, "failed": 1, "waiting": 6})
    from training_backend.events import parse_line, to_line

    assert parse_line(to_line(event)).counts == event.counts
    assert json.loads(to_line(Progress("a", 1)))["counts"] == {}


def test_questions_may_be_chosen(tmp_path):
    with with_questions(tmp_path / "p.kpdd", 5) as project:
        teacher = Scripted()
        generate(project, teacher, ["pot"], 1, Kept(), Control(), questions(project, limit=2))
        assert [native for native, _, _ in teacher.asked] == ["0", "1"]
