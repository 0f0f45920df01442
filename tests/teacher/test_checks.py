"""*Test* of a teacher: every result has its name, and what is wrong ends the list."""

from __future__ import annotations

import asyncio
import socket

import pytest
from loopback import Loopback
from tiny_chat import make_tiny_chat

from training_backend.teacher.checks import Check, check_teacher
from training_backend.teacher.teacher_config import TeacherConfig

KEY = "sk-planted-0123456789-abcdefghij"


def check(base_url: str, key: str | None = KEY, **settings) -> list[Check]:
    known = {"base_url": base_url, "model": "tiny-teacher", "key_source": "session", "timeout_s": 5.0}
    return asyncio.run(check_teacher(TeacherConfig("mine", "endpoint", {**known, **settings}), key))


def test_all_is_well():
    with Loopback(reply=lambda messages: '{"answer": "5"}') as server:
        checks = check(server.base_url, structured=True)
    assert [one.title for one in checks] == [
        "Settings", "Address", "Model", "Reply", "Key", "Structured reply",
    ]  # fmt: skip
    assert all(one.ok and one.sentence and not one.hint for one in checks)
    assert "2 models" in checks[1].sentence
    # one for the reply and one for the structured one
    assert len(server.asked) == 2 and server.asked[0].body["max_tokens"] <= 256


WRONG = {
    "401": "Key",
    "403": "Key",
    "quota": "Key",
    "407": "Proxy",
    "silence": "Time-out",
    "html": "Reply",
    "500": "Reply",
    "429": "Reply",
    "400": "Reply",
    "empty": "Reply",
}


@pytest.mark.parametrize(("fault", "title"), WRONG.items())
def test_what_is_wrong_has_its_name(fault, title):
    with Loopback(lambda number, body: fault) as server:
        checks = check(server.base_url, timeout_s=0.4)
    wrong = [one for one in checks if not one.ok]
    assert wrong == checks[-1:]
    assert wrong[0].hint and wrong[0].sentence and KEY not in str(checks)
    assert wrong[0].title == title


def test_a_model_that_is_not_there_and_one_that_is_not_listed():
    with Loopback() as server:
        checks = check(server.base_url, model="no-such-model")
    assert (checks[-1].title, checks[-1].ok) == ("Model", False)
    with Loopback(lambda number, body: "no_answer" if body else "") as server:
        checks = check(server.base_url, model="behind-a-gateway")
    assert all(one.ok for one in checks) and "not in the server's list" in checks[2].sentence


def test_text_where_json_was_asked_for():
    with Loopback() as server:
        checks = check(server.base_url, structured=True)
    assert (checks[-1].title, checks[-1].ok) == ("Structured reply", False)
    assert "Switch structured replies off" in checks[-1].hint


def test_nothing_is_sent_without_settings_or_key():
    assert [one.ok for one in check("", model="")] == [False, False]
    with Loopback() as server:
        (settings, key) = check(server.base_url, None)
    assert settings.ok and (key.title, key.ok) == ("Key", False) and not server.received


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    checks = check(f"http://127.0.0.1:{port}/v1")
    assert (checks[-1].title, checks[-1].ok) == ("Address", False)


def test_other_kinds_of_teachers(tmp_path):
    sample = asyncio.run(check_teacher(TeacherConfig("s", "sample"), None))
    assert all(one.ok for one in sample)
    folder = str(make_tiny_chat(tmp_path / "tiny"))
    local = TeacherConfig("l", "local", {"model": folder, "max_tokens": 4, "temperature": 0.0})
    assert [one.title for one in asyncio.run(check_teacher(local, None))] == ["Settings", "Reply"]
    gone = TeacherConfig("l", "local", {"model": str(tmp_path / "none")})
    last = asyncio.run(check_teacher(gone, None))[-1]
    assert (last.title, last.ok) == ("Model", False)
