"""Every reply that a teacher gave, kept by what was sent: the same request is never paid for twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.project.lines import storable
from training_backend.teacher.asker import Answered, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class NewResponse:
    """A reply that is to be kept; `money` is None where the price is not known."""

    digest: str
    run_id: int
    prompt_version: str
    attempt: int
    answered: Answered
    money: float | None


def request_digest(model: str, prompt_version: str, asked: Asked, path: int, attempt: int) -> str:
    """Return what names a request: model, prompt version, text, parameters, path and attempt.

    The seed is left out: it follows from path and attempt.
    """
    parts = [
        model, prompt_version, [dict(message) for message in asked.messages], asked.schema,
        asked.temperature, asked.top_p, asked.max_tokens, path, attempt,
    ]  # fmt: skip
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def find_response(connection: sqlite3.Connection, digest: str) -> tuple[int, Answered] | None:
    """Return the id and the reply that was given to this request, or None."""
    line = connection.execute(
        "SELECT id, text, finish_reason, prompt_tokens, completion_tokens, model, latency_s, cached_tokens, "
        "refusal FROM response WHERE digest = ?",
        (digest,),
    ).fetchone()
    return None if line is None else (line[0], Answered(*line[1:]))


def add_response(connection: Connection, new: NewResponse) -> int:
    """Keep a reply inside a transaction and return its id; the first one to a request stays."""
    from training_backend.project.store import now

    reply = new.answered
    return connection.exec_driver_sql(
        "INSERT INTO response (digest, run_id, model, prompt_version, attempt, text, finish_reason, refusal, "
        "prompt_tokens, cached_tokens, completion_tokens, money, latency_s, answered_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        # writes nothing new, but names the line that is there
        "ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id",
        (new.digest, new.run_id, storable(reply.model), new.prompt_version, new.attempt, storable(reply.text),
         reply.finish_reason, storable(reply.refusal), reply.prompt_tokens, reply.cached_tokens,
         reply.completion_tokens, new.money, reply.latency_s, now()),
    ).scalar_one()  # fmt: skip
