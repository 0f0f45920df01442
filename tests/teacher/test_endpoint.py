"""One request to a real server on loopback: what is sent, what is read, and every way it can go wrong."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
import trustme
from loopback import ERRORS, KEY_POINTS, RETRY_AFTER_S, TEXTS, Loopback

from training_backend.errors import ConfigError
from training_backend.teacher.asker import FOR_ALL, REASONS, Answered, Asked, AskError
from training_backend.teacher.endpoint import MAX_REPLY_BYTES, open_asker, request_body
from training_backend.teacher.teacher_config import TeacherConfig

KEY = "sk-planted-0123456789-abcdefghij"
ASKED = Asked(({"role": "user", "content": "How many apples are there?"},), max_tokens=64, temperature=0.7)


def teacher(base_url: str, **settings) -> TeacherConfig:
    known = {"base_url": base_url, "model": "tiny-teacher", "timeout_s": 10.0, "key_source": "session"}
    return TeacherConfig("mine", "endpoint", {**known, **settings})


def ask(config: TeacherConfig, key: str | None = KEY, count: int = 1) -> list[Answered | BaseException]:
    async def work():
        asker = open_asker(config, key)
        try:
            return await asyncio.gather(*[asker.ask(ASKED) for _ in range(count)], return_exceptions=True)
        finally:
            await asker.close()

    return asyncio.run(work())


def failure(fault: str, **settings) -> AskError:
    with Loopback(fault) as server:
        (error,) = ask(teacher(server.base_url, **settings))
    assert isinstance(error, AskError), error
    # never retried here: who asks again is decided in one place
    assert len(server.asked) == 1
    return error


# --- what is well ---------------------------------------------------------------------------------


def test_a_reply_with_its_figures():
    with Loopback() as server:
        (answered,) = ask(teacher(server.base_url))
    assert answered.text == KEY_POINTS and answered.finish_reason == "stop"
    assert (answered.prompt_tokens, answered.completion_tokens) == (5, len(KEY_POINTS.split()))
    assert answered.cached_tokens == 1 and answered.model == "tiny-teacher"
    assert 0 < answered.latency_s < 10
    sent = server.asked[0]
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body == {
        "model": "tiny-teacher", "messages": [{"role": "user", "content": "How many apples are there?"}],
        "temperature": 0.7, "max_tokens": 64,
    }  # fmt: skip


def test_what_is_sent_follows_the_settings():
    schema = {"type": "object", "properties": {}}
    asked = Asked(ASKED.messages, schema, temperature=None, top_p=0.9, max_tokens=5, seed=3)
    plain = request_body(teacher("http://x/v1"), asked)
    assert plain.keys() == {"model", "messages", "top_p", "max_tokens"}
    full = teacher("http://x/v1", structured=True, send_seed=True, limit_field="max_completion_tokens")
    body = request_body(full, asked)
    assert body["seed"] == 3 and body["max_completion_tokens"] == 5 and "max_tokens" not in body
    assert body["response_format"]["json_schema"]["schema"] == schema


def test_without_a_key_no_authorization_is_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    with Loopback() as server:
        (answered,) = ask(teacher(server.base_url, key_source="none"), None)
    assert isinstance(answered, Answered)
    assert "authorization" not in server.asked[0].headers


def test_what_the_environment_says_to_openai_goes_nowhere_else(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Company: secret-of-mine")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    with Loopback() as server:
        (answered,) = ask(teacher(server.base_url, headers={"X-Title": "study"}))
    assert isinstance(answered, Answered)
    assert "of-mine" not in str(server.asked[0].headers)
    # nor what the SDK says of this machine
    assert not [name for name in server.asked[0].headers if name.startswith("x-stainless")]
    assert server.asked[0].headers["x-title"] == "study"


def test_the_list_of_models_is_sorted():
    async def work(base_url: str):
        asker = open_asker(teacher(base_url), KEY)
        try:
            return await asker.models()
        finally:
            await asker.close()

    with Loopback(models=["b", "a"]) as server:
        assert asyncio.run(work(server.base_url)) == ["a", "b"]
    with Loopback("html") as server, pytest.raises(AskError) as raised:
        asyncio.run(work(server.base_url))
    assert raised.value.reason == "not_json"


def test_a_server_that_answers_in_the_wrong_order():
    with Loopback(hold=8, reply=lambda messages: messages[0]["content"].upper()) as server:

        async def work():
            asker = open_asker(teacher(server.base_url), KEY)
            order: list[int] = []

            async def one(number: int) -> str:
                answered = await asker.ask(Asked(({"role": "user", "content": f"question {number}"},)))
                order.append(number)
                return answered.text

            try:
                return await asyncio.gather(*map(one, range(8))), order
            finally:
                await asker.close()

        texts, order = asyncio.run(work())
    assert texts == [f"QUESTION {number}" for number in range(8)]
    assert order != sorted(order)


def test_many_at_once_use_no_more_connections_than_slots():
    with Loopback(latency_s=0.02) as server:
        replies = ask(teacher(server.base_url, concurrency=4), count=24)
    assert all(isinstance(reply, Answered) for reply in replies)
    # two more than slots are kept, for a list of models beside a run
    assert 2 <= server.most_in_flight <= 6


@pytest.mark.parametrize("fault", ["length", "no-usage", "parts", "long", "no_core_question", "no_answer"])
def test_replies_that_are_replies(fault):
    with Loopback(fault) as server:
        (answered,) = ask(teacher(server.base_url))
    assert isinstance(answered, Answered)
    assert answered.text == TEXTS.get(fault, KEY_POINTS)
    assert answered.finish_reason == ("length" if fault == "length" else "stop")
    assert (answered.completion_tokens == 0) == (fault == "no-usage")


# --- what goes wrong ------------------------------------------------------------------------------

STATUSES = {
    "400": ("bad_request", "top_p"),
    "context": ("too_long", "4096"),
    "401": ("key", "401"),
    "402": ("permission", "Insufficient Balance"),
    "402-busy": ("rate_limit", "Wait"),
    "403": ("permission", "may not use"),
    "404": ("model", "no-such-model"),
    "407": ("proxy", "407"),
    "429": ("rate_limit", "Rate limit"),
    "429-after": ("rate_limit", "Rate limit"),
    "quota": ("permission", "quota"),
    "500": ("server", "500"),
    "502": ("server", "502"),
    "503": ("server", "Overloaded"),
    "html-502": ("server", "Bad gateway of a proxy"),
    "redirect": ("address", "https://elsewhere.example/v1"),
    "error-200": ("rate_limit", "Provider returned error"),
}
SHAPES = {
    "html": ("not_json", "web page"),
    "cut-json": ("cut", "ends in the middle"),
    "cut": ("cut", "closed the connection"),
    "reset": ("reset", "broke off"),
    "reset-half": ("reset", "broke off"),
    "gone": ("reset", "broke off"),
    "refusal": ("refusal", "cannot help"),
    "filtered": ("refusal", "filter"),
    "empty": ("empty", "empty"),
    "null": ("empty", "empty"),
    "no-choices": ("empty", "without a choice"),
    "large": ("too_long", "not read to its end"),
}


@pytest.mark.parametrize(
    ("fault", "reason", "words"), [(f, *told) for f, told in (STATUSES | SHAPES).items()]
)
def test_a_fault_has_its_reason_and_its_sentence(fault, reason, words):
    error = failure(fault)
    assert (error.reason, error.retryable) == (reason, REASONS[reason])
    assert words in error.message and "127.0.0.1" in error.message
    assert error.hint and "<html" not in error.message
    assert set(ERRORS) - {"407"} <= set(STATUSES)


def test_retry_after_is_read_as_seconds_and_as_a_date():
    assert failure("429").retry_after_s is None
    assert failure("429-after").retry_after_s == RETRY_AFTER_S
    assert 50 < failure("429-date").retry_after_s <= 60


@pytest.mark.parametrize("fault", ["silence", "drip"])
def test_a_silent_server_is_given_up(fault):
    began = time.monotonic()
    error = failure(fault, timeout_s=0.3)
    assert error.reason == "silence" and error.retryable and "0.3 seconds" in error.message
    assert time.monotonic() - began < 5


def test_the_tokens_of_a_refusal_are_told():
    for fault in ("refusal", "empty"):
        error = failure(fault)
        assert error.answered is not None and error.answered.prompt_tokens == 5


def test_what_came_is_kept_in_part():
    assert "<html>" in failure("html").raw
    large = failure("large")
    assert 0 < len(large.raw) <= 4_000 < MAX_REPLY_BYTES


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (error,) = ask(teacher(f"http://127.0.0.1:{port}/v1"))
    assert error.reason == "refused_connection" and error.retryable


def test_there_is_no_such_server():
    # .invalid never resolves (RFC 2606)
    (error,) = ask(teacher("http://nowhere.invalid/v1"))
    assert error.reason == "address" and "nowhere.invalid" in error.message


@pytest.mark.parametrize(
    "url", ["", "api.example.com/v1", "ftp://example.com", "http://", "http://a:99999/v1"]
)
def test_an_address_that_is_none(url):
    with pytest.raises(ConfigError):
        open_asker(teacher(url), KEY)


# --- certificate and proxy ------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path):
    """Return the files of a self-made authority and of a server certified by it: (authority, key, chain)."""
    made = trustme.CA()
    certified = made.issue_cert("127.0.0.1")
    certified.private_key_pem.write_to_path(tmp_path / "server.key")
    certified.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    return tmp_path / "authority.pem", tmp_path / "server.key", tmp_path / "server.pem"


def test_a_certificate_that_nobody_vouches_for(authority):
    with Loopback(certificate=authority[1:]) as server:
        (error,) = ask(teacher(server.base_url))
    assert error.reason == "certificate" and not error.retryable and error.reason in FOR_ALL
    assert "certificate" in error.message and not server.asked


def test_a_named_authority_is_trusted(authority):
    with Loopback(certificate=authority[1:]) as server:
        (answered,) = ask(teacher(server.base_url, verify=str(authority[0])))
    assert isinstance(answered, Answered)


def test_a_certificate_file_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match="certificate"):
        open_asker(teacher("https://127.0.0.1:1/v1", verify=str(tmp_path / "none.pem")), KEY)


def test_https_where_http_is_spoken():
    with Loopback() as server:
        (error,) = ask(teacher(server.base_url.replace("http:", "https:")))
    assert error.reason == "address" and "HTTPS" in error.message


def test_a_proxy_is_used_and_named_when_it_fails():
    with Loopback() as server, Loopback("407") as refusing:
        (answered,) = ask(teacher(server.base_url, proxy=f"http://127.0.0.1:{server.port}"))
        (refused,) = ask(teacher(server.base_url, proxy=f"http://127.0.0.1:{refusing.port}"))
        (gone,) = ask(teacher(server.base_url, proxy="http://127.0.0.1:1"))
    assert isinstance(answered, Answered) and server.asked[0].through_proxy
    assert refused.reason == gone.reason == "proxy" and "127.0.0.1:1" in gone.message


def test_the_systems_proxy_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Loopback() as server:
        (answered,) = ask(teacher(server.base_url))
    assert isinstance(answered, Answered) and not server.asked[0].through_proxy


def test_the_systems_proxy_is_named_when_it_fails(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://user:word@127.0.0.1:1")
    (error,) = ask(teacher("http://teacher.invalid/v1"))
    assert error.reason == "proxy" and "127.0.0.1:1" in error.message and "word" not in error.message


# --- keys -----------------------------------------------------------------------------------------


def test_a_server_that_repeats_the_key_gives_it_away_to_nobody():
    error = failure("echo-key")
    assert error.reason == "key"
    chain = [error, error.__cause__, error.__context__]
    assert all(
        KEY not in f"{one!r} {one} {getattr(one, 'raw', '')} {vars(one) if one else ''}" for one in chain
    )
