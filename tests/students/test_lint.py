"""The check before training: what is lost is named, too long is counted, damage refuses the start."""

from __future__ import annotations

import dataclasses
import json

import pytest

from training_backend import methods
from training_backend.errors import DatasetError
from training_backend.students.batches import encode_examples
from training_backend.students.examples import build_examples, source_text, with_own_key_points
from training_backend.students.lint import (
    check_example,
    check_examples,
    fits_together,
    lost_characters,
    require_sound,
)
from training_backend.students.run_config import RunConfig
from training_backend.students.text import CAUSAL, SEQ2SEQ, StudentText

SOLVE = methods.get("kpdd-pot").role("solve")


@pytest.fixture
def examples(rows_of_students):
    return build_examples(SOLVE, rows_of_students)


def test_what_is_lost_is_named():
    assert lost_characters("a\n    b", "a b") == "1 line break, 3 spaces"
    assert lost_characters("{x}\t<~", "x") == "1 tab, “{”, “}”, “<”, “~”"
    assert lost_characters("abcdef", "") == "“a”, “b”, “c”, “d”, 2 more"
    assert lost_characters("same", "same") == ""


def test_both_texts_of_an_example_are_checked_with_their_marks(examples, lossy):
    text = StudentText.for_folder(lossy)
    reads, writes = check_example(examples[0], text, 512, 512)
    assert (reads.side, writes.side) == ("reads", "writes")
    assert reads.tokens == len(text.source_ids(examples[0].source))
    assert writes.tokens == len(text.target_ids(examples[0].target))
    assert not reads.why("Solve") and not writes.damaged
    assert "‹⏎›" in writes.report.seen
    data = writes.to_json("Solve")
    assert json.loads(json.dumps(data))["exact"] and data["why"] == data["lost"] == ""


def test_a_text_is_never_cut(examples, lossy):
    text = StudentText.for_folder(lossy)
    _, writes = check_example(examples[0], text, 512, 512)
    _, cut = check_example(examples[0], text, 512, writes.tokens - 1)
    assert not writes.too_long and cut.too_long
    assert cut.why("Solve").endswith(f"has {writes.tokens} tokens; it holds {writes.tokens - 1}.")


def test_damage_refuses_the_start_and_names_the_rows(examples, closed):
    text = StudentText.for_folder(closed)
    found = list(check_examples(examples, text, RunConfig()))
    assert len(found) == 2 * len(examples) and all(one.damaged for one in found if one.side == "writes")
    with pytest.raises(DatasetError) as caught:
        require_sound("Solve", examples, text, RunConfig(), "here")
    said = str(caught.value)
    assert "8 rows would reach the student Solve damaged (rows 0, 1, 2, 3 …)" in said
    assert "vocabulary lacks" in said and "leave out" in said and "\n" not in said


def test_left_out_on_request_but_not_all_of_them(examples, closed):
    text = StudentText.for_folder(closed)
    leave_out = RunConfig(damaged="leave out")
    with pytest.raises(DatasetError, match="None of the 8 examples fits"):
        require_sound("Solve", examples, text, leave_out)
    sound = dataclasses.replace(examples[0], source="Tom has 3 boxes", target="ans = 3")
    require_sound("Solve", [*examples, sound], text, leave_out)
    kept, _, fitness = encode_examples([*examples, sound], text, 512, 512)
    assert kept == [sound] and len(fitness.not_exact) == 8


def test_all_too_long_is_refused(examples, lossy):
    text = StudentText.for_folder(lossy)
    with pytest.raises(DatasetError, match=r"None of the 8 examples fits .* tokens; it holds 8\."):
        require_sound("Solve", examples, text, RunConfig(max_target_tokens=8))
    require_sound("Solve", examples, text, RunConfig())
    require_sound("Solve", [], text, RunConfig())


def test_a_damaged_source_is_damage_too(examples, closed, lossy):
    two_spaces = dataclasses.replace(examples[0], source="Tom has  3 \u0416", target="ans = 3")
    with pytest.raises(DatasetError, match="What the student Solve reads"):
        require_sound("Solve", [two_spaces], StudentText.for_folder(closed), RunConfig())
    require_sound("Solve", [two_spaces], StudentText.for_folder(lossy), RunConfig())


def test_positions_hold_question_and_answer_of_a_decoder_together(examples, qwen):
    assert fits_together(60, 40, 100, CAUSAL) and not fits_together(61, 40, 100, CAUSAL)
    assert fits_together(100, 100, 100, SEQ2SEQ) and fits_together(999, 999, 0, CAUSAL)
    text = StudentText.for_folder(qwen)
    _, encoded, _ = encode_examples(examples, text, 512, 512, CAUSAL)
    longest = max(len(one.source) + len(one.target) for one in encoded)
    _, encoded, fitness = encode_examples(examples, text, 512, 512, CAUSAL, longest - 1)
    assert fitness.too_long and len(encoded) + len(fitness.too_long) == len(examples)


def test_the_students_own_key_points_take_the_place_of_the_teachers(examples):
    own = {"core_question": "What is asked?", "information": ("one", "two")}
    written = {one.group: own for one in examples[:6]} | {examples[6].group: {**own, "information": ()}}
    made, count = with_own_key_points(examples, SOLVE, written)
    assert count == 6 and made[6:] == examples[6:]
    fields = {**own, "question": examples[0].question}
    assert made[0].source == source_text(SOLVE.tasks[0], fields) and "1. one 2. two" in made[0].source
    assert [one.target for one in made] == [one.target for one in examples]
    none, count = with_own_key_points(examples, SOLVE, written, share=0.0)
    assert none == examples and count == 0
    some, count = with_own_key_points(examples, SOLVE, written, share=0.5, seed=1)
    assert 0 < count < 6 and with_own_key_points(examples, SOLVE, written, share=0.5, seed=1)[0] == some
