"""Keys of teachers: in the system's keyring, else in an environment variable, else for this session only.

A key belongs to an address (scheme, host, port), not to a teacher's name: a project file that somebody sent,
whose teacher has a familiar name and another address, gets no key. No key ever goes into a file of ours, an
event, a log, or the arguments of a process. An environment variable that a project names is sent only where a
person of this machine has said so, by saving the teacher here.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from training_backend.errors import ConfigError
from training_backend.paths import user_data_dir

if TYPE_CHECKING:
    from training_backend.teacher.teacher_config import TeacherConfig

SERVICE = "kpdd-studio"
ENVIRONMENT = "environment:"
# how a child process gets a key that only this session knows; set for that child alone
SESSION_VARIABLE = "KPDD_SESSION_KEY"
PROBE_LIMIT_S = 3.0
# unlocking a keyring is a dialog of the system that a person answers
UNLOCK_LIMIT_S = 60.0

_T = TypeVar("_T")
_session: dict[str, str] = {}


@dataclass(frozen=True)
class KeyPlace:
    """Where a key is or would be kept: `kind` is keyring, environment, session or none."""

    kind: str
    sentence: str


def stored_where(config: TeacherConfig | None = None) -> KeyPlace:
    """Return where the key of a teacher is kept, or without one where a new key would be.

    Waits for the keyring at most PROBE_LIMIT_S, once in the life of the process: not for the window's thread.
    """
    source = "keyring" if config is None else str(config.get("key_source") or "none")
    if source.startswith(ENVIRONMENT):
        name = source.removeprefix(ENVIRONMENT)
        state = "" if os.environ.get(name) else ", which is not set"
        return KeyPlace("environment", f"The key is read from the environment variable {name}{state}.")
    if source == "none":
        return KeyPlace("none", "No key is sent.")
    if source == "keyring" and (config is None or address(config) not in _session):
        trouble = keyring_trouble()
        if not trouble:
            return KeyPlace("keyring", f"The key is kept in the system's keyring ({_backend_name()}).")
        return KeyPlace("session", f"The key is kept for this session only: {trouble}")
    return KeyPlace("session", "The key is kept for this session only and forgotten when the program ends.")


def get_key(config: TeacherConfig) -> str | None:
    """Return the key of a teacher or None; ConfigError when the keyring does not answer."""
    source = str(config.get("key_source") or "none")
    if source == "none":
        return None
    if source.startswith(ENVIRONMENT):
        return _from_environment(source.removeprefix(ENVIRONMENT), address(config))
    known = _session.get(address(config)) or _handed_over(address(config))
    if known or source != "keyring" or keyring_trouble():
        return known
    return _ask_keyring(lambda: _keyring().get_password(SERVICE, address(config)))


def key_to_ask(config: TeacherConfig) -> str | None:
    """Return the key that requests carry; ConfigError when its environment variable is not set."""
    key = get_key(config)
    if key is None and str(config.get("key_source") or "").startswith(ENVIRONMENT):
        raise ConfigError(
            stored_where(config).sentence,
            "Set it where the program is started, or choose another place for the key.",
        )
    return key


def set_key(config: TeacherConfig, key: str) -> KeyPlace:
    """Keep a key for a teacher's address and return where; ConfigError when it can be no key."""
    source = str(config.get("key_source") or "none")
    if source == "none" or source.startswith(ENVIRONMENT):
        raise ConfigError(stored_where(config).sentence, "Choose the keyring or this session as its place.")
    key = _good_key(key)
    if source == "keyring" and not keyring_trouble():
        _ask_keyring(lambda: _keyring().set_password(SERVICE, address(config), key))
        _session.pop(address(config), None)
    else:
        _session[address(config)] = key
    return stored_where(config)


def forget_key(config: TeacherConfig) -> None:
    """Remove a teacher's key from the session and from the keyring; one that is not there is no failure."""
    where = address(config)
    _session.pop(where, None)
    if keyring_trouble():
        return
    if _ask_keyring(lambda: _keyring().get_password(SERVICE, where)) is not None:
        _ask_keyring(lambda: _keyring().delete_password(SERVICE, where))


