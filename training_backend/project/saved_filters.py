"""Filters of the list that a person kept under a name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError
from training_backend.project.kept_names import kept_name
from training_backend.project.lines import FACETS, storable
from training_backend.project.listing import SORTS, RowFilter

if TYPE_CHECKING:
    from training_backend.project.store import Project


@dataclass(frozen=True)
class SavedFilter:
    """A filter and the name under which it was kept."""

    name: str
    filter: RowFilter


def saved_filters(project: Project) -> list[SavedFilter]:
    """Return the kept filters by name; facets that this program does not know are left out."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT name, filter FROM saved_filter ORDER BY name COLLATE NOCASE, name"
        ).fetchall()
    return [SavedFilter(name, _read(text)) for name, text in found]


def save_filter(project: Project, name: str, wanted: RowFilter) -> SavedFilter:
    """Keep a filter under a name, in place of one of the same name; ConfigError for a name that is none."""
    from training_backend.project.store import now

    name = kept_name(name, "A filter")
    with project.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO saved_filter (name, filter, created_at) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET filter = excluded.filter",
            (name, _text(wanted), now()),
        )
    return SavedFilter(name, wanted)


def rename_filter(project: Project, name: str, new_name: str) -> None:
    """Give a kept filter another name; ConfigError when that is taken or the filter is gone."""
    new_name = kept_name(new_name, "A filter")
    with project.writing() as connection:
        run = connection.exec_driver_sql
        if new_name != name and run("SELECT 1 FROM saved_filter WHERE name = ?", (new_name,)).first():
            raise ConfigError(f"There is a filter '{new_name}' already.", "Choose another name.")
        if not run("UPDATE saved_filter SET name = ? WHERE name = ?", (new_name, name)).rowcount:
            raise ConfigError(f"There is no filter '{name}' any more.", "It was deleted meanwhile.")


def delete_filter(project: Project, name: str) -> None:
    """Forget a kept filter; nothing happens when there is none of this name."""
    with project.writing() as connection:
        connection.exec_driver_sql("DELETE FROM saved_filter WHERE name = ?", (name,))


def _text(wanted: RowFilter) -> str:
    facets = {name: sorted(values, key=str) for name, values in wanted.facets.items() if values}
    return json.dumps(
        {"facets": facets, "search": storable(wanted.search), "sort": wanted.sort,
         "descending": wanted.descending},
        ensure_ascii=False,
    )  # fmt: skip


def _read(text: str) -> RowFilter:
    try:
        data = json.loads(text)
        facets = {name: frozenset(values) for name, values in data.get("facets", {}).items()
                  if name in FACETS and values}  # fmt: skip
        sort = data.get("sort", "id")
        return RowFilter(facets, str(data.get("search", "")), sort if sort in SORTS else "id",
                         bool(data.get("descending", False)))  # fmt: skip
    except (ValueError, TypeError, AttributeError):
        # another program wrote something else here: the name stays, and shows every row
        return RowFilter()
