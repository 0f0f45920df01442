"""Requests that go out together as a batch, and are found again after a stop."""

from __future__ import annotations

import asyncio
import json

import pytest
from loopback import Loopback

from training_backend.__main__ import main
from training_backend.project.questions import NewQuestion, add_questions
from training_backend.project.store import Project
from training_backend.teacher.asker import Answered, Asked, AskError
from training_backend.teacher.batch_endpoint import BatchEndpoint, Journal
from training_backend.teacher.checks import check_teacher
from training_backend.teacher.endpoint import Endpoint, open_asker
from training_backend.teacher.teacher_config import TeacherConfig, save_teacher

KEY = "sk-planted-0123456789-abcdefghij"


def config(server: Loopback, **settings) -> TeacherConfig:
    known = {"base_url": server.base_url, "model": "tiny-teacher", "key_source": "session", "batch": True}
    return TeacherConfig("mine", "endpoint", {**known, **settings})


def asked(number: int, seed: int = 0) -> Asked:
    return Asked(({"role": "user", "content": f"question {number}"},), temperature=0.7, seed=seed)


def shout(messages):
    return messages[0]["content"].upper()


def ask_all(server: Loopback, folder, requests: list[Asked]) -> list[Answered | BaseException]:
    async def work():
        asker = BatchEndpoint(config(server), KEY, folder, gather_s=0.05, poll_s=0.01)
        try:
            return await asyncio.gather(*map(asker.ask, requests), return_exceptions=True)
        finally:
            await asker.close()

    return asyncio.run(work())


def test_what_is_asked_together_is_one_batch(tmp_path):
    with Loopback(reply=shout) as server:
        replies = ask_all(server, tmp_path, [asked(number) for number in range(20)])
    # the file of results is in the wrong order
    assert [reply.text for reply in replies] == [f"QUESTION {number}" for number in range(20)]
    assert replies[0].prompt_tokens == 2 and replies[0].model == "tiny-teacher"
    assert len(server.batches) == 1 and not server.asked
    lines = [json.loads(line) for line in server.files["file-1"].splitlines()]
    assert {line["url"] for line in lines} == {"/v1/chat/completions"}
    assert len({line["custom_id"] for line in lines}) == 20
    assert "seed" not in lines[0]["body"]
    assert all(one.headers["authorization"] == f"Bearer {KEY}" for one in server.received)


def test_the_setting_chooses_it_for_a_run_and_never_for_a_test(tmp_path):
    with Loopback() as server:
        for settings, folder, kind in (
            ({}, tmp_path, BatchEndpoint), ({}, None, Endpoint), ({"batch": False}, tmp_path, Endpoint)
        ):  # fmt: skip
            asker = open_asker(config(server, **settings), KEY, folder)
            assert type(asker) is kind
            asyncio.run(asker.close())
        checks = asyncio.run(check_teacher(config(server), KEY))
    assert all(check.ok for check in checks) and not server.batches


def test_the_same_question_twice_is_two_requests(tmp_path):
    with Loopback(reply=shout) as server:
        replies = ask_all(server, tmp_path, [asked(1, seed=0), asked(1, seed=1000)])
    assert len(replies) == 2 and len(server.files["file-1"].splitlines()) == 2


def test_failures_come_back_with_their_reasons(tmp_path):
    faults = ["", "429", "context", "refusal", "lost"]
    with Loopback(faults, reply=shout) as server:
        replies = ask_all(server, tmp_path, [asked(number) for number in range(5)])
    assert replies[0].text == "QUESTION 0"
    assert [reply.reason for reply in replies[1:]] == ["rate_limit", "too_long", "refusal", "server"]
    assert replies[3].answered.prompt_tokens == 2


def test_a_broken_connection_is_no_end_of_a_batch(tmp_path):
    with Loopback(reply=shout) as server:
        server.batch_faults = ["500", "reset", "html-502"]
        (reply,) = ask_all(server, tmp_path, [asked(0)])
    assert reply.text == "QUESTION 0" and len(server.batches) == 1 and not server.batch_faults


def test_a_key_that_was_taken_back_meanwhile_costs_nothing(tmp_path):
    with Loopback(reply=shout) as server:
        server.batch_faults = ["401"]
        (error,) = ask_all(server, tmp_path, [asked(0)])
        (reply,) = ask_all(server, tmp_path, [asked(0)])
    assert error.reason == "key" and reply.text == "QUESTION 0" and len(server.batches) == 1


def test_a_failed_request_is_asked_anew_when_asked_again(tmp_path):
    with Loopback(["429"], reply=shout) as server:

        async def work():
            asker = BatchEndpoint(config(server), KEY, tmp_path, gather_s=0.01, poll_s=0.01)
            try:
                with pytest.raises(AskError):
                    await asker.ask(asked(1))
                server._fault = lambda number, body: ""
                return await asker.ask(asked(1))
            finally:
                await asker.close()

        assert asyncio.run(work()).text == "QUESTION 1"
    assert len(server.batches) == 2


