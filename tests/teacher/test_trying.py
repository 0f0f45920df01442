"""Before a run: the same messages as a run, replies read, failures named, nothing stored."""

from __future__ import annotations

import asyncio
import json

import pytest
from loopback import Loopback

from training_backend.__main__ import main
from training_backend.errors import ConfigError, DatasetError
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.store import Project
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher.prompt_store import prompts
from training_backend.teacher.teacher_config import TeacherConfig, save_teacher
from training_backend.teacher.trying import questions_of_rows, sample_row, try_teacher

KEY_POINTS = "Core question: How many apples?\nInformation:\n- Ann has 2 apples.\n- Ben has 3 apples."


def reply(messages: list[dict[str, str]]) -> str:
    return "Program:\nans = 2 + 3" if "program" in messages[0]["content"].lower() else KEY_POINTS


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as project:
        texts = [f"Ann has {n} apples. How many?" for n in range(3)]
        add_questions(project, [NewQuestion("d", "train", f"q{n}", text, str(n), float(n))
                                for n, text in enumerate(texts)])  # fmt: skip
        yield project


def loop(server: Loopback, **settings) -> TeacherConfig:
    return TeacherConfig("L", "endpoint", {"base_url": server.base_url, "model": "tiny-teacher",
                                           "key_source": "none", **settings})  # fmt: skip


def test_a_row_goes_round_and_knows_its_key_points(project):
    assert sample_row(project, 4).question.native_id == "q1"
    assert sample_row(project, 0).key_points is None
    points = KeyPoints("How many?", ("Ann has 0 apples.",))
    origin = add_origin(project, Origin("t", "m", "s"))
    add_replies(project, [Reply(1, "pot", 0, points, "ans = 0", {"pot": "x"}, "", origin, origin)])
    assert sample_row(project, 0).key_points == points
    assert questions_of_rows(project, [1]) == {1}


def test_a_project_without_questions_says_so(tmp_path):
    with Project.create(tmp_path / "e.kpdd") as project, pytest.raises(DatasetError):
        sample_row(project, 0)


def test_the_rationale_is_asked_with_the_key_points_that_came(project):
    with Loopback(reply=reply) as server:
        tried = asyncio.run(try_teacher(loop(server), None, prompts(project), sample_row(project, 2), "pot"))
        assert [one.name for one in tried] == ["key_points", "pot"]
        assert tried[0].information == ("Ann has 2 apples.", "Ben has 3 apples.")
        assert tried[1].rationale == "ans = 2 + 3"
        assert not any(one.problem for one in tried)
        assert "Ben has 3 apples." in server.asked[1].body["messages"][-1]["content"]
        assert list(tried[1].messages) == server.asked[1].body["messages"]
        assert tried[0].prompt_tokens > 0
    with project.reading() as connection:
        assert connection.execute("SELECT count(*) FROM response").fetchone()[0] == 0


@pytest.mark.parametrize(("fault", "word"), [("401", "key"), ("500", "server"), ("no_core_question", "core")])
def test_a_failure_ends_the_trial_and_says_why(project, fault, word):
    with Loopback(fault=fault, reply=reply) as server:
        tried = asyncio.run(try_teacher(loop(server), "k", prompts(project), sample_row(project, 0), "pot"))
        assert len(tried) == 1
        assert word in tried[0].problem.lower() + tried[0].hint.lower()
        assert len(server.asked) == 1


def test_settings_that_are_not_complete_are_not_sent(project):
    with Loopback() as server:
        config = loop(server, model="")
        with pytest.raises(ConfigError, match="Choose a model"):
            asyncio.run(try_teacher(config, None, prompts(project), sample_row(project, 0), "pot"))
        assert not server.received


def test_the_command_prints_what_came(project, capsys):
    with Loopback(reply=reply) as server:
        save_teacher(project, loop(server))
        assert main(["teacher", "ask", str(project.path), "L", "--number", "2", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["number"] == 2
    assert data["question"] == "Ann has 1 apples. How many?"
    assert [one["name"] for one in data["requests"]] == ["key_points", "pot"]


def test_a_recording_answers_from_what_it_has(project, tmp_path, capsys):
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps({"q": "Ann has 1 apples. How many?", "core": "How many?", "info": "1 apple",
                                "code": "ans = 1"}) + "\n", encoding="utf-8")  # fmt: skip
    mapping = "question=q,core_question=core,information=info,pot=code"
    save_teacher(project, TeacherConfig("R", "replay", {"preset": "jsonl", "recordings": str(file),
                                                        "mapping": mapping}))  # fmt: skip
    assert main(["teacher", "ask", str(project.path), "R", "--number", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"][0]["rationale"] == "ans = 1"
    assert main(["teacher", "ask", str(project.path), "R", "--number", "1", "--json"]) == 1
