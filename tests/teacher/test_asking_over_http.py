"""A run against a real server on loopback: every fault it can have, and the command `kpdd generate`."""

from __future__ import annotations

import json

import loopback
import pytest
from loopback import Loopback
from test_asking import Kept, fill, states

from training_backend.__main__ import main
from training_backend.errors import TeacherError
from training_backend.events import Control
from training_backend.project.questions import questions
from training_backend.project.store import Project
from training_backend.teacher import requests
from training_backend.teacher.endpoint import open_asker
from training_backend.teacher.rate import Retry
from training_backend.teacher.run_spec import spec_of
from training_backend.teacher.teacher_config import TeacherConfig, save_teacher
from training_backend.teacher.teacher_run import run_teacher

POINTS = "Core question: How many are there in the end?\nInformation:\n1. There are two."
CHAIN = "Chain of thought: 1 + 1 = 2. The answer is 2."
KEY = "sk-planted-in-a-test-0123456789"


def reply_to(messages):
    """Answer key points until they are given, then a chain of thought."""
    return CHAIN if "core question:" in messages[-1]["content"].lower() else POINTS


def configured(server, **settings):
    return TeacherConfig(
        "Loop", "endpoint",
        {"base_url": server.base_url, "model": "tiny-teacher", "key_source": "none", "timeout_s": 10.0,
         **settings},
    )  # fmt: skip


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as made:
        yield fill(made, 2)


def run(project, config, tries=3, kinds=("cot",), **more):
    reporter = Kept()
    asker, spec = open_asker(config, None), spec_of(config, kinds, **more)
    report = run_teacher(project, asker, spec, list(questions(project)), reporter, Control(),
                         retry=Retry(tries, first_s=0.001))  # fmt: skip
    assert all(c["asked"] == c["done"] + c["failed"] + c["waiting"] for c in reporter.counts())
    return report


@pytest.mark.parametrize(
    "fault",
    ["429", "429-after", "500", "502", "503", "reset", "cut", "cut-json", "silence", "html", "html-502"],
)
def test_a_fault_that_passes_costs_a_second_try_and_nothing_else(project, fault, monkeypatch):
    monkeypatch.setattr(loopback, "RETRY_AFTER_S", 0)
    with Loopback([fault], reply_to) as server:
        report = run(project, configured(server, timeout_s=0.5, concurrency=1))
    assert len(server.asked) == 5
    assert (report.counts.done, report.counts.failed, report.counts.replies) == (4, 0, 4)
    assert states(project) == {"equal": 2}


@pytest.mark.parametrize(
    ("fault", "reason", "tries"),
    [("500", "server", 3), ("reset", "reset", 3), ("silence", "silence", 3), ("html", "not_json", 3),
     ("400", "bad_request", 1), ("context", "too_long", 1)],
)  # fmt: skip
def test_a_fault_that_stays_fails_its_request_with_a_reason_that_can_be_asked_again(
    project, fault, reason, tries
):
    with Loopback([fault] * tries, reply_to) as server:
        config = configured(server, timeout_s=0.3, concurrency=1)
        report = run(project, config)
        assert report.counts.reasons == {reason: 1, "key_points": 1} and report.counts.done == 2
        assert run(project, config).counts.failed == 2
        asked = len(server.asked)
        report = run(project, config, ask_again=(reason,))
        assert report.counts.failed == 0 and len(server.asked) == asked + 2


@pytest.mark.parametrize(("fault", "reason"), [("401", "key"), ("403", "permission"), ("404", "model")])
def test_a_fault_of_every_request_ends_the_run_and_nothing_is_lost(project, fault, reason):
    with Loopback(["", fault], reply_to) as server:
        config = configured(server, concurrency=1)
        with pytest.raises(TeacherError) as caught:
            run(project, config)
        assert caught.value.reason == reason and len(server.asked) == 2
        line = requests.runs(project)[0]
        counts = requests.counts(project, line.id)
        assert (line.status, counts.done, counts.waiting, counts.failed) == ("failed", 1, 3, 0)
        assert run(project, config).counts.done == 4
        assert len(server.asked) == 5


def test_a_server_that_is_gone_ends_the_run(project):
    with Loopback(reply=reply_to) as server:
        config = configured(server)
    with pytest.raises(TeacherError) as caught:
        run(project, config, tries=2)
    assert caught.value.reason == "refused_connection"
    assert requests.counts(project, 1).waiting == 4


@pytest.mark.parametrize(
    ("fault", "reason", "asked"),
    [("refusal", "refusal", 1), ("empty", "empty", 3), ("no_core_question", "unreadable", 3)],
)
def test_a_reply_that_is_no_answer_is_kept_and_counted(project, fault, reason, asked):
    with Loopback([fault] * asked, reply_to) as server:
        report = run(project, configured(server, concurrency=1))
    assert report.counts.reasons == {reason: 1, "key_points": 1}
    assert len(server.asked) == asked + 2 and report.counts.replies == asked + 2


