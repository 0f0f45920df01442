"""The list of rows that a window paints: id vectors, pages and facet counts, read with raw sqlite3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FACETS = ("verdict", "review", "kind", "dataset", "split", "path", "changed", "flagged")
REVIEWS = ("unreviewed", "accepted", "rejected")
SORTS = (
    "id", "question_id", "dataset", "split", "kind", "path", "verdict", "review", "flagged", "changed",
    "question", "core_question", "rationale", "answer_text", "gold_text",
)  # fmt: skip


@dataclass(frozen=True)
class RowFilter:
    """Which rows, in which order: values wanted per facet (of FACETS), words to find, a column of SORTS.

    Values of one facet are alternatives, facets are joined by "and". `changed` and `flagged` hold 0 or 1.
    """

    facets: Mapping[str, frozenset] = field(default_factory=dict)
    search: str = ""
    sort: str = "id"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListRow:
    """One line of the list; its texts are snippets on one line. `verdict` is a state of rationale.judgement."""

    id: int
    question_id: int
    dataset: str
    split: str
    kind: str
    path: int
    verdict: str
    review: str
    flagged: bool
    changed: bool
    question: str
    core_question: str
    rationale: str
    answer_text: str
    gold_text: str
