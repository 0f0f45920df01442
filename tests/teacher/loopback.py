"""An OpenAI-compatible server on loopback whose every fault can be asked for by name.

It is a real HTTP server (uvicorn) in a thread; what it answers and how it misbehaves is ours. It keeps every
request that it received. Also a forward proxy for plain HTTP, and a server with a certificate of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

LARGE = 2_000_000
RETRY_AFTER_S = 7
HTML = "<html><head><title>Bad gateway of a proxy</title></head><body><h1>502</h1></body></html>"
KEY_POINTS = (
    "core question: How many apples are there?\ninformation:\n1. Ann has 2 apples.\n2. Ben has 3 apples."
)
PROGRAM = "apples = 2 + 3\nans = apples"
# what a fault says in place of the reply: the text is wrong, not the transport
TEXTS: Mapping[str, str] = {
    "no_core_question": "information:\n1. Ann has 2 apples.",
    "no_answer": "```python\napples = 2 + 3\nprint(apples)\n```",
    "large": "x" * LARGE,
    "long": "y" * 200_000,
}
# fault → status, code, message, as real servers word them
ERRORS: Mapping[str, tuple[int, str, str]] = {
    "400": (400, "invalid_request_error", "Unknown parameter: 'top_p'."),
    "context": (400, "context_length_exceeded", "This model's maximum context length is 4096 tokens."),
    "401": (401, "invalid_api_key", "Incorrect API key provided."),
    "402": (402, "invalid_request_error", "Insufficient Balance"),
    "402-busy": (402, "in_flight_budget_exhausted", "Wait for other requests."),
    "403": (403, "permission_denied", "This key may not use this model."),
    "404": (404, "model_not_found", "The model 'no-such-model' does not exist."),
    "407": (407, "proxy", "Proxy authentication required."),
    "429": (429, "rate_limit_exceeded", "Rate limit reached."),
    "quota": (429, "insufficient_quota", "You exceeded your current quota."),
    "500": (500, "server_error", "The server had an error."),
    "502": (502, "bad_gateway", "Bad gateway."),
    "503": (503, "overloaded", "Overloaded."),
}


def reply_to(messages: list[dict[str, str]]) -> str:
    """Return a plain reply: key points where they are asked for, else a program."""
    asked = " ".join(message["content"] for message in messages).lower()
    return PROGRAM if "program" in asked or "python" in asked else KEY_POINTS


@dataclass
class Received:
    """One request as the server saw it."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    through_proxy: bool
    at: float = field(default_factory=time.monotonic)


