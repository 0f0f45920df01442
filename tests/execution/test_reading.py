"""Encoding an answer by exact type, reading a number from it, and decoding frames strictly."""

from __future__ import annotations

import datetime
import json
import struct
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from training_backend.execution.channel import frame
from training_backend.execution.encoder import MAX_ITEMS, MAX_NODES, Encoder
from training_backend.execution.frames import (
    EndFrame,
    FrameReader,
    ProtocolError,
    StepsFrame,
    Value,
    as_record,
)
from training_backend.execution.reading import read_value


def read(value):
    return read_value(msgspec.convert(json.loads(json.dumps(Encoder().encode(value))), Value))


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (3, 3, "3"),
        (-2.5, -2.5, "-2.5"),
        (True, 1, "True"),
        (Fraction(2, 3), 2 / 3, "2/3"),
        (Decimal("1.10"), 1.1, "1.10"),
        ("$1,200", 1200, "$1,200"),
        (" 7 ", 7, " 7 "),
        ("3/4", 0.75, "3/4"),
        ([[4]], 4, "[[4]]"),
        ({5}, 5, "{5}"),
        (2 + 0j, 2, "(2+0j)"),
        ("about 6 people", 6, "about 6 people"),
        (10**30, 1e30, str(10**30)),
    ],
)
def test_a_number_is_read(value, number, text):
    found = read(value)
    assert found.value == pytest.approx(number)
    assert found.text == text
    assert found.rule and not found.reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "none"),
        ([1, 2], "2 elements"),
        ("no", "no numbers"),
        ("1 or 2", "2 numbers"),
        (float("nan"), "nan"),
        (10**400, "too large"),
        (Decimal("NaN"), "finite"),
        (Decimal("sNaN"), ""),
        (1j, "complex"),
        (b"5", "bytes"),
        (datetime.date(2020, 1, 1), "date"),
        (datetime.timedelta(1), "duration"),
        (range(3), "range"),
        (object(), "object"),
        (Fraction(10**400, 1), "too large"),
        ("9" * 500, ""),
    ],
)
def test_what_is_no_number_has_a_reason(value, reason):
    found = read(value)
    assert found.value is None
    assert reason in found.reason and found.reason


def test_encoding_is_bounded_in_depth_items_and_nodes():
    wide = Encoder().encode(list(range(10_000)))
    assert (wide["n"], len(wide["items"])) == (10_000, MAX_ITEMS)
    nested: list = []
    for _ in range(30):
        nested = [nested] * 10
    assert len(json.dumps(Encoder().encode(nested))) < 100 * MAX_NODES
    loop: list = []
    loop.append(loop)
    assert "items" in Encoder().encode(loop)


def test_a_subclass_of_a_number_is_no_number():
    class Lies(int):
        def __str__(self):
            raise AssertionError("called")

    assert Encoder().encode(Lies(3)) == {"k": "other", "v": "Lies"}


def test_a_class_that_says_it_is_of_numpy_is_not_believed():
    class Fake:
        __module__ = "numpy"

        def item(self):
            raise AssertionError("called")

    assert Encoder().encode(Fake())["k"] == "other"


def test_numpy_and_sympy_values():
    import numpy as np
    import sympy

    assert read(np.int64(3)).value == 3 and "NumPy (int64)" in read(np.int64(3)).rule
    assert read(np.bool_(True)).value == 1
    assert read(np.float64("nan")).value is None
    assert read(np.array([[2.5]])).value == 2.5
    assert read(np.array([object()])).value is None
    assert read(sympy.Integer(4)).value == 4
    assert read(sympy.pi / 2).value == pytest.approx(1.5707963)
    assert read(sympy.Symbol("x") + 1).value is None
    assert read(sympy.true).value == 1
    assert read(sympy.oo).value is None
    assert len(read(sympy.Integer(10) ** 100_000).text) < 100


def test_frames_are_cut_wherever_the_bytes_are_cut():
    message = json.dumps({"t": "end", "status": "no_answer"}).encode()
    stream = frame(b'{"t":"out","s":"a"}') + frame(message)
    reader = FrameReader(10_000)
    frames = [found for n in range(len(stream)) for found in reader.feed(stream[n : n + 1])]
    assert len(frames) == 2 and isinstance(frames[1], EndFrame)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"t":"end"}',
        b'{"t":"end","status":"correct"}',
        b'{"t":"end","status":"ok","x":1}',
        b"[1]",
        b"\xff\xfe",
        b'{"t":"end","status":"ok","answer":{"k":"int","v":5}}',
        b'{"t":"out","s":null}',
        b'{"t":"cut","n":"1","what":"steps"}',
        b'{"t":"end","status":"ok","answer":{"k":"list","items":' + b'[{"k":"list","items":' * 3000,
        b'{"t":"steps","r":[{"n":1,"ev":"jump","f":0,"depth":0,"ln":1}]}',
    ],
)
def test_a_wrong_frame_is_a_protocol_error(data):
    with pytest.raises(ProtocolError):
        FrameReader(1 << 20).feed(frame(data))


def test_sizes_are_counted():
    with pytest.raises(ProtocolError, match="too long"):
        FrameReader(1 << 30).feed(struct.pack(">I", 1 << 31))
    with pytest.raises(ProtocolError, match="more came back"):
        FrameReader(100).feed(b"\0" * 101)


def test_a_record_holds_only_what_its_event_has():
    (found,) = FrameReader(1 << 20).feed(
        frame(
            b'{"t":"steps","r":[{"n":1,"ev":"line","f":0,"depth":0,"ln":3,"ch":{"x":["1","int"],"y":null}}]}'
        )
    )
    assert isinstance(found, StepsFrame)
    assert as_record(found.r[0]) == {
        "n": 1,
        "ev": "line",
        "f": 0,
        "depth": 0,
        "ln": 3,
        "nx": None,
        "ch": {"x": ["1", "int"], "y": None},
    }
