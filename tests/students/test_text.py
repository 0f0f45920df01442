"""Every text comes back exactly, under vocabularies that lose much; what cannot come back is reported."""

from __future__ import annotations

import gzip
import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from training_backend.errors import CheckpointError
from training_backend.students.text import StudentText
from training_backend.students.text_rule import choose_rule

PROGRAM = (
    'def f(x):\n    if x < 3:\n\treturn {"a": x ^ ~2, `b`: "\\n"}\n\n\n        y  =  12 **  3   # end  \n'
)
line = st.builds(
    lambda indent, body, end: " " * indent + body + " " * end,
    st.integers(0, 41), st.text(string.printable[:95], max_size=30), st.integers(0, 5),
)  # fmt: skip
programs = st.lists(line, max_size=8).map("\n".join)
# letters, signs and control characters of all writing systems, lone surrogates and private characters too
anything = st.text(st.characters(codec=None), max_size=60)


@pytest.fixture(scope="module")
def text(lossy):
    return StudentText.for_folder(lossy)


@pytest.fixture(scope="module")
def bytes_text(byte_level):
    return StudentText.for_folder(byte_level)


def test_stock_vocabulary_loses_the_program(lossy):
    stock = Tokenizer.from_file(str(lossy / "tokenizer.json"))
    ids = stock.encode(PROGRAM, add_special_tokens=False).ids
    assert stock.decode(ids, skip_special_tokens=False) != PROGRAM
    assert ids.count(2) >= 5


def test_program_comes_back(text):
    report = text.check(PROGRAM)
    assert text.rule.way == "carriers"
    assert report.exact and report.unknown == 0 and report.decoded == PROGRAM
    assert "‹⏎›" in report.seen


@given(programs)
@settings(deadline=None, max_examples=150)
def test_any_program_comes_back(text, sample):
    ids = text.encode(sample)
    assert text.decode(ids) == sample
    assert text.unknown_id not in ids


@given(anything)
@settings(deadline=None, max_examples=300)
def test_any_characters_come_back(text, sample):
    ids = text.encode(sample)
    assert text.decode(ids) == sample
    assert text.unknown_id not in ids


@pytest.mark.parametrize(
    "sample",
    ["", " ", "\n", "\n\n", "  \n  ", "▁", "▁a ▁ b", "</s>", "<pad>x<unk>", "<extra_id_3>", "½ﬁⅧ①", "中文 é",
     "\ud800", "\U00100003", "a\r\nb", "\x00\x1f\x7f", " a", "a ", "{", " {", "\t\tx", "𝟙 e\u0301 \u200b"],
)  # fmt: skip
def test_known_traps_come_back(text, sample):
    assert text.decode(text.encode(sample)) == sample


@given(st.lists(st.integers(-5, 400), max_size=40))
def test_any_ids_decode_to_something(text, ids):
    assert isinstance(text.decode(ids), str)


def test_indentation_is_cheap(text):
    flat = len(text.encode("total = 3"))
    assert len(text.encode("    total = 3")) == flat + 1
    assert len(text.encode("total = 3\ntotal = 3")) == 2 * flat + 1


def test_pieces_are_those_of_the_vocabulary(text, lossy):
    stock = Tokenizer.from_file(str(lossy / "tokenizer.json"))
    plain = "the total price of pens is 12 and the boxes"
    assert text.encode(plain) == stock.encode(plain, add_special_tokens=False).ids


def test_pad_is_skipped_and_the_end_ends(text):
    ids = text.encode("the total")
    assert text.decode([text.pad_id, *ids, text.eos_id, *ids]) == "the total"


def test_digits_are_split_when_asked(lossy):
    split = StudentText.for_folder(lossy, split_digits=True)
    assert "12" in StudentText.for_folder(lossy).check("ans = 12").seen.split()
    assert split.check("ans = 12").seen.split()[-2:] == ["1", "2"]
    assert split.check(PROGRAM).exact


def test_byte_level_is_used_as_it_is(byte_level):
    text = StudentText.for_folder(byte_level)
    assert text.rule.way == "identity"
    assert text.check(PROGRAM).exact


@given(anything.filter(lambda s: not any("\ud800" <= c <= "\udfff" for c in s)))
@settings(deadline=None, max_examples=100)
def test_byte_level_gives_everything_back(bytes_text, sample):
    assert bytes_text.decode(bytes_text.encode(sample)) == sample


def test_closed_vocabulary_names_the_words_it_lacks(closed):
    text = StudentText.for_folder(closed)
    assert text.rule.way == "closed"
    assert text.check("Tom has 3 boxes\nans = 3").exact
    report = text.check("Tom has 3 giraffes, each giraffes is zebra")
    assert not report.exact
    assert report.unknown_words == ("giraffes", "zebra")


