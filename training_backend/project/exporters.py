"""Writing rows to files that others read: which rows, in which format, to where; whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ConfigError, DatasetError
from training_backend.project import dataset_card
from training_backend.project.export_files import (
    beside,
    csv_cell,
    remove,
    require_our_folder,
    write_csv,
    write_json_lines,
    write_parquet,
    write_shards,
)
from training_backend.project.export_shapes import SHAPES, Record, records
from training_backend.project.flags import BY_NAME, NONE
from training_backend.project.listing import FACETS, REVIEWS, Listing, RowFilter
from training_backend.rationale.judgement import STATES

if TYPE_CHECKING:
    import numpy as np

    from training_backend.events import Control, Reporter
    from training_backend.project.store import Project


@dataclass(frozen=True)
class Format:
    """One way to write rows: its title, the ending of its file ("": a folder), whether it can hold notes."""

    title: str
    ending: str
    notes: bool = False


FORMATS: dict[str, Format] = {
    "jsonl": Format("JSON lines, every field", ".jsonl", notes=True),
    "csv": Format("CSV, every field", ".csv", notes=True),
    "parquet": Format("Parquet, every field", ".parquet", notes=True),
    "folder": Format("Folder for datasets.load_dataset, with a card", "", notes=True),
    "messages": Format("OpenAI messages", ".jsonl"),
    "sharegpt": Format("ShareGPT conversations", ".jsonl"),
    "alpaca": Format("Alpaca instructions", ".jsonl"),
}


# the facets whose values are the same in every project; no kind: no reply yet
_KNOWN = {"verdict": STATES, "review": REVIEWS, "kind": ("pot", "cot", "eot", ""), "flags": (*BY_NAME, NONE)}


@dataclass(frozen=True)
class Wish:
    """How to export: the format ("": told by the name), and what is only done when it is asked for.

    `notes`: a person's notes too; `spreadsheet`: CSV that a spreadsheet opens without harm; `card`: a data
    set card beside the file; `replace`: an existing target may be replaced.
    """

    format: str = ""
    notes: bool = False
    spreadsheet: bool = False
    card: bool = False
    replace: bool = False


def parse_where(conditions: list[str]) -> RowFilter:
    """Return the filter of conditions such as `verdict=equal,not_equal`; ConfigError names what is wrong.

    Values that hold a comma are written as a JSON list: `dataset=["a, b"]`. One may be `search=words`.
    """
    facets: dict[str, frozenset] = {}
    search = ""
    for condition in conditions:
        name, sign, values = condition.partition("=")
        name = name.strip()
        if sign and name == "search":
            search = values
        elif sign and name in FACETS:
            facets[name] = frozenset(_value(name, value) for value in _split_values(values))
        else:
            raise ConfigError(f"'{condition}' is no condition.",
                              f"Write NAME=VALUE,… with one of: {', '.join(FACETS)}, search.")  # fmt: skip
    # a trailing space: the last word is finished, not the beginning of one
    return RowFilter(facets, f"{search} " if search else "")


def where_words(wanted: RowFilter) -> list[str]:
    """Return the conditions that `parse_where` turns into this filter again (without its order)."""
    words = []
    for name, values in wanted.facets.items():
        if values:
            texts = sorted(str(value) for value in values)
            plain = all(
                text == text.strip() and "," not in text and not text.startswith("[") for text in texts
            )
            words.append(f"{name}={','.join(texts) if plain else json.dumps(texts, ensure_ascii=False)}")
    return words + ([f"search={wanted.search.strip()}"] if wanted.search.strip() else [])


def _split_values(values: str) -> list[str]:
    if values.lstrip().startswith("["):
        try:
            found = json.loads(values)
        except ValueError:
            found = None
        if isinstance(found, list) and found:
            return [str(value) for value in found]
        raise ConfigError(f"'{values}' is no JSON list.", 'Write for example dataset=["a, b","c"].')
    return [value.strip() for value in values.split(",")]


def _value(facet: str, text: str) -> str | int:
    if facet in ("changed", "flagged"):
        words = {"yes": 1, "true": 1, "1": 1, "no": 0, "false": 0, "0": 0}
        if text.lower() not in words:
            raise ConfigError(f"'{text}' is neither yes nor no.", f"Write {facet}=yes or {facet}=no.")
        return words[text.lower()]
    if facet in ("path", "round"):
        if not text.isdecimal():
            raise ConfigError(f"'{text}' is no {facet}.", f"Write {facet}=0, {facet}=1, …")
        return int(text)
    known = _KNOWN.get(facet)
    if known is not None and text not in known:
        names = ", ".join(name for name in known if name)
        raise ConfigError(f"'{text}' is no value of {facet}.", f"Use one of: {names}.")
    return text


def format_of(target: Path, format: str = "") -> str:
    """Return the name of the format: the one asked for, else what the target's ending tells."""
    ending = target.suffix.lower()
    format = format or next((name for name, known in FORMATS.items() if known.ending == ending), "")
    if not format:
        raise ConfigError(f"No format is told by the ending '{ending}'.",
                          f"Name the format: {', '.join(FORMATS)}.", where=str(target))  # fmt: skip
    if format not in FORMATS:
        raise ConfigError(f"There is no format '{format}'.", f"Use one of: {', '.join(FORMATS)}.")
    return format


