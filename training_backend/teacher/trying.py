"""Before a run: one question asked and read, a row to try prompts on, and what the run will take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from training_backend.errors import DatasetError
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.project.questions import questions
from training_backend.rationale.key_points import KeyPoints, split_items
from training_backend.teacher.asker import Asked, AskError
from training_backend.teacher.cost import Estimate, estimate, estimate_by_length, price_of, spent_by
from training_backend.teacher.prompts import Prompt, demonstrated, messages, schema
from training_backend.teacher.reading import read_reply
from training_backend.teacher.reply_parts import parts
from training_backend.teacher.requests import KEY_POINTS, ONE_CALL, runs

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project
    from training_backend.teacher.asker import Asker
    from training_backend.teacher.teacher_config import TeacherConfig

# so many questions tell how long the texts are
_MEASURED = 20


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


def scope_questions(
    project: Project, dataset: str = "", split: str = "", row_ids: Sequence[int] | None = None, limit: int = 0
) -> list[int]:
    """Return the ids of the questions that a run would ask about, in their order; `limit` 0 is none."""
    where, values = ["1"], []
    for column, value in (("dataset", dataset), ("split", split)):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    if row_ids is not None:
        where.append(f"id IN (SELECT question_id FROM row WHERE id IN {ID_LIST})")
        values.append(ids_json(row_ids))
    with project.reading() as connection:
        found = connection.execute(
            f"SELECT id FROM question WHERE {' AND '.join(where)} ORDER BY id LIMIT ?", (*values, limit or -1)
        ).fetchall()
    return [question_id for (question_id,) in found]


def prompt_fields(question: str, kind: str, points: KeyPoints | None) -> dict[str, Any]:
    """Return what a prompt may name about a question."""
    fields: dict[str, Any] = {"question": question, "kind": kind}
    if points is not None:
        fields |= {"core_question": points.core_question, "information": list(points.information)}
    return fields


async def ask_one(
    asker: Asker,
    config: TeacherConfig,
    prompts: Mapping[str, Prompt],
    question: str,
    kind: str,
    one_call: bool = False,
    told: Callable[[Tried], None] | None = None,
) -> list[Tried]:
    """Ask about one question as a run does, once each; nothing is stored. `told` hears each as it comes.

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
        if told is not None:
            told(one)
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


def estimate_run(
    project: Project,
    config: TeacherConfig,
    prompts: Mapping[str, Prompt],
    question_ids: Sequence[int],
    kinds: Sequence[str],
    paths: int = 1,
    one_call: bool = False,
    concurrency: int | None = None,
) -> Estimate | None:
    """Return what a run still has to ask and what that takes; None when there is no question.

    The last run of this teacher and model that was asked for the same kinds tells (its pilot is the beginning
    of the run); without one the length of the texts.
    """
    if not question_ids or not kinds:
        return None
    chains, price = len(question_ids) * paths, price_of(config)
    model = str(config.get("model") or "")
    for run in runs(project):
        if (run.teacher, run.model) != (config.name, model) or bool(run.settings.get("one_call")) != one_call:
            continue
        left = max(0, chains - _answered(project, run.id, question_ids, kinds, paths))
        if seen := spent_by(project, run.id, kinds):
            return estimate(
                seen, left, price, int(concurrency or config.get("concurrency") or 1),
                float(config.get("requests_per_minute") or 0), float(config.get("tokens_per_minute") or 0),
            )  # fmt: skip
    structured = bool(config.get("structured"))
    names = [(ONE_CALL, kind) for kind in kinds] if one_call else [(KEY_POINTS, ""), *((k, k) for k in kinds)]
    some = list(questions(project, ids=question_ids[:_MEASURED]))
    sent = sum(_sent(prompts[name], kind, question.text, structured)
               for name, kind in names for question in some) / len(some)  # fmt: skip
    replies = sum(_reply_length(prompts[name], kind, structured) for name, kind in names)
    return estimate_by_length(sent, replies, chains, price)


def _answered(
    project: Project, run_id: int, question_ids: Sequence[int], kinds: Sequence[str], paths: int
) -> int:
    """Return how many questions and paths of these a run has settled for all of the kinds."""
    with project.reading() as connection:
        return connection.execute(
            f"""SELECT count(*) FROM (SELECT 1 FROM request
                WHERE run_id = ? AND path < ? AND status <> 'waiting' AND question_id IN {ID_LIST}
                  AND kind IN ({", ".join("?" * len(kinds))})
                GROUP BY question_id, path HAVING count(DISTINCT kind) = ?)""",
            (run_id, paths, ids_json(question_ids), *kinds, len(kinds)),
        ).fetchone()[0]


def _sent(prompt: Prompt, kind: str, question: str, structured: bool) -> int:
    points = None
    if prompt.name not in (KEY_POINTS, ONE_CALL) and prompt.demonstrations:
        example = prompt.demonstrations[0]
        points = KeyPoints(example.core_question, example.information)
    sent = messages(prompt, prompt_fields(question, kind, points), structured)
    return sum(len(message["content"]) for message in sent)


def _reply_length(prompt: Prompt, kind: str, structured: bool) -> float:
    """Return how long the replies of the worked examples are on average."""
    wanted = parts(prompt.name, kind)
    texts = [demonstrated(one, wanted, prompt.name, structured) for one in prompt.demonstrations]
    return sum(map(len, texts)) / len(texts) if texts else 400.0
