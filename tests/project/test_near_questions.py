"""Near-duplicates are found by their words, and what only begins alike is not."""

from __future__ import annotations

import gzip
import json

import pytest

from training_backend.project.near_questions import BenchmarkQuestion, NearIndex, digest_of

TEXTS = [
    "Lea sells 48 clips in April and half as many in May. How many clips does she sell?",
    "A train goes 60 miles in an hour. How far does it go in 3 hours?",
    "How many?",
]


@pytest.fixture
def index():
    return NearIndex(BenchmarkQuestion(n, f"q{n}", text) for n, text in enumerate(TEXTS))


@pytest.mark.parametrize(
    ("text", "found", "at_least", "numbers"),
    [
        (TEXTS[0], 0, 100, False),
        (
            "lea sells 48.0 clips in April , and half as many in May .  How many clips does she sell ?",
            0,
            100,
            False,
        ),
        ("Lea sells 52 clips in April and half as many in May. How many clips does she sell?", 0, 95, True),
        ("Tom sells 48 clips in April and half as many in May. How many clips does he sell?", 0, 88, False),
        ("how many", 2, 100, False),
    ],
)
def test_near_questions_are_found(index, text, found, at_least, numbers):
    near = index.nearest(text)
    assert near is not None and near.question.id == found
    assert near.similarity >= at_least and near.only_numbers == numbers


@pytest.mark.parametrize(
    "text",
    ["", "…", "Lea sells 48 clips in April and her sister twice as many dresses. What do they earn together?",
     "A train goes 60 miles in an hour. Another one leaves at noon; when do they meet?"],
)  # fmt: skip
def test_others_are_not(index, text):
    assert index.nearest(text) is None


def test_a_set_is_told_by_its_questions_not_by_their_order():
    questions = [BenchmarkQuestion(n, f"q{n}", text) for n, text in enumerate(TEXTS)]
    assert digest_of(questions) == digest_of(questions[::-1])
    assert len({digest_of(questions), digest_of(questions[:2]), digest_of(())}) == 3


def test_recorded_training_questions_that_stand_in_a_benchmark_are_all_found(shared_data):
    file = shared_data / "teacher" / "mwp_reft" / "svamp_nl.json.gz"
    if not file.is_file():
        pytest.skip(f"no {file}")
    training = [line["question"] for line in json.loads(gzip.decompress(file.read_bytes()))]
    made = json.loads((shared_data / "multiarith" / "MultiArith.json").read_text(encoding="utf-8"))
    index = NearIndex(BenchmarkQuestion(n, "", line["sQuestion"]) for n, line in enumerate(made))
    found = [near for near in map(index.nearest, training) if near is not None]
    assert len(training) == 3076 and sum(near.similarity == 100 for near in found) >= 628
    assert len(found) < 750
