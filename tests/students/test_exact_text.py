"""Every text comes back exactly under the vocabularies of base students, recorded texts among them."""

from __future__ import annotations

import ast
import gzip
import json
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_backend.students.text import CAUSAL, StudentText

# what language models write that trips tokenizers: their own signs, spaces, letters of two code points
TRAPS = [
    "</s>", "a <pad> b</s>", "<s>x</s>", "<unk>", "<mask> ", "<extra_id_0>", "<|endoftext|>", "<|im_end|>\n",
    "e\u0301 n\u0303 \u1112\u1161\u11ab", "½ ﬁ Ⅷ ① K", "\u00a0 \u2003\u200b\ufeff", "\r\n\t \x0b\x0c\x00\x7f",
    "  lead", "trail  ", "\n\n\n", "", " ", "中文，全角　空格", "עִבְרִית عربى हिन्दी ไทย 한국어", "👩‍👩‍👧 🇩🇪",
    "if x:\n" + "\t" * 12 + "y" + " " * 60 + "z",
]  # fmt: skip
indented = st.builds(
    lambda depth, unit, body, end: unit * depth + body + end,
    st.integers(0, 24), st.sampled_from([" ", "  ", "    ", "\t", " \t"]),
    st.text(string.printable, max_size=30), st.sampled_from(["", " ", "   ", "\t", "\r"]),
)  # fmt: skip
programs = st.lists(indented, max_size=8).map("\n".join)
# every character but lone halves of surrogate pairs, which no UTF-8 file holds
characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
mixed = st.lists(st.one_of(st.sampled_from(TRAPS), characters, indented), max_size=5).map("".join)
NAMES = ("lossy", "byte_level", "qwen", "code_t5")


@pytest.fixture(scope="module", params=[*NAMES, "real T5"])
def text(request) -> StudentText:
    """The text of a student under each vocabulary; the real one where it is here."""
    name = "t5_tokenizer" if request.param == "real T5" else request.param
    return StudentText.for_folder(request.getfixturevalue(name))


def require_exact(text: StudentText, sample: str) -> int:
    ids = text.encode(sample)
    assert text.decode(ids) == sample
    assert text.unknown_id not in ids and text.eos_id not in ids
    # with the marks that its student reads and writes, too
    assert text.decode(text.target_ids(sample)) == sample
    return len(ids)


@pytest.mark.parametrize("sample", TRAPS)
def test_known_traps_come_back(text, sample):
    require_exact(text, sample)


@pytest.mark.parametrize("part", [string.printable[n : n + 10] for n in range(0, 100, 10)])
def test_every_printable_character_comes_back_anywhere(text, part):
    for sign in part:
        for sample in (sign, sign * 3, f"a{sign}b", f" {sign}\n{sign} ", f"{sign}{sign}x = 1{sign}"):
            require_exact(text, sample)


@given(st.one_of(programs, characters, mixed))
@settings(deadline=None, max_examples=200)
def test_anything_comes_back(text, sample):
    require_exact(text, sample)


@given(st.text(string.digits + ".,-% ()*/=+", max_size=40))
@settings(deadline=None, max_examples=100)
def test_numbers_come_back_digit_by_digit(qwen, lossy, sample):
    for folder in (qwen, lossy):
        text = StudentText.for_folder(folder, split_digits=True)
        require_exact(text, sample)
        pieces = text.check(sample).seen.split()
        assert not any(sum(c in string.digits for c in piece) > 1 for piece in pieces)


def test_half_a_surrogate_pair_is_reported_and_does_no_harm(qwen, lossy):
    report = StudentText.for_folder(qwen).check("a \ud83d b")
    assert not report.exact and report.decoded == "a ? b"
    assert StudentText.for_folder(lossy).check("a \ud83d b").exact


def test_a_normalizer_that_composes_letters_is_left_out(qwen, tmp_path):
    text = StudentText.for_folder(qwen)
    assert text.rule.way == "identity" and text.rule.raw
    stock = text.tokenizer.from_file(str(qwen / "tokenizer.json"))
    assert stock.decode(stock.encode("e\u0301").ids) == "é"
    assert text.check("e\u0301").exact
    # composed text, which is all that its training saw, gets the same pieces
    assert text.encode("é = 12 * 3\n") == stock.encode("é = 12 * 3\n").ids
    (tmp_path / "tokenizer.json").write_bytes((qwen / "tokenizer.json").read_bytes())
    text.save(tmp_path)
    assert StudentText.for_folder(tmp_path).rule == text.rule


def test_what_a_student_reads_is_as_its_base_was_trained(lossy, qwen, code_t5):
    t5, qwen_text, code = (StudentText.for_folder(folder) for folder in (lossy, qwen, code_t5))
    stock = code.tokenizer.encode("the total of 12 boxes", add_special_tokens=True).ids
    assert code.source_ids("the total of 12 boxes") == stock and stock[-1] == code.eos_id == 2
    assert code.source_ids("x")[0] == code.tokenizer.token_to_id("<s>")
    assert t5.source_ids("pens") == [*t5.encode("pens"), t5.eos_id]
    read, written = qwen_text.source_ids("Tom", CAUSAL), qwen_text.target_ids("ans = 3")
    assert read == [*qwen_text.encode("Tom"), *qwen_text.encode("\n")] and qwen_text.eos_id not in read
    assert qwen_text.pad_id == qwen_text.eos_id == written[-1]
    assert qwen_text.decode(written) == "ans = 3"


# ---- recorded texts -----------------------------------------------------------------------------


def recorded(folder: Path, every: int) -> Iterator[str]:
    """Yield every so-manieth recorded text: programs, equations, chains of thought, questions."""
    number = 0
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.name.removesuffix(".gz")
        if not name.endswith((".json", ".jsonl", ".txt")) or file.name in ("MANIFEST.json", "LICENSE.txt"):
            continue
        for sample in texts_of(file, name):
            number += 1
            if number % every == 0:
                yield sample


def texts_of(file: Path, name: str) -> Iterator[str]:
    with (
        gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8")
    ) as f:
        if name.endswith(".json"):
            yield from strings(json.load(f))
            return
        for line in f:
            if name.endswith(".jsonl"):
                yield from strings(json.loads(line))
            else:
                # one Python literal a line
                yield str(ast.literal_eval(line)) if line[:1] in "'\"" else line.rstrip("\n")


def strings(data: Any) -> Iterator[str]:
    """Yield the texts of a value that hold more than a word."""
    if isinstance(data, str):
        if " " in data or "\n" in data:
            yield data
    elif isinstance(data, dict | list):
        for each in data.values() if isinstance(data, dict) else data:
            yield from strings(each)


@pytest.fixture(scope="session")
def some_recorded(shared_data) -> list[str]:
    """Return every 211th recorded text."""
    return list(recorded(shared_data, 211))


def check_recorded(text: StudentText, samples: Iterable[str]) -> tuple[int, float]:
    count = tokens = 0
    for sample in samples:
        tokens += require_exact(text, sample)
        count += 1
    return count, tokens / max(1, count)


def test_recorded_texts_come_back(text, some_recorded):
    count, _ = check_recorded(text, some_recorded)
    assert count > 800


@pytest.mark.slow
def test_every_recorded_text_comes_back(text, shared_data):
    count, mean = check_recorded(text, recorded(shared_data, 1))
    print(f"{count} recorded texts, {mean:.1f} tokens each ({text.rule.way})")
    assert count > 150_000
