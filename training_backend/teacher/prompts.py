"""Prompts: the texts that ask a teacher, their worked examples, and the messages made of them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from training_backend.errors import ConfigError
from training_backend.paths import resources_dir
from training_backend.teacher import reply_parts
from training_backend.teacher.prompt_template import names_in, render
from training_backend.teacher.reply_parts import KINDS, NAMES, Part, parts

__all__ = ["MOST_DEMONSTRATIONS", "NAMES", "Demonstration", "Prompt", "built_in", "messages", "schema"]

MOST_DEMONSTRATIONS = 8
TITLES = {
    "key_points": "Key points",
    "cot": "Chain of thought",
    "pot": "Program",
    "eot": "Equations",
    "one_call": "Key points and rationale in one reply",
    "harder_question": "A more complex question",
    "alike_question": "A new question of the same type",
}
# what a template may name
VARIABLES = ("question", "core_question", "information", "kind", "why", "reply_format")


@dataclass(frozen=True)
class Demonstration:
    """A worked example: a question, its key points, the three kinds of rationale, two questions made of it.

    `answer` is the gold answer; it is never sent beside the texts.
    """

    question: str
    core_question: str
    information: tuple[str, ...]
    cot: str
    pot: str
    eot: str
    answer: str
    harder_question: str = ""
    alike_question: str = ""


@dataclass(frozen=True)
class Prompt:
    """A prompt: two templates and its worked examples, of which the first `shown` are sent (0 to 8)."""

    name: str
    system: str
    user: str
    demonstrations: tuple[Demonstration, ...] = ()
    shown: int = MOST_DEMONSTRATIONS

    def __post_init__(self) -> None:
        """Refuse a name that no prompt has and a number of demonstrations that cannot be sent."""
        if self.name not in NAMES:
            raise ConfigError(f"There is no prompt '{self.name}'.", f"Prompts: {', '.join(NAMES)}.")
        if not 0 <= self.shown <= MOST_DEMONSTRATIONS:
            raise ConfigError(f"{self.shown} demonstrations cannot be sent.",
                              f"Choose 0 to {MOST_DEMONSTRATIONS}.")  # fmt: skip

    @property
    def title(self) -> str:
        """Return the name a person reads."""
        return TITLES[self.name]

    @functools.cached_property
    def version(self) -> str:
        """Return 12 hexadecimal digits of everything that a teacher may get to see of this prompt."""
        shapes = [reply_parts.schema(self.name, kind) for kind in KINDS]
        text = json.dumps([self.name, to_data(self), shapes], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def built_in(name: str) -> Prompt:
    """Return the shipped prompt of this name; ConfigError when there is none."""
    if name not in NAMES:
        raise ConfigError(f"There is no prompt '{name}'.", f"Prompts: {', '.join(NAMES)}.")
    return _built_in(name)


def messages(prompt: Prompt, fields: Mapping[str, Any], structured: bool = False) -> list[dict[str, str]]:
    """Return the chat messages that ask `prompt` about `fields`.

    `fields`: `question` (needed); where the prompt uses them `core_question`, `information` (a list), `kind`
    (needed for one_call), `why`. Anything else, above all a gold answer, is left out. Each demonstration is
    a turn of the user and the reply that is wanted; it shows key points where `fields` has them.
    `structured`: the replies of the demonstrations are JSON as in `schema`, not labelled text.
    ConfigError names prompt, text and line of what a template does wrong, and a text that leaves out the
    question.
    """
    kind = prompt.name if prompt.name in KINDS else str(fields.get("kind", ""))
    wanted = parts(prompt.name, kind)
    given = {
        "question": _needed(fields, "question"),
        "core_question": str(fields.get("core_question") or ""),
        "information": tuple(map(str, fields.get("information") or ())),
        "kind": kind,
        "why": str(fields.get("why") or ""),
        "reply_format": reply_format(wanted, structured),
    }
    shown = (bool(given["core_question"]), bool(given["information"]))
    where = f"prompt {prompt.name}, user text"
    if "question" not in names_in(prompt.user, VARIABLES, where):
        raise ConfigError("The text does not name the question.", "Write {{ question }}.", where=where)
    opening = _opening(prompt, kind, structured, *shown)
    return [dict(zip(("role", "content"), turn, strict=True)) for turn in opening] + [
        {"role": "user", "content": _user(prompt, given)}
    ]


def schema(prompt: Prompt, kind: str = "") -> dict[str, Any]:
    """Return the JSON schema of the reply (strict: every property required, none added)."""
    return reply_parts.schema(prompt.name, kind)


def reply_format(wanted: Sequence[Part], structured: bool) -> str:
    """Return the sentences that say how a reply must look; templates name it `reply_format`."""
    if structured:
        names = "\n".join(f'- "{part.key}": {part.about}{_LIST * part.is_list}' for part in wanted)
        return f"Reply with one JSON object and nothing else. Its fields:\n{names}"
    lines = "\n".join(_labelled(part, [f"<{part.about}>"]) for part in wanted)
    return f"Reply in this form and write nothing before or after it:\n{lines}"


_LIST = " (a list of strings)"


def demonstrated(example: Demonstration, wanted: Sequence[Part], name: str, structured: bool) -> str:
    """Return the reply that a demonstration shows for the parts that prompt `name` wants."""
    texts: dict[str, Any] = {
        "core_question": example.core_question,
        "information": list(example.information),
        "chain_of_thought": example.cot,
        "program": example.pot,
        "equations": example.eot,
        "question": example.harder_question if name == "harder_question" else example.alike_question,
    }
    if structured:
        return json.dumps({part.key: texts[part.key] for part in wanted}, ensure_ascii=False)
    return "\n".join(
        _labelled(part, texts[part.key] if part.is_list else [texts[part.key]]) for part in wanted
    )


def to_data(prompt: Prompt) -> dict[str, Any]:
    """Return a prompt as plain data; `from_data` reads it back."""
    return {
        "system": prompt.system,
        "user": prompt.user,
        "shown": prompt.shown,
        "demonstrations": [dataclasses.asdict(example) for example in prompt.demonstrations],
    }


def from_data(name: str, data: Mapping[str, Any]) -> Prompt:
    """Return the prompt that `to_data` wrote."""
    examples = tuple(
        Demonstration(**{**example, "information": tuple(example["information"])})
        for example in data["demonstrations"]
    )
    return Prompt(name, data["system"], data["user"], examples, data["shown"])


@functools.cache
def _built_in(name: str) -> Prompt:
    folder = resources_dir() / "prompts"
    texts = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    examples = yaml.safe_load((folder / "demonstrations.yaml").read_text(encoding="utf-8"))
    return from_data(name, {**texts, "shown": MOST_DEMONSTRATIONS, "demonstrations": examples})


@functools.lru_cache(maxsize=256)
def _opening(
    prompt: Prompt, kind: str, structured: bool, with_core: bool, with_information: bool
) -> tuple[tuple[str, str], ...]:
    """Return (role, content) of what comes before the question itself: it is the same for every row."""
    wanted = parts(prompt.name, kind)
    common = {"kind": kind, "why": "", "reply_format": reply_format(wanted, structured)}
    nothing = {"question": "", "core_question": "", "information": ()}
    turns = [("system", render(prompt.system, {**nothing, **common}, f"prompt {prompt.name}, system text"))]
    for example in prompt.demonstrations[: prompt.shown]:
        given = {
            "question": example.question,
            "core_question": example.core_question if with_core else "",
            "information": example.information if with_information else (),
        }
        turns.append(("user", _user(prompt, {**given, **common})))
        turns.append(("assistant", demonstrated(example, wanted, prompt.name, structured)))
    return tuple(turns)


def _user(prompt: Prompt, given: Mapping[str, Any]) -> str:
    return render(prompt.user, given, f"prompt {prompt.name}, user text")


def _labelled(part: Part, texts: Sequence[str]) -> str:
    if part.is_list:
        return f"{part.label}:\n" + "\n".join(f"- {text}" for text in texts)
    between = "\n" if part.key in ("program", "equations") else " "
    return f"{part.label}:{between}{texts[0]}"


def _needed(fields: Mapping[str, Any], name: str) -> str:
    text = str(fields.get(name) or "")
    if not text.strip():
        raise ConfigError(f"There is no {name} to ask about.")
    return text
