"""A file of settings, YAML or JSON: every entry with its line, and what is wrong with the file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Entry:
    """One setting of a file: its name, its value as the file means it, and its line (0: not known)."""

    name: str
    value: Any
    line: int = 0


class Unreadable(Exception):
    """The file holds no settings; the text says why, `line` (0: not known) where."""

    def __init__(self, why: str, line: int = 0) -> None:
        """Keep why and where."""
        super().__init__(why)
        self.line = line


@dataclass(frozen=True)
class Unmeant:
    """What stands for the value of an entry that means nothing; `why` says why."""

    why: str


def read_settings(file: Path) -> list[Entry]:
    """Return the entries of a file in their order, also those that stand twice; Unreadable says why not."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unreadable(f"The settings cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Unreadable("The settings are no text.") from error
    try:
        return _yaml(text)
    except yaml.YAMLError as error:
        if text.lstrip().startswith("{"):
            # JSON that is no YAML: with tabs before its lines
            return _json(text)
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unknown reason"
        raise Unreadable(f"The settings are no YAML: {problem}.", mark.line + 1 if mark else 0) from error
    except RecursionError as error:
        raise Unreadable("The settings are no lines of NAME: VALUE.") from error


def _yaml(text: str) -> list[Entry]:
    loader = yaml.SafeLoader(text)
    node = loader.get_single_node()
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise Unreadable("The settings are no lines of NAME: VALUE.")
    return [
        Entry(str(key.value) if isinstance(key, yaml.ScalarNode) else "?", _value(loader, value),
              key.start_mark.line + 1)
        for key, value in node.value
    ]  # fmt: skip


def _value(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    """Return what a node means; a tag of another program or an impossible date is Unmeant."""
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        return Unmeant(getattr(error, "problem", None) or str(error))


def _json(text: str) -> list[Entry]:
    try:
        data = json.loads(text)
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise Unreadable(f"The settings are no JSON: {why}.", line) from error
    return [Entry(name, value) for name, value in data.items()]
