"""Ways to combine kinds: each on small answers, and all on recorded ones beside known figures."""

from __future__ import annotations

import gzip
import json

import pytest

from training_backend.evaluation.combining import right_by_way, ways

KINDS = ("cot", "pot", "eot")
MOST_POT, MOST_COT = "most kinds, else program", "most kinds, else chain of thought"
POT_FIRST = "program, else equations, else chain of thought"
EOT_FIRST = "equations, else program, else chain of thought"


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({"cot": 1.0, "pot": 2.0, "eot": 3.0}, {POT_FIRST: 2, EOT_FIRST: 3, MOST_POT: 2, MOST_COT: 1}),
        ({"cot": 1.0, "pot": 2.0, "eot": 1.0}, {POT_FIRST: 2, EOT_FIRST: 1, MOST_POT: 1, MOST_COT: 1}),
        ({"cot": 1.0, "pot": None, "eot": 3.0}, {POT_FIRST: 3, EOT_FIRST: 3, MOST_POT: 1, MOST_COT: 1}),
        ({"cot": None, "pot": None, "eot": 3.0}, {POT_FIRST: 3, EOT_FIRST: 3, MOST_POT: 3, MOST_COT: 3}),
        ({"cot": 2.0004, "pot": 2.0, "eot": 5.0}, {POT_FIRST: 2, EOT_FIRST: 5, MOST_COT: 2.0004}),
        ({"cot": None, "pot": None, "eot": None}, {POT_FIRST: None, MOST_POT: None, "program": None}),
    ],
)
def test_each_way(answers, wanted):
    found = ways(KINDS)
    assert {title: found[title](answers) for title in wanted} == wanted


def test_a_student_of_two_kinds_has_no_majority():
    assert list(ways(("pot", "cot"))) == ["program", "chain of thought", "program, else chain of thought"]


def test_questions_without_gold_count_nowhere():
    assert set(right_by_way([{"pot": 1.0}], [None], KINDS).values()) == {0}


def test_recorded_answers_give_the_known_figures(shared_data):
    folder = shared_data / "restricted" / "xot"
    if not folder.is_dir():
        pytest.skip(f"no recorded kinds at {folder}")
    answers: list[dict] = [{} for _ in range(1319)]
    gold: list[float | None] = [None] * 1319
    for kind in KINDS:
        with gzip.open(folder / f"gsm8k_test_{kind}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                gold[row["id"]] = float(row["inst/gold_answer"])
                answers[row["id"]][kind] = number(row[f"reason/{kind}/ans"])
    right = right_by_way(answers, gold, KINDS)
    print({title: round(100 * count / 1319, 1) for title, count in right.items()})
    known = {"chain of thought": 80.0, "program": 77.4, "equations": 64.0, EOT_FIRST: 81.0, POT_FIRST: 79.1,
             MOST_POT: 83.3, MOST_COT: 84.6, "any kind (upper bound)": 92.3}  # fmt: skip
    assert {title: 100 * right[title] / 1319 for title in known} == pytest.approx(known, abs=0.5)


def number(value) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
