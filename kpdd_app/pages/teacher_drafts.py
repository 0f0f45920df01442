"""Prompts that were changed and not kept yet: they outlive the window, and belong to one project."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from kpdd_app.settings import Settings
from training_backend.teacher.prompts import NAMES, Prompt, from_data, to_data


class Drafts:
    """The drafts of the project that is open, at most one of each prompt."""

    def __init__(self) -> None:
        """Begin without a project."""
        self._settings = Settings()
        self._file: Path | None = None
        self._held: dict[str, Prompt] = {}

    def open(self, project: Path | None) -> None:
        """Read the drafts of a project; one that cannot be read is forgotten."""
        self._file = project
        self._held = {}
        for name in NAMES:
            text = self._settings.text(self._key(name))
            if text:
                try:
                    self._held[name] = from_data(name, json.loads(text))
                except (ValueError, KeyError, TypeError):
                    self.drop(name)

    def get(self, name: str) -> Prompt | None:
        """Return the draft of a prompt, None without one."""
        return self._held.get(name)

    def all(self) -> list[Prompt]:
        """Return every draft."""
        return list(self._held.values())

    def put(self, prompt: Prompt) -> None:
        """Keep a draft in place of the one before."""
        if self._held.get(prompt.name) != prompt:
            self._held[prompt.name] = prompt
            self._settings.set_text(self._key(prompt.name), json.dumps(to_data(prompt)))

    def drop(self, name: str) -> None:
        """Forget the draft of a prompt."""
        self._held.pop(name, None)
        self._settings.set_text(self._key(name), "")

    def _key(self, name: str) -> str:
        where = hashlib.sha256(str(self._file).encode()).hexdigest()[:12]
        return f"prompt-draft/{where}/{name}"
