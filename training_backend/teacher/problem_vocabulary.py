"""The closed vocabulary of the sample problems, and its tokenizer: words, single digits, signs, line breaks.

A word carries the space before it (`▁muffins`), a digit never does, so every number is spelled the same way
everywhere and can be copied digit by digit. A line break carries the indentation after it (`⏎▁▁▁▁`). Text of
these words comes back exactly; any other word is one `<unk>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from training_backend.methods import METHODS
from training_backend.rationale.key_points import render
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_grammar import Problem, forms, generate
from training_backend.teacher.problem_syntax import ALTERNATIVES, PLACEHOLDER, Template
from training_backend.teacher.problem_words import DISTRACTORS, MEN, NOUNS, WOMEN, WORDS

SPECIAL = ("<pad>", "</s>", "<unk>")
_SIGNS = r"==|<=|>=|//|\*\*|'s|[.,?:+\-*/=<>()%$'!;\"#\[\]]"
_PIECE = rf"▁?[A-Za-z_]+|[0-9]|⏎▁*|▁?(?:{_SIGNS})|▁"
# draws of each template that bring every line of its programs and equations
_DRAWS = 20


@cache
def vocabulary() -> tuple[str, ...]:
    """Return every piece of the closed vocabulary: specials, digits, then the others in order."""
    bare = _bare_tokenizer({})
    digits = tuple("0123456789")
    found: set[str] = {"▁", "⏎", "⏎▁▁▁▁", "⏎▁▁▁▁▁▁▁▁"}
    for text in _texts():
        normal = bare.normalizer.normalize_str(text)
        found.update(piece for piece, _ in bare.pre_tokenizer.pre_tokenize_str(normal))
    return (*SPECIAL, *digits, *sorted(found - set(digits)))


def make_tokenizer() -> Tokenizer:
    """Return the tokenizer of the closed vocabulary; an unknown word becomes `<unk>`."""
    tokenizer = _bare_tokenizer({piece: number for number, piece in enumerate(vocabulary())})
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def write_tokenizer(folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`, as AutoTokenizer reads them, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer().save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 512,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def problem_texts(problem: Problem) -> tuple[str, ...]:
    """Return the texts of a problem as students read and write them."""
    return (problem.question, render(problem.key_points), problem.cot, problem.pot, problem.eot)


def _bare_tokenizer(pieces: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(pieces or {"<unk>": 0}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(" ", "▁"), normalizers.Replace("\n", "⏎")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECE), "isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Replace("⏎", "\n"), decoders.Fuse()]
    )
    return tokenizer


def _texts() -> Iterator[str]:
    """Yield texts that hold every word in each of its places: after a space and at the start."""
    for prefix in {
        task.prefix for method in METHODS.values() for role in method.roles for task in role.tasks
    }:
        yield f"{prefix}: question: core question: information: 1. "
    yield "core question: core information: 1. "
    yield "information: 1. "
    for template in problem_templates.all_templates().values():
        yield from _wordings(template)
    for facts in DISTRACTORS.values():
        for fact in facts:
            yield " " + re.sub(r"\{[^{}]*\}", "1", fact)
            yield re.sub(r"\{[^{}]*\}", "1", fact)
    for name in (*WOMEN, *MEN):
        yield f"{name} {name}"
    everything = tuple(problem_templates.all_templates())
    for problem in generate(len(everything) * _DRAWS, 0, templates=everything):
        yield from problem_texts(problem)
        yield from (" " + text for text in problem_texts(problem))


def _wordings(template: Template) -> Iterator[str]:
    """Yield the texts of a template with each wording and each word of its slots, at the start and within."""
    fillers = {"A": "Anna", "B": "Ben", "he2": "he he she", "=": "1 + 2 - 3 * 4 / 5 = 6"}
    fillers |= {"he": "he she", "He": "He She", "his": "his her", "His": "His Her", "him": "him her"}
    choices = {
        slot: [forms(slot, word, kind in NOUNS) for word in (NOUNS | WORDS)[kind]]
        for slot, kind in template.slots.items()
    }
    for raw in template.texts():
        for text in _with_each_wording(raw):
            for number in range(max((len(words) for words in choices.values()), default=1)):
                chosen = dict(fillers)
                for words in choices.values():
                    chosen |= words[number % len(words)]
                filled = _filled(text, chosen)
                yield f"{filled} {filled}"


def _filled(text: str, words: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: words.get(match.group(1), "1"), text)


def _with_each_wording(raw: str) -> Iterator[str]:
    brackets = ALTERNATIVES.findall(raw)
    for number in range(max((found.count("/") + 1 for found in brackets), default=1)):
        text = raw
        for found in brackets:
            options = found.split("/")
            text = text.replace(f"[{found}]", options[number % len(options)])
        yield text
