"""What went wrong with a request, by what the HTTP library and the server say: one reason, one sentence."""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from training_backend.teacher.asker import Answered, AskError

# how much of what came is kept for a person to look at
RAW_LIMIT = 4_000
_SENTENCE_LIMIT = 300
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum context|too many tokens|too long", re.IGNORECASE
)
_NO_MONEY = re.compile(
    r"insufficient[ _](quota|balance|credit|funds)|billing|exceeded your current quota", re.IGNORECASE
)
# Gemini answers 400 to a wrong key, and so does LiteLLM's proxy without a database
_NO_KEY = re.compile(
    r"api[ _]key[ _](not valid|invalid|expired)|invalid api key|no connected db", re.IGNORECASE
)
_FILTERED = re.compile(r"content[ _](policy|filter|management)|responsible ai", re.IGNORECASE)
_UNKNOWN_MODEL = re.compile(
    r"(?=.*\bmodel)(.*(not[ _]found|not exist|unknown|no such|invalid|not supported|not a valid))",
    re.IGNORECASE | re.DOTALL,
)
_HINTS: Mapping[str, str] = {
    "key": "Paste the key again, or choose another place for it.",
    "permission": "Look at your account with the provider: its credit, and which models the key may use.",
    "model": "Fetch the list of models and choose one of them.",
    "rate_limit": "It is asked again later; lower requests or tokens per minute if this goes on.",
    "server": "It is asked again later; if this goes on, look at the provider's status page or at its log.",
    "refused_connection": "Start the server, or correct host and port of the address.",
    "reset": "It is asked again later; if this goes on, look at the server's log or a firewall between.",
    "cut": "It is asked again later; if this goes on, look at the server's log or a proxy between.",
    "silence": "Raise the time-out, lower the number of requests at once, or look at the server.",
    "not_json": "The address may be that of a web page: an API's address often ends at /v1.",
    "refusal": "Look at the question; another model or prompt may answer it.",
    "empty": "It is asked again; raise the length limit where the model thinks before it writes.",
    "too_long": "Shorten the demonstrations, lower the length limit, or choose a model that reads more.",
    "bad_request": "Change the setting that the server names.",
    "certificate": "Name the file of its authority's certificate in the teacher's settings.",
    "proxy": "Correct the proxy's address, or leave it empty; its password belongs into HTTPS_PROXY.",
    "address": "Correct the address (an API's often ends at /v1), or look whether this machine is online.",
}


def hint_for(reason: str) -> str:
    """Return what a person can do about a reason of asker.REASONS."""
    return _HINTS[reason]


