"""How older project files become current ones: named steps, each one transaction, after a backup copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from training_backend.errors import StoreError
from training_backend.project import schema
from training_backend.project.faults import explained
from training_backend.project.lines import FACETS

# the facets as version 3 knew them; steps never follow what the schema says today
_FACETS_3 = ("verdict", "review", "kind", "dataset", "split", "path", "changed", "flagged")


@dataclass(frozen=True)
class Migration:
    """One step to `version`; `name` says what it brings."""

    version: int
    name: str
    apply: Callable[[Connection], None]


def _add_search(connection: Connection) -> None:
    create_search(connection)


def _add_touched(connection: Connection) -> None:
    schema.row_touched.create(connection)
    _renew_facets(connection, _FACETS_3)


def _add_flags(connection: Connection) -> None:
    run = connection.exec_driver_sql
    for name in ("round", "flags", "suspicion"):
        run(f"ALTER TABLE row ADD COLUMN {name} INTEGER DEFAULT '0' NOT NULL")
    run("DROP TRIGGER row_added")
    run("DROP TRIGGER row_changed")
    _renew_facets(connection, [*_FACETS_3, "round", "flags"])
    next(index for index in schema.row.indexes if index.name == "row_by_suspicion").create(connection)
    for table in (schema.row_flag, schema.flag_due, schema.saved_filter):
        table.create(connection)
    for statement in schema.FLAG_TRIGGERS:
        run(statement)
    run("INSERT INTO flag_due (question_id) SELECT id FROM question")


def _add_teachers(connection: Connection) -> None:
    for table in (schema.teacher, schema.prompt, schema.teacher_run, schema.response, schema.request):
        table.create(connection)


def _renew_facets(connection: Connection, facets: Sequence[str]) -> None:
    """Make the index and the triggers that the list's facets need, as they were when `facets` were all."""
    run = connection.exec_driver_sql
    run("DROP INDEX row_facets")
    run(f'CREATE INDEX row_facets ON "row" ({", ".join(facets)}, question_id)')
    for statement in schema.touched_triggers(facets):
        run(statement)


# Steps never change once a file of their version may exist; a new one is added below.
MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, "full-text search", _add_search),
    Migration(3, "what changed lately", _add_touched),
    Migration(4, "flags and saved filters", _add_flags),
    Migration(5, "teachers, prompts and what was asked", _add_teachers),
)


def create_all(connection: Connection) -> None:
    """Make every table, view and index of the current version in an empty file, and mark the file as ours."""
    schema.metadata.create_all(connection)
    for name, select in schema.VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {select}")
    create_search(connection)
    for statement in (*schema.touched_triggers(FACETS), *schema.FLAG_TRIGGERS):
        connection.exec_driver_sql(statement)
    explain_tables(connection)
    connection.exec_driver_sql(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")


def create_search(connection: Connection) -> None:
    """Make the search index, empty; the writers fill it up from row 1."""
    connection.exec_driver_sql(
        "INSERT OR REPLACE INTO setting (name, value) VALUES ('search_rows', '0'), ('search_questions', '0')"
    )
    for name, select in schema.SEARCH_VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {select}")
    for statement in schema.SEARCH_TABLES:
        connection.exec_driver_sql(statement)


def explain_tables(connection: Connection) -> None:
    """Write the schema's comments into the table `about`, for whoever opens the file with other tools."""
    lines = []
    for table in schema.metadata.sorted_tables:
        lines.append((table.name, "", table.comment or ""))
        lines += [(table.name, column.name, column.comment) for column in table.columns if column.comment]
    for name, comment in schema.VIEW_COMMENTS.items():
        lines.append((name, "", comment))
        there = connection.exec_driver_sql(f"PRAGMA table_info({name})")
        lines += [(name, column[1], schema.VIEW_COLUMNS[column[1]]) for column in there]
    connection.exec_driver_sql("DELETE FROM about")
    connection.exec_driver_sql("INSERT INTO about VALUES (?, ?, ?)", lines)


def migrate(
    engine: Engine, path: Path, version: int, told: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Bring the file from `version` to the current one and return the names of the steps.

    A copy `NAME.kpdd.backup-<version>` is made first. A step that fails leaves the file as it was before it.
    `told` hears what is being done.
    """
    told("making a backup of the older file")
    back_up(path, version)
    done = []
    with explained(path):
        for step in MIGRATIONS:
            if step.version <= version:
                continue
            told(f"bringing it up to date: {step.name}")
            with engine.begin() as connection:
                # another program may have been quicker while we waited for the lock
                now = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                if now >= step.version:
                    continue
                step.apply(connection)
                explain_tables(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {step.version}")
            done.append(step.name)
    return done


def back_up(path: Path, version: int) -> Path:
    """Copy the project, whatever is still in its write-ahead log included, to a free `.backup-…` name."""
    target = path.with_name(f"{path.name}.backup-{version}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.backup-{version}-{number}")
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    try:
        with explained(unfinished):
            source, copy = sqlite3.connect(path), sqlite3.connect(unfinished)
            try:
                source.backup(copy)
            finally:
                copy.close()
                source.close()
            unfinished.rename(target)
    except StoreError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"The project is of an older version and no backup could be made before bringing it up to date: "
            f"{error.message}",
            error.hint,
            where=str(path),
        ) from error
    return target
