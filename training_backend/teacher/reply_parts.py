"""What a teacher is asked to write: the parts of a reply, for labelled text and for a JSON schema alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training_backend.errors import ConfigError

NAMES = ("key_points", "cot", "pot", "eot", "one_call", "harder_question", "alike_question")
KINDS = ("cot", "pot", "eot")


@dataclass(frozen=True)
class Part:
    """One part of a reply: its key in JSON, its label in text, and what a teacher is told about it."""

    key: str
    label: str
    about: str
    is_list: bool = False


CORE_QUESTION = Part("core_question", "Core question", "one sentence, the question that must be answered")
INFORMATION = Part(
    "information", "Information", "the facts of the question that the solution needs, one each", is_list=True
)
QUESTION = Part("question", "New question", "the new question, complete")
RATIONALES = {
    "cot": Part("chain_of_thought", "Chain of thought", "sentences; the last one is: The answer is N."),
    "pot": Part("program", "Program", "a Python program that ends with the number in `ans`"),
    "eot": Part("equations", "Equations", "one equation a line, the last one `ans = name`"),
}


def parts(name: str, kind: str = "") -> tuple[Part, ...]:
    """Return the parts of the reply to prompt `name`, in order; `kind` is needed for one_call.

    ConfigError when there is no such prompt or kind.
    """
    if name == "key_points":
        return CORE_QUESTION, INFORMATION
    if name in ("harder_question", "alike_question"):
        return (QUESTION,)
    kind = name if name in KINDS else kind
    if name not in NAMES or kind not in KINDS:
        raise ConfigError(f"There is no prompt '{name}' for the kind '{kind}'.",
                          f"Prompts: {', '.join(NAMES)}; kinds: {', '.join(KINDS)}.")  # fmt: skip
    written = RATIONALES[kind]
    return (CORE_QUESTION, INFORMATION, written) if name == "one_call" else (written,)


def schema(name: str, kind: str = "") -> dict[str, Any]:
    """Return the JSON schema of a reply, within what strict structured output allows.

    Every property is required and none may be added; only string and array of strings occur.
    """
    wanted = parts(name, kind)
    return {
        "type": "object",
        "properties": {part.key: _property(part) for part in wanted},
        "required": [part.key for part in wanted],
        "additionalProperties": False,
    }


def _property(part: Part) -> dict[str, Any]:
    if part.is_list:
        return {"type": "array", "items": {"type": "string"}, "description": part.about}
    return {"type": "string", "description": part.about}
