"""Published figures: only what a source gives, everything else is not available."""

from __future__ import annotations

from training_backend.evaluation.published import (
    AVERAGE,
    KPDD_BENCHMARKS,
    NEIGHBOURS,
    NOT_AVAILABLE,
    neighbours,
    published,
)
from training_backend.methods import METHODS


def test_two_cells_of_the_papers_are_known_and_no_other():
    cells = {(m, b): published(m, b) for m in METHODS for b in (*KPDD_BENCHMARKS, AVERAGE)}
    known = {cell: figure.percent for cell, figure in cells.items() if figure.percent is not None}
    assert known == {("kpdd-cot", AVERAGE): 24.71, ("kpdd-pot", AVERAGE): 63.83}
    assert all(cells[cell].source for cell in known)
    assert {figure.text for cell, figure in cells.items() if cell not in known} == {NOT_AVAILABLE}
    assert len(cells) == len(METHODS) * 5


def test_neighbours_have_a_source_each():
    assert len(neighbours("gsm8k")) == len(NEIGHBOURS) == 8
    assert all(figure.source and figure.certainty == "public" for figure in NEIGHBOURS)
    assert neighbours("svamp") == []
    assert neighbours("gsm8k")[-1].text == "36.4 to 49.6"
