"""The parent's end of a child's socket: frames are decoded strictly, and anything else ends the job.

Nothing a child sends is trusted: sizes are counted, types and words come from closed sets, depth is bounded.
"""

from __future__ import annotations

import re
import struct
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

_LENGTH = struct.Struct(">I")
_MAX_FRAME = 1 << 20
# as deep as the encoder goes, and one more
_MAX_DEPTH = 6
# What stands for a number becomes one in this process, so its form is checked first: `1e99999999` as a
# fraction would be computed for hours.
_FORMS = {
    "int": re.compile(r"-?[0-9]{1,4300}|an integer of [a-z0-9, ]+"),
    "fraction": re.compile(r"-?[0-9]{1,4300}/[0-9]{1,4300}|.*an integer of [a-z0-9, /-]+"),
    "bool": re.compile("True|False"),
}

Text = Annotated[str, Meta(max_length=20_000)]
Name = Annotated[str, Meta(max_length=200)]


class Value(Struct, forbid_unknown_fields=True):
    """One encoded value (`encoder.Encoder.encode`)."""

    k: Literal[
        "int", "float", "bool", "none", "str", "bytes", "complex", "list", "tuple", "set", "dict", "fraction",
        "decimal", "date", "duration", "range", "ndarray", "sympy", "other",
    ]  # fmt: skip
    v: Text = ""
    n: int = 0
    items: Annotated[list[Value], Meta(max_length=200)] = []
    x: Name = ""
    dtype: Name = ""


class ErrorInfo(Struct, forbid_unknown_fields=True):
    """What was raised, and the program's last line in it."""

    type: Name
    message: Text = ""
    line: int | None = None


class ReadyFrame(Struct, tag_field="t", tag="ready", forbid_unknown_fields=True):
    """The libraries are loaded and the program is read next (reduced path only)."""


class OutFrame(Struct, tag_field="t", tag="out", forbid_unknown_fields=True):
    """A part of what was printed."""

    s: Annotated[str, Meta(max_length=300_000)]


class Step(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One trace record (`trace.py`)."""

    n: int
    ev: Literal["line", "call", "return", "exc"]
    f: int
    depth: int
    ln: int | None
    nx: int | None = None
    ch: dict[Name, list[Text] | None] = {}
    rv: Text | None = None
    ex: list[Text] | None = None
    o: Annotated[str, Meta(max_length=300_000)] = ""
    fn: Name | None = None


class StepsFrame(Struct, tag_field="t", tag="steps", forbid_unknown_fields=True):
    """Trace records, in order."""

    r: Annotated[list[Step], Meta(max_length=1000)]


class CutFrame(Struct, tag_field="t", tag="cut", forbid_unknown_fields=True):
    """Recording stopped after `n` records; the program runs on."""

    n: int
    what: Literal["steps", "bytes"]


class EndFrame(Struct, tag_field="t", tag="end", forbid_unknown_fields=True):
    """The child's own account of how the job ended; the launcher's report stands above it."""

    status: Literal["ok", "no_answer", "error", "syntax", "refused", "memory", "output_limit", "needs_sympy",
                    "skip"]  # fmt: skip
    answer: Value | None = None
    taken_from: Name = ""
    given: Annotated[list[Name], Meta(max_length=50)] = []
    error: ErrorInfo | None = None
    reason: Text = ""
    line: int | None = None
    stdout: Annotated[str, Meta(max_length=300_000)] = ""
    stdout_cut: bool = False
    printed: int = 0
    # how long it took by the child's own clock, only in a batch
    ms: Annotated[float, Meta(ge=0, le=1e9)] = 0.0


Frame = ReadyFrame | OutFrame | StepsFrame | CutFrame | EndFrame
_decoder = msgspec.json.Decoder(Frame)


class ProtocolError(Exception):
    """The child sent what no child sends."""


class FrameReader:
    """Cuts a byte stream into frames; ProtocolError at the first wrong byte or past `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        """Take at most `max_bytes` bytes in all."""
        self._buffer = bytearray()
        self._room = max_bytes

    def feed(self, data: bytes) -> list[Frame]:
        """Add bytes; return the frames that are complete now."""
        self._room -= len(data)
        if self._room < 0:
            raise ProtocolError("more came back than one program may give")
        self._buffer += data
        frames = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > _MAX_FRAME:
                raise ProtocolError("a frame is too long")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frames.append(_decoded(bytes(self._buffer[_LENGTH.size : end])))
            del self._buffer[:end]
        return frames


def _decoded(data: bytes) -> Frame:
    try:
        decoded = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise ProtocolError(f"a frame cannot be read: {str(error)[:200]}") from None
    if isinstance(decoded, EndFrame) and decoded.answer is not None:
        _check_value(decoded.answer)
    return decoded


def _check_value(value: Value, depth: int = 0) -> None:
    """Raise ProtocolError for an answer deeper than any, or a number in a form that no child writes."""
    if depth > _MAX_DEPTH:
        raise ProtocolError("an answer is nested too deeply")
    form = _FORMS.get(value.k)
    if form is not None and not form.fullmatch(value.v):
        raise ProtocolError(f"what came as {value.k} is none")
    for item in value.items:
        _check_value(item, depth + 1)


def as_record(step: Step) -> dict[str, Any]:
    """Return a trace record as the plain dict that windows and files use."""
    record: dict[str, Any] = {"n": step.n, "ev": step.ev, "f": step.f, "depth": step.depth, "ln": step.ln,
                              "nx": step.nx, "ch": step.ch}  # fmt: skip
    for name in ("rv", "ex", "fn"):
        if (value := getattr(step, name)) is not None:
            record[name] = value
    if step.o:
        record["o"] = step.o
    return record
