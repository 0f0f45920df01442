"""The prompts of a project: every version that was used or edited is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.errors import StoreError
from training_backend.teacher.prompts import NAMES, Prompt, built_in, from_data, to_data

if TYPE_CHECKING:
    from training_backend.project.store import Project


@dataclass(frozen=True)
class StoredPrompt:
    """One kept version of a prompt."""

    id: int
    version: str
    created_at: str
    prompt: Prompt


def prompts(project: Project) -> dict[str, Prompt]:
    """Return the prompt in use for every name: the newest line of the project, else the built-in."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT name, content FROM prompt WHERE id IN (SELECT max(id) FROM prompt GROUP BY name)"
        ).fetchall()
    kept = {name: _read(name, content) for name, content in found if name in NAMES}
    return {name: kept.get(name) or built_in(name) for name in NAMES}


def save_prompt(project: Project, prompt: Prompt) -> Prompt:
    """Use a prompt from now on: a new line, unless its version is the one in use already.

    Going back to an older version is a new line as well, so the lines tell what was in use when.
    """
    from training_backend.project.store import now

    content = json.dumps(to_data(prompt), ensure_ascii=False)
    with project.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO prompt (name, version, content, created_at) SELECT ?, ?, ?, ? WHERE ? IS NOT "
            "(SELECT version FROM prompt WHERE name = ? ORDER BY id DESC LIMIT 1)",
            (prompt.name, prompt.version, content, now(), prompt.version, prompt.name),
        )
    return prompt


def versions(project: Project, name: str) -> list[StoredPrompt]:
    """Return the kept versions of a prompt, the newest first."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT id, version, created_at, content FROM prompt WHERE name = ? ORDER BY id DESC", (name,)
        ).fetchall()
    return [
        StoredPrompt(number, version, created_at, _read(name, content))
        for number, version, created_at, content in found
    ]


def _read(name: str, content: str) -> Prompt:
    try:
        return from_data(name, json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "A prompt of the project cannot be read.",
            "Open the project with the version of the program that wrote it, or write the prompt again.",
            where=f"prompt {name}",
        ) from error