def of_exception(error: BaseException, server: str, timeout_s: float, proxy: str) -> AskError:
    """Return what an exception of the HTTP library means; `server` and `proxy` are names to show."""
    import httpx2

    chain = list(_chain(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in chain)

    if among(ssl.SSLCertVerificationError):
        reasons = [getattr(one, "verify_message", "") for one in chain]
        why = next((reason for reason in reasons if reason), "not trusted")
        return _error("certificate", f"The certificate of {server} is not accepted: {why}.")
    if among(httpx2.ProxyError) or (proxy and among(httpx2.ConnectError, httpx2.ConnectTimeout)):
        return _error("proxy", f"The proxy {proxy or 'of this system'} gives no way to {server}.")
    if among(ssl.SSLError):
        return _error("address", f"{server} does not speak HTTPS there.")
    if among(socket.gaierror):
        return _error("address", f"There is no server named {server.rpartition(':')[0] or server}.")
    if among(httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.TooManyRedirects):
        return _error("address", f"The address of {server} cannot be asked.")
    if among(httpx2.ConnectTimeout, httpx2.ConnectError):
        return _error("refused_connection", f"{server} does not accept connections.")
    if among(httpx2.TimeoutException, TimeoutError):
        return _error("silence", f"{server} did not answer within {timeout_s:g} seconds.")
    if among(httpx2.RemoteProtocolError) and "complete message body" in str(chain[-1]):
        return _error("cut", f"{server} closed the connection in the middle of its reply.")
    if among(httpx2.DecodingError):
        return _error("not_json", f"The reply of {server} cannot be unpacked.")
    return _error("reset", f"The connection to {server} broke off.")


def of_status(status: int, headers: Mapping[str, str], body: str, server: str) -> AskError:
    """Return what a reply with an error status means; `body` is its text."""
    code, said = _said(body)
    if 300 <= status < 400 and headers.get("location"):
        said = f"go to {_short(headers['location'])}"
    end = "" if said.endswith((".", "!", "?")) else "."
    told = f"{server} answered {status}" + (f": {said}{end}" if said else ".")
    reason = _reason_of_status(status, f"{code} {said}")
    retryable = status in (408, 409, 425) or None
    return _error(reason, told, retry_after(headers), body, retryable)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server asks to wait (Retry-After as seconds or date, or in ms), or None."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if math.isfinite(wait_s):
            return max(0.0, wait_s)
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def not_json(body: str, server: str) -> AskError:
    """Return the failure of a reply that is no JSON: a web page, or one that was cut."""
    text = body.lstrip()
    if text.startswith("<"):
        title = _title(text)
        return _error(
            "not_json", f"{server} answered with a web page{f' ({title})' if title else ''}.", raw=body
        )
    if text.startswith(("{", "[")):
        return _error("cut", f"The reply of {server} ends in the middle.", raw=body)
    return _error("not_json", f"The reply of {server} is no JSON.", raw=body)


def too_large(server: str, limit: int, beginning: bytes) -> AskError:
    """Return the failure of a reply that was not read to its end."""
    told = f"The reply of {server} is longer than {limit // 1024:,} KiB and was not read to its end."
    return _error("too_long", told, raw=beginning[: 4 * RAW_LIMIT].decode("utf-8", "replace"))


def no_completion(body: str, server: str) -> AskError:
    """Return the failure of JSON that holds no reply."""
    return _error("empty", f"{server} sent a reply without a choice.", raw=body)


def refused(answered: Answered, server: str) -> AskError:
    """Return the failure of a reply in which the model or its provider declines."""
    why = answered.refusal or "its filter held the reply back"
    error = _error("refusal", f"{server} refused: {_short(why)}", raw=answered.refusal)
    error.answered = answered
    return error


def empty(answered: Answered, server: str) -> AskError:
    """Return the failure of a reply without a letter."""
    end = " and stopped at the length limit" if answered.finish_reason == "length" else ""
    error = _error("empty", f"{server} sent an empty reply{end}.", raw=answered.text)
    error.answered = answered
    return error


def clean(error: AskError, key: str | None) -> AskError:
    """Return the failure with every trace of the key taken out: some servers repeat what they were sent."""
    if not key or len(key) < 4:
        return error
    error.message = error.message.replace(key, "•••")
    error.raw = error.raw.replace(key, "•••")
    error.args = (error.message,)
    return error


def _error(reason: str, message: str, retry_after_s: float | None = None, raw: str = "",
           retryable: bool | None = None) -> AskError:  # fmt: skip
    return AskError(reason, message, _HINTS[reason], retry_after_s, retryable, raw[:RAW_LIMIT])


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _reason_of_status(status: int, said: str) -> str:
    if status == 402 and "in_flight" in said:
        # OpenRouter: the money is promised to requests on their way
        return "rate_limit"
    if status in (402, 429) and (status == 402 or _NO_MONEY.search(said)):
        return "permission"
    if status == 400 and _NO_KEY.search(said):
        return "key"
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(said)):
        return "too_long"
    if status in (400, 403, 422) and _FILTERED.search(said):
        return "refusal"
    if status in (400, 404, 422) and _UNKNOWN_MODEL.match(said):
        return "model"
    known = {401: "key", 403: "permission", 404: "address", 405: "address", 407: "proxy", 429: "rate_limit"}
    if status in known:
        return known[status]
    if 300 <= status < 400:
        return "address"
    return "server" if status >= 500 or status in (408, 409, 425) else "bad_request"


def _said(body: str) -> tuple[str, str]:
    """Return (code, sentence) of an error's body: OpenAI's form, FastAPI's, a bare text, or a web page."""
    try:
        data = json.loads(body)
    except ValueError:
        text = body.strip()
        return "", _short(_title(text) if text.startswith("<") else text)
    if isinstance(data, list) and data:
        data = data[0]
    inner = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(inner, dict):
        return "", _short(inner)
    said = next((inner[name] for name in ("message", "detail", "msg", "error") if inner.get(name)), "")
    return str(inner.get("code") or inner.get("type") or ""), _short(said)


def _short(said: Any) -> str:
    text = " ".join((said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)).split())
    return text if len(text) <= _SENTENCE_LIMIT else text[: _SENTENCE_LIMIT - 1] + "…"


def _title(text: str) -> str:
    found = _TITLE.search(text)
    return _short(found[1]) if found else ""
