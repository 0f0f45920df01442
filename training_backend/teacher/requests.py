"""What a run asks: its requests as lines of the project, planned once, each waiting, done or failed.

A line is one question, path and prompt. The lines of one question and path stand together, key points
first, since every kind is asked with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from training_backend.project.lines import ID_LIST, ids_json
from training_backend.project.replies import answered

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project
    from training_backend.teacher.budget import Money

CHUNK = 500  # lines read, questions planned, at a time
KEY_POINTS = "key_points"
ONE_CALL = "one_call"
# why a kind fails whose key points failed
NO_KEY_POINTS = "key_points"


@dataclass(frozen=True)
class RunLine:
    """A run as the project knows it; `status` is running, paused, done, stopped, budget or failed.

    A run whose process was killed still says running or paused: whether somebody works on the project tells
    its lock (`project/lock.py`).
    """

    id: int
    teacher: str
    model: str
    folder: str
    settings: Mapping[str, Any]
    status: str
    problem: str
    started_at: str
    ended_at: str


@dataclass(frozen=True)
class Counts:
    """How a run stands: asked = done + failed + waiting; tokens and money of every reply it paid for.

    `money` is None where a reply's price was not known. `reasons` divides `failed`.
    """

    asked: int = 0
    done: int = 0
    failed: int = 0
    waiting: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    replies: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    money: float | None = 0.0


@dataclass(frozen=True)
class Scope:
    """Which lines of a run are meant: `question_ids` None means all of them."""

    question_ids: frozenset[int] | None
    kinds: tuple[str, ...]
    paths: int


@dataclass(frozen=True)
class Request:
    """One line that waits; `attempts` replies came before that could not be used."""

    id: int
    name: str
    kind: str
    attempts: int


@dataclass(frozen=True)
class Chain:
    """The waiting lines of one question and path, in the order in which they are asked.

    `key_points_text` is the reply of the key points that was given before, None where they are to be asked
    for or the prompt writes its own; `without_key_points` tells that they failed.
    """

    question_id: int
    path: int
    requests: tuple[Request, ...]
    key_points_text: str | None = None
    without_key_points: bool = False


def open_run(
    project: Project, digest: str, teacher: str, model: str, settings: Mapping[str, Any], folder: str = ""
) -> int:
    """Return the id of the run that `digest` names, adding it where there is none; it is running now."""
    from training_backend.project.store import now

    with project.writing() as connection:
        return connection.exec_driver_sql(
            "INSERT INTO teacher_run (digest, teacher, model, folder, settings, status, started_at) "
            "VALUES (?, ?, ?, ?, ?, 'running', ?) ON CONFLICT (digest) DO UPDATE SET teacher = "
            "excluded.teacher, settings = excluded.settings, status = 'running', problem = '', "
            "started_at = excluded.started_at, ended_at = '' RETURNING id",
            (digest, teacher, model, folder, json.dumps(dict(settings), sort_keys=True), now()),
        ).scalar_one()


def find_run(project: Project, digest: str) -> int | None:
    """Return the id of the run that `digest` names, or None."""
    with project.reading() as connection:
        line = connection.execute("SELECT id FROM teacher_run WHERE digest = ?", (digest,)).fetchone()
    return line[0] if line else None


def set_run_folder(project: Project, run_id: int, folder: str) -> None:
    """Note where the events of a run lie."""
    with project.writing() as connection:
        connection.exec_driver_sql("UPDATE teacher_run SET folder = ? WHERE id = ?", (folder, run_id))


def set_run_status(project: Project, run_id: int, status: str, problem: str = "") -> None:
    """Note how a run stands; every status but running and paused is its end."""
    from training_backend.project.store import now

    ended = "" if status in ("running", "paused") else now()
    with project.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE teacher_run SET status = ?, problem = ?, ended_at = ? WHERE id = ?",
            (status, problem, ended, run_id),
        )


def runs(project: Project) -> list[RunLine]:
    """Return the runs of a project, the newest first."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT id, teacher, model, folder, settings, status, problem, started_at, ended_at "
            "FROM teacher_run ORDER BY started_at DESC, id DESC"
        ).fetchall()
    return [
        RunLine(number, teacher, model, folder, json.loads(settings), *rest)
        for number, teacher, model, folder, settings, *rest in found
    ]


