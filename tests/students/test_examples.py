"""The exact texts of every task, read back; whole questions are held out."""

from __future__ import annotations

import pytest
from rows import make_rows

from training_backend import methods
from training_backend.errors import DatasetError
from training_backend.students.examples import (
    build_examples,
    read_examples,
    read_target,
    source_text,
    split_examples,
    target_text,
    write_examples,
)

FIELDS = {
    "question": "Tom has 3 boxes of 5 pens. How many?",
    "core_question": "How many pens?",
    "information": ("3 boxes", "5 pens each"),
    "rationale": "ans = 3 * 5\n",
}


def task(method: str, role: str, kind: str | None = None):
    tasks = methods.get(method).role(role).tasks
    return next(t for t in tasks if kind in (None, t.writes))


def test_texts_of_two_students():
    key, solve = task("kpdd-pot", "key"), task("kpdd-pot", "solve")
    assert source_text(key, FIELDS) == "extract key points: Tom has 3 boxes of 5 pens. How many?"
    assert target_text(key, FIELDS) == "core question: How many pens? information: 1. 3 boxes 2. 5 pens each"
    assert source_text(solve, FIELDS) == (
        "solve by program: question: Tom has 3 boxes of 5 pens. How many? core question: How many pens? "
        "information: 1. 3 boxes 2. 5 pens each"
    )
    assert target_text(solve, FIELDS) == "ans = 3 * 5\n"


def test_texts_of_one_and_of_three_students():
    assert source_text(task("cotd", "solve"), FIELDS).startswith("solve by chain of thought: Tom has")
    info = task("kpdd3-pot", "info")
    assert source_text(info, FIELDS) == (
        "extract information: question: Tom has 3 boxes of 5 pens. How many? core question: How many pens?"
    )
    assert target_text(info, FIELDS) == "information: 1. 3 boxes 2. 5 pens each"


@pytest.mark.parametrize("method", sorted(methods.METHODS))
def test_what_is_written_is_read_back(method):
    checked = 0
    for role in methods.get(method).roles:
        for one in role.tasks:
            fields = read_target(one, target_text(one, FIELDS))
            assert fields
            for name, value in fields.items():
                assert value == (one.writes if name == "kind" else FIELDS[name])
            checked += 1
    assert checked >= 1


def test_text_without_labels_is_kept():
    fields = read_target(task("kpdd-pot", "key"), "no labels here")
    assert fields == {"core_question": "no labels here", "information": ()}
    fields = read_target(task("kpdd-pot", "key"), "core question: How many")
    assert fields == {"core_question": "How many", "information": ()}


def test_rows_become_examples_once():
    rows = [*make_rows(4), *make_rows(4)]
    method = methods.get("kpdd-pot")
    keys = build_examples(method.role("key"), rows)
    assert [example.group for example in keys] == ["0", "1", "2", "3"]
    assert all(example.kind == "" for example in keys)
    solve = build_examples(method.role("solve"), rows)
    assert [(e.kind, e.gold) for e in solve] == [("pot", 6.0), ("pot", 15.0), ("pot", 28.0), ("pot", 45.0)]
    assert build_examples(methods.get("kpdd-cot").role("solve"), rows) == []


def test_union_of_kinds_keeps_each_prefix():
    rows = [*make_rows(2, "pot"), *make_rows(2, "cot")]
    tasks = {e.task: e.kind for e in build_examples(methods.get("etd").role("solve"), rows)}
    assert tasks == {"solve by program": "pot", "solve by chain of thought": "cot"}


def test_whole_questions_are_held_out_alike_for_every_role():
    rows = make_rows(300)
    method = methods.get("kpdd-pot")
    held = []
    for role in method.roles:
        train, out = split_examples(build_examples(role, rows), 0.2, seed=3)
        assert not {e.group for e in train} & {e.group for e in out}
        assert 30 < len(out) < 90
        held.append({e.group for e in out})
    assert held[0] == held[1]
    other = split_examples(build_examples(method.roles[0], rows), 0.2, seed=4)[1]
    assert {e.group for e in other} != held[0]
    assert split_examples(build_examples(method.roles[0], rows), 0.0)[1] == []


def test_examples_are_written_and_read(tmp_path):
    examples = build_examples(methods.get("kpdd-pot").role("solve"), make_rows(3))
    file = tmp_path / "solve.train.jsonl"
    write_examples(file, examples)
    assert read_examples(file) == examples


def test_half_a_line_is_named(tmp_path):
    file = tmp_path / "solve.train.jsonl"
    write_examples(file, build_examples(methods.get("kpdd-pot").role("solve"), make_rows(2)))
    file.write_text(file.read_text() + '{"id": "9", "task')
    with pytest.raises(DatasetError) as caught:
        read_examples(file)
    assert caught.value.where.endswith("solve.train.jsonl:3")
