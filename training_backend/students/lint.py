"""The check of texts before training: what a student sees of each, what comes back, and what would be lost.

Nothing is cut and nothing is damaged in silence: a text that is too long is left out and counted; one that
the vocabulary cannot give back character for character refuses the start, or is left out where the settings
say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training_backend.errors import DatasetError
from training_backend.students.examples import Example
from training_backend.students.run_config import RunConfig
from training_backend.students.text import CAUSAL, SEQ2SEQ, StudentText, TextReport

_SHOWN = 4
_NAMES = {"\n": ("line break", "line breaks"), "\t": ("tab", "tabs"), " ": ("space", "spaces")}


@dataclass(frozen=True)
class Checked:
    """One text of one example: `side` is reads or writes, `tokens` and `longest` count its marks too."""

    id: str
    task: str
    side: str
    text: str
    report: TextReport
    tokens: int
    longest: int

    @property
    def too_long(self) -> bool:
        """Tell whether it would have to be cut."""
        return self.tokens > self.longest

    @property
    def damaged(self) -> bool:
        """Tell whether the student would see another text than the stored one."""
        return not self.report.exact or bool(self.report.unknown)

    def why(self, title: str) -> str:
        """Return in one sentence why the text does not fit the student `title`, or "" where it does."""
        place = f"What the student {title} {self.side} ({self.task})"
        if self.too_long:
            return f"{place} has {self.tokens} tokens; it holds {self.longest}."
        if self.report.unknown:
            words = ", ".join(f"“{word}”" for word in self.report.unknown_words[:_SHOWN])
            return f"{place} has words that its vocabulary lacks: {words or self.report.unknown}."
        if not self.report.exact:
            lost = lost_characters(self.text, self.report.decoded)
            return f"{place} does not come back from its tokens as it was{f': {lost} lost' if lost else ''}."
        return ""

    def to_json(self, title: str) -> dict[str, Any]:
        """Return the check as plain data: the text, the pieces, the counts, and why it does not fit."""
        return {
            "id": self.id,
            "student": title,
            "task": self.task,
            "side": self.side,
            "text": self.text,
            "exact": self.report.exact,
            "tokens": self.tokens,
            "longest": self.longest,
            "unknown": self.report.unknown,
            "unknown_words": list(self.report.unknown_words),
            "seen": self.report.seen,
            "decoded": self.report.decoded,
            "lost": lost_characters(self.text, self.report.decoded),
            "why": self.why(title),
        }


def check_example(
    example: Example, text: StudentText, longest_source: int, longest_target: int, kind: str = SEQ2SEQ
) -> tuple[Checked, Checked]:
    """Return what happens to the two texts of an example, each with what its student puts around it."""
    around = len(text.source_ids("", kind))
    found = []
    for side, content, marks, longest in (
        ("reads", example.source, around, longest_source),
        ("writes", example.target, 1, longest_target),
    ):
        report = text.check(content)
        found.append(Checked(example.id, example.task, side, content, report, report.tokens + marks, longest))
    return found[0], found[1]


def check_examples(
    examples: Iterable[Example], text: StudentText, config: RunConfig, kind: str = SEQ2SEQ
) -> Iterator[Checked]:
    """Yield what happens to every text of examples under the limits of a run."""
    for example in examples:
        yield from check_example(example, text, config.max_source_tokens, config.max_target_tokens, kind)


def require_sound(
    title: str, examples: Sequence[Example], text: StudentText, config: RunConfig, where: str = "",
    kind: str = SEQ2SEQ, positions: int = 0,
) -> None:  # fmt: skip
    """Raise DatasetError where texts would reach the student `title` damaged, or none would fit at all.

    With `damaged: leave out` only the second is refused. `positions` are those of the network (0: no limit).
    """
    unfit: set[int] = set()
    damaged: list[Checked] = []
    long: list[Checked] = []
    for number, example in enumerate(examples):
        if _fits(example, text, config, kind):
            if not _has_room(example, text, kind, positions):
                unfit.add(number)
            continue
        for one in check_example(example, text, config.max_source_tokens, config.max_target_tokens, kind):
            if one.too_long or one.damaged:
                unfit.add(number)
                (long if one.too_long else damaged).append(one)
    if damaged and config.damaged == "refuse":
        first = damaged[0]
        rows = ", ".join(list(dict.fromkeys(one.id for one in damaged))[:_SHOWN])
        raise DatasetError(
            f"{len({one.id for one in damaged})} rows would reach the student {title} damaged (rows {rows}"
            f"{' …' if len({one.id for one in damaged}) > _SHOWN else ''}). {first.why(title)}",
            "Correct the rows, choose a base student whose vocabulary carries them, or leave them out "
            "(damaged: leave out).",
            where,
        )
    if examples and len(unfit) == len(examples):
        why = next((one.why(title) for one in (*damaged, *long)), f"Its network has {positions} positions.")
        raise DatasetError(
            f"None of the {len(examples)} examples fits the student {title}. {why}",
            "Raise the limits, or choose a base student with another vocabulary.",
            where,
        )


def _fits(example: Example, text: StudentText, config: RunConfig, kind: str) -> bool:
    """Tell quickly whether both texts of an example fit; what is wrong with others is found out apart."""
    if not text.carries(example.source) or not text.carries(example.target):
        return False
    read, written = len(text.source_ids(example.source, kind)), len(text.target_ids(example.target))
    return read <= config.max_source_tokens and written <= config.max_target_tokens


def _has_room(example: Example, text: StudentText, kind: str, positions: int) -> bool:
    if not positions:
        return True
    read, written = len(text.source_ids(example.source, kind)), len(text.target_ids(example.target))
    return fits_together(read, written, positions, kind)


def lost_characters(stored: str, decoded: str) -> str:
    """Return which characters are missing in what came back, by how often.

    >>> lost_characters("if a < b:\\n    ans = {1}", "if a b: ans = 1")
    '1 line break, 4 spaces, “<”, “{”, “}”'
    """
    missing = Counter(stored) - Counter(decoded)
    named = [f"{missing[sign]} {names[missing[sign] > 1]}" for sign, names in _NAMES.items() if missing[sign]]
    signs = [f"“{sign}”" for sign in missing if sign not in _NAMES]
    return ", ".join(
        [*named, *signs[:_SHOWN], *([f"{len(signs) - _SHOWN} more"] if len(signs) > _SHOWN else [])]
    )


def fits_together(source: int, target: int, positions: int, kind: str) -> bool:
    """Tell whether an example of so many tokens has room in the positions of a network (0: no limit)."""
    return not positions or (source + target if kind == CAUSAL else max(source, target)) <= positions