def test_a_stopped_run_finds_its_batch_again_and_pays_once(tmp_path):
    requests = [asked(number) for number in range(10)]
    with Loopback(reply=shout) as server:
        server.batch_states = ["validating", "in_progress"]

        async def stopped():
            asker = BatchEndpoint(config(server), KEY, tmp_path, gather_s=0.01, poll_s=0.01)
            slots = [asyncio.ensure_future(asker.ask(one)) for one in requests]
            while not server.batches:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)
            await asker.close()

        asyncio.run(stopped())
        server.batch_states = ["validating", "in_progress", "completed"]
        # one after the other, as with few slots, and one that is new
        first = ask_all(server, tmp_path, requests[:1])
        rest = ask_all(server, tmp_path, [*requests[1:], asked(99)])
    assert [reply.text for reply in first + rest] == [f"QUESTION {n}" for n in [*range(10), 99]]
    assert len(server.batches) == 2
    assert len(server.files[server.batches["batch-2"]["input_file_id"]].splitlines()) == 1


def test_few_slots_take_an_old_batch_one_by_one(tmp_path):
    requests = [asked(number) for number in range(5)]
    with Loopback(reply=shout) as server:
        ask_all(server, tmp_path, requests)

        async def one_by_one():
            asker = BatchEndpoint(config(server), KEY, tmp_path, gather_s=0.01, poll_s=0.01)
            try:
                return [(await asker.ask(one)).text for one in requests]
            finally:
                await asker.close()

        assert asyncio.run(one_by_one()) == [f"QUESTION {number}" for number in range(5)]
    assert len(server.batches) == 1


def test_failures_of_an_old_batch_are_asked_anew(tmp_path):
    with Loopback(["429", ""], reply=shout) as server:
        first = ask_all(server, tmp_path, [asked(0), asked(1)])
        server._fault = lambda number, body: ""
        second = ask_all(server, tmp_path, [asked(0), asked(1)])
    assert isinstance(first[0], AskError)
    assert [reply.text for reply in second] == ["QUESTION 0", "QUESTION 1"]
    assert len(server.batches) == 2


def test_a_batch_that_the_provider_forgot_is_asked_anew(tmp_path):
    with Loopback(reply=shout) as server:
        ask_all(server, tmp_path, [asked(0)])
        server.batches.clear()
        (reply,) = ask_all(server, tmp_path, [asked(0)])
    assert reply.text == "QUESTION 0"


@pytest.mark.parametrize(
    ("last", "reason", "words"),
    [
        ("failed", "bad_request", "refused"),
        ("cancelled", "server", "cancelled"),
        ("expired", "server", "a day"),
    ],
)
def test_a_batch_that_ends_badly(tmp_path, last, reason, words):
    with Loopback(["lost"]) as server:
        server.batch_states = ["validating", last]
        (error,) = ask_all(server, tmp_path, [asked(0)])
    assert isinstance(error, AskError) and error.reason == reason and words in error.message


def test_nothing_is_noted_where_nothing_was_sent(tmp_path):
    with Loopback() as gone:
        pass
    (error,) = ask_all(gone, tmp_path, [asked(0)])
    assert error.reason == "refused_connection"
    assert not list(tmp_path.iterdir())


def test_the_journal_survives_a_cut_line_and_forgets_after_a_month(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "there" / "journal.jsonl")
    assert journal.read() == {}
    journal.add("batch-1", ["a", "b"])
    journal.add("batch-2", ["c"])
    with journal.file.open("a") as file:
        file.write('{"batch": "batch-3", "at"')
    assert journal.read() == {"batch-2": frozenset("c"), "batch-1": frozenset("ab")}
    assert KEY not in journal.file.read_text()
    monkeypatch.setattr("training_backend.teacher.batch_endpoint.KEPT_DAYS", 0)
    assert journal.read() == {}


def test_large_gatherings_are_parted(tmp_path, monkeypatch):
    monkeypatch.setattr("training_backend.teacher.batch_endpoint.MOST_REQUESTS", 3)
    with Loopback(reply=shout) as server:
        replies = ask_all(server, tmp_path, [asked(number) for number in range(7)])
    assert [reply.text for reply in replies] == [f"QUESTION {number}" for number in range(7)]
    assert len(server.batches) == 3


def test_a_run_from_the_command_line_in_batches(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training_backend.teacher.batch_endpoint.GATHER_S", 0.2)
    monkeypatch.setattr("training_backend.teacher.batch_endpoint.POLL_S", 0.01)
    path = tmp_path / "a.kpdd"
    with Loopback() as server:
        with Project.create(path) as project:
            text = "Ann has 2 apples and Ben has 3. How many apples are there?"
            add_questions(project, [NewQuestion("own", "train", str(n), f"{n}: {text}", "5", 5.0, {})
                                    for n in range(5)])  # fmt: skip
            save_teacher(project, config(server, key_source="none", concurrency=100))
        assert main(["generate", str(path), "--teacher", "mine", "--json", "--quiet"]) == 0
        result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["asked"], result["done"]) == (10, 10)
    # key points together, then programs together
    assert len(server.batches) == 2 and not server.asked
    assert [file.parent.name for file in tmp_path.rglob("batches/*.jsonl")] == ["batches"]
