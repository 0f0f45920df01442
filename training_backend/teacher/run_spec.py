"""What a run asks and how, and how that follows from a teacher's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from training_backend.methods import KINDS
from training_backend.teacher import requests
from training_backend.teacher.asking import AskSettings

if TYPE_CHECKING:
    from training_backend.project.store import Project
    from training_backend.teacher.prompts import Prompt
    from training_backend.teacher.teacher_config import TeacherConfig


@dataclass(frozen=True)
class RunSpec:
    """What is asked and how. `source` is the address or folder; limits of 0 and a budget of None are none.

    `ask_again` lets failed requests wait again first: an empty tuple all of them, else those of the reasons.
    `another` names a run of more answers to rows that have some (`another_path.py`), `paths` to each.
    """

    teacher: str
    source: str
    ask: AskSettings
    kinds: tuple[str, ...] = ("pot",)
    paths: int = 1
    one_call: bool = False
    requests_per_minute: float = 0
    tokens_per_minute: float = 0
    budget: float | None = None
    ask_again: tuple[str, ...] | None = None
    another: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the prompts that are sent."""
        return (requests.ONE_CALL,) if self.one_call else (requests.KEY_POINTS, *self.kinds)

    def parameters(self) -> dict[str, Any]:
        """Return what every request of the run says beside its text."""
        ask = self.ask
        return {"temperature": ask.temperature, "top_p": ask.top_p, "max_tokens": ask.max_tokens,
                "structured": ask.structured}  # fmt: skip


def prompt_versions(spec: RunSpec, prompts: Mapping[str, Prompt]) -> dict[str, str]:
    """Return the versions of all prompts of this way of asking: another kind goes on with the same run."""
    names = [requests.ONE_CALL] if spec.one_call else [requests.KEY_POINTS, *KINDS]
    return {name: prompts[name].version for name in names}


def run_identity(spec: RunSpec, prompts: Mapping[str, Prompt]) -> str:
    """Return the digest of what makes a run that run: teacher, address, model, parameters, prompts.

    A run of other answers has its name beside them.
    """
    parts = (spec.teacher, spec.source, spec.ask.model, spec.parameters(), prompt_versions(spec, prompts))
    return requests.run_digest(*parts, *([spec.another] if spec.another else []))


def runs_alike(project: Project, spec: RunSpec, prompts: Mapping[str, Prompt]) -> list[int]:
    """Return the ids of all runs that ask as `spec` does, those of other answers among them."""
    found = []
    for run in requests.runs(project):
        named = replace(spec, another=str(run.settings.get("another") or ""))
        if requests.find_run(project, run_identity(named, prompts)) == run.id:
            found.append(run.id)
    return found


def spec_of(
    config: TeacherConfig,
    kinds: Sequence[str],
    paths: int = 1,
    one_call: bool = False,
    budget: float | None = None,
    concurrency: int | None = None,
    ask_again: tuple[str, ...] | None = None,
    another: str = "",
) -> RunSpec:
    """Return what a run of a configured teacher asks; None takes the teacher's own setting."""
    get = config.get
    ask = AskSettings(
        str(get("model")),
        get("temperature"),
        get("top_p"),
        get("max_tokens"),
        bool(get("structured")),
        int(concurrency or get("concurrency") or 1),
    )
    return RunSpec(
        config.name,
        str(get("base_url") or get("model")),
        ask,
        tuple(kinds),
        paths,
        one_call,
        float(get("requests_per_minute") or 0),
        float(get("tokens_per_minute") or 0),
        get("budget") if budget is None else budget,
        ask_again,
        another,
    )
