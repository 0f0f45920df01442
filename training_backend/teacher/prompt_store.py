"""The prompts of a project: every version that was used or edited is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """Return the prompt in use for every name: the project's, else the built-in."""
    with project.reading() as connection:
        found = connection.execute("SELECT name, content FROM prompt ORDER BY id").fetchall()
    kept = {name: from_data(name, json.loads(content)) for name, content in found}
    return {name: kept.get(name) or built_in(name) for name in NAMES}


def save_prompt(project: Project, prompt: Prompt) -> Prompt:
    """Keep a prompt and use it from now on; a version that is kept already adds no line."""
    from training_backend.project.store import now

    with project.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO prompt (name, version, content, created_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (prompt.name, prompt.version, json.dumps(to_data(prompt), ensure_ascii=False), now()),
        )
    return prompt


def versions(project: Project, name: str) -> list[StoredPrompt]:
    """Return the kept versions of a prompt, the newest first."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT id, version, created_at, content FROM prompt WHERE name = ? ORDER BY id DESC", (name,)
        ).fetchall()
    return [
        StoredPrompt(number, version, created_at, from_data(name, json.loads(content)))
        for number, version, created_at, content in found
    ]
