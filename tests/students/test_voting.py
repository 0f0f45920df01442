"""Votes of several paths: who wins, ties, paths without an answer."""

from __future__ import annotations

import pytest

from training_backend.rationale.judgement import Judgement
from training_backend.students.solution import Solution
from training_backend.students.voting import candidates_data, path_data, vote, vote_text


def paths(*values):
    return [
        Solution("q", None, "", ("a",), "pot", "ans = 1", Judgement("no_gold", "ok", str(value), value))
        for value in values
    ]


@pytest.mark.parametrize(
    ("values", "winner", "votes", "text"),
    [((3.0, 5.0, 5.0), 5.0, 2, "5: 2 of 3 paths · 3: 1"),
     # equally many votes: the answer given first
     ((7.0, 3.0, 3.0, 7.0, None), 7.0, 2, "7: 2 of 5 paths · 3: 2 · no answer: 1"),
     ((None, 2.5, 2.5004), 2.5, 2, "2.5: 2 of 3 paths · no answer: 1"),
     ((None, None), None, 0, "no answer: 2 of 2 paths"), ((), None, 0, "")],
)  # fmt: skip
def test_votes(values, winner, votes, text):
    counted = vote(paths(*values))
    assert (counted.value, counted.votes, vote_text(counted)) == (winner, votes, text)
    assert sum(len(one.paths) for one in counted.candidates) + counted.silent == len(values)


def test_the_winner_is_its_first_path():
    counted = vote(paths(None, 1.0, 4.0, 4.0))
    assert counted.winner == 2 and candidates_data(counted) == [[4.0, [2, 3]], [1.0, [1]]]
    assert vote(paths(None)).winner == 0


def test_a_path_as_data():
    data = path_data(paths(2.0)[0])
    assert data["value"] == 2.0 and data["information"] == ["a"] and data["rationale"] == "ans = 1"