class Loopback:
    """The server, running from `with` to its end.

    `fault(number, body)` names the fault of each request (counted from 0) or returns "". Known are the keys
    of ERRORS and TEXTS, and: 429-after, 429-date, html, html-502, reset, cut, cut-json, silence, drip, gone,
    redirect, refusal, filtered, empty, null, parts, no-choices, error-200, length, no-usage,
    echo-key, echo-key-400.
    """

    def __init__(
        self,
        fault: Callable[[int, dict[str, Any]], str] | Iterable[str] | str = "",
        reply: Callable[[list[dict[str, str]]], str] = reply_to,
        latency_s: float = 0.0,
        hold: int = 0,
        models: Iterable[str] = ("tiny-teacher", "small-teacher"),
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Prepare; with `hold` every so many requests are answered together, the last one first."""
        self._fault = self._as_function(fault)
        self.reply = reply
        self.latency_s = latency_s
        self.models = list(models)
        self.received: list[Received] = []
        self.in_flight = self.most_in_flight = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        # how a batch goes on: states in the order in which they are told
        self.batch_states = ["validating", "in_progress", "completed"]
        # faults of the next looks at a batch
        self.batch_faults: list[str] = []
        self._hold = hold
        self._held: list[asyncio.Event] = []
        self._certificate = certificate
        self._released = threading.Event()

    @staticmethod
    def _as_function(fault) -> Callable[[int, dict[str, Any]], str]:
        if callable(fault):
            return fault
        if isinstance(fault, str):
            return lambda number, body: fault
        listed = list(fault)
        return lambda number, body: listed[number] if number < len(listed) else ""

    # --- life -------------------------------------------------------------------------------------

    def __enter__(self) -> Loopback:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(256)
        self.port = self._socket.getsockname()[1]
        key, chain = self._certificate or (None, None)
        config = uvicorn.Config(
            self._outer, log_level="critical", access_log=False, lifespan="off", ws="none",
            ssl_keyfile=key, ssl_certfile=chain, timeout_graceful_shutdown=0, loop="asyncio", http="h11",
            interface="asgi3",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._app = Starlette(routes=self._routes())
        self._thread = threading.Thread(target=self._serve, name="loopback", daemon=True)
        self._thread.start()
        return self

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    @property
    def base_url(self) -> str:
        """Return the address that a teacher is configured with."""
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> list[Received]:
        """Return the requests for replies, in the order in which they came."""
        return [one for one in self.received if one.path.endswith("/chat/completions")]

    # --- answers ----------------------------------------------------------------------------------

    def _routes(self) -> list[Route]:
        return [
            Route("/v1/models", self._models),
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/files", self._upload, methods=["POST"]),
            Route("/v1/files/{name}/content", self._download),
            Route("/v1/batches", self._start_batch, methods=["POST"]),
            Route("/v1/batches/{name}", self._show_batch),
            Route("/v1/batches/{name}/cancel", self._cancel_batch, methods=["POST"]),
        ]

    async def _outer(self, scope, receive, send) -> None:
        """Keep the connection within reach of the faults; take a proxy's address apart."""
        scope["connection"] = send.__self__.transport
        scope["through_proxy"] = scope["path"].startswith("http://")
        if scope["through_proxy"]:
            scope["path"] = "/" + scope["path"].removeprefix("http://").partition("/")[2]
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency_s)
            with contextlib.suppress(ConnectionError):
                await self._app(scope, receive, send)
        finally:
            self.in_flight -= 1

    async def _note(self, request: Request) -> dict[str, Any]:
        raw = await request.body()
        is_json = raw and request.headers.get("content-type", "").startswith("application/json")
        body = json.loads(raw) if is_json else {}
        self.received.append(
            Received(request.url.path, body, dict(request.headers), request.scope["through_proxy"])
        )
        return body

    async def _models(self, request: Request) -> Response:
        await self._note(request)
        fault = self._fault(len(self.received) - 1, {})
        if fault:
            return await self._broken(fault, request, {})
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "loopback"} for name in self.models]
        return JSONResponse({"object": "list", "data": data})

    async def _chat(self, request: Request) -> Response:
        body = await self._note(request)
        number = len(self.asked) - 1
        await self._wait_turn()
        fault = self._fault(number, body)
        if body.get("model") not in self.models and not fault:
            fault = "404"
        return await self._broken(fault, request, body) if fault else self._good(body)

    async def _wait_turn(self) -> None:
        """Let `hold` requests gather, then let the last one go first."""
        if not self._hold:
            return
        mine = asyncio.Event()
        self._held.append(mine)
        if len(self._held) == self._hold:
            for event in reversed(self._held):
                event.set()
                await asyncio.sleep(0.01)
            self._held.clear()
        await mine.wait()

    def _good(self, body: dict[str, Any], text: str | None = None) -> Response:
        return JSONResponse(self.completion(body, text))

    def completion(self, body: dict[str, Any], text: str | None = None, **message: Any) -> dict[str, Any]:
        """Return the JSON of a reply; tokens are counted by spaces."""
        text = self.reply(body["messages"]) if text is None else text
        sent = sum(len(part["content"].split()) for part in body.get("messages", []))
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": body.get("model"),
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": text, **message}}],
            "usage": {"prompt_tokens": sent, "completion_tokens": len(text.split()),
                      "total_tokens": sent + len(text.split()),
                      "prompt_tokens_details": {"cached_tokens": 1}},
        }  # fmt: skip

    # --- faults -----------------------------------------------------------------------------------

    async def _broken(self, fault: str, request: Request, body: dict[str, Any]) -> Response:
        if fault in ERRORS:
            return self._error(fault)
        if fault in TEXTS:
            return self._good(body, TEXTS[fault])
        broken = getattr(self, "_" + fault.replace("-", "_"))
        return await broken(request, body)

    def _error(self, fault: str, **headers: str) -> Response:
        status, code, message = ERRORS[fault]
        error = {"message": message, "type": code, "code": code, "param": None}
        return JSONResponse({"error": error}, status, headers)

    async def _429_after(self, request: Request, body: dict[str, Any]) -> Response:
        return self._error("429", **{"Retry-After": str(RETRY_AFTER_S)})

    async def _429_date(self, request: Request, body: dict[str, Any]) -> Response:
        return self._error("429", **{"Retry-After": formatdate(time.time() + 60, usegmt=True)})

    async def _html(self, request: Request, body: dict[str, Any]) -> Response:
        return HTMLResponse(HTML)

    async def _html_502(self, request: Request, body: dict[str, Any]) -> Response:
        return HTMLResponse(HTML, 502)

    async def _redirect(self, request: Request, body: dict[str, Any]) -> Response:
        return Response(status_code=301, headers={"Location": "https://elsewhere.example/v1"})

    async def _reset(self, request: Request, body: dict[str, Any]) -> Response:
        return _Half(b"", reset=True)

    async def _reset_half(self, request: Request, body: dict[str, Any]) -> Response:
        return _Half(json.dumps(self.completion(body)).encode()[:120], reset=True)

    async def _gone(self, request: Request, body: dict[str, Any]) -> Response:
        return _Half(b"")

    async def _cut(self, request: Request, body: dict[str, Any]) -> Response:
        return _Half(json.dumps(self.completion(body)).encode()[:120])

    async def _cut_json(self, request: Request, body: dict[str, Any]) -> Response:
        return Response(json.dumps(self.completion(body))[:120], media_type="application/json")

    async def _silence(self, request: Request, body: dict[str, Any]) -> Response:
        while not self._released.is_set() and not await request.is_disconnected():
            await asyncio.sleep(0.02)
        return Response(status_code=500)

    async def _drip(self, request: Request, body: dict[str, Any]) -> Response:
        return _Drip(json.dumps(self.completion(body)).encode(), self._released)

    async def _refusal(self, request: Request, body: dict[str, Any]) -> Response:
        return JSONResponse(self.completion(body, "", refusal="I cannot help with that."))

    async def _filtered(self, request: Request, body: dict[str, Any]) -> Response:
        data = self.completion(body, "")
        data["choices"][0]["finish_reason"] = "content_filter"
        return JSONResponse(data)

    async def _empty(self, request: Request, body: dict[str, Any]) -> Response:
        return self._good(body, "  \n")

    async def _null(self, request: Request, body: dict[str, Any]) -> Response:
        data = self.completion(body, "")
        data["choices"][0]["message"]["content"] = None
        return JSONResponse(data)

    async def _parts(self, request: Request, body: dict[str, Any]) -> Response:
        data = self.completion(body)
        parts = [
            {"type": "thinking", "thinking": "…"},
            {"type": "text", "text": self.reply(body["messages"])},
        ]
        data["choices"][0]["message"]["content"] = parts
        return JSONResponse(data)

    async def _no_choices(self, request: Request, body: dict[str, Any]) -> Response:
        return JSONResponse({"id": "x", "object": "chat.completion", "choices": []})

    async def _error_200(self, request: Request, body: dict[str, Any]) -> Response:
        return JSONResponse({"error": {"code": 429, "message": "Provider returned error"}})

    async def _length(self, request: Request, body: dict[str, Any]) -> Response:
        data = self.completion(body)
        data["choices"][0]["finish_reason"] = "length"
        return JSONResponse(data)

    async def _no_usage(self, request: Request, body: dict[str, Any]) -> Response:
        data = self.completion(body)
        del data["usage"]
        return JSONResponse(data)

    async def _echo_key(self, request: Request, body: dict[str, Any]) -> Response:
        sent = request.headers.get("authorization", "")
        return JSONResponse({"error": {"message": f"No such key: {sent}", "code": "invalid_api_key"}}, 401)

    async def _echo_key_400(self, request: Request, body: dict[str, Any]) -> Response:
        sent = request.headers.get("authorization", "")
        return JSONResponse({"error": {"message": f"Odd header: {sent}"}}, 400)

    # --- batches ----------------------------------------------------------------------------------

    async def _upload(self, request: Request) -> Response:
        raw = await request.body()
        await self._note(request)
        # the file's part of a multipart body: what stands between its empty line and the boundary
        boundary = b"--" + request.headers["content-type"].partition("boundary=")[2].encode()
        part = next(part for part in raw.split(boundary) if b"filename=" in part)
        name = f"file-{len(self.files) + 1}"
        self.files[name] = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        return JSONResponse(
            {"id": name, "object": "file", "bytes": len(self.files[name]), "created_at": 0,
             "filename": "requests.jsonl", "purpose": "batch", "status": "processed"}
        )  # fmt: skip

    async def _download(self, request: Request) -> Response:
        await self._note(request)
        return Response(self.files[request.path_params["name"]], media_type="application/jsonl")

    async def _start_batch(self, request: Request) -> Response:
        body = await self._note(request)
        name = f"batch-{len(self.batches) + 1}"
        self.batches[name] = {
            "id": name, "object": "batch", "endpoint": body["endpoint"], "completion_window": "24h",
            "input_file_id": body["input_file_id"], "created_at": 0, "status": self.batch_states[0],
            "told": 0, "metadata": body.get("metadata"),
        }  # fmt: skip
        return JSONResponse(self._told(name))

    async def _show_batch(self, request: Request) -> Response:
        await self._note(request)
        if self.batch_faults:
            return await self._broken(self.batch_faults.pop(0), request, {"messages": []})
        batch = self.batches.get(request.path_params["name"])
        if batch is None:
            return JSONResponse({"error": {"message": "No such batch."}}, 404)
        if batch["status"] not in ("cancelled", "completed", "failed", "expired"):
            batch["told"] += 1
            batch["status"] = self.batch_states[min(batch["told"], len(self.batch_states) - 1)]
        if batch["status"] in ("completed", "expired") and "output_file_id" not in batch:
            self._work_batch(batch)
        return JSONResponse(self._told(batch["id"]))

    async def _cancel_batch(self, request: Request) -> Response:
        await self._note(request)
        self.batches[request.path_params["name"]]["status"] = "cancelled"
        return JSONResponse(self._told(request.path_params["name"]))

    def _told(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in self.batches[name].items() if key != "told"}

    def _work_batch(self, batch: dict[str, Any]) -> None:
        """Answer a batch's requests, the last one first; what has a fault goes into the file of errors."""
        good, bad = [], []
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines() if line.strip()]
        for number, line in reversed(list(enumerate(lines))):
            fault = self._fault(number, line["body"])
            if fault in ERRORS:
                status, code, message = ERRORS[fault]
                body = {"error": {"message": message, "code": code}}
                bad.append({"custom_id": line["custom_id"], "error": None,
                            "response": {"status_code": status, "body": body}})  # fmt: skip
            elif fault != "lost":
                refused = {"refusal": "I cannot help with that."} if fault == "refusal" else {}
                data = self.completion(line["body"], "" if refused else TEXTS.get(fault), **refused)
                good.append({"custom_id": line["custom_id"], "error": None,
                             "response": {"status_code": 200, "body": data}})  # fmt: skip
        for field_name, found in (("output_file_id", good), ("error_file_id", bad)):
            if found:
                name = f"file-{len(self.files) + 1}"
                self.files[name] = "\n".join(json.dumps(one) for one in found).encode()
                batch[field_name] = name
        batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}


class _Half(Response):
    """Announces a long body, sends its beginning, and drops the connection: with a reset, or closed."""

    def __init__(self, beginning: bytes, reset: bool = False) -> None:
        super().__init__(b"")
        self.beginning, self.reset = beginning, reset

    async def __call__(self, scope, receive, send) -> None:
        connection = scope["connection"]
        if self.beginning:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"100000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self.beginning, "more_body": True})
            await asyncio.sleep(0.05)
        if self.reset:
            # no lingering: the kernel sends a reset in place of the end
            sock = connection.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.abort()
        else:
            connection.close()
        raise ConnectionAbortedError


class _Drip(Response):
    """Sends one byte every 20 ms, so that no single wait is long."""

    def __init__(self, body: bytes, released: threading.Event) -> None:
        super().__init__(b"")
        self.bytes, self.released = body, released

    async def __call__(self, scope, receive, send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self.bytes)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(len(self.bytes)):
            if self.released.is_set():
                raise ConnectionAbortedError
            await send({"type": "http.response.body", "body": self.bytes[number : number + 1],
                        "more_body": number + 1 < len(self.bytes)})  # fmt: skip
            await asyncio.sleep(0.02)
