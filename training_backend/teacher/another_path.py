"""Asking again on purpose: another answer to a row is a new path, a row without a text is filled.

Such a wish is a run of its own, named when it is made: it has its own lines, counts and budget, and the same
name goes on with it. What was answered stays as it is. The response cache cannot answer with the old reply,
because its key holds path and attempt: a new path has none, and a request that failed moves here with the
number of its attempts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError
from training_backend.methods import KINDS
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.teacher import requests
from training_backend.teacher.prompt_store import prompts
from training_backend.teacher.requests import CHUNK, KEY_POINTS, ONE_CALL
from training_backend.teacher.run_spec import RunSpec, run_identity
from training_backend.teacher.trying import questions_of_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

# a row that no teacher has answered has no kind
_UNANSWERED = ("pot",)
# kind → the paths whose rows have no text, None: there is a text, so another answer is a new path
_Lacking = dict[str, set[int] | None]


def kinds_of_rows(project: Project, row_ids: Iterable[int]) -> tuple[str, ...]:
    """Return the kinds that asking these rows again asks for, in the order of KINDS."""
    with project.reading() as connection:
        sql = f"SELECT DISTINCT kind FROM row WHERE id IN {ID_LIST}"
        found = {kind for (kind,) in connection.execute(sql, (ids_json(row_ids),))}
    found |= set(_UNANSWERED) if "" in found else set()
    return tuple(kind for kind in KINDS if kind in found)


def meant(project: Project, spec: RunSpec, row_ids: Sequence[int]) -> tuple[RunSpec, set[int]]:
    """Return the run of this name with the kinds that it asks for, and the ids of its questions.

    Without rows the run goes on; ConfigError when there is none of this name.
    """
    run_id = requests.find_run(project, run_identity(spec, prompts(project)))
    if run_id is None and not row_ids:
        raise ConfigError("Another answer to which rows?", "Give the file of their numbers with --rows-file.")
    kinds = {*kinds_of_rows(project, row_ids), *(() if run_id is None else kinds_of_run(project, run_id))}
    spec = replace(spec, kinds=tuple(kind for kind in KINDS if kind in kinds))
    if row_ids or run_id is None:
        return spec, questions_of_rows(project, row_ids)
    return spec, questions_of_run(project, run_id)


def questions_of_run(project: Project, run_id: int) -> set[int]:
    """Return the questions that a run has lines of."""
    with project.reading() as connection:
        sql = "SELECT DISTINCT question_id FROM request WHERE run_id = ?"
        return {found for (found,) in connection.execute(sql, (run_id,))}


def kinds_of_run(project: Project, run_id: int) -> tuple[str, ...]:
    """Return the kinds that a run asks for, in the order of KINDS."""
    with project.reading() as connection:
        sql = "SELECT DISTINCT kind FROM request WHERE run_id = ?"
        found = {kind for (kind,) in connection.execute(sql, (run_id,))}
    return tuple(kind for kind in KINDS if kind in found)


def paths_of_run(project: Project, run_id: int) -> int:
    """Return a number above every path of a run."""
    with project.reading() as connection:
        sql = "SELECT coalesce(max(path), -1) + 1 FROM request WHERE run_id = ?"
        return connection.execute(sql, (run_id,)).fetchone()[0]


def waiting_chains(project: Project, run_id: int) -> int:
    """Return how many questions and paths of a run have something to ask."""
    with project.reading() as connection:
        return connection.execute(
            "SELECT count(*) FROM (SELECT DISTINCT question_id, path FROM request "
            "WHERE run_id = ? AND status = 'waiting')",
            (run_id,),
        ).fetchone()[0]


def plan_another(
    project: Project,
    run_id: int,
    earlier_runs: Sequence[int],
    row_ids: Iterable[int],
    question_ids: Collection[int],
    paths: int,
    one_call: bool = False,
) -> None:
    """Add lines for so many more answers to the rows of these questions; a question with lines has its own.

    Every kind is asked that the rows have. A row without a text takes over its failed requests of
    `earlier_runs`, which are of the same teacher and prompts; every other gets the next free paths.
    """
    lacking = _lacking(project, row_ids)
    known = questions_of_run(project, run_id)
    wanted = [number for number in lacking if number in set(question_ids) - known]
    for start in range(0, len(wanted), CHUNK):
        with project.writing() as connection:
            for question_id in wanted[start : start + CHUNK]:
                kinds = lacking[question_id]
                fresh = _take_over(connection, run_id, earlier_runs, question_id, kinds, one_call)
                if fresh:
                    _add_paths(connection, run_id, question_id, fresh, paths, one_call)


def _lacking(project: Project, row_ids: Iterable[int]) -> dict[int, _Lacking]:
    """Return for each question of the rows its kinds, and where their texts are missing."""
    found: dict[int, _Lacking] = {}
    with project.reading() as connection:
        rows = connection.execute(
            f"""SELECT r.question_id, r.kind, r.path, t.text IS NOT NULL FROM row AS r
                LEFT JOIN rationale AS t ON t.id = r.rationale_id
                WHERE r.id IN {ID_LIST} ORDER BY r.question_id""",
            (ids_json(row_ids),),
        )
        for question_id, kind, path, has_text in rows:
            kinds = found.setdefault(question_id, {})
            for name in (kind,) if kind else _UNANSWERED:
                empty = kinds.setdefault(name, set())
                if has_text:
                    kinds[name] = None
                elif empty is not None:
                    empty.add(path)
    return found


def _take_over(
    connection: Connection,
    run_id: int,
    earlier_runs: Sequence[int],
    question_id: int,
    kinds: Mapping[str, set[int] | None],
    one_call: bool,
) -> list[str]:
    """Let failed requests of rows without a text wait in this run; return the kinds that need a new path."""
    fresh = []
    for kind, empty in kinds.items():
        moved: list[int] = []
        for path in sorted(empty or ()):
            moved += _move(connection, run_id, earlier_runs, question_id, path, kind)
        for path in moved:
            if one_call:
                continue
            # key points that failed come along with their attempts; good ones are known to the cache
            if not _move(connection, run_id, earlier_runs, question_id, path, ""):
                _add(connection, run_id, question_id, path, KEY_POINTS, "")
        if not moved:
            fresh.append(kind)
    return fresh


def _move(
    connection: Connection, run_id: int, earlier_runs: Sequence[int], question_id: int, path: int, kind: str
) -> list[int]:
    """Move a failed request here; return its path, or nothing where none failed."""
    return list(
        connection.exec_driver_sql(
            f"UPDATE OR IGNORE request SET run_id = ?, status = 'waiting', reason = '', problem = '' "
            f"WHERE run_id IN {ID_LIST} AND question_id = ? AND path = ? AND kind = ? "
            "AND status = 'failed' RETURNING path",
            (run_id, ids_json(earlier_runs), question_id, path, kind),
        ).scalars()
    )[:1]


def _add_paths(
    connection: Connection, run_id: int, question_id: int, kinds: Sequence[str], paths: int, one_call: bool
) -> None:
    """Add lines at the paths after every one that this question was ever asked for or has."""
    first = connection.exec_driver_sql(
        "SELECT coalesce(max(path), -1) + 1 FROM (SELECT path FROM request WHERE question_id = ? "
        "UNION ALL SELECT path FROM rationale WHERE question_id = ?)",
        (question_id, question_id),
    ).scalar_one()
    for path in range(first, first + paths):
        if not one_call:
            _add(connection, run_id, question_id, path, KEY_POINTS, "")
        for kind in kinds:
            _add(connection, run_id, question_id, path, ONE_CALL if one_call else kind, kind)


def _add(connection: Connection, run_id: int, question_id: int, path: int, name: str, kind: str) -> None:
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO request (run_id, question_id, path, name, kind) VALUES (?, ?, ?, ?, ?)",
        (run_id, question_id, path, name, kind),
    )


def scope_of(project: Project, run_id: int, question_ids: Iterable[int]) -> requests.Scope:
    """Return the lines of these questions in such a run, whatever their kinds and paths."""
    return requests.Scope(frozenset(question_ids), tuple(KINDS), paths_of_run(project, run_id))