def test_few_spare_rows_still_carry_everything(tmp_path):
    from vocabularies import write_lossy

    text = StudentText.for_folder(write_lossy(tmp_path, spare=18))
    assert text.rule.way == "carriers" and len(text.rule.strings) == 0
    assert text.check(PROGRAM).exact
    none = StudentText.for_folder(write_lossy(tmp_path / "none", spare=5))
    assert none.rule.way == "closed"
    assert not none.check(PROGRAM).exact


def test_rule_is_saved_and_read(lossy, tmp_path):
    text = StudentText.for_folder(lossy, split_digits=True)
    (tmp_path / "tokenizer.json").write_bytes((lossy / "tokenizer.json").read_bytes())
    text.save(tmp_path)
    again = StudentText.for_folder(tmp_path)
    assert again.rule == text.rule
    assert again.encode(PROGRAM) == text.encode(PROGRAM)
    assert (tmp_path / "student_text.json").stat().st_size < 4096


def test_missing_tokenizer_is_named(tmp_path):
    with pytest.raises(CheckpointError) as caught:
        StudentText.for_folder(tmp_path)
    assert caught.value.where.endswith("tokenizer.json")


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "no JSON"), ('{"version": 99, "way": "identity"}', "version 99"),
     ('{"version": 1}', "cannot be read"), ('{"version": 1, "way": "magic"}', "cannot be read")],
)  # fmt: skip
def test_unreadable_rule_is_named(lossy, tmp_path, content, says):
    (tmp_path / "tokenizer.json").write_bytes((lossy / "tokenizer.json").read_bytes())
    (tmp_path / "student_text.json").write_text(content)
    with pytest.raises(CheckpointError, match=says) as caught:
        StudentText.for_folder(tmp_path)
    assert caught.value.where.endswith("student_text.json")


def test_rule_of_another_vocabulary_is_refused(lossy, byte_level, tmp_path):
    (tmp_path / "tokenizer.json").write_bytes((byte_level / "tokenizer.json").read_bytes())
    StudentText.for_folder(lossy).save(tmp_path)
    with pytest.raises(CheckpointError, match="tokens that the vocabulary lacks"):
        StudentText.for_folder(tmp_path)


# ---- the real T5 vocabulary ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def t5(t5_tokenizer):
    return StudentText.for_folder(t5_tokenizer)


def test_t5_uses_rows_that_its_embedding_has(t5):
    assert t5.rule.way == "carriers"
    ids = [t5.tokenizer.token_to_id(row) for row in (t5.rule.newline, *t5.rule.strings.values())]
    assert all(32000 <= i < 32100 for i in ids)
    assert set(t5.rule.strings) == {*"{}<^~\\`", "\t"}


@given(st.one_of(programs, anything))
@settings(deadline=None, max_examples=300)
def test_t5_gives_everything_back(t5, sample):
    ids = t5.encode(sample)
    assert t5.decode(ids) == sample
    assert t5.unknown_id not in ids


def test_t5_reads_questions_as_it_was_trained_to(t5):
    question = "A bus takes 2 litres of diesel and half that much oil. How many litres in total does it take?"
    assert t5.encode(question) == t5.tokenizer.encode(question, add_special_tokens=False).ids


def recorded(folder, every: int):
    files = sorted(folder.glob("teacher/faithful_cot/*/*.jsonl.gz"))
    files += sorted(folder.glob("restricted/faithful_cot_asdiv/*.jsonl.gz"))
    number = 0
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                number += 1
                if isinstance(row.get("completion"), str) and number % every == 0:
                    yield row["completion"]


def check_recorded(t5, texts) -> tuple[int, float]:
    count = tokens = 0
    for sample in texts:
        ids = t5.encode(sample)
        assert t5.decode(ids) == sample
        assert t5.unknown_id not in ids
        count, tokens = count + 1, tokens + len(ids)
    return count, tokens / max(1, count)


def test_every_fortieth_recorded_program_comes_back(t5, shared_data):
    count, mean = check_recorded(t5, recorded(shared_data, 40))
    assert count > 1000
    assert mean < 200


@pytest.mark.slow
def test_every_recorded_program_comes_back(t5, shared_data):
    count, mean = check_recorded(t5, recorded(shared_data, 1))
    print(f"{count} recorded texts, {mean:.1f} tokens each")
    assert count > 50_000


def test_exactness_costs_few_tokens(t5, shared_data):
    file = shared_data / "teacher" / "faithful_cot" / "GSM8K" / "gpt4_noNL.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["completion"] for line in lines][:300]
    ours = sum(len(t5.encode(text)) for text in texts)
    lossy_count = sum(len(t5.tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
    assert ours < 1.1 * lossy_count


def test_choosing_is_the_same_every_time(t5):
    assert choose_rule(t5.tokenizer) == t5.rule
