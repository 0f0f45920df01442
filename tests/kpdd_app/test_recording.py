"""A recording grows with its events, and half-written key points are read as far as they go."""

from __future__ import annotations

import pytest

from kpdd_app.recording import Recording, split_key_points
from training_backend.events import Answer, Failed, Log, StageEnded, StageStarted, Token, Trace

KEY = "core question: How many? information: 1. There are 21. pens. 2. Each costs 1.5 dollars."


def grow(recording: Recording) -> None:
    recording.add(StageStarted("key", "extract key points: q"))
    for index, text in enumerate(("core question:", " How many?", " information:", " 1. a")):
        recording.add(Token("key", index, text))
    recording.add(
        StageEnded("key", "core question: How many? information: 1. a", {"core_question": "How many?"})
    )
    recording.add(StageStarted("solve", "solve"))
    recording.add(Token("solve", 0, "ans = 1"))
    recording.add(StageEnded("solve", "ans = 1", {"rationale": "ans = 1", "kind": "pot"}))
    recording.add(Trace([{"n": 1, "ev": "line", "f": 0, "ln": 1, "nx": None, "ch": {"ans": ["1", "int"]}}]))
    recording.add(Answer("ok", "1", 1.0, 1.0, True))


def test_phases_lie_side_by_side_from_the_start():
    recording = Recording("q", 1.0, "pot", ("key", "solve"))
    assert [(p.title, p.length) for p in recording.phases()] == [
        ("Key points", 0), ("Program", 0), ("Run", 0), ("Answer", 0),
    ]  # fmt: skip
    grow(recording)
    assert [(p.start, p.length) for p in recording.phases()] == [(0, 4), (4, 1), (5, 1), (6, 1)]
    assert recording.length == 7 and recording.over and recording.program == "ans = 1"


def test_other_events_change_nothing():
    recording = Recording("q", None, "pot", ("solve",))
    assert not recording.add(Log("hello"))
    assert recording.length == 0


def test_a_failure_ends_it():
    recording = Recording("q", None, "pot", ("solve",))
    recording.add(Failed("The student's folder is gone."))
    assert recording.over and recording.failure is not None


def test_pieces_that_do_not_add_up_are_shown_as_one():
    recording = Recording("q", None, "pot", ("solve",))
    recording.add(StageStarted("solve"))
    recording.add(Token("solve", 0, "▁ans"))
    recording.add(StageEnded("solve", "ans = 1"))
    assert [token.text for token in recording.stages[0].tokens] == ["ans = 1"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("core que", [("", "core que")]),
        ("core question: How", [("core question", "How")]),
        ("core question: How many? information:", [("core question", "How many?")]),
        ("core question: How many? information: 1. There", [("core question", "How many?"), ("1", "There")]),
        (
            KEY,
            [("core question", "How many?"), ("1", "There are 21. pens."), ("2", "Each costs 1.5 dollars.")],
        ),
        ("information: no numbers", [("1", "no numbers")]),
        ("pages 240 day 18", [("", "pages 240 day 18")]),
    ],
)
def test_half_written_key_points(text, parts):
    assert [(label, text[start:end]) for label, start, end in split_key_points(text)] == parts


def test_every_prefix_can_be_shown():
    for count in range(len(KEY) + 1):
        for _, start, end in split_key_points(KEY[:count]):
            assert 0 <= start <= end <= count
