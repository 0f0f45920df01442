"""Reading records out of JSONL, JSON, XML, CSV and Parquet files, in a stream, with the line of each one."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from xml.parsers import expat

from training_backend.errors import DatasetError
from training_backend.project.file_kinds import PEEK, as_text, bad_bytes, is_parquet, open_bytes
from training_backend.project.parquet_file import ParquetRows

Form = Literal["jsonl", "json", "xml", "csv", "parquet"]

_MAX_LINE = 32 * 2**20  # characters; a longer "line" is no record
_MAX_CSV_LINES = 200  # a record over more lines is a quote that was never closed


@dataclass(frozen=True)
class Record:
    """One record of a file: its line, and either its data or the problem why there is none."""

    line: int
    data: dict[str, Any] | None
    problem: str = ""


class SourceFile:
    """An open file of records; `form` was told by its content. `position` counts the bytes read so far.

    `unit` is what `Record.line` counts: a line, or in a Parquet file a row.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; DatasetError when it is missing, a folder, empty, damaged or no text."""
        self.path = path
        self._raw = open_bytes(path)
        self.size = path.stat().st_size
        self._table: ParquetRows | None = None
        self.unit = "line"
        try:
            self.form = self._open()
        except DatasetError as error:
            self.close()
            raise DatasetError(error.message, error.hint, where=str(path)) from None
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.close()
            raise DatasetError(
                "The compressed file is cut off or damaged.", "Fetch it again.", where=str(path)
            ) from None
        except OSError as error:
            self.close()
            raise DatasetError(
                f"The file cannot be read: {error.strerror or error}.", "Check the disk.", str(path)
            ) from None

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
        if self._table is not None:
            self._table.close()

    @property
    def position(self) -> int:
        """Return how many bytes of `size` were read."""
        if self._table is not None:
            return self.size * self._table.done // max(1, self._table.total)
        return self._raw.tell()

    def records(self) -> Iterator[Record]:
        """Yield every record, and a problem where one cannot be read; what the file holds raises nothing."""
        if self._table is not None:
            yield from _parquet(self._table)
            return
        reader = {"jsonl": _jsonl, "json": _json, "xml": _xml, "csv": _csv}[self.form]
        lines = _Lines(self._text, self._first)
        try:
            yield from reader(lines)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield Record(lines.number, None, f"the compressed file is cut off or damaged ({error})")
        except UnicodeDecodeError as error:
            yield Record(lines.number + 1, None, f"the text cannot be read from here on ({error.reason})")
        except OSError as error:
            yield Record(lines.number, None, f"reading failed: {error.strerror or error}")

    def _open(self) -> Form:
        if is_parquet(self._raw):
            self._table = ParquetRows(self.path)
            self.unit = "row"
            return "parquet"
        self._text = as_text(self._raw, self.path.name)
        try:
            self._first = self._text.read(PEEK)
        except UnicodeDecodeError as error:
            what = f"The text of the file breaks in the middle of a character ({error.reason})."
            raise DatasetError(what, "Fetch it again, or save it as UTF-8.") from None
        if not self._first.strip():
            raise DatasetError("The file is empty.", "Choose a file with questions.")
        return _form(self._first)


class _Lines:
    """The lines of a text of which the start has been read; counts them."""

    def __init__(self, text: IO[str], start: str) -> None:
        self._text = text
        self._start = io.StringIO(start, newline="\n")
        self.number = 0
        self.too_long = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._start.readline(_MAX_LINE)
        if not line.endswith("\n") and len(line) < _MAX_LINE:
            line += self._text.readline(_MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.too_long = len(line) >= _MAX_LINE and not line.endswith("\n")
        if self.too_long:
            while (rest := self._text.readline(_MAX_LINE)) and not rest.endswith("\n"):
                pass
        return line

    def read(self, size: int) -> str:
        """Return the next characters, whatever lines they are on."""
        return self._start.read(size) or self._text.read(size)


def _form(start: str) -> Form:
    head = start.lstrip()
    if head.startswith("<"):
        return "xml"
    if head.startswith("["):
        return "json"
    return "jsonl" if head.startswith("{") else "csv"


def _jsonl(lines: _Lines) -> Iterator[Record]:
    for line in lines:
        if not line.strip():
            continue
        if lines.too_long:
            yield Record(lines.number, None, "the line is longer than 32 million characters")
        elif problem := bad_bytes(line):
            yield Record(lines.number, None, f"the line is {problem}")
        else:
            yield _json_record(line, lines.number)


def _json_record(line: str, number: int) -> Record:
    try:
        data = json.loads(line)
    except ValueError as error:
        cut = "" if line.endswith("\n") else "; the file ends here, it may be cut off"
        what = (
            f"{error.msg.removesuffix(' at')}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else str(error)
        )
        return Record(number, None, f"this is no JSON ({what}){cut}")
    except RecursionError:
        return Record(number, None, "the JSON is nested too deeply")
    if not isinstance(data, dict):
        return Record(number, None, "this is no JSON object ({…})")
    return Record(number, data)


def _json(lines: _Lines) -> Iterator[Record]:
    """Read one array of objects piece by piece: a file cut in the middle still gives its whole entries."""
    decoder = json.JSONDecoder()
    buffer, line = lines.read(PEEK).lstrip()[1:], 1
    while True:
        stripped = buffer.lstrip(" \t\r\n,")
        line += buffer[: len(buffer) - len(stripped)].count("\n")
        buffer = stripped
        if buffer.startswith("]"):
            return
        try:
            data, end = decoder.raw_decode(buffer) if buffer else (None, 0)
        except RecursionError:
            yield Record(line, None, "the JSON cannot be read from here on (it is nested too deeply)")
            return
        except ValueError as error:
            data, end, problem = None, 0, str(error)
        else:
            problem = "the array is not closed"
        # an entry that ends with the buffer may go on behind it: 12 of 123
        if not end or end == len(buffer):
            more = lines.read(max(PEEK, len(buffer)))
            if more and len(buffer) < _MAX_LINE:
                buffer += more
                continue
        if not end:
            yield Record(line, None, f"the JSON cannot be read from here on ({problem})")
            return
        entry = buffer[:end]
        if wrong := bad_bytes(entry):
            yield Record(line, None, f"the entry is {wrong}")
        elif isinstance(data, dict):
            yield Record(line, data)
        else:
            yield Record(line, None, "the entry is no JSON object ({…})")
        line += entry.count("\n")
        buffer = buffer[end:]


def _xml(lines: _Lines) -> Iterator[Record]:
    """Yield every element <Problem> as a dict of its attributes and its children's texts."""
    parser = expat.ParserCreate()
    done: list[Record] = []
    current: dict[str, Any] | None = None
    start_line, text = 0, ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal current, start_line, text
        text = ""
        if name == "Problem":
            current, start_line = dict(attributes), parser.CurrentLineNumber

    def end(name: str) -> None:
        nonlocal current
        if name == "Problem" and current is not None:
            done.append(Record(start_line, current))
            current = None
        elif current is not None:
            current[name] = text.strip()

    def characters(data: str) -> None:
        nonlocal text
        text += data

    def refuse_entity(*_: object) -> None:
        raise ValueError("entity declarations are not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = characters, refuse_entity
    problem, where = "", 0
    while True:
        piece = lines.read(PEEK)
        try:
            # the text is decoded already, whatever encoding the file says it has
            parser.Parse(
                re.sub(r"(<\?xml[^>]*?)\sencoding=[\"'][^\"']*[\"']", r"\1", piece, count=1), not piece
            )
        except expat.ExpatError as error:
            what = expat.errors.messages[error.code]
            problem = f"the XML cannot be read from here on ({what}, column {error.offset + 1})"
            where = error.lineno
        except (ValueError, UnicodeError) as error:
            problem = f"the XML cannot be read from here on ({bad_bytes(piece) or error})"
            where = parser.CurrentLineNumber
        yield from done
        done.clear()
        if problem:
            yield Record(where, None, problem)
        if problem or not piece:
            return


def _csv(lines: _Lines) -> Iterator[Record]:
    """Read a table with a header; comma, semicolon or tab, whichever the header holds most of."""
    header_line = next(lines)
    delimiter = max(",;\t", key=header_line.count)
    header = next(csv.reader([header_line], delimiter=delimiter))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = lines.number + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(first, None, _csv_problem(str(error)))
            continue
        if not values:
            continue
        if lines.number - first >= _MAX_CSV_LINES:
            yield Record(first, None, "a quote is not closed: the record runs over hundreds of lines")
        elif len(values) != len(header):
            yield Record(first, None, f"there are {len(values)} values for {len(header)} columns")
        elif problem := bad_bytes("\n".join(values)):
            yield Record(first, None, f"the record is {problem}")
        else:
            yield Record(first, dict(zip(header, values, strict=True)))


def _csv_problem(said: str) -> str:
    """Return what the csv module says in words about the file."""
    if said == "unexpected end of data":
        return "a quote is not closed: the record runs to the end of the file"
    if said.startswith("field larger"):
        return f"a quote is not closed, or a value is longer than {csv.field_size_limit():,} characters"
    return f"the CSV record cannot be read ({said})"


def _parquet(table: ParquetRows) -> Iterator[Record]:
    for number, row in enumerate(table.rows(), 1):
        yield Record(number, None, row) if isinstance(row, str) else Record(number, row)
