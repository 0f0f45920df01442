"""How exported rows are written: lines of JSON, CSV, Parquet, or a folder that `datasets` opens; streams."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from training_backend.errors import DatasetError
from training_backend.project.export_shapes import SHAPES, Record, columns
from training_backend.project.faults import explained

if TYPE_CHECKING:
    import pyarrow

_GROUP_ROWS = 2000
_GROUP_CHARACTERS = 8 * 2**20  # rows with very long texts are written earlier: memory stays flat
SHARD_ROWS = 250_000
_FOLDER = {"README.md", "data", ".gitattributes"}  # what a folder of ours, or one fetched back, holds
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"^\s*[+-]?\d[\d.,\s]*(e[+-]?\d+)?%?\s*$", re.IGNORECASE)


@contextlib.contextmanager
def beside(target: Path, folder: bool = False) -> Iterator[Path]:
    """Give a name beside `target` to write to; what stands there when the block ends moves to `target`.

    A block that removes it, or fails, leaves `target` as it was.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with explained(target):
            if folder:
                unfinished.mkdir()
            yield unfinished
            if unfinished.exists():
                _move(unfinished, target)
    finally:
        remove(unfinished)


def _move(unfinished: Path, target: Path) -> None:
    if not target.is_dir():
        unfinished.replace(target)
        return
    # a folder cannot be replaced in one step: the old one stands aside until the new one is in its place
    aside = unfinished.with_suffix(".old")
    target.rename(aside)
    try:
        unfinished.rename(target)
    except OSError:
        aside.rename(target)
        raise
    remove(aside)


def remove(path: Path) -> None:
    """Remove a file or a folder; one that is not there is no error."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def require_our_folder(target: Path) -> None:
    """Raise a DatasetError when `target` is a folder that holds anything but an earlier export."""
    if not target.is_dir():
        return
    names = {entry.name for entry in target.iterdir()}
    strangers = sorted(names - _FOLDER)
    data = target / "data"
    if data.is_dir():
        strangers += sorted(f"data/{entry.name}" for entry in data.iterdir() if entry.suffix != ".parquet")
    if strangers:
        raise DatasetError(
            f"The folder holds something else ({strangers[0]}) and is not replaced.",
            "Give the name of a new folder.",
            where=str(target),
        )


def write_json_lines(shape: str) -> Callable[[Path, Iterator[Record]], int]:
    """Return a writer of one JSON object a line in a shape of SHAPES; rows without it are left out."""
    make = SHAPES[shape]

    def write(path: Path, rows: Iterator[Record]) -> int:
        written = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            for record in rows:
                shaped = make(record)
                if shaped is not None:
                    file.write(json.dumps(shaped, ensure_ascii=False) + "\n")
                    written += 1
        return written

    return write


def write_csv(path: Path, rows: Iterator[Record], notes: bool = False, spreadsheet: bool = False) -> int:
    """Write a table with a header: lists as lines of a cell, yes and no as 1 and 0.

    With `spreadsheet` the file begins with a mark that says UTF-8, and a text that a spreadsheet would take
    for a formula begins with an apostrophe; without it every text stands exactly as it is.
    """
    encoding = "utf-8-sig" if spreadsheet else "utf-8"
    with path.open("w", encoding=encoding, newline="") as file:
        return _write_csv(file, rows, list(columns(notes)), spreadsheet)


def _write_csv(file: IO[str], rows: Iterator[Record], names: list[str], spreadsheet: bool) -> int:
    writer = csv.writer(file, lineterminator="\r\n" if spreadsheet else "\n")
    writer.writerow(names)
    written = 0
    for record in rows:
        cells = [csv_cell(record[name]) for name in names]
        writer.writerow([_harmless(cell) for cell in cells] if spreadsheet else cells)
        written += 1
    return written


def csv_cell(value: Any) -> Any:
    """Return a value as a cell of a table holds it."""
    if isinstance(value, bool):
        return int(value)
    return "\n".join(value) if isinstance(value, list) else value


def _harmless(cell: Any) -> Any:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.match(cell):
        return f"'{cell}"
    return cell


def write_parquet(path: Path, rows: Iterator[Record], notes: bool = False) -> int:
    """Write one Parquet file with typed columns that carry their meaning."""
    with _Shard(path, columns(notes)) as shard:
        for record in rows:
            shard.add(record)
        return shard.rows


def write_shards(folder: Path, rows: Iterator[Record], notes: bool = False) -> dict[str, int]:
    """Write `data/SPLIT-00000-of-00001.parquet` …, and return the rows of each split by its name there."""
    data = folder / "data"
    data.mkdir()
    shards: dict[str, list[_Shard]] = {}
    with contextlib.ExitStack() as opened:
        for record in rows:
            of_split = shards.setdefault(split_name(record["split"]), [])
            if not of_split or of_split[-1].rows >= SHARD_ROWS:
                if of_split:
                    of_split[-1].close()
                number = f"{split_name(record['split'])}-{len(of_split):05d}"
                of_split.append(opened.enter_context(_Shard(data / number, columns(notes))))
            of_split[-1].add(record)
    for split, of_split in shards.items():
        for place, shard in enumerate(of_split):
            shard.path.rename(data / f"{split}-{place:05d}-of-{len(of_split):05d}.parquet")
    return {split: sum(shard.rows for shard in of_split) for split, of_split in shards.items()}


def split_name(split: str) -> str:
    """Return the name of a split as `datasets` allows it: letters, digits and underscores, not `all`."""
    name = re.sub(r"\W+", "_", split, flags=re.ASCII).strip("_")
    return {"": "unsplit", "all": "all_rows"}.get(name, name)


class _Shard:
    """One Parquet file under way; rows are written in groups that are bounded in number and in size."""

    def __init__(self, path: Path, fields: dict[str, tuple[str, str]]) -> None:
        """Open the file; it is complete after `close`."""
        from pyarrow import parquet

        self.path = path
        self.rows = 0
        self._schema = _schema(fields)
        self._file = path.open("wb")
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        self._group: list[Record] = []
        self._characters = 0
        self._closed = False

    def __enter__(self) -> _Shard:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            # what is written into a failing file is lost anyway, and must not hide the failure
            with contextlib.suppress(OSError):
                self._writer.close()
            with contextlib.suppress(OSError):
                self._file.close()

    def add(self, record: Record) -> None:
        """Take one row."""
        self._group.append(record)
        self._characters += sum(len(value) for value in record.values() if isinstance(value, str))
        self.rows += 1
        if len(self._group) >= _GROUP_ROWS or self._characters >= _GROUP_CHARACTERS:
            self._write_group()

    def close(self) -> None:
        """Write what waits and the end of the file; more than once does no harm."""
        if self._closed:
            return
        self._closed = True
        if self._group:
            self._write_group()
        self._writer.close()
        self._file.close()

    def _write_group(self) -> None:
        import pyarrow

        self._writer.write_table(pyarrow.Table.from_pylist(self._group, schema=self._schema))
        self._group, self._characters = [], 0


def _schema(fields: dict[str, tuple[str, str]]) -> pyarrow.Schema:
    import pyarrow

    kinds = {
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "yes/no": pyarrow.bool_(),
        "list": pyarrow.list_(pyarrow.string()),
        "text": pyarrow.string(),
    }
    return pyarrow.schema([
        pyarrow.field(name, kinds[kind], metadata={"meaning": meaning})
        for name, (kind, meaning) in fields.items()
    ])  # fmt: skip
