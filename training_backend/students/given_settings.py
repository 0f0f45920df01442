"""The settings of a new run as they were given: by a preset, a file and options, of which the later win."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_backend.errors import ConfigError
from training_backend.students.run_config import FIELDS, PRESETS, RunConfig, check_entries, convert
from training_backend.students.settings_file import Unreadable, read_settings


@dataclass
class _Given:
    """What was taken so far: values that can be used, where each was given, and all mistakes."""

    values: dict[str, Any]
    places: dict[str, str]
    mistakes: list[str]

    def take(self, found: Iterable[tuple[str, Any, str]]) -> None:
        """Take (name, value, place) of one source; what cannot be used is a mistake with its place."""
        for name, value, place in found:
            try:
                self.values[name] = convert(name, value)
                self.places[name] = place
            except ValueError as error:
                self.mistakes.append(f"{place}: {error}")


def given_settings(preset: str | None, file: Path | None, options: Mapping[str, str]) -> RunConfig:
    """Return the settings; one ConfigError lists the mistakes of all sources, each with its place."""
    given = _Given({}, {}, [])
    given.take(_of_preset(preset, given.mistakes))
    if file is not None:
        given.take(_of_file(file, given.mistakes))
    given.take((name, value, _option(name)) for name, value in options.items())
    config = RunConfig(**given.values)
    given.mistakes += [
        f"{given.places.get(mistake.field, mistake.field)}: {mistake.text}" for mistake in config.validate()
    ]
    if given.mistakes:
        raise ConfigError(
            f"These settings cannot be used: {'; '.join(given.mistakes)}.", "See `kpdd train --help`."
        )
    return config


def _of_preset(preset: str | None, mistakes: list[str]) -> Iterator[tuple[str, Any, str]]:
    if preset and preset not in PRESETS:
        mistakes.append(f"--preset: there is no '{preset}'; there are {', '.join(PRESETS)}")
    for name, value in PRESETS.get(preset or "", {}).items():
        yield name, value, f"preset {preset}, {name}"


def _of_file(file: Path, mistakes: list[str]) -> Iterator[tuple[str, Any, str]]:
    try:
        entries = read_settings(file)
    except Unreadable as error:
        line = f", line {error.line}" if error.line else ""
        mistakes.append(f"{file}{line}: {str(error).rstrip('.')}")
        return
    wrong = check_entries(entries)
    mistakes += [f"{file}{', ' if mistake.line else ''}{mistake}" for mistake in wrong]
    for entry in entries:
        if entry.name in FIELDS:
            line = f", line {entry.line}" if entry.line else ""
            yield entry.name, entry.value, f"{file}{line}, {entry.name}"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