def run_digest(*parts: Any) -> str:
    """Return what names a run: the same parts give the same run, which then goes on."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def plan(
    project: Project,
    run_id: int,
    question_ids: Sequence[int],
    kinds: Sequence[str],
    paths: int,
    origins: Mapping[str, int],
    one_call: bool = False,
) -> int:
    """Add the lines that the run does not have yet; return how many rows are there without being asked.

    `origins` has the id of the origin of each prompt. A rationale of the same origin that a merged project
    brought is not asked for again.
    """
    there = 0
    for path in range(paths):
        have = {kind: answered(project, kind, path, origins[ONE_CALL if one_call else kind], parsed_only=True)
                for kind in kinds}  # fmt: skip
        for start in range(0, len(question_ids), CHUNK):
            with project.writing() as connection:
                for question_id in question_ids[start : start + CHUNK]:
                    there += _plan_chain(connection, run_id, question_id, path, kinds, have, one_call)
    return there


def _plan_chain(
    connection: Connection,
    run_id: int,
    question_id: int,
    path: int,
    kinds: Sequence[str],
    have: Mapping[str, set[int]],
    one_call: bool,
) -> int:
    known = {
        kind
        for (kind,) in connection.exec_driver_sql(
            "SELECT kind FROM request WHERE run_id = ? AND question_id = ? AND path = ?",
            (run_id, question_id, path),
        )
    }
    there = [kind for kind in kinds if kind not in known and question_id in have[kind]]
    lacking = [kind for kind in kinds if kind not in known and kind not in there]
    lines = [(ONE_CALL if one_call else kind, kind) for kind in lacking]
    if lacking and not one_call and "" not in known:
        lines.insert(0, (KEY_POINTS, ""))
    for name, kind in lines:
        connection.exec_driver_sql(
            "INSERT INTO request (run_id, question_id, path, name, kind) VALUES (?, ?, ?, ?, ?)",
            (run_id, question_id, path, name, kind),
        )
    return len(there)


def chains(project: Project, run_id: int, scope: Scope) -> Iterator[Chain]:
    """Yield what waits, a chain at a time, path by path; it is read in pieces, so that nothing piles up."""
    for path in range(scope.paths):
        last = 0
        while found := _waiting(project, run_id, scope, path, last):
            groups: dict[int, list[Request]] = {}
            for question_id, *line in found:
                groups.setdefault(question_id, []).append(Request(*line))
            if len(found) == CHUNK:
                groups.popitem()  # it may go on in the next piece
            last = max(groups)
            yield from (_chain(project, run_id, path, *group) for group in groups.items())


def _waiting(project: Project, run_id: int, scope: Scope, path: int, last: int) -> list[tuple]:
    where = ["run_id = ?", "path = ?", "question_id > ?", "status = 'waiting'", f"kind IN {ID_LIST}"]
    values: list[Any] = [run_id, path, last, json.dumps(["", *scope.kinds])]
    if scope.question_ids is not None:
        where.append(f"question_id IN {ID_LIST}")
        values.append(ids_json(scope.question_ids))
    with project.reading() as connection:
        # key points come first: their kind is empty
        return connection.execute(
            f"""SELECT question_id, id, name, kind, attempts FROM request
                WHERE {" AND ".join(where)} ORDER BY question_id, kind LIMIT {CHUNK}""",
            values,
        ).fetchall()


def _chain(project: Project, run_id: int, path: int, question_id: int, group: list[Request]) -> Chain:
    if group[0].name in (KEY_POINTS, ONE_CALL):
        return Chain(question_id, path, tuple(group))
    with project.reading() as connection:
        line = connection.execute(
            """SELECT q.status, p.text FROM request AS q LEFT JOIN response AS p ON p.id = q.response_id
               WHERE q.run_id = ? AND q.question_id = ? AND q.path = ? AND q.kind = ''""",
            (run_id, question_id, path),
        ).fetchone()
    status, text = line or ("failed", None)
    return Chain(question_id, path, tuple(group), text, status != "done" or text is None)


def settle(connection: Connection, settled: Sequence[tuple[str, int, int | None, str, str, int]]) -> None:
    """Note inside a transaction what became of requests.

    Each is (status, attempts, id of its reply, reason, problem, id of the request).
    """
    connection.exec_driver_sql(
        "UPDATE request SET status = ?, attempts = ?, response_id = ?, reason = ?, problem = ? WHERE id = ?",
        list(settled),
    )


def ask_again(project: Project, run_id: int, reasons: Sequence[str] | None = None) -> int:
    """Let failed requests of a run wait again, all or those of some reasons; return how many.

    With key points the kinds wait again that failed for want of them.
    """
    chosen = "" if reasons is None else f"AND reason IN {ID_LIST}"
    values = [] if reasons is None else [json.dumps(list(reasons))]
    again = "UPDATE request SET status = 'waiting', reason = '', problem = '' WHERE status = 'failed' AND "
    same = f"{again} run_id = ? AND (question_id, path) IN (SELECT question_id, path FROM request"
    with project.writing() as connection:
        run = connection.exec_driver_sql
        count = run(f"{again} run_id = ? {chosen}", (run_id, *values)).rowcount
        # a kind without key points cannot be asked before they are
        count += run(
            f"{same} WHERE run_id = ? AND status = 'waiting' AND name NOT IN (?, ?)) AND kind = ''",
            (run_id, run_id, ONE_CALL, KEY_POINTS),
        ).rowcount
        count += run(
            f"{same} WHERE run_id = ? AND status = 'waiting' AND name = ?) AND reason = ?",
            (run_id, run_id, KEY_POINTS, NO_KEY_POINTS),
        ).rowcount
        return count


def price_replies(project: Project, run_id: int, money: Money) -> None:
    """Give the replies of a run that came before a price was known what they cost by that of today."""
    with project.reading() as connection:
        unpriced = connection.execute(
            "SELECT id, prompt_tokens, cached_tokens, completion_tokens FROM response "
            "WHERE run_id = ? AND money IS NULL",
            (run_id,),
        ).fetchall()
    if unpriced:
        lines = [(money(*tokens), response_id) for response_id, *tokens in unpriced]
        with project.writing() as connection:
            connection.exec_driver_sql("UPDATE response SET money = ? WHERE id = ?", lines)


def counts(project: Project, run_id: int) -> Counts:
    """Return how a run stands, from the project alone."""
    with project.reading() as connection:
        states = connection.execute(
            "SELECT status, reason, count(*) FROM request WHERE run_id = ? GROUP BY status, reason", (run_id,)
        ).fetchall()
        paid = connection.execute(
            "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(cached_tokens), 0), "
            "coalesce(sum(completion_tokens), 0), iif(count(*) = count(money), coalesce(sum(money), 0.0), "
            "NULL) FROM response WHERE run_id = ?",
            (run_id,),
        ).fetchone()
    by_status = {status: sum(n for state, _, n in states if state == status)
                 for status in ("done", "failed", "waiting")}  # fmt: skip
    reasons = {reason: n for state, reason, n in states if state == "failed"}
    return Counts(sum(by_status.values()), **by_status, reasons=reasons, replies=paid[0],
                  prompt_tokens=paid[1], cached_tokens=paid[2], completion_tokens=paid[3],
                  money=paid[4])  # fmt: skip
