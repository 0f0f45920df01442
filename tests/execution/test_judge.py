"""From rationales of the three kinds and gold to judgements."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from training_backend.execution.judge import judge, judge_many
from training_backend.execution.runner import ProgramRunner
from training_backend.rationale.judgement import STATES


@pytest.mark.parametrize(
    ("kind", "text", "gold", "state"),
    [
        ("pot", "ans = 5", 5.0, "equal"),
        ("pot", "ans = 5", 5.0009, "equal"),
        ("pot", "ans = 5", 6.0, "not_equal"),
        ("pot", "ans = 5", None, "no_gold"),
        ("pot", "x = 5", 5.0, "no_answer"),
        ("pot", "1 / 0", 5.0, "raised"),
        ("pot", "import os", 5.0, "refused"),
        ("pot", "ans = (", 5.0, "raised"),
        ("pot", "while 1: pass", 1.0, "timed_out"),
        ("eot", "ans = 2 + 3", 5.0, "equal"),
        ("eot", "ans = x", 5.0, "no_answer"),
        ("eot", "prose", 5.0, "does_not_parse"),
        ("cot", "So it is 5. The answer is 5.", 5.0, "equal"),
        ("cot", "The answer is 6.", 5.0, "not_equal"),
        ("cot", "I do not know.", 5.0, "no_answer"),
        ("cot", "It is 5.", None, "no_gold"),
    ],
)
def test_a_state_for_every_outcome(runner, kind, text, gold, state):
    judgement = judge(kind, text, gold, runner)
    assert judgement.state == state and state in STATES
    assert judgement.rule or state not in ("equal", "not_equal", "no_gold")
    assert judgement.error or state in ("equal", "not_equal", "no_gold")


def test_judge_many_gives_every_key_once(runner):
    items = [
        (n, ("cot", "pot", "eot")[n % 3], "ans = 3" if n % 3 else "The answer is 3.", 3.0) for n in range(60)
    ]
    found = dict(judge_many(iter(items), runner))
    assert len(found) == 60 and {judgement.state for judgement in found.values()} == {"equal"}


def test_texts_alone_start_no_process():
    with ProgramRunner() as own:
        assert [j.state for _, j in judge_many([(1, "cot", "It is 4.", 4.0)], own)] == ["equal"]
        assert own._pool is None


def recorded(shared_data, name):
    path = shared_data / "teacher" / "faithful_cot" / "GSM8K" / name
    if not path.is_file():
        pytest.skip(f"no recorded programs at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with (shared_data / "gsm8k" / "test.jsonl").open(encoding="utf-8") as lines:
        gold = [float(json.loads(line)["answer"].split("####")[1].replace(",", "")) for line in lines]
    return rows, gold


def as_number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def check_against_the_record(rows, gold, runner):
    """Check that the rows equal to gold are exactly those that the record says."""
    items = ((row["id"], "pot", row["completion"], gold[row["id"]]) for row in rows)
    states = {key: judgement.state for key, judgement in judge_many(items, runner)}
    wanted = {
        row["id"]
        for row in rows
        if (number := as_number(row["answer"])) is not None and abs(number - gold[row["id"]]) < 1e-3
    }
    assert {key for key, state in states.items() if state == "equal"} == wanted
    return Counter(states.values())


def test_recorded_programs_equal_gold_where_the_record_says_so(shared_data, runner):
    rows, gold = recorded(shared_data, "gpt4_NL+SL.jsonl.gz")
    count = check_against_the_record(rows[:110], gold, runner)
    assert count["equal"] > 95


@pytest.mark.slow
def test_all_recorded_programs_of_gpt4(shared_data):
    rows, gold = recorded(shared_data, "gpt4_NL+SL.jsonl.gz")
    with ProgramRunner() as own:
        count = check_against_the_record(rows, gold, own)
    assert (len(rows), count["equal"]) == (1319, 1249)
