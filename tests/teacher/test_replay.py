"""The replay teacher: recorded outputs are paired by row and text, and never by guess."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
import recordings_made as made

from training_backend.errors import ConfigError, TeacherError
from training_backend.project.questions import Question
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE
from training_backend.teacher.recordings import (
    RecordedRow,
    Recording,
    fingerprint,
    json_lines,
    literal,
    row_number,
)
from training_backend.teacher.replay import PRESETS, ReplayTeacher, read_comments

QUESTIONS = [
    Question(i + 1, "gsm8k", "test", str(i), text, gold, float(gold))
    for i, (text, gold) in enumerate(zip(made.QUESTIONS, made.GOLD, strict=True))
]


def test_dup_with_faithful_cot(recordings):
    teacher = ReplayTeacher("dup+faithful-cot", recordings, ["gpt4"])
    replies = list(teacher.answer(QUESTIONS, ["pot", "cot"], 0))
    assert [(r.question_id, r.kind) for r in replies] == [(q, k) for q in (1, 2, 3) for k in ("pot", "cot")]
    first = replies[0]
    assert first.key_points == KeyPoints(
        "How many pens does Mia have?", ("There are 3 boxes.", "A box holds 4 pens.")
    )
    # the program is the recorded text, comments and all
    assert first.rationale == made.PROGRAMS[0] == first.raw["pot"]
    assert replies[1].rationale == made.CHAINS[0]
    # bullets that touch their words are no part of the items
    assert replies[2].key_points.information == ("A kite costs $5.", "2 kites")
    assert teacher.origins()[KEY_POINTS].teacher == "DUP"
    assert teacher.origins()[RATIONALE].teacher == "Faithful-CoT"
    assert (teacher.paths("pot"), teacher.paths("eot")) == (1, 0)


def test_what_does_not_parse_is_kept_raw_with_the_reason(recordings):
    teacher = ReplayTeacher("dup+faithful-cot", recordings, ["gpt4"])
    (reply,) = teacher.answer(QUESTIONS[2:], ["pot"], 0)
    assert reply.key_points is None
    assert reply.parse_error == "key points: the line is a Python list, no string"
    assert reply.raw["information"] == "['a list']"
    # what could be read stays
    assert reply.rationale == made.PROGRAMS[2]


def test_key_points_from_the_comments_of_a_program(recordings):
    teacher = ReplayTeacher("faithful-cot", recordings, ["gpt4"])
    first, second, third = teacher.answer(QUESTIONS, ["pot"], 0)
    assert first.key_points == KeyPoints("How many pens does Mia have?", ("Mia has 3 boxes", "4 pens each"))
    assert second.key_points == KeyPoints("How much does Tom pay?", ("A kite costs $5", "Tom buys 2 kites"))
    assert third.parse_error == "key points: no comment 'Final Answer:'"
    assert third.raw["key_points"] == made.PROGRAMS[2]
    # the kind decides which prompt's text is the rationale, the key points stay those of the program
    (chain,) = teacher.answer(QUESTIONS[:1], ["cot"], 0)
    assert (chain.rationale, chain.key_points) == (made.CHAINS[0], first.key_points)


def test_dup_alone_has_chains_only(recordings):
    teacher = ReplayTeacher("dup", recordings)
    assert (teacher.paths("cot"), teacher.paths("pot")) == (2, 0)
    assert [r.rationale for r in teacher.answer(QUESTIONS[:2], ["cot"], 0)] == list(made.CHAINS[:2])


def test_another_text_in_the_row_is_never_paired(recordings):
    teacher = ReplayTeacher("dup+faithful-cot", recordings)
    wrong = [
        replace(QUESTIONS[0], text="Mia has 4 boxes with 4 pens each. How many pens does she have?"),
        replace(QUESTIONS[0], native_id="1"),
        replace(QUESTIONS[0], native_id="99"),
        replace(QUESTIONS[0], dataset="asdiv"),
        replace(QUESTIONS[0], dataset="mine"),
    ]
    for reply in teacher.answer(wrong, ["pot"], 0):
        assert reply.rationale is None and reply.key_points is None
        assert not reply.raw and reply.parse_error
    reasons = [reply.parse_error for reply in teacher.answer(wrong, ["pot"], 0)]
    assert "row 0 of Faithful-CoT (gsm8k, gpt4, NL+SL) is another question" in reasons[0]
    assert "row 1 of" in reasons[1] and "A kite costs" in reasons[1]
    assert reasons[2] == "Faithful-CoT (gsm8k, gpt4, NL+SL) has no row 99."


def test_a_row_that_one_of_the_recordings_lacks(tmp_path):
    made.dup(tmp_path / "dup")
    made.faithful_cot(tmp_path / "fc", rows=(0, 2))
    replies = list(ReplayTeacher("dup+faithful-cot", tmp_path).answer(QUESTIONS, ["pot"], 0))
    assert [reply.rationale is not None for reply in replies] == [True, False, True]
    assert replies[1].parse_error == "Faithful-CoT (gsm8k, gpt4, NL+SL) has no row 1."


def test_the_layout_as_its_authors_publish_it(tmp_path, recordings):
    published = tmp_path / "published"
    (published / "outputs" / "gsm8k").mkdir(parents=True)
    dup = recordings / "of others" / "dup" / "gsm8k_gpt4"
    dup.rename(published / "outputs" / "gsm8k" / "all_test_dataset_gpt4_97.11")
    (published / "data" / "GSM8K").mkdir(parents=True)
    (recordings / "faithful_cot/data/GSM8K_test.jsonl").rename(published / "data/GSM8K/test.jsonl")
    for prompt in ("NL+SL", "COT"):
        folder = published / "output_dir" / "GSM8K" / "test" / f"gpt4_{prompt}"
        folder.mkdir(parents=True)
        packed = (recordings / f"faithful_cot/GSM8K/gpt4_{prompt}.jsonl.gz").read_bytes()
        (folder / "predictions.jsonl").write_bytes(gzip.decompress(packed))
    replies = list(ReplayTeacher("dup+faithful-cot", published).answer(QUESTIONS[:2], ["pot", "cot"], 0))
    assert len(replies) == 4 and not any(reply.parse_error for reply in replies)


def test_wrong_choices_are_said(tmp_path, recordings):
    with pytest.raises(ConfigError, match="no recording preset 'duo'"):
        ReplayTeacher("duo", recordings)
    with pytest.raises(TeacherError, match="does not exist"):
        ReplayTeacher("dup", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    (reply,) = ReplayTeacher("dup", tmp_path / "empty").answer(QUESTIONS[:1], ["cot"], 0)
    assert "DUP's recording of gsm8k by gpt4 is not in this folder" in reply.parse_error


def test_damaged_recordings_name_their_line(tmp_path, recordings):
    file = tmp_path / "half.jsonl"
    file.write_text('{"id": 0}\n{"id": 1, "comp', encoding="utf-8")
    with pytest.raises(TeacherError) as caught:
        list(json_lines(file))
    assert caught.value.where.endswith("half.jsonl, line 2")
    lines = recordings / "of others" / "dup" / "gsm8k_gpt4" / "core_question_responses.txt"
    lines.write_text("'only one'\n", encoding="utf-8")
    (reply,) = ReplayTeacher("dup", recordings).answer(QUESTIONS[:1], ["cot"], 0)
    assert "1 lines, but dataset.txt has 3 questions" in reply.parse_error


def test_repeated_questions_are_told_apart_by_row():
    rows = [RecordedRow(i, "How many?", {"n": str(i)}) for i in range(3)]
    recording = Recording("r", iter(rows))
    assert recording.find("2", "How  many?") == rows[2]
    assert "has this question 3 times" in recording.find("nluds-0007", "How many?")
    assert len(recording) == 3


@pytest.mark.parametrize(
    ("native_id", "row"), [("0", 0), ("1318", 1318), ("chal-1", 0), ("chal-1000", 999), ("nluds-0001", None)]
)
def test_row_numbers(native_id, row):
    assert row_number(native_id) == row


def test_fingerprints_keep_numbers_apart():
    assert fingerprint("Each pack. How much") == fingerprint("each packHow much")
    assert fingerprint("1.5 miles") != fingerprint("15 miles")
    assert fingerprint("5 5") != fingerprint("55")


def test_literals():
    assert literal(r"'a\nb'") == "a\nb"
    for line in ("", "3", "'open", "f('x')"):
        with pytest.raises(ValueError, match=r"no (Python )?string"):
            literal(line)


def test_comments_with_quotes_that_are_no_literal():
    program = (
        '# 1. x (independent, support: ["5" tall"])\n# 2. Final Answer: How tall (in cm)? (depends on 1)'
    )
    assert read_comments(program).core_question == "How tall (in cm)?"
    assert read_comments(program).information
    with pytest.raises(ValueError, match="no support quote"):
        read_comments("# Final Answer: How many?\nanswer = 1")


def test_every_preset_names_models_and_kinds():
    assert set(PRESETS) >= {"dup+faithful-cot", "faithful-cot", "dup"}
    assert all(preset.models and preset.prompts for preset in PRESETS.values())


@pytest.mark.parametrize(("dataset", "rows"), [("gsm8k", 1319), ("svamp", 1000), ("multiarith", 596)])
def test_the_published_recordings_are_read_whole(shared_data, dataset, rows):
    from training_backend.teacher.recordings import read_dup, read_faithful_cot

    recording = read_faithful_cot(shared_data, dataset, "gpt4", "NL+SL")
    key_points = read_dup(shared_data, dataset, "gpt4")
    assert len(recording) == rows <= len(key_points)
    questions = [
        Question(0, dataset, "test", str(row), recorded.question, "", None)
        for row, recorded in recording._by_row.items()
    ]
    replies = list(ReplayTeacher("dup+faithful-cot", shared_data).answer(questions, ["pot"], 0))
    assert [reply.parse_error for reply in replies] == [""] * rows
