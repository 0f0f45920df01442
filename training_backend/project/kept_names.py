"""Names that a person gives to what a project keeps: a filter, a teacher."""

from __future__ import annotations

from training_backend.errors import ConfigError
from training_backend.project.lines import storable

LONGEST_NAME = 80


def kept_name(name: str, owner: str) -> str:
    """Return the name on one line; ConfigError, which speaks of `owner` ("A filter"), where it is none."""
    name = " ".join(storable(name).split())
    if not name:
        raise ConfigError(f"{owner} needs a name.", "Type a few letters.")
    if len(name) > LONGEST_NAME:
        raise ConfigError(f"The name has {len(name)} letters.", f"Use at most {LONGEST_NAME}.")
    return name
