"""What another project knows of its teachers: settings, prompts, runs, requests and every reply.

Nothing that was paid for there is paid for again: a request of ours finds the reply by what was sent. Keys
lie in no project, so none is merged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.project.lines import ID_LIST, ids_json
from training_backend.project.merged_history import name_of

if TYPE_CHECKING:
    from training_backend.project.merge_report import MergeReport
    from training_backend.project.store import Project

CHUNK = 500
_REPLY = ("digest, model, prompt_version, attempt, text, finish_reason, refusal, prompt_tokens, "
          "cached_tokens, completion_tokens, money, latency_s, answered_at")  # fmt: skip
_REQUESTS = f"""
    SELECT q.run_id, q.question_id, q.path, q.name, q.kind, q.status, q.reason, q.problem, q.attempts,
           p.digest
    FROM request AS q LEFT JOIN response AS p ON p.id = q.response_id
    WHERE q.question_id IN {ID_LIST} ORDER BY q.id"""
# a request of ours that was answered or failed stands; one that waits takes what came of theirs
_TAKE = """
    INSERT INTO request (run_id, question_id, path, name, kind, status, reason, problem, attempts,
                         response_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM response WHERE digest = ?))
    ON CONFLICT (run_id, question_id, path, name, kind) DO UPDATE SET status = excluded.status,
      reason = excluded.reason, problem = excluded.problem, attempts = excluded.attempts,
      response_id = excluded.response_id
    WHERE request.status = 'waiting' AND excluded.status <> 'waiting'"""


class MergedTeachers:
    """Brings their teachers in before the questions, and the requests about questions with each of these."""

    def __init__(
        self, project: Project, theirs: sqlite3.Connection, other: Path, report: MergeReport
    ) -> None:
        """`other` is their file, beside which the folders of their runs lie."""
        self._project, self._theirs, self._other, self._report = project, theirs, other, report
        self._runs: dict[int, int] = {}

    def merge(self, stopped: Callable[[], bool]) -> bool:
        """Take their teachers, prompts, runs and replies; what ours has stands.

        False when a stop came before all replies: requests, which name theirs, have to wait for them.
        """
        self._merge_settings()
        self._merge_prompts()
        self._merge_runs()
        return self._merge_replies(stopped)

    def merge_requests(self, ours: sqlite3.Connection, questions: dict[int, int]) -> None:
        """Take the requests about these questions (theirs to ours) inside a transaction."""
        for run, question, *line in self._theirs.execute(_REQUESTS, (ids_json(questions),)).fetchall():
            found = ours.execute(_TAKE, (self._runs[run], questions[question], *line))
            self._report.requests += found.rowcount > 0

    def _merge_settings(self) -> None:
        found = self._theirs.execute(
            "SELECT name, kind, settings, created_at, changed_at FROM teacher"
        ).fetchall()
        with self._project.writing() as connection:
            for line in found:
                taken = connection.exec_driver_sql(
                    "INSERT INTO teacher (name, kind, settings, created_at, changed_at) "
                    "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    line,
                )
                self._report.teachers += taken.rowcount

    def _merge_prompts(self) -> None:
        """Take the versions that ours does not have; the prompts that are in use here stay in use."""
        found = self._theirs.execute(
            "SELECT name, version, content, created_at FROM prompt ORDER BY id"
        ).fetchall()
        with self._project.writing() as connection:
            run = connection.exec_driver_sql
            last = run("SELECT name, max(id) FROM prompt GROUP BY name").fetchall()
            in_use: dict[str, int] = dict(map(tuple, last))
            new = set()
            for line in found:
                known = run("SELECT 1 FROM prompt WHERE name = ? AND version = ?", line[:2]).first()
                if known is None:
                    run("INSERT INTO prompt (name, version, content, created_at) VALUES (?, ?, ?, ?)", line)
                    self._report.prompts += 1
                    new.add(line[0])
            for name in sorted(new & set(in_use)):
                run(
                    "INSERT INTO prompt (name, version, content, created_at) "
                    "SELECT name, version, content, created_at FROM prompt WHERE id = ?",
                    (in_use[name],),
                )

    def _merge_runs(self) -> None:
        for their_id, digest, folder, *line in self._theirs.execute(
            "SELECT id, digest, folder, teacher, model, settings, iif(status IN ('running', 'paused'), "
            "'stopped', status), problem, started_at, ended_at FROM teacher_run ORDER BY id"
        ).fetchall():
            place = (self._other.parent / folder).resolve()
            name = name_of(place, self._project.path) if folder and place.is_dir() else ""
            with self._project.writing() as connection:
                run = connection.exec_driver_sql
                taken = run(
                    "INSERT INTO teacher_run (digest, folder, teacher, model, settings, status, problem, "
                    "started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (digest, name, *line),
                )
                self._report.teacher_runs += taken.rowcount
                ours = run("SELECT id FROM teacher_run WHERE digest = ?", (digest,)).scalar_one()
            self._runs[their_id] = ours

    def _merge_replies(self, stopped: Callable[[], bool]) -> bool:
        last = 0
        while found := self._theirs.execute(
            f"SELECT id, run_id, {_REPLY} FROM response WHERE id > ? ORDER BY id LIMIT ?", (last, CHUNK)
        ).fetchall():
            with self._project.writing() as connection:
                for _, run, *line in found:
                    taken = connection.exec_driver_sql(
                        f"INSERT INTO response (run_id, {_REPLY}) "
                        f"VALUES ({', '.join('?' * (len(line) + 1))}) ON CONFLICT DO NOTHING",
                        (self._runs.get(run), *line),
                    )
                    self._report.replies += taken.rowcount
            last = found[-1][0]
            if len(found) == CHUNK and stopped():
                return False
        return True
