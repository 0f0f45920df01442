"""One answer out of several kinds of rationale for the same question: the ways there are, side by side.

How ETD (arXiv 2401.11864) combines its kinds is not known here, so every way is counted on the same texts:
each kind alone, the next kind only where one gave no answer, the answer of most kinds, and, as the bound that
no way passes, any kind that is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from training_backend.methods import KINDS
from training_backend.rationale.answers import equal

# the answer of each kind to one question; None where there is none
Answers = Mapping[str, float | None]
# in this order kinds without a majority are tried behind the preferred one
_TIE = ("pot", "cot", "eot")


def ways(kinds: Sequence[str]) -> dict[str, Callable[[Answers], float | None]]:
    """Return the ways to combine answers of `kinds`, by their titles; the upper bound is not among them."""
    found: dict[str, Callable[[Answers], float | None]] = {
        KINDS[kind]: partial(_first, order=(kind,)) for kind in kinds
    }
    for order in (("pot", "eot", "cot"), ("eot", "pot", "cot")):
        used = [kind for kind in order if kind in kinds]
        title = ", else ".join(KINDS[kind] for kind in used)
        found[title] = partial(_first, order=used)
    if len(kinds) > 2:
        for kind in ("pot", "cot"):
            found[f"most kinds, else {KINDS[kind]}"] = partial(_most, preferred=kind)
    return found


def right_by_way(
    answers: Sequence[Answers], gold: Sequence[float | None], kinds: Sequence[str]
) -> dict[str, int]:
    """Return how many questions each way answers rightly; the last is the upper bound."""
    counts = {
        title: sum(equal(way(each), wanted) for each, wanted in zip(answers, gold, strict=True))
        for title, way in ways(kinds).items()
    }
    counts["any kind (upper bound)"] = sum(
        any(equal(value, wanted) for value in each.values())
        for each, wanted in zip(answers, gold, strict=True)
    )
    return counts


def _first(answers: Answers, order: Sequence[str]) -> float | None:
    return next((value for kind in order if (value := answers.get(kind)) is not None), None)


def _most(answers: Answers, preferred: str) -> float | None:
    """Return the answer that two kinds share, else the preferred kind's, else that of the next."""
    given = [value for value in answers.values() if value is not None]
    for value in given:
        if sum(equal(other, value) for other in given) > 1:
            return value
    return _first(answers, [preferred, *_TIE])
