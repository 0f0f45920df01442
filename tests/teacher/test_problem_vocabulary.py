"""The closed vocabulary spells every sample problem exactly and reports every other word."""

from __future__ import annotations

import re

import pytest

from training_backend import methods
from training_backend.paths import demo_students_dir
from training_backend.students.examples import source_text, target_text
from training_backend.students.text import StudentText
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_grammar import generate
from training_backend.teacher.problem_vocabulary import problem_texts, vocabulary, write_tokenizer

ALL = tuple(problem_templates.all_templates())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def text(folder):
    return StudentText.for_folder(folder)


@pytest.mark.parametrize("numbers", ["train", "held_out"])
def test_every_problem_comes_back_exactly(text, numbers):
    checked = 0
    for problem in generate(2000, 5, templates=ALL, numbers=numbers):
        for written in problem_texts(problem):
            ids = text.encode(written)
            assert text.unknown_id not in ids, text.check(written).unknown_words
            assert text.decode(ids) == written
            checked += 1
    assert checked == 10_000


def test_every_source_and_target_of_every_method_comes_back_exactly(text):
    checked = 0
    for problem in generate(len(ALL), 6, templates=ALL):
        fields = {
            "question": problem.question,
            "core_question": problem.key_points.core_question,
            "information": problem.key_points.information,
        }
        for method in methods.METHODS.values():
            for role in method.roles:
                for task in role.tasks:
                    rationale = getattr(problem, task.writes, "")
                    for written in (
                        source_text(task, fields),
                        target_text(task, fields | {"rationale": rationale}),
                    ):
                        report = text.check(written)
                        assert report.exact and not report.unknown, (written, report.unknown_words)
                        checked += 1
    assert checked > 3000


def test_unknown_words_are_reported(text):
    report = text.check("Anna buys 5 bicycles and a submarine.")
    assert not report.exact
    assert report.unknown_words == ("bicycles", "submarine")


def test_numbers_are_single_digits_and_line_breaks_hold_the_indentation(text):
    pieces = [
        text.tokenizer.id_to_token(i) for i in text.encode("x = 1205\nfor day in range(12):\n    ans = 7")
    ]
    assert pieces[-6:] == ["⏎▁▁▁▁", "ans", "▁=", "▁", "7"][-6:] or pieces[-5:] == [
        "⏎▁▁▁▁",
        "ans",
        "▁=",
        "▁",
        "7",
    ]
    assert {"1", "2", "0", "5"} <= set(pieces)
    assert not any(re.search(r"\d\d", piece) for piece in pieces)


def test_size_is_small_and_fixed():
    pieces = vocabulary()
    assert pieces[:3] == ("<pad>", "</s>", "<unk>")
    assert len(set(pieces)) == len(pieces)
    assert 1000 < len(pieces) < 2500


def test_transformers_reads_the_same_ids(folder, text):
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)
    for problem in generate(20, 8):
        for written in problem_texts(problem):
            ids = tokenizer(written, add_special_tokens=False).input_ids
            assert ids == text.encode(written)
            assert tokenizer.decode(ids) == written


def test_the_shipped_tokenizer_is_this_one(folder):
    shipped = demo_students_dir() / "tokenizer"
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (shipped / name).read_bytes() == (folder / name).read_bytes(), f"write {name} again"
