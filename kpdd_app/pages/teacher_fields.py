"""The settings of a teacher as fields: title, unit, help and group of each, text to value and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training_backend.teacher.replay import PRESETS as RECORDINGS
from training_backend.teacher.teacher_config import DEFAULTS


@dataclass(frozen=True)
class Field:
    """How a setting is shown."""

    title: str
    help: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    group: str = "answers"


FIELDS: Mapping[str, Field] = {
    "temperature": Field("Temperature", "0: alike each time; several paths need more", "0 to 2"),
    "top_p": Field("Top p", "Only the most likely tokens that add up to this; empty: not sent", "0 to 1"),
    "max_tokens": Field("Longest reply", "Longer replies are cut there and count as failed", "tokens"),
    "structured": Field("Structured output", "Ask for JSON after a schema, where the endpoint has that"),
    "limit_field": Field("Length limit is called", "Newer OpenAI models know only max_completion_tokens",
                         choices=("max_tokens", "max_completion_tokens")),
    "send_seed": Field("Send a seed", "Some local servers answer the same to the same seed"),
    "batch_size": Field("Batch", "Questions that are answered together", "questions"),
    "concurrency": Field("At the same time", "Requests on their way at once", "requests", group="speed"),
    "requests_per_minute": Field("Requests", "What your contract allows; 0: no limit", "a minute",
                                 group="speed"),
    "tokens_per_minute": Field("Tokens", "What your contract allows; 0: no limit", "a minute", group="speed"),
    "batch": Field("Batch endpoint", "Cheaper, replies within a day, where the provider has one; "
                   "the price shown is without that", group="speed"),
    "timeout_s": Field("Time-out", "A request that takes longer failed", "seconds", group="speed"),
    "headers": Field("Extra headers", "Name: value, with ; between several; never a key", group="network"),
    "verify": Field("Certificate", "A PEM file of your server's authority; empty: the system's",
                    group="network"),
    "proxy": Field("Proxy", "http://proxy.example.com:3128; empty: as the system says", group="network"),
    "preset": Field("Recordings of", "Whose recordings these are", choices=(*RECORDINGS, "jsonl")),
    "models": Field("Recorded models", "One for each path, in their order, with commas"),
    "mapping": Field("Fields", "For any JSON lines: question=problem,core_question=core,pot=code"),
}  # fmt: skip
GROUPS = {"answers": "How it answers", "speed": "How fast it is asked", "network": "Network"}
# what a kind shows in the form, beside its address, model and key
SHOWN: Mapping[str, tuple[str, ...]] = {
    "endpoint": ("temperature", "top_p", "max_tokens", "structured", "limit_field", "send_seed",
                 "concurrency", "requests_per_minute", "tokens_per_minute", "timeout_s", "batch", "headers",
                 "verify", "proxy"),
    "local": ("temperature", "top_p", "max_tokens", "batch_size"),
    "replay": ("preset", "models", "mapping"),
    "sample": (),
}  # fmt: skip


def defaults(kind: str) -> dict[str, Any]:
    """Return the defaults as the form shows them: nothing for what is not sent."""
    shown = {name: DEFAULTS[kind][name] for name in SHOWN[kind]}
    return {name: _as_default(name, value) for name, value in shown.items()}


def to_text(name: str, value: Any) -> str:
    """Return a setting as its field writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {text}" for key, text in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def to_value(kind: str, name: str, text: str) -> Any:
    """Return the value of a field's text; ValueError says what is wrong with it."""
    default = DEFAULTS[kind][name]
    if isinstance(default, bool):
        return text == "true"
    if isinstance(default, Mapping):
        return _headers(text)
    if isinstance(default, list):
        return [word.strip() for word in text.split(",") if word.strip()]
    if isinstance(default, int | float) or default is None:
        return _number(text, whole=isinstance(default, int))
    return text


def _number(text: str, whole: bool) -> float | int:
    plain = text.replace(",", "").replace(" ", "").replace("\u202f", "")
    try:
        return int(plain) if whole else float(plain)
    except ValueError:
        raise ValueError("This must be a whole number." if whole else "This must be a number.") from None


def _headers(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(";"):
        if part.strip():
            name, colon, value = part.partition(":")
            if not colon or not name.strip():
                raise ValueError("Write a header as Name: value.")
            found[name.strip()] = value.strip()
    return found


# what an untouched field says where its default is nothing
_NOTHING = {
    "top_p": "not sent", "requests_per_minute": "no limit", "tokens_per_minute": "no limit",
    "headers": "none", "verify": "the system's", "proxy": "as the system says",
}  # fmt: skip


def _as_default(name: str, value: Any) -> Any:
    if name == "preset":
        return next(iter(RECORDINGS))
    if name in _NOTHING:
        return _NOTHING[name]
    return to_text(name, value) if not isinstance(value, bool | int | float | str) else value
