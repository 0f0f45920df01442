"""Before a run: one question asked and read, a row to try prompts on, and which questions a run means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from training_backend.errors import ConfigError, DatasetError
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.project.questions import questions
from training_backend.rationale.key_points import KeyPoints, split_items
from training_backend.teacher.asker import Asked, AskError
from training_backend.teacher.prompts import Prompt, messages, schema
from training_backend.teacher.reading import read_reply
from training_backend.teacher.requests import KEY_POINTS, ONE_CALL

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project
    from training_backend.teacher.asker import Asker
    from training_backend.teacher.protocol import Teacher
    from training_backend.teacher.teacher_config import TeacherConfig


@dataclass(frozen=True)
class SampleRow:
    """The `number`-th of `total` questions (from 0) with its key points, if a teacher gave any."""

    number: int
    total: int
    question: Question
    key_points: KeyPoints | None


@dataclass(frozen=True)
class Tried:
    """One request of a trial: what was sent, the reply as it came, what was read from it.

    `problem` says why the reply could not be read, or why there is none; `hint` what to do.
    """

    name: str
    messages: Sequence[Mapping[str, str]]
    text: str = ""
    core_question: str = ""
    information: tuple[str, ...] = ()
    rationale: str = ""
    problem: str = ""
    hint: str = ""
    finish_reason: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0
    model: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the request as plain data."""
        return asdict(self)


def sample_row(project: Project, number: int) -> SampleRow:
    """Return the `number`-th question (from 0, going round); DatasetError when the project has none."""
    with project.reading() as connection:
        total = connection.execute("SELECT count(*) FROM question").fetchone()[0]
        if not total:
            raise DatasetError("There is no question to ask about.", "Import questions first.")
        number %= total
        question_id = connection.execute(
            "SELECT id FROM question ORDER BY id LIMIT 1 OFFSET ?", (number,)
        ).fetchone()[0]
        found = connection.execute(
            "SELECT coalesce(corrected_core_question, core_question), coalesce(corrected_information, "
            "information) FROM key_points WHERE question_id = ? ORDER BY id LIMIT 1",
            (question_id,),
        ).fetchone()
    points = KeyPoints(found[0], split_items(found[1])) if found else None
    return SampleRow(number, total, next(questions(project, ids=[question_id])), points)


def questions_of_rows(project: Project, row_ids: Iterable[int]) -> set[int]:
    """Return the ids of the questions that these rows are about."""
    with project.reading() as connection:
        found = connection.execute(
            f"SELECT DISTINCT question_id FROM row WHERE id IN {ID_LIST}", (ids_json(row_ids),)
        ).fetchall()
    return {question_id for (question_id,) in found}


def prompt_fields(question: str, kind: str, points: KeyPoints | None) -> dict[str, Any]:
    """Return what a prompt may name about a question."""
    fields: dict[str, Any] = {"question": question, "kind": kind}
    if points is not None:
        fields |= {"core_question": points.core_question, "information": list(points.information)}
    return fields


async def try_teacher(
    config: TeacherConfig,
    key: str | None,
    prompts: Mapping[str, Prompt],
    row: SampleRow,
    kind: str,
    one_call: bool = False,
) -> list[Tried]:
    """Open a teacher, ask it about one row and close it; ConfigError when it cannot be asked."""
    from training_backend.teacher.endpoint import open_asker

    if wrong := config.validate():
        raise ConfigError(f"The teacher '{config.name}' cannot be asked: {wrong[0]}", "Change its settings.")
    asker = open_asker(config, key)
    try:
        return await ask_one(asker, config, prompts, row.question.text, kind, one_call)
    finally:
        await asker.close()


def try_recorded(teacher: Teacher, row: SampleRow, kind: str) -> list[Tried]:
    """Return what a recording or the sample teacher says about a row, as one request."""
    reply = next(iter(teacher.answer([row.question], [kind], 0)))
    points = reply.key_points
    raw = "\n\n".join(f"── {name.replace('_', ' ')} ──\n{text}" for name, text in reply.raw.items())
    problem = reply.parse_error or ("" if reply.raw else "The teacher has no answer to this question.")
    return [
        Tried(kind, (), raw, points.core_question if points else "", points.information if points else (),
              reply.rationale or "", problem)
    ]  # fmt: skip


async def ask_one(
    asker: Asker,
    config: TeacherConfig,
    prompts: Mapping[str, Prompt],
    question: str,
    kind: str,
    one_call: bool = False,
) -> list[Tried]:
    """Ask about one question as a run does, once each; nothing is stored.

    A request that fails ends the trial; its `problem` says why.
    """
    structured, points, tried = bool(config.get("structured")), None, []
    for name in (ONE_CALL,) if one_call else (KEY_POINTS, kind):
        fields = prompt_fields(question, kind, points)
        sent = messages(prompts[name], fields, structured)
        asked = Asked(
            tuple(sent), schema(prompts[name], kind) if structured else None, config.get("temperature"),
            config.get("top_p"), config.get("max_tokens"),
        )  # fmt: skip
        one, points = await _ask(asker, asked, name, kind)
        tried.append(one)
        if one.problem and (name != kind):
            break
    return tried


async def _ask(asker: Asker, asked: Asked, name: str, kind: str) -> tuple[Tried, KeyPoints | None]:
    try:
        answered = await asker.ask(asked)
    except AskError as error:
        return Tried(name, asked.messages, error.raw, problem=error.message, hint=error.hint), None
    read = read_reply(name, kind, answered.text)
    points = read.key_points
    return Tried(
        name, asked.messages, answered.text, points.core_question if points else "",
        points.information if points else (), read.rationale or "", read.problem, "",
        answered.finish_reason, answered.prompt_tokens, answered.cached_tokens, answered.completion_tokens,
        answered.latency_s, answered.model,
    ), points  # fmt: skip