def test_a_program_without_an_answer_is_kept_and_never_equal(project):
    with Loopback(["", *["no_answer"] * 3], reply_to) as server:
        report = run(project, configured(server, concurrency=1), kinds=("pot",))
    assert report.counts.done + report.counts.failed == report.counts.asked == 4
    assert states(project).get("equal", 0) == 0
    with project.reading() as connection:
        texts = [text for (text,) in connection.execute("SELECT text FROM response")]
    assert any("print(apples)" in text for text in texts)


def test_a_reply_of_two_megabytes_fails_its_request_alone(project):
    with Loopback(["large"], reply_to) as server:
        report = run(project, configured(server, concurrency=1))
    assert report.counts.reasons == {"too_long": 1, "key_points": 1} and report.counts.done == 2


def test_replies_in_the_wrong_order_go_to_their_own_questions(tmp_path):
    def echo(messages):
        number = messages[-1]["content"].split("There are ")[1].split()[0]
        points = f"Core question: How many with {number}?\nInformation:\n1. There are {number}.\n"
        return points + f"Chain of thought: It is {number}. The answer is {number}."

    with Project.create(tmp_path / "p.kpdd") as project, Loopback(reply=echo, hold=5) as server:
        config = configured(server, concurrency=5, timeout_s=10)
        report = run(fill(project, 5), config, one_call=True)
        assert report.counts.done == 5 and server.most_in_flight == 5
        with project.reading() as connection:
            found = connection.execute("SELECT question, core_question, rationale FROM row_text").fetchall()
    for question, core, text in found:
        number = question.split("There are ")[1].split()[0]
        assert core == f"How many with {number}?" and text.endswith(f"answer is {number}.")
    assert len(found) == 5


@pytest.fixture
def closed(tmp_path, project, monkeypatch):
    """Return the path of a project whose teacher `Loop` needs a key from the environment, and its server."""
    monkeypatch.setenv("KPDD_TEST_KEY", KEY)
    with Loopback(reply=reply_to) as server:
        save_teacher(project, configured(server, key_source="environment:KPDD_TEST_KEY"))
        project.close()
        yield str(project.path), server


def test_the_command_asks_a_teacher_of_the_project_and_goes_on(closed, capsys, tmp_path):
    path, server = closed
    rows = tmp_path / "rows.txt"
    rows.write_text("2\n")
    command = ["generate", path, "--teacher", "Loop", "--kinds", "cot", "--quiet"]
    assert main([*command, "--rows-file", str(rows), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["asked"], first["done"], first["replies"]) == (2, 2, 2)
    assert main([*command, "--concurrency", "3"]) == 0
    assert "4 asked = 4 done + 0 failed + 0 waiting" in capsys.readouterr().out
    assert len(server.asked) == 4
    assert all(one.headers["authorization"] == f"Bearer {KEY}" for one in server.asked)
    assert main([*command, "--ask-again", "all"]) == 0 and len(server.asked) == 4
    assert main([*command, "--ask-again", "reset,nonsense"]) == 2
    assert "'nonsense' is no reason" in capsys.readouterr().err


def test_the_key_is_in_nothing_that_a_run_writes(closed, capsys, tmp_path):
    path, server = closed
    server._fault = lambda number, body: "echo-key" if number > 1 else ""
    assert main(["generate", path, "--teacher", "Loop", "--kinds", "cot", "--json"]) == 1
    assert len(server.asked) > 1
    told = capsys.readouterr()
    assert KEY not in told.out + told.err
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(written) > 1 and not [file for file in written if KEY.encode() in file.read_bytes()]


def test_the_command_says_what_is_wrong(closed, capsys):
    path, _ = closed
    for more, status, words in (
        (["--teacher", "Lop"], 1, "no teacher 'Lop'"),
        (["--teacher", "Loop", "--pilot", "0"], 2, "--pilot cannot be 0"),
        (["--teacher", "Loop", "--rows-file", path + ".none"], 1, "file of rows cannot be read"),
        (["--teacher", "Loop", "--dataset", "none"], 1, "no such questions"),
    ):
        assert main(["generate", path, "--quiet", *more]) == status
        assert words in capsys.readouterr().err


def test_an_estimate_before_a_pilot_of_some_and_after_it(closed, capsys):
    path, server = closed
    command = ["generate", path, "--teacher", "Loop", "--kinds", "cot", "--quiet"]
    assert main([*command, "--estimate", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["estimate"]
    assert (found["chains"], found["seen"], found["money"]) == (2, 0, None)
    assert 0 < found["prompt_tokens"]["low"] < found["prompt_tokens"]["high"] and not server.asked
    assert main([*command, "--pilot", "1"]) == 0
    told = capsys.readouterr().out
    assert "2 asked = 2 done" in told and "estimate for 1 questions" in told and "no price" in told
    assert len(server.asked) == 2
