"""Telling from its first bytes what a file is, and giving it as text: gzip, UTF-8, UTF-16, what XML says."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from pathlib import Path
from typing import IO, Any

from training_backend.errors import DatasetError

PEEK = 64 * 1024
PARQUET_MARK = b"PAR1"
_PROJECT_MARK = b"SQLite format 3\x00"
# (first bytes, what the file is, what to do)
_OTHERS = (
    (b"PK\x03\x04", "a zip archive or an Office file", "Unpack it, or save the table as CSV."),
    (b"\x1f\x9d", "compressed with compress", "Unpack it first."),
    (b"BZh", "compressed with bzip2", "Unpack it first, or compress it with gzip."),
    (b"\xfd7zXZ\x00", "compressed with xz", "Unpack it first, or compress it with gzip."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first, or compress it with gzip."),
    (b"%PDF", "a PDF", "Choose a JSONL, JSON, XML, CSV or Parquet file."),
    (_PROJECT_MARK, "an SQLite database", "Another project is merged with: kpdd import PROJECT OTHER.kpdd"),
)  # fmt: skip


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading; DatasetError says why that does not go."""
    if path.is_dir():
        raise DatasetError("The file cannot be read: it is a folder.", "Choose a file in it.", str(path))
    try:
        return path.open("rb")
    except OSError as error:
        hint = "Check its permissions." if isinstance(error, PermissionError) else "Check its name."
        raise DatasetError(f"The file cannot be read: {error.strerror}.", hint, str(path)) from error


def is_parquet(raw: IO[bytes]) -> bool:
    """Tell whether an open file begins as Parquet does; it stands at its start afterwards."""
    start = raw.read(len(PARQUET_MARK))
    raw.seek(0)
    return start == PARQUET_MARK


def is_database(path: Path) -> bool:
    """Tell whether a file is an SQLite database, such as another project."""
    try:
        with path.open("rb") as raw:
            return raw.read(len(_PROJECT_MARK)) == _PROJECT_MARK
    except OSError:
        return False


def as_text(raw: IO[bytes], name: str) -> IO[str]:
    """Return an open file as text: gzip by its mark, UTF-16 by its mark or its zeros, else UTF-8.

    Bytes that are no UTF-8 become surrogates, so that one bad line does not spoil the others. An XML file
    is read in the encoding that it names. DatasetError where the file is of a kind that is not read.
    """
    binary: Any = raw
    if _starts_with(raw, b"\x1f\x8b"):
        binary = gzip.GzipFile(fileobj=raw)
    buffered = io.BufferedReader(binary, PEEK)
    start = buffered.peek(PEEK)
    for mark, what, hint in _OTHERS:
        if start.startswith(mark):
            raise DatasetError(f"The file is {what}.", hint)
    encoding, errors = _encoding(start)
    if encoding.startswith("utf-8") and b"\x00" in start[:1000]:
        gz = " It is named .gz but is not compressed with gzip." if name.lower().endswith(".gz") and (
            binary is raw) else ""  # fmt: skip
        raise DatasetError(f"The file is no text.{gz}", "Choose a JSONL, JSON, XML, CSV or Parquet file.")
    return io.TextIOWrapper(buffered, encoding=encoding, errors=errors, newline="")


def _starts_with(raw: IO[bytes], mark: bytes) -> bool:
    start = raw.read(len(mark))
    raw.seek(0)
    return start == mark


def _encoding(start: bytes) -> tuple[str, str]:
    """Return the encoding of a text that begins so, and what Python does with bytes that do not fit."""
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16", "surrogatepass"
    # without a mark: every other byte of mostly Latin letters is zero
    pairs = min(len(start), 200) // 2
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[first : 2 * pairs : 2].count(0)
        if pairs >= 2 and zeros > pairs * 0.7 and not start[1 - first : 2 * pairs : 2].count(0):
            return encoding, "surrogatepass"
    named = re.match(rb"\s*<\?xml[^>]*?\sencoding=[\"']([\w.-]+)", start.removeprefix(codecs.BOM_UTF8))
    if named:
        try:
            name = codecs.lookup(named.group(1).decode("ascii")).name
        except LookupError:
            name = "utf-8"
        if not name.startswith(("utf-8", "utf-16", "utf-32", "ascii")):
            return name, "replace"
    return "utf-8-sig", "surrogateescape"


def bad_bytes(text: str) -> str:
    """Return why a text is not what its file's encoding allows, or "" where it is all right."""
    if text.isascii():
        return ""
    found = re.search("[\ud800-\udfff]", text)
    if found is None:
        return ""
    number = ord(found.group())
    if 0xDC80 <= number <= 0xDCFF:
        return (
            f"not UTF-8 text (byte {number - 0xDC00:02X} at character {found.start() + 1}; "
            "if it is Latin-1, save the file as UTF-8)"
        )
    return f"not UTF-16 text (half of a character at character {found.start() + 1})"