def child_environment(config: TeacherConfig) -> dict[str, str]:
    """Return the variables that a child process needs to know a key of this session; often none."""
    key = _session.get(address(config))
    return {SESSION_VARIABLE: json.dumps({"address": address(config), "key": key})} if key else {}


def allow_variable(config: TeacherConfig) -> None:
    """Remember that a person of this machine lets the variable of a teacher's key go to its address."""
    source = str(config.get("key_source") or "")
    pair = [source.removeprefix(ENVIRONMENT), address(config)]
    allowed = _allowed()
    if source.startswith(ENVIRONMENT) and pair not in allowed:
        file = _allowed_file()
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps([*allowed, pair], indent=1), encoding="utf-8")
        part.replace(file)


def address(config: TeacherConfig) -> str:
    """Return what a key belongs to: scheme, host and port of the teacher's address."""
    parts = urlsplit(str(config.get("base_url") or ""))
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}"


def _from_environment(name: str, where: str) -> str | None:
    key = os.environ.get(name, "").strip()
    if key and [name, where] not in _allowed():
        raise ConfigError(
            f"The project wants {name} to be sent to {where}, and nobody allowed that on this machine.",
            "If it is meant: save the teacher on the Teacher page, or `kpdd teacher allow PROJECT NAME`.",
        )
    return key or None


def _allowed_file() -> Path:
    return user_data_dir() / "key_variables.json"


def _allowed() -> list[list[str]]:
    """Return the pairs of variable and address that were allowed."""
    try:
        found = json.loads(_allowed_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


@functools.cache
def keyring_trouble() -> str:
    """Return why the system's keyring cannot be used, in one sentence, or nothing; looked at once."""
    try:
        backend = _within(PROBE_LIMIT_S, _probe)
    except TimeoutError:
        return f"the system's keyring did not answer within {PROBE_LIMIT_S:.0f} seconds."
    except Exception as error:
        return f"the system's keyring cannot be used ({type(error).__name__})."
    return "" if backend >= 1 else "this system has no safe keyring."


def _probe() -> float:
    """Return how far the keyring can be recommended (1 and more: safe), after one look into it."""
    keyring = _keyring()
    backend = keyring.get_keyring()
    # several at once are a chain: what counts is the one that a new key goes to
    backend = next(iter(getattr(backend, "backends", ())), backend)
    if backend.priority >= 1:
        keyring.get_password(SERVICE, "probe")
    return float(backend.priority)


def _backend_name() -> str:
    backend = _keyring().get_keyring()
    return str(getattr(next(iter(getattr(backend, "backends", ())), backend), "name", "keyring"))


def _keyring():
    import keyring

    return keyring


def _ask_keyring(task: Callable[[], _T]) -> _T:
    try:
        return _within(UNLOCK_LIMIT_S, task)
    except TimeoutError:
        raise ConfigError(
            f"The system's keyring did not answer within {UNLOCK_LIMIT_S:.0f} seconds.",
            "Unlock it, or choose this session or an environment variable as the key's place.",
        ) from None
    except Exception as error:
        raise ConfigError(
            f"The system's keyring refused ({type(error).__name__}).",
            "Unlock it, or choose this session or an environment variable as the key's place.",
        ) from None


def _within(limit_s: float, task: Callable[[], _T]) -> _T:
    """Run a task in a thread of its own, which is left alone when it takes longer."""
    done: queue.Queue[tuple[bool, object]] = queue.Queue(1)

    def work() -> None:
        try:
            done.put((True, task()))
        except BaseException as error:
            done.put((False, error))

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        good, value = done.get(timeout=limit_s)
    except queue.Empty:
        raise TimeoutError from None
    if not good:
        raise value  # type: ignore[misc]
    return value  # type: ignore[return-value]


def _handed_over(where: str) -> str | None:
    """Return the key that the window handed to this process, if it is one for this address."""
    try:
        given = json.loads(os.environ.get(SESSION_VARIABLE, "{}"))
        return str(given["key"]) if given.get("address") == where else None
    except (ValueError, KeyError, AttributeError):
        return None


def _good_key(key: str) -> str:
    key = key.strip()
    if not key:
        raise ConfigError("The key is empty.", "Paste it again.")
    # a header of HTTP carries no others; the key itself is not repeated here
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            "The key holds a space, a line break or a letter that no key has.", "Copy it again, alone."
        )
    return key
