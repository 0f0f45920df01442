"""*Test* of a teacher: what is looked at one after the other, each with a result by name and what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from training_backend.errors import KpddError
from training_backend.teacher.asker import Answered, Asked, Asker, AskError
from training_backend.teacher.teacher_config import TeacherConfig

# a test waits no longer than this, whatever a run may
_LIMIT_S = 60.0
_QUESTION = "What is 2 + 3? Answer with the number alone."
_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
# which of the named results a failed request belongs to; what is not here is the reply's
_TITLES = {
    "address": "Address",
    "refused_connection": "Address",
    "certificate": "Certificate",
    "proxy": "Proxy",
    "key": "Key",
    "permission": "Key",
    "model": "Model",
    "silence": "Time-out",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, and what to do where it is not well."""

    title: str
    ok: bool
    sentence: str
    hint: str = ""


async def check_teacher(config: TeacherConfig, key: str | None) -> list[Check]:
    """Return what is well and what is wrong with settings, key, address, model and one reply; never raises.

    One short request is paid for, a second one where structured replies are wanted. What is wrong ends the
    list, as nothing after it could be well.
    """
    from training_backend.teacher.endpoint import open_asker

    wrong = config.validate()
    if wrong:
        return [Check("Settings", False, problem, "Correct the teacher's settings.") for problem in wrong]
    checks = [Check("Settings", True, "The settings are complete.")]
    if config.kind not in ("endpoint", "local"):
        return [*checks, Check("Reply", True, "It answers from what it has; nothing is sent.")]
    if key is None and config.kind == "endpoint" and config.get("key_source") != "none":
        return [*checks, _no_key(config)]
    try:
        asker = open_asker(_patient(config), key)
    except KpddError as error:
        return [*checks, Check("Settings", False, error.message, error.hint)]
    try:
        return [*checks, *await _asked(config, asker)]
    finally:
        await asker.close()


def _no_key(config: TeacherConfig) -> Check:
    from training_backend.teacher.keys import stored_where

    place = stored_where(config)
    if place.kind == "environment":
        return Check("Key", False, place.sentence, "Set it where the program is started.")
    return Check("Key", False, "There is no key for this teacher.",
                 "Give one (in a terminal: `kpdd teacher key`), or say that none is needed.")  # fmt: skip


def _patient(config: TeacherConfig) -> TeacherConfig:
    limit = min(float(config.get("timeout_s")), _LIMIT_S)
    return replace(config, settings={**config.settings, "timeout_s": limit})


async def _asked(config: TeacherConfig, asker: Asker) -> list[Check]:
    """Return the results of the list of models and of a reply."""
    checks: list[Check] = []
    if config.kind == "endpoint":
        listed = await _list(config, asker)
        checks += listed
        if not listed[-1].ok:
            return checks
    checks.append(await _reply(config, asker, None))
    if checks[-1].ok and config.get("key_source") not in ("none", None):
        checks.append(Check("Key", True, "The server accepts the key."))
    if checks[-1].ok and config.get("structured"):
        checks.append(await _reply(config, asker, _SCHEMA))
    return checks


async def _list(config: TeacherConfig, asker: Asker) -> list[Check]:
    try:
        names = await asker.models()
    except AskError as error:
        if error.reason in _TITLES and error.reason != "model" and " 404" not in error.message:
            return [_failed(error)]
        # not every server has a list; the reply will tell
        return [Check("Address", True, "The server answers, without a list of models.")]
    except KpddError as error:
        return [Check("Address", False, error.message, error.hint)]
    checks = [Check("Address", True, f"The server answers and offers {len(names):,} models.")]
    model = str(config.get("model"))
    if model in names:
        checks.append(Check("Model", True, f"{model} is among them."))
    elif names:
        # gateways answer for more than they list: a reply decides
        checks.append(Check("Model", True, f"{model} is not in the server's list; the reply decides."))
    return checks


async def _reply(config: TeacherConfig, asker: Asker, schema: dict[str, Any] | None) -> Check:
    title = "Structured reply" if schema else "Reply"
    limit = config.get("max_tokens")
    asked = Asked(
        ({"role": "user", "content": _QUESTION},), schema, config.get("temperature"), config.get("top_p"),
        limit if limit is None else min(limit, 256),
    )  # fmt: skip
    try:
        answered = await asker.ask(asked)
    except AskError as error:
        if error.reason == "empty" and error.answered and error.answered.finish_reason == "length":
            return Check(title, True, f"{_figures(error.answered)}; it thought up to the length limit.")
        if schema is not None and error.reason == "bad_request":
            return Check(title, False, error.message, "Switch structured replies off for this teacher.")
        return _failed(error, title)
    except KpddError as error:
        return Check(title, False, error.message, error.hint)
    said = f"{_figures(answered)}: “{' '.join(answered.text.split())[:80]}”"
    if schema is not None and not _is_object(answered.text):
        return Check(title, False, f"{said}, which is no JSON.", "Switch structured replies off.")
    return Check(title, True, said)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _figures(answered: Answered) -> str:
    tokens = f"{answered.prompt_tokens:,} + {answered.completion_tokens:,} tokens"
    if not answered.prompt_tokens:
        tokens = "the server counts no tokens"
    return f"{answered.model or 'The model'} answered in {answered.latency_s:.1f} s, {tokens}"


def _failed(error: AskError, title: str = "Address") -> Check:
    return Check(_TITLES.get(error.reason, title), False, error.message, error.hint)