def card_path(target: Path) -> Path:
    """Return where the card of a file goes: `NAME.card.md` beside it."""
    return target.with_name(f"{target.name}.card.md")


def export_rows(
    project: Project,
    target: str | Path,
    wanted: RowFilter | None = None,
    wish: Wish | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> int:
    """Write the matching rows to `target`, a file or a folder, and return how many.

    It appears whole or not at all: it is written beside its place and then moved there; a stop leaves what
    was there before and returns 0. Conversations and instructions hold the rows that have a rationale.
    ConfigError for an unknown format, DatasetError where nothing can be written or something stands already
    and `replace` was not asked for, StoreError when the disk is full.
    """
    target, wanted, wish = Path(target), wanted or RowFilter(), wish or Wish()
    format = format_of(target, wish.format)
    _require_place(project, target, format, wish)
    ids = _ids(project, wanted)
    tally = dataset_card.Tally()
    rows = tally.watch(_watched(records(project, ids, wish.notes), len(ids), reporter, control))
    with beside(target, folder=format == "folder") as unfinished:
        written, shards = _write(unfinished, rows, format, wish)
        if control is not None and control.stop_requested:
            remove(unfinished)
            return 0
        if format == "folder":
            text = dataset_card.card(target.name, tally, wanted, shards, wish.notes, _unlooked(project))
            (unfinished / "README.md").write_text(text, encoding="utf-8")
    if wish.card and format != "folder":
        with beside(card_path(target)) as unfinished:
            text = dataset_card.card(target.stem, tally, wanted, None, wish.notes, _unlooked(project))
            unfinished.write_text(text, encoding="utf-8")
    return written


def preview(project: Project, wanted: RowFilter, wish: Wish, shortened: int = 400) -> str:
    """Return the first row as the format would write it, long texts cut; empty when no row has that shape."""
    for record in records(project, _ids(project, wanted, 20), wish.notes):
        shaped = SHAPES.get(wish.format, SHAPES["jsonl"])(record)
        if shaped is None:
            continue
        if wish.format == "csv":
            return "\n".join(f"{name}: {csv_cell(_cut(value, shortened))}" for name, value in shaped.items())
        return json.dumps(_cut(shaped, shortened), ensure_ascii=False, indent=2)
    return ""


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= most else value[:most] + " …"
    if isinstance(value, list):
        return [_cut(item, most) for item in value[:20]]
    return {name: _cut(item, most) for name, item in value.items()} if isinstance(value, dict) else value


def _ids(project: Project, wanted: RowFilter, limit: int | None = None) -> np.ndarray:
    listing = Listing(project.path)
    try:
        return listing.ids(wanted, limit)
    finally:
        listing.close()


def _unlooked(project: Project) -> int:
    with project.reading() as connection:
        return connection.execute("SELECT count(*) FROM flag_due").fetchone()[0]


def _write(path: Path, rows: Iterator[Record], format: str, wish: Wish) -> tuple[int, dict[str, int] | None]:
    if format == "folder":
        shards = write_shards(path, rows, wish.notes)
        return sum(shards.values()), shards
    if format == "parquet":
        return write_parquet(path, rows, wish.notes), None
    if format == "csv":
        return write_csv(path, rows, wish.notes, wish.spreadsheet), None
    return write_json_lines(format)(path, rows), None


def _require_place(project: Project, target: Path, format: str, wish: Wish) -> None:
    """Raise a DatasetError when the export cannot or must not go there."""
    where = str(target)
    folder = format == "folder"
    if not target.parent.is_dir() or (target.exists() and target.is_dir() != folder):
        what = "folder" if folder else "file"
        raise DatasetError(f"No {what} can be written there.",
                           f"Give the name of a {what} in an existing folder.", where=where)  # fmt: skip
    if target.exists() and target.samefile(project.path):
        raise DatasetError("This is the project itself.", "Choose another name.", where=where)
    if target.exists() and not wish.replace:
        raise DatasetError("Something of this name is there already.",
                           "Choose another name, or allow to replace it (--replace).", where)  # fmt: skip
    if folder:
        require_our_folder(target)


def _watched(
    rows: Iterator[Record], total: int, reporter: Reporter | None, control: Control | None
) -> Iterator[Record]:
    for done, record in enumerate(rows, 1):
        if control is not None and control.stop_requested:
            return
        yield record
        if reporter is not None and (done % 1000 == 0 or done == total):
            reporter.progress("export", done, total)
