"""The sample teacher is mostly right and wrong in known ways; its project is ready to use."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter

import pytest

from training_backend.errors import StoreError
from training_backend.events import Control
from training_backend.execution.judge import judge_many
from training_backend.execution.runner import ProgramRunner
from training_backend.project.questions import Question, questions
from training_backend.project.store import Project
from training_backend.project.training_rows import training_rows
from training_backend.rationale.key_points import render
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_grammar import generate
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE
from training_backend.teacher.sample import (
    KEY_POINT_SLIPS,
    SLIPS,
    SampleTeacher,
    sample_problems,
    sample_project,
)


def _as_questions(problems):
    return [
        Question(
            number, "sample", "train", str(number), problem.question, str(problem.answer), problem.answer
        )
        for number, problem in enumerate(problems)
    ]


@pytest.fixture(scope="module")
def problems():
    return list(generate(700, 19))


def test_without_slips_every_reply_is_the_problem_s_own(problems):
    teacher = SampleTeacher(problems, slips=False)
    replies = list(teacher.answer(_as_questions(problems), ["pot", "cot", "eot"], 0))
    assert len(replies) == 2100
    for reply in replies:
        problem = problems[reply.question_id]
        assert reply.key_points == problem.key_points
        assert reply.rationale == getattr(problem, reply.kind)
        assert not reply.parse_error
        assert set(reply.raw) == {KEY_POINTS, RATIONALE}


def test_the_same_question_gets_the_same_reply(problems):
    asked = _as_questions(problems)
    first = list(SampleTeacher(problems).answer(asked, ["pot"], 0))
    again = list(SampleTeacher(problems).answer(asked[::-1], ["pot"], 0))
    assert first == again[::-1]
    assert first != list(SampleTeacher(problems).answer(asked, ["pot"], 2))


def test_a_stated_share_is_wrong(problems):
    asked = _as_questions(problems)
    replies = list(SampleTeacher(problems).answer(asked, ["pot", "cot", "eot"], 0))
    wrong = [r for r in replies if r.parse_error or r.rationale != getattr(problems[r.question_id], r.kind)]
    assert abs(len(wrong) / len(replies) - sum(SLIPS.values())) < 0.02
    unreadable = [reply for reply in replies if reply.parse_error]
    assert unreadable and all(r.rationale is None and r.raw[RATIONALE] for r in unreadable)
    slipped = {r.question_id for r in replies if r.key_points != problems[r.question_id].key_points}
    assert abs(len(slipped) / len(problems) - sum(KEY_POINT_SLIPS.values())) < 0.02
    leaks = [r for r in replies if any("The answer is" in item for item in r.key_points.information)]
    assert leaks
    by_question = {}
    for reply in replies:
        assert by_question.setdefault(reply.question_id, render(reply.key_points)) == render(reply.key_points)


def test_wrong_replies_are_judged_wrong_and_right_ones_right(problems):
    asked = _as_questions(problems)
    teacher = SampleTeacher(problems)
    replies = list(teacher.answer(asked, ["pot", "cot"], 0)) + list(teacher.answer(asked[:150], ["pot"], 1))
    items = [
        ((reply.question_id, reply.kind, reply.path), reply.kind, reply.rationale, problem.answer)
        for reply in replies
        if reply.rationale is not None
        for problem in [problems[reply.question_id]]
    ]
    with ProgramRunner() as runner:
        states = {key: judgement.state for key, judgement in judge_many(items, runner)}
    counts = Counter(states.values())
    assert counts["equal"] > 0.9 * len(items)
    assert counts["not_equal"] and counts["raised"] and counts["no_answer"]
    for reply in replies:
        if reply.path == 0 and reply.rationale == getattr(problems[reply.question_id], reply.kind):
            assert states[reply.question_id, reply.kind, 0] == "equal"


def test_other_questions_get_a_reason():
    stranger = Question(1, "gsm8k", "test", "1", "How many?", "1", 1.0)
    (reply,) = SampleTeacher().answer([stranger], ["pot"], 0)
    assert "only the sample questions" in reply.parse_error
    assert reply.rationale is None and not reply.raw


def test_sample_problems_are_all_templates_in_two_worlds():
    problems = sample_problems()
    assert len({problem.question for problem in problems}) == len(problems)
    assert {problem.template for problem in problems} == set(problem_templates.known())


def test_the_sample_project(tmp_path):
    began = time.process_time()
    path = tmp_path / "my sample.kpdd"
    report = sample_project(path)
    assert report.asked == report.done + report.failed > 600
    assert report.failed > 0
    with Project.open(path) as project:
        found = list(questions(project))
        assert len({question.text for question in found}) == len(found) > 400
        rows = list(training_rows(project, ["pot"], dataset="sample"))
        assert len(rows) > 300
    connection = sqlite3.connect(path)
    states = dict(connection.execute("SELECT verdict, count(*) FROM row GROUP BY 1"))
    reviews = dict(connection.execute("SELECT review, count(*) FROM row GROUP BY 1"))
    connection.close()
    for state in ("equal", "not_equal", "no_answer", "timed_out", "out_of_memory", "not_asked"):
        assert states.get(state), state
    # where the sandbox has no system-call filter, reading a file is not refused
    assert states.get("refused") or states["equal"]
    assert reviews["accepted"] and reviews["rejected"]
    assert time.process_time() - began < 20


def test_a_stopped_or_refused_sample_project_leaves_nothing(tmp_path):
    control = Control()
    control.stop()
    path = tmp_path / "sample.kpdd"
    assert sample_project(path, control=control).stopped
    assert not list(tmp_path.iterdir())
    path.write_text("mine")
    with pytest.raises(StoreError, match="of this name"):
        sample_project(path)
    assert path.read_text() == "mine"
