"""Which benchmark question a training question nearly repeats: candidates by shared words, then a score.

The similarity is rapidfuzz's normalised indel ratio of the texts without case and punctuation: 100 is the
same text. 250,000 questions against 10,000 are too many pairs to score each; two questions that are nearly
the same share runs of words, and a run that few benchmark questions hold names the few to compare with.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz

NEAR = 88.0
_RUN = 3
# a run of words that so many benchmark questions hold tells nothing about any of them
_COMMON = 60
_CANDIDATES = 6
_ZEROS = re.compile(r"(?<=\d)\.0+\Z")
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")


@dataclass(frozen=True)
class BenchmarkQuestion:
    """A question of a test set; `name` is how a sentence names it."""

    id: int
    name: str
    text: str


@dataclass(frozen=True)
class Near:
    """The benchmark question that is nearest, and how near: `similarity` in percent."""

    question: BenchmarkQuestion
    similarity: float
    only_numbers: bool = False


class NearIndex:
    """Finds the nearest of a fixed set of benchmark questions."""

    def __init__(self, questions: Iterable[BenchmarkQuestion]) -> None:
        """Index the questions; 10,000 take about half a second."""
        self._questions: list[BenchmarkQuestion] = []
        self._texts: list[str] = []
        self._same: dict[str, int] = {}
        self._holders: dict[int, list[int]] = {}
        for number, question in enumerate(questions):
            words = _words(question.text)
            text = " ".join(words)
            self._questions.append(question)
            self._texts.append(text)
            self._same.setdefault(text, number)
            for run in _runs(words):
                self._holders.setdefault(run, []).append(number)

    def __len__(self) -> int:
        return len(self._questions)

    def nearest(self, text: str) -> Near | None:
        """Return the nearest question of at least NEAR percent, None when none is so near."""
        words = _words(text)
        plain = " ".join(words)
        if not plain:
            return None
        same = self._same.get(plain)
        if same is not None:
            return Near(self._questions[same], 100.0)
        best, found = NEAR, -1
        for number in self._candidates(words):
            score = fuzz.ratio(plain, self._texts[number], score_cutoff=best)
            if score >= best and score:
                best, found = score, number
        if found < 0:
            return None
        return Near(
            self._questions[found], best, _without_numbers(plain) == _without_numbers(self._texts[found])
        )

    def _candidates(self, words: list[str]) -> list[int]:
        shared: Counter[int] = Counter()
        rarest: list[int] | None = None
        for run in _runs(words):
            holders = self._holders.get(run)
            if holders is None:
                continue
            if len(holders) <= _COMMON:
                shared.update(holders)
            elif rarest is None or len(holders) < len(rarest):
                rarest = holders
        if not shared and rarest is not None:
            shared.update(rarest)
        return [number for number, _ in shared.most_common(_CANDIDATES)]


def digest_of(questions: Iterable[BenchmarkQuestion]) -> str:
    """Return what tells whether a set of benchmark questions has changed, whatever its order."""
    total = 0
    for question in questions:
        data = f"{question.id}\x00{question.text}".encode("utf-8", "surrogatepass")
        total ^= int.from_bytes(hashlib.blake2b(data, digest_size=16).digest(), "big")
    return f"{total:032x}"


def _words(text: str) -> list[str]:
    # 41.0 and 41 are one number
    return [_ZEROS.sub("", word) for word in _WORD.findall(text.casefold())]


def _without_numbers(plain: str) -> str:
    return " ".join(word for word in plain.split() if not word[0].isdigit())


def _runs(words: list[str]) -> set[int]:
    """Return the runs of three words as hashes; of a shorter text all its words as one."""
    if len(words) < _RUN:
        return {hash(tuple(words))} if words else set()
    return {hash(run) for run in zip(words, words[1:], words[2:], strict=False)}
