"""What is odd about the rows of one question, in words: the rules behind the flags, without a database.

A rule looks at the texts as they stand and at the answers that were read; each sentence names what it saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from training_backend.project.near_questions import Near
from training_backend.rationale.answers import equal, format_number
from training_backend.rationale.leaks import Leaks, QuestionNumbers, find_leaks, numbers_of
from training_backend.rationale.normal_form import normal_form, rough_form

_KINDS = {"pot": "the program", "cot": "the chain of thought", "eot": "the equations"}
_QUOTED_CHARS = 100


@dataclass(frozen=True, slots=True)
class RowTexts:
    """One row as it stands; `answer` is None where none was read, `key_points_id` 0 where it has none."""

    row_id: int
    question_id: int
    question: str
    gold_value: float | None
    kind: str
    path: int
    origin_id: int
    answer: float | None
    key_points_id: int
    core_question: str
    information: tuple[str, ...]
    rationale: str


# why a row does not fit the chosen student; empty: it fits
Fit = Callable[[RowTexts], str]
# row id → flag → why
Found = dict[int, dict[str, str]]


def find_flags(rows: Sequence[RowTexts], near: Near | None = None, fit: Fit | None = None) -> Found:
    """Return the flags of all rows of one question, with a sentence each; rows without any are left out.

    `near` is the benchmark question that this one nearly repeats.
    """
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for rule in (_key_points, _answers, _duplicates):
        for row_id, flag, why in rule(rows):
            found[row_id].setdefault(flag, why)
    if near is not None:
        for row in rows:
            found[row.row_id]["near_benchmark"] = _say_near(near)
    if fit is not None:
        for row in rows:
            if why := fit(row):
                found[row.row_id]["unfit_for_student"] = why
    return dict(found)


_Finding = tuple[int, str, str]


def _key_points(rows: Sequence[RowTexts]) -> Iterator[_Finding]:
    numbers: QuestionNumbers | None = None
    known: dict[int, Leaks] = {}
    for row in rows:
        if not row.key_points_id:
            continue
        if row.key_points_id not in known:
            numbers = numbers or numbers_of(row.question)
            known[row.key_points_id] = find_leaks(numbers, row.gold_value, row.core_question, row.information)
        leaks = known[row.key_points_id]
        if leaks.answer:
            yield row.row_id, "answer_in_key_points", leaks.answer
        if leaks.foreign:
            yield row.row_id, "foreign_number", leaks.foreign


def _answers(rows: Sequence[RowTexts]) -> Iterator[_Finding]:
    answered = [row for row in rows if row.answer is not None]
    gold = next((row.gold_value for row in rows if row.gold_value is not None), None)
    first = answered[0].answer if answered else None
    if all(row.answer == first for row in answered) and (gold is None or equal(first, gold)):
        return
    yield from _kinds(answered)
    yield from _paths(answered)
    if gold is not None:
        yield from _disputed(rows, answered, gold)


def _kinds(answered: Sequence[RowTexts]) -> Iterator[_Finding]:
    paths: defaultdict[int, list[RowTexts]] = defaultdict(list)
    for row in answered:
        paths[row.path].append(row)
    for of_path in paths.values():
        for one, other in combinations(of_path, 2):
            if one.kind != other.kind and not equal(one.answer, other.answer):
                sentence = f"{_ends(one)}, {_ends(other)}."
                why = sentence[0].upper() + sentence[1:]
                yield one.row_id, "kinds_disagree", why
                yield other.row_id, "kinds_disagree", why


def _paths(answered: Sequence[RowTexts]) -> Iterator[_Finding]:
    """Find rows whose answer most paths do not share; at a tie those of both sides."""
    for row in answered:
        others = [other for other in answered if _is_other_path(row, other)]
        differing = [other for other in others if not equal(other.answer, row.answer)]
        if differing and 2 * (1 + len(others) - len(differing)) <= 1 + len(others):
            values = sorted({format_number(other.answer or 0.0) for other in differing})
            shown = ", ".join(values[:4]) + (", …" if len(values) > 4 else "")
            of = f"{len(differing)} of {len(others)} other {'path' if len(others) == 1 else 'paths'}"
            why = f"This path ends on {format_number(row.answer or 0.0)}; {of} on {shown}."
            yield row.row_id, "paths_disagree", why


def _is_other_path(row: RowTexts, other: RowTexts) -> bool:
    return row.path != other.path or (
        row.row_id != other.row_id and row.kind == other.kind and row.origin_id != other.origin_id
    )


def _disputed(rows: Sequence[RowTexts], answered: Sequence[RowTexts], gold: float) -> Iterator[_Finding]:
    if any(equal(row.answer, gold) for row in answered):
        return
    best: list[RowTexts] = []
    for row in answered:
        # the same text twice is one opinion
        agreeing = {
            (other.kind, normal_form(other.kind, other.rationale)): other
            for other in answered
            if equal(other.answer, row.answer)
        }
        if len(agreeing) > len(best):
            best = list(agreeing.values())
    if len(best) < 2:
        return
    names = ", ".join(f"{other.kind} {other.path + 1}" for other in best[:4])
    why = (
        f"{len(best)} answers ({names}{', …' if len(best) > 4 else ''}) agree on "
        f"{format_number(best[0].answer or 0.0)}; gold is {format_number(gold)}, and no answer equals it."
    )
    for row in rows:
        yield row.row_id, "gold_disputed", why


def _duplicates(rows: Sequence[RowTexts]) -> Iterator[_Finding]:
    kinds: defaultdict[str, list[RowTexts]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.path, row.row_id)):
        if row.rationale.strip():
            kinds[row.kind].append(row)
    for kind, of_kind in kinds.items():
        for group in _alike(kind, of_kind):
            first: dict[str, RowTexts] = {}
            for row in group:
                same = first.setdefault(normal_form(kind, row.rationale), row)
                if same is not row:
                    up_to = "spacing and case" if kind == "cot" else "names, spacing and comments"
                    why = f"The same as path {same.path + 1} (row {same.row_id}) up to {up_to}."
                    yield row.row_id, "duplicate_path", why


def _alike(kind: str, rows: list[RowTexts]) -> Iterator[list[RowTexts]]:
    """Part rows that cannot be the same, cheaply; what remains alone needs no closer look."""
    if len(rows) < 2:
        return
    groups: defaultdict[str, list[RowTexts]] = defaultdict(list)
    for row in rows:
        groups[rough_form(kind, row.rationale)].append(row)
    if "" in groups:
        yield rows
    else:
        yield from (group for group in groups.values() if len(group) > 1)


def _ends(row: RowTexts) -> str:
    return f"{_KINDS.get(row.kind, row.kind)} ends on {format_number(row.answer or 0.0)}"


def _say_near(near: Near) -> str:
    text = " ".join(near.question.text.split())
    text = text if len(text) <= _QUOTED_CHARS else text[: _QUOTED_CHARS - 1].rstrip() + "…"
    how = "word for word" if near.similarity == 100 else f"{near.similarity:.0f} % alike"
    how += ", only numbers differ" if near.only_numbers else ""
    return f"The question repeats {near.question.name} ({how}): “{text}”"
