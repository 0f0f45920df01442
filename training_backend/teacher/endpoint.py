"""A teacher behind an OpenAI-compatible address, and how any configured teacher is opened.

One request is one POST through the openai SDK, never repeated here: who asks again, and when, is decided in
one place by the run. The whole of a request has one time limit, so a server that sends a byte now and then
holds no slot for ever; a reply beyond MAX_REPLY_BYTES is not read to its end.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import ssl
import time
import urllib.request
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from training_backend.errors import ConfigError
from training_backend.teacher import ask_faults
from training_backend.teacher.asker import FOR_ALL, REASONS, Answered, Asked, Asker, AskError
from training_backend.teacher.setting_rules import address_trouble
from training_backend.teacher.teacher_config import TeacherConfig

if TYPE_CHECKING:
    import httpx2

__all__ = ["FOR_ALL", "REASONS", "Answered", "AskError", "Asked", "Asker", "Endpoint", "open_asker"]

_T = TypeVar("_T")
# more than any reply to a word problem; beyond it something else is at the other end
MAX_REPLY_BYTES = 1 << 20
_CONNECT_S = 15.0
# what the SDK says of this machine with every request: nobody's business, and a tenth of the work
_TELLTALE = tuple(
    f"X-Stainless-{name}"
    for name in ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
)
# left out of each request: it asks once, and its time is kept here
_COUNTED = ("X-Stainless-Retry-Count", "X-Stainless-Read-Timeout")


def open_asker(config: TeacherConfig, key: str | None, batches: Path | None = None) -> Asker:
    """Return what asks this teacher, not connected yet; ConfigError when it is asked in another way.

    `batches` is the folder that remembers batches under way: with it, a teacher whose setting says so is
    asked in batches; without it (a test, one question to try) always directly.
    """
    if config.kind == "endpoint" and config.get("batch") and batches is not None:
        from training_backend.teacher.batch_endpoint import BatchEndpoint

        return BatchEndpoint(config, key, batches)
    if config.kind == "endpoint":
        return Endpoint(config, key)
    if config.kind == "local":
        from training_backend.teacher.local_causal import LocalCausal

        return LocalCausal(config)
    raise ConfigError(
        f"'{config.name}' answers from what it has and is not asked over a network.",
        "Use it for a run: `kpdd generate` knows it.",
    )


class Endpoint:
    """Asks one address, many times at once; belongs to the event loop of its first use."""

    def __init__(self, config: TeacherConfig, key: str | None) -> None:
        """Prepare; nothing is sent yet. ConfigError for a certificate file or address that is none."""
        trouble = address_trouble(str(config.get("base_url") or ""))
        if trouble:
            raise ConfigError(trouble, "Correct the teacher's address.")
        self.config = config
        self._key = key
        parts = urlsplit(str(config.get("base_url")).strip())
        self.server = parts.netloc.rpartition("@")[2]
        self._proxy = _proxy_in_use(config, parts.scheme, parts.hostname or "")
        self._timeout_s = float(config.get("timeout_s"))
        self.client = self._connect(parts.hostname or "")

    async def ask(self, asked: Asked) -> Answered:
        """Return the reply; AskError names why there is none."""
        began = time.monotonic()
        body = request_body(self.config, asked)
        data = await self.explained(self._json("post", "/chat/completions", body=body))
        return self.completion(data, time.monotonic() - began)

    async def models(self) -> list[str]:
        """Return the names of the models that the server offers, sorted."""
        data = await self.explained(self._json("get", "/models"))
        listed = data.get("data", data.get("models")) if isinstance(data, dict) else data
        if not isinstance(listed, list):
            raise AskError("not_json", f"{self.server} gives no list of models.", "Write the model's name.")
        names = [one.get("id") or one.get("name") if isinstance(one, dict) else one for one in listed]
        return sorted({str(name) for name in names if name})

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    def completion(self, data: Any, latency_s: float) -> Answered:
        """Return the reply in the JSON of a chat completion; AskError when it is none or a refusal."""
        try:
            return read_completion(data, latency_s, self.server)
        except AskError as error:
            raise ask_faults.clean(error, self._key) from None

    # --- helpers ----------------------------------------------------------------------------------

    def _connect(self, host: str):
        import httpx2
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        from training_backend.teacher.connections import SmallPools

        slots = int(self.config.get("concurrency")) + 2
        trust = _trust(str(self.config.get("verify") or ""))
        # a server on this machine is never asked through the system's proxy
        trust_env = not _is_loopback(host)
        http = DefaultAsyncHttpxClient(
            verify=trust,
            # one that is given takes no notice of proxies
            transport=None if self._proxy else SmallPools(slots, trust, trust_env),
            proxy=str(self.config.get("proxy")) if self.config.get("proxy") else None,
            trust_env=trust_env,
            limits=httpx2.Limits(max_connections=slots, max_keepalive_connections=slots),
            # a redirected POST arrives as something else; the sentence says where to
            follow_redirects=False,
        )
        return AsyncOpenAI(
            api_key=self._key or "",
            base_url=str(self.config.get("base_url")).strip(),
            max_retries=0,
            timeout=httpx2.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s), pool=None),
            http_client=http,
            default_headers=self._headers(host),
            _enforce_credentials=False,
        )

    def _headers(self, host: str) -> Mapping[str, Any]:
        """Return our headers; what the SDK would take from OPENAI_… variables goes to OpenAI alone.

        What it tells about this machine goes nowhere.
        """
        from openai import omit

        foreign = list(_TELLTALE)
        foreign += [] if host == "api.openai.com" else ["OpenAI-Organization", "OpenAI-Project"]
        if host != "api.openai.com":
            lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
            foreign += [line.partition(":")[0].strip() for line in lines if ":" in line]
        headers: dict[str, Any] = dict.fromkeys(foreign, omit)
        return {**headers, **self.config.get("headers")}

    def no_key(self) -> dict[str, Any]:
        """Return what keeps a request without a key from carrying one; the SDK wants it said each time."""
        from openai import omit

        return {} if self._key else {"Authorization": omit}

    async def explained(self, request: Awaitable[_T], timeout_s: float | None = None) -> _T:
        """Return what a call of the SDK gives, within the time limit; AskError names why it gives nothing."""
        import httpx2
        from openai import APIConnectionError, APIStatusError

        limit_s = timeout_s or self._timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await request
        except AskError as error:
            raise ask_faults.clean(error, self._key) from None
        except APIStatusError as error:
            told = self._of_status(error.response)
        except (APIConnectionError, httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            told = ask_faults.of_exception(error, self.server, limit_s, self._proxy)
        # not chained: the request that hangs on the library's failure carries the key in its headers
        raise ask_faults.clean(told, self._key)

    async def _json(self, verb: str, path: str, **given: Any) -> Any:
        """Return what an address answers with.

        By the SDK's own verbs: its typed calls take a request apart type by type, a fifth of all work.
        """
        import httpx2
        from openai import AsyncStream, omit

        send = getattr(self.client, verb)
        # the key for administrators that the SDK finds in the environment is left where it is
        headers = {**dict.fromkeys(_COUNTED, omit), **self.no_key()}
        options = {"headers": headers, "security": {"bearer_auth": True}}
        # as a stream, so that a reply without an end is not read to it
        response: httpx2.Response = await send(
            path, cast_to=httpx2.Response, options=options, stream=True, stream_cls=AsyncStream[Any], **given
        )
        try:
            return self._parse(await self._read(response))
        finally:
            await response.aclose()

    async def _read(self, response: httpx2.Response) -> bytes:
        pieces, size = [], 0
        async for piece in response.aiter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > MAX_REPLY_BYTES:
                raise ask_faults.too_large(self.server, MAX_REPLY_BYTES, b"".join(pieces))
        return b"".join(pieces)

    def _parse(self, raw: bytes) -> Any:
        try:
            data = json.loads(raw)
        except ValueError:
            raise ask_faults.not_json(raw.decode("utf-8", "replace"), self.server) from None
        if isinstance(data, dict) and data.get("error") and not data.get("choices"):
            # some providers send their failures with the status of a success
            code = data["error"].get("code") if isinstance(data["error"], dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            raise ask_faults.of_status(status, {}, raw.decode("utf-8", "replace"), self.server)
        return data

    def _of_status(self, response: httpx2.Response) -> AskError:
        return ask_faults.of_status(response.status_code, response.headers, response.text, self.server)


def request_body(config: TeacherConfig, asked: Asked) -> dict[str, Any]:
    """Return the JSON that a request sends, as the endpoint of `config` understands it."""
    body: dict[str, Any] = {"model": config.get("model"), "messages": [dict(one) for one in asked.messages]}
    optional = {
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        str(config.get("limit_field")): asked.max_tokens,
        "seed": asked.seed if config.get("send_seed") else None,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    if asked.schema is not None and config.get("structured"):
        form = {"name": "reply", "strict": True, "schema": dict(asked.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def read_completion(data: Any, latency_s: float, server: str) -> Answered:
    """Return the reply in a chat completion; AskError for a refusal, an empty reply or another form."""
    choices = data.get("choices") if isinstance(data, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if choice is None or not isinstance(message, dict):
        raise ask_faults.no_completion(json.dumps(data, ensure_ascii=False), server)
    usage = data.get("usage") if isinstance(data.get("usage"), dict) else {}
    details = usage.get("prompt_tokens_details")
    answered = Answered(
        text=_text(message.get("content")),
        finish_reason=str(choice.get("finish_reason") or ""),
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        model=str(data.get("model") or ""),
        latency_s=latency_s,
        cached_tokens=_count(details if isinstance(details, dict) else {}, "cached_tokens"),
        refusal=str(message.get("refusal") or ""),
    )
    if answered.refusal or answered.finish_reason == "content_filter":
        raise ask_faults.refused(answered, server)
    if not answered.text.strip():
        raise ask_faults.empty(answered, server)
    return answered


def _text(content: Any) -> str:
    """Return the text of a message: a string, or the texts among its parts (not what was thought)."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content
                       if isinstance(part, dict) and part.get("type", "text") == "text")  # fmt: skip
    return content if isinstance(content, str) else ""


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return int(value) if isinstance(value, (int, float)) and value > 0 else 0


def _trust(file: str) -> ssl.SSLContext | bool:
    """Return what certificates are accepted: the system's, or also those of a file's authority."""
    if not file:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=Path(file).expanduser())
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The certificate file cannot be read ({type(error).__name__}).",
            "Name a PEM file with the certificate of the server's authority.",
            file,
        ) from None
    return context


def _proxy_in_use(config: TeacherConfig, scheme: str, host: str) -> str:
    """Return the name of the proxy that a request goes through, or nothing."""
    proxy = str(config.get("proxy") or "")
    if not proxy and not _is_loopback(host) and not urllib.request.proxy_bypass(host):
        proxy = urllib.request.getproxies().get(scheme, "")
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
