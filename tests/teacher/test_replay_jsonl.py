"""Replaying any JSON Lines file through a mapping."""

from __future__ import annotations

import json

import pytest

from training_backend.errors import ConfigError, TeacherError
from training_backend.project.questions import Question
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher.replay_jsonl import JsonlTeacher, read_mapping

ROWS = [
    {"inst/question": "How many eggs?", "reason/pot": "ans = 3",
     "core": "Eggs?", "facts": "- 3 eggs\n- 0 hens"},
    {"inst/question": "How many hens?", "reason/pot": ["ans = 1", "", "ans = 2"],
     "facts": ["1 hen", "a fox"]},
    {"inst/question": "How many eggs?", "reason/pot": "ans = 1 + 2"},
]  # fmt: skip
MAPPING = {"question": "inst/question", "pot": "reason/pot", "core_question": "core", "information": "facts"}


def question(text, native_id="0"):
    return Question(7, "mine", "train", native_id, text, "3", 3.0)


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "recorded.jsonl"
    made.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return made


def test_lines_and_lists_of_a_question_are_its_paths(file):
    teacher = JsonlTeacher(file, MAPPING)
    assert teacher.paths("pot") == 2 and teacher.paths("cot") == 0
    asked = [question("How many eggs?"), question("how many hens")]
    first = list(teacher.answer(asked, ["pot"], 0))
    second = list(teacher.answer(asked, ["pot"], 1))
    assert [reply.rationale for reply in first + second] == ["ans = 3", "ans = 1", "ans = 1 + 2", "ans = 2"]
    assert first[0].key_points == KeyPoints("Eggs?", ("3 eggs", "0 hens"))
    assert first[1].key_points == KeyPoints("", ("1 hen", "a fox"))
    assert second[0].key_points is None
    (beyond,) = teacher.answer(asked[:1], ["pot"], 2)
    assert beyond.parse_error == "recorded.jsonl has 2 answers to this question." and not beyond.raw


def test_an_unknown_question_and_another_id_are_not_paired(file, tmp_path):
    (reply,) = JsonlTeacher(file, MAPPING).answer([question("How many foxes?")], ["pot"], 0)
    assert reply.parse_error == "recorded.jsonl does not have this question."
    with_ids = tmp_path / "ids.jsonl"
    with_ids.write_text('{"id": 4, "q": "Why?", "pot": "ans = 1"}\n', encoding="utf-8")
    teacher = JsonlTeacher(with_ids, {"question": "q", "pot": "pot", "id": "id"})
    right, wrong = teacher.answer([question("Why?", "4"), question("Why?", "5")], ["pot"], 0)
    assert right.rationale == "ans = 1"
    assert wrong.rationale is None and not wrong.raw


def test_mapping():
    assert read_mapping("question=q, pot = program") == {"question": "q", "pot": "program"}
    for bad in ("", "question=q", "pot=p", "question=q,pot", "question=q,program=p"):
        with pytest.raises(ConfigError):
            read_mapping(bad)


def test_a_line_without_the_question_is_named(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text('{"q": "a?", "pot": "1"}\n{"text": "b?"}\n', encoding="utf-8")
    with pytest.raises(TeacherError) as caught:
        JsonlTeacher(file, {"question": "q", "pot": "pot"})
    assert caught.value.where.endswith("r.jsonl, line 2") and "text" in caught.value.hint
    with pytest.raises(TeacherError, match="does not exist"):
        JsonlTeacher(tmp_path / "nowhere.jsonl", {"question": "q", "pot": "pot"})


def test_a_mapped_field_that_no_line_has_is_named(file):
    with pytest.raises(TeacherError, match="field 'reason/cot', which --map gives for cot") as caught:
        JsonlTeacher(file, {**MAPPING, "cot": "reason/cot"})
    assert "reason/pot" in caught.value.hint and caught.value.where == str(file)
