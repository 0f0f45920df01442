"""Prompt templates: Jinja2 in its sandbox, strict about names, bounded in time and length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from training_backend.errors import ConfigError

_environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)


def render(template: str, variables: Mapping[str, Any], where: str) -> str:
    """Return the text of a template; ConfigError says what is wrong, in which line of `where`."""
    try:
        return _environment.from_string(template).render(variables).strip()
    except TemplateError as error:
        raise ConfigError(str(error), where=where) from error
