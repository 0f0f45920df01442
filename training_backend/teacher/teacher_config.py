"""The teachers that a project has configured, each under its name; keys are never among their settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from training_backend.errors import ConfigError
from training_backend.project.kept_names import kept_name
from training_backend.teacher import presets
from training_backend.teacher.keys import allow_variable
from training_backend.teacher.setting_rules import check_settings, secrets_in

if TYPE_CHECKING:
    from training_backend.project.store import Project

KINDS_OF_TEACHERS = ("endpoint", "local", "replay", "sample")
_SAMPLING = {"temperature": 0.7, "top_p": None, "max_tokens": 1024}
# every setting of a kind with its default; None and 0 mean: not sent, no limit
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "endpoint": {
        "base_url": "",
        "model": "",
        "models": [],
        "key_source": "keyring",
        **_SAMPLING,
        # newer OpenAI models know only max_completion_tokens
        "limit_field": "max_tokens",
        "send_seed": False,
        "timeout_s": 120.0,
        "structured": False,
        "concurrency": 8,
        # the provider's batch endpoint: cheaper, within a day; the concurrency is the size of a batch then
        "batch": False,
        "requests_per_minute": 0,
        "tokens_per_minute": 0,
        "budget": None,
        "headers": {},
        "verify": "",
        "proxy": "",
    },
    "local": {
        "model": "",
        **_SAMPLING,
        "batch_size": 8,
        "structured": False,
        "concurrency": 8,
        "timeout_s": 600.0,
    },
    "replay": {"preset": "", "recordings": "", "models": [], "mapping": ""},
    "sample": {},
}


@dataclass(frozen=True)
class TeacherConfig:
    """A teacher by name: `kind` is one of KINDS_OF_TEACHERS, `settings` those of DEFAULTS that differ."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def get(self, setting: str) -> Any:
        """Return a setting or its default; None for one that this kind does not have."""
        return self.settings.get(setting, DEFAULTS.get(self.kind, {}).get(setting))

    def validate(self) -> list[str]:
        """Return what is wrong, one sentence each; an empty list when the teacher can be asked."""
        if self.kind not in KINDS_OF_TEACHERS:
            return [f"'{self.kind}' is no kind of teacher; choose {', '.join(KINDS_OF_TEACHERS)}."]
        unknown = sorted(set(self.settings) - set(DEFAULTS[self.kind]))
        problems = [f"There is no setting '{name}'." for name in unknown]
        return problems + check_settings(self.kind, self.all_settings())

    def all_settings(self) -> dict[str, Any]:
        """Return every setting of the kind, the defaults among them."""
        return {**DEFAULTS[self.kind], **self.settings}


# what a person begins with, by a short key
PRESETS: Mapping[str, TeacherConfig] = {
    key: TeacherConfig(*preset) for key, preset in presets.PRESETS.items()
}


def teachers(project: Project) -> list[TeacherConfig]:
    """Return the project's teachers by name."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT name, kind, settings FROM teacher ORDER BY name COLLATE NOCASE, name"
        ).fetchall()
    return [TeacherConfig(name, kind, _read(settings)) for name, kind, settings in found]


def teacher_named(project: Project, name: str) -> TeacherConfig:
    """Return the project's teacher of this name; ConfigError lists the others when there is none."""
    known = teachers(project)
    for config in known:
        if config.name == name:
            return config
    raise ConfigError(
        f"The project has no teacher '{name}'.",
        f"It has {', '.join(config.name for config in known)}." if known
        else "Add one on the Teacher page or with `kpdd teacher add`.",
    )  # fmt: skip


def save_teacher(project: Project, config: TeacherConfig, replaces: str | None = None) -> TeacherConfig:
    """Keep a teacher, in place of one of the same name or of the name `replaces`; return what was kept.

    A teacher that lacks a setting is kept all the same: a person goes on later. ConfigError for a name that
    is none or taken, an unknown setting, and wherever a setting would put a key into the project file.
    """
    from training_backend.project.store import now

    kept = TeacherConfig(kept_name(config.name, "A teacher"), config.kind, dict(config.settings))
    _refuse_secrets(kept)
    text = json.dumps(kept.settings, ensure_ascii=False, sort_keys=True, allow_nan=False)
    with project.writing() as connection:
        run = connection.exec_driver_sql
        if replaces is not None and replaces != kept.name:
            if run("SELECT 1 FROM teacher WHERE name = ?", (kept.name,)).first():
                raise ConfigError(f"There is a teacher '{kept.name}' already.", "Choose another name.")
            run("UPDATE teacher SET name = ? WHERE name = ?", (kept.name, replaces))
        run(
            "INSERT INTO teacher (name, kind, settings, created_at, changed_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, settings = excluded.settings, "
            "changed_at = excluded.changed_at",
            (kept.name, kept.kind, text, now(), now()),
        )
    # who saves a teacher here means its key to go to its address
    allow_variable(kept)
    return kept


def remove_teacher(project: Project, name: str) -> None:
    """Forget a teacher; what it wrote stays. Nothing happens when there is none of this name."""
    with project.writing() as connection:
        connection.exec_driver_sql("DELETE FROM teacher WHERE name = ?", (name,))


def _refuse_secrets(config: TeacherConfig) -> None:
    if config.kind not in KINDS_OF_TEACHERS:
        raise ConfigError(config.validate()[0])
    unknown = sorted(set(config.settings) - set(DEFAULTS[config.kind]))
    if unknown:
        raise ConfigError(
            f"There is no setting '{unknown[0]}'.", f"Known are {', '.join(DEFAULTS[config.kind])}."
        )
    found = secrets_in(config.settings)
    if found:
        raise ConfigError(found[0], "Give the key in its own field; it is not kept in the project.")


def _read(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
