"""The table of methods: what the teacher writes, which students there are, what each reads and writes.

A method is data. Windows, trainer, solver and evaluator read this table; none of them names a method.
Sources: KPDD arXiv 2407.10167 (v4 two students, v1 three), PaD arXiv 2305.13888 (PoTD),
EoTD and ETD arXiv 2401.11864, FDD arXiv 2411.14698.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from training_backend.errors import ConfigError

# The fields of a row that a teacher fills and a student reads or writes.
Field = Literal["question", "core_question", "information", "key_points", "cot", "pot", "eot"]
Kind = Literal["cot", "pot", "eot"]
How = Literal["read_number", "run_program", "solve_equations", "combine"]

KINDS: dict[str, str] = {"cot": "chain of thought", "pot": "program", "eot": "equations"}
HOW_OF_KIND: dict[str, How] = {"cot": "read_number", "pot": "run_program", "eot": "solve_equations"}


@dataclass(frozen=True)
class Task:
    """One thing a student does: its prefix, the fields it reads, and the field it writes."""

    prefix: str
    reads: tuple[Field, ...]
    writes: Field


@dataclass(frozen=True)
class Role:
    """One student of a method; it is trained on the union of its tasks."""

    name: str
    title: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Method:
    """One row of the table; `roles` stand in the order in which they work at inference."""

    key: str
    title: str
    teacher_writes: tuple[Field, ...]
    roles: tuple[Role, ...]
    how: How
    source: str
    note: str = ""
    published: bool = True

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return the kinds of rationale that the method's students write."""
        written = [task.writes for role in self.roles for task in role.tasks]
        return tuple(cast(Kind, field) for field in written if field in KINDS)

    def role(self, name: str) -> Role:
        """Return the role called `name`; ConfigError when the method has none of that name."""
        for role in self.roles:
            if role.name == name:
                return role
        names = ", ".join(role.name for role in self.roles)
        raise ConfigError(f"{self.title} has no student called '{name}'.", f"Its students are: {names}.")


def _solve(*kinds: Kind, reads: tuple[Field, ...] = ("question",)) -> Role:
    """Return the Solve role that writes the given kinds from the given fields."""
    return Role("solve", "Solve", tuple(Task(f"solve by {KINDS[kind]}", reads, kind) for kind in kinds))


_KEY = Role("key", "Key", (Task("extract key points", ("question",), "key_points"),))
_CORE = Role("core", "Core", (Task("extract core question", ("question",), "core_question"),))
_INFO = Role("info", "Info", (Task("extract information", ("question", "core_question"), "information"),))
_WITH_KEY_POINTS: tuple[Field, ...] = ("question", "core_question", "information")

_KPDD = "arXiv 2407.10167 v4"
_KPDD_THREE = "arXiv 2407.10167 v1"
_EOTD = "arXiv 2401.11864"

_ROWS = (
    Method("cotd", "CoTD", ("cot",), (_solve("cot"),), "read_number",
           "baseline named by arXiv 2407.10167", "One student: question → chain of thought."),
    Method("potd", "PoTD", ("pot",), (_solve("pot"),), "run_program",
           "PaD, arXiv 2305.13888", "One student: question → program."),
    Method("eotd", "EoTD", ("eot",), (_solve("eot"),), "solve_equations",
           _EOTD, "One student: question → equations."),
    Method("etd", "ETD", ("cot", "pot", "eot"), (_solve("cot", "pot", "eot"),), "combine",
           _EOTD, "One student on the union of the three kinds, each with its own prefix."),
    Method("kpdd-cot", "KPDD-CoT", ("key_points", "cot"), (_KEY, _solve("cot", reads=_WITH_KEY_POINTS)),
           "read_number", _KPDD, "Key and Solve: question → key points → chain of thought."),
    Method("kpdd-pot", "KPDD-PoT", ("key_points", "pot"), (_KEY, _solve("pot", reads=_WITH_KEY_POINTS)),
           "run_program", _KPDD, "Key and Solve: question → key points → program → run."),
    Method("kpdd-eot", "KPDD-EoT", ("key_points", "eot"), (_KEY, _solve("eot", reads=_WITH_KEY_POINTS)),
           "solve_equations", "ours: a crossing that nobody has published",
           "Key and Solve: question → key points → equations.", published=False),
    Method("kpdd3-cot", "KPDD-CoT, three students", ("key_points", "cot"),
           (_CORE, _INFO, _solve("cot", reads=_WITH_KEY_POINTS)), "read_number", _KPDD_THREE,
           "Core, Info and Solve: question → core question → information → chain of thought."),
    Method("kpdd3-pot", "KPDD-PoT, three students", ("key_points", "pot"),
           (_CORE, _INFO, _solve("pot", reads=_WITH_KEY_POINTS)), "run_program", _KPDD_THREE,
           "Core, Info and Solve: question → core question → information → program → run."),
    Method("fdd", "FDD", ("pot",), (_solve("pot"),), "run_program", "arXiv 2411.14698",
           "As PoTD. Published as rounds: what a student fails and what it masters becomes new questions. "
           "One round is trained here; the next is a new run, once the new questions have their rows."),
    Method("fdd-kpdd", "FDD with key points", ("key_points", "pot"),
           (_KEY, _solve("pot", reads=_WITH_KEY_POINTS)), "run_program", "ours, after arXiv 2411.14698",
           "As KPDD-PoT, in rounds as FDD: one is trained here.", published=False),
)  # fmt: skip

METHODS: dict[str, Method] = {method.key: method for method in _ROWS}


def get(key: str) -> Method:
    """Return the method called `key`; ConfigError names the ones there are."""
    try:
        return METHODS[key.lower()]
    except KeyError:
        raise ConfigError(f"There is no method '{key}'.", f"Choose one of: {', '.join(METHODS)}.") from None
