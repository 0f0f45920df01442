"""What servers say when something is wrong, in their own words, and the reason that is read from it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest

from training_backend.teacher.ask_faults import clean, hint_for, not_json, of_status, retry_after
from training_backend.teacher.asker import REASONS, AskError


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid. Please pass another."}}],
            "key",
        ),
        (400, {"error": {"message": "No connected db.", "type": "no_db_connection"}}, "key"),
        (400, {"error": {"message": "Invalid model name passed in model=x."}}, "model"),
        (404, {"error": {"message": "model 'x' not found", "type": "api_error"}}, "model"),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, "model"),
        (404, {"detail": "Not Found"}, "address"),
        (405, {"detail": "Method Not Allowed"}, "address"),
        (400, {"error": {"message": "the request exceeds the available context size"}}, "too_long"),
        (413, "Request Entity Too Large", "too_long"),
        (400, {"error": {"code": "content_filter", "message": "The response was filtered"}}, "refusal"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "extra fields"}]}, "bad_request"),
        (402, {"error": {"message": "Insufficient Balance"}}, "permission"),
        (408, "", "server"),
        (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, "server"),
        (418, None, "bad_request"),
    ],
)
def test_the_words_of_real_servers(status, body, reason):
    error = of_status(status, {}, body if isinstance(body, str) else json.dumps(body), "host:1")
    assert error.reason == reason
    assert error.message.startswith(f"host:1 answered {status}") and error.hint == hint_for(reason)


def test_every_reason_has_a_hint():
    assert all(hint_for(reason) for reason in REASONS)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "3"}, 3, 3),
        ({"retry-after": "0.5"}, 0.5, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5, 1.5),
        ({"retry-after": "-4"}, 0, 0),
    ],
)
def test_retry_after(headers, least, most):
    assert least <= retry_after(headers) <= most


@pytest.mark.parametrize(("seconds", "least", "most"), [(-100, 0, 0), (1000, 900, 1000)])
def test_retry_after_a_date(seconds, least, most):
    headers = {"retry-after": formatdate(time.time() + seconds, usegmt=True)}
    assert least <= retry_after(headers) <= most


@pytest.mark.parametrize(
    "headers", [{}, {"retry-after": "soon"}, {"retry-after": "inf"}, {"retry-after": "nan"}]
)
def test_a_retry_after_that_says_nothing(headers):
    assert retry_after(headers) is None


def test_a_long_sentence_is_cut_and_a_key_taken_out():
    key = "sk-planted-0123456789"
    error = clean(of_status(500, {}, f"{key} " + "word " * 1000, "host"), key)
    assert len(error.message) < 400 and key not in error.message + error.raw + repr(error)


def test_replies_that_are_no_json():
    assert not_json("<html><title>Sign in</title>", "host").reason == "not_json"
    assert "Sign in" in not_json("<html><title>Sign in</title>", "host").message
    assert not_json('{"choices": [', "host").reason == "cut"
    assert not_json("upstream gone", "host").reason == "not_json"


def test_a_reason_that_is_none_is_a_fault_of_ours():
    with pytest.raises(ValueError, match="bored"):
        AskError("bored", "x")
