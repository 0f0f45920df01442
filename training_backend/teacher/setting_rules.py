"""What the settings of a teacher may be: numbers in range, addresses that are some, no key anywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Settings = Mapping[str, Any]

# setting → (lowest, highest, whole number, may be left out)
_NUMBERS: Mapping[str, tuple[float, float, bool, bool]] = {
    "temperature": (0, 2, False, True),
    "top_p": (0, 1, False, True),
    "max_tokens": (1, 1_000_000, True, True),
    "timeout_s": (0.05, 86_400, False, False),
    "concurrency": (1, 1_024, True, False),
    "requests_per_minute": (0, 1_000_000, True, True),
    "tokens_per_minute": (0, 1_000_000_000, True, True),
    "budget": (0, 1_000_000, False, True),
    "batch_size": (1, 1_024, True, False),
}
# what OpenAI takes in one file
_LARGEST_BATCH = 50_000
_WORDS = {"timeout_s": "The time-out in seconds", "max_tokens": "The length limit in tokens"}
_SWITCHES = ("structured", "send_seed", "batch")
_KEY_SOURCES = ("keyring", "session", "none")
_LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")
# headers and parameters of an address that carry keys
_SECRET_WORDS = re.compile(
    r"authorization|api[-_]?key|(^|[-_])(key|token|secret|password|cookie)$", re.IGNORECASE
)
# the beginnings that providers give their keys, for one that was pasted into the wrong field
_LOOKS_LIKE_A_KEY = re.compile(r"\b(sk|gsk|csk|xai|hf|fw|nvapi|AIza)[-_]?[A-Za-z0-9_-]{24,}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE = re.compile(r"environment:[A-Za-z_][A-Za-z0-9_]*")


def check_settings(kind: str, settings: Settings) -> list[str]:
    """Return what is wrong with the settings of a kind of teacher or missing in them, one sentence each."""
    problems = [*wrong_settings(kind, settings)]
    if kind == "endpoint":
        problems += ["The address is empty."] if not str(settings.get("base_url") or "").strip() else []
        problems += ["Choose a model."] if not str(settings.get("model") or "").strip() else []
        problems += secrets_in(settings)
    elif kind == "local" and not str(settings.get("model") or "").strip():
        problems.append("Choose a folder or write a hub id such as Qwen/Qwen2.5-0.5B-Instruct.")
    elif kind == "replay" and not str(settings.get("recordings") or "").strip():
        problems.append("A replay needs its recordings.")
    return problems


def wrong_settings(kind: str, settings: Settings) -> list[str]:
    """Return what no such teacher could be asked with, one sentence each; what is missing may come."""
    problems = [*_numbers(settings)]
    problems += [f"{name.replace('_', ' ').capitalize()} must be true or false." for name in _SWITCHES
                 if not isinstance(settings.get(name, False), bool)]  # fmt: skip
    return problems + ([*_endpoint(settings)] if kind == "endpoint" else [])


def secrets_in(settings: Settings) -> list[str]:
    """Return the settings that would put a key into the project file, one sentence each, without the key."""
    found = []
    for setting, name in (("base_url", "address"), ("proxy", "proxy's address")):
        parts = urlsplit(str(settings.get(setting) or "")) if _splits(settings.get(setting)) else None
        if parts is None:
            continue
        if parts.password or parts.username:
            found.append(f"The {name} holds a user or a password.")
        elif any(_SECRET_WORDS.search(key) for key, _ in parse_qsl(parts.query)):
            found.append(f"The {name} holds a key after its question mark.")
    headers = settings.get("headers")
    names = headers if isinstance(headers, Mapping) else {}
    found += [f"The header {name} carries a key." for name in names if _SECRET_WORDS.search(str(name))]
    texts = {**settings, **{f"header {name}": value for name, value in names.items()}}
    found += [
        f"The setting {name.replace('_', ' ')} looks like a key."
        for name, value in texts.items()
        if isinstance(value, str) and _LOOKS_LIKE_A_KEY.search(value)
    ]
    return found


def address_trouble(url: str) -> str:
    """Return why an address is none, in one sentence, or nothing."""
    if not url.strip():
        return "The address is empty."
    if not _splits(url):
        return "The address cannot be read; it looks like https://api.example.com/v1."
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return "The address must begin with http:// or https:// and name a server."
    if any(sign.isspace() for sign in url.strip()):
        return "The address holds a space."
    return ""


def _endpoint(settings: Settings) -> Iterator[str]:
    address = str(settings.get("base_url") or "")
    trouble = address_trouble(address) if address.strip() else ""
    if trouble:
        yield trouble
    elif urlsplit(address).path.rstrip("/").endswith("/chat/completions"):
        yield "The address must end before /chat/completions, for example at /v1."
    source = str(settings.get("key_source") or "")
    if source not in _KEY_SOURCES and not _VARIABLE.fullmatch(source):
        yield "The key comes from the keyring, this session, environment:NAME, or none."
    if settings.get("proxy") and address_trouble(str(settings.get("proxy"))):
        yield "The proxy must look like http://proxy.example.com:3128."
    if settings.get("limit_field") not in _LIMIT_FIELDS:
        yield f"The length limit is called {' or '.join(_LIMIT_FIELDS)}."
    yield from _headers(settings.get("headers"))


def _headers(headers: Any) -> Iterator[str]:
    if not isinstance(headers, Mapping):
        yield "Extra headers are names with values."
        return
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(str(name)) or not _is_header_value(str(value)):
            yield f"The header {name} cannot be sent."


def _is_header_value(value: str) -> bool:
    return value.isascii() and all(sign.isprintable() for sign in value)


def _numbers(settings: Settings) -> Iterator[str]:
    for name in [name for name in _NUMBERS if name in settings]:
        lowest, highest, whole, optional = _NUMBERS[name]
        if name == "concurrency" and settings.get("batch"):
            highest = _LARGEST_BATCH
        value = settings[name]
        if value is None and optional:
            continue
        good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not lowest <= value <= highest:
            words = _WORDS.get(name, name.replace("_", " ").capitalize())
            what = "a whole number from" if whole else "from"
            yield f"{words} must be {what} {lowest:g} to {highest:,.0f}."


def _splits(url: Any) -> bool:
    try:
        parts = urlsplit(str(url or ""))
        return parts.port is None or parts.port > 0
    except ValueError:
        return False
