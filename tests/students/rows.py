"""Training rows of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What a training row must have."""

    row_id: int
    question_id: int
    question: str
    gold_value: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str


def make_rows(count: int = 8, kind: str = "pot") -> list[Row]:
    """Return rows with programs of several lines, indentation and signs that T5 cannot spell."""
    rows = []
    for n in range(count):
        a, b = n + 2, 2 * n + 3
        rows.append(
            Row(
                n,
                n,
                f"Tom has {a} boxes of {b} pens each. How many pens?",
                float(a * b),
                "How many pens has Tom?",
                (f"{a} boxes", f"{b} pens each"),
                kind,
                f"boxes = {a}\nif boxes < 99:\n    ans = boxes * {b}"
                if kind == "pot"
                else f"{a} * {b} = {a * b}. The answer is {a * b}.",
            )
        )
    return rows
