"""What the program itself finds odd about a row: the flags, as data, and how they are kept in one number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One flag: its name in files, how it reads, what it means, and how much it adds to the suspicion.

    `bit` is its place in the number `row.flags` and never changes once a file may hold it.
    """

    name: str
    bit: int
    title: str
    meaning: str
    suspicion: int


FLAGS: tuple[Flag, ...] = (
    Flag("answer_in_key_points", 0, "answer in the key points",
         "An item states the gold answer, or a result of a sum, which the question does not.", 40),
    Flag("foreign_number", 1, "number from nowhere",
         "The key points hold a number that the question neither has nor says in words.", 20),
    Flag("kinds_disagree", 2, "kinds disagree",
         "The program, the chain of thought or the equations of one path end on different answers.", 30),
    Flag("paths_disagree", 3, "paths disagree",
         "Most paths of the same question end on another answer, or no answer has a majority.", 25),
    Flag("duplicate_path", 4, "duplicate path",
         "An earlier path of the question is the same up to names, spacing and comments.", 5),
    Flag("near_benchmark", 5, "near a benchmark",
         "The question, of no test set itself, is nearly the same as one of a test set.", 35),
    Flag("gold_disputed", 6, "gold disputed",
         "At least two answers agree with each other and none with gold.", 45),
    Flag("unfit_for_student", 7, "unfit for the student",
         "The chosen student's tokenizer cannot carry a text of the row, or would cut it.", 15),
)  # fmt: skip
BY_NAME = {flag.name: flag for flag in FLAGS}
# the facet's value for rows without any flag
NONE = "none"


def mask_of(names: Iterable[str]) -> int:
    """Return the number that holds these flags; KeyError for a name that is none."""
    return sum({1 << BY_NAME[name].bit for name in names})


def names_in(mask: int) -> tuple[str, ...]:
    """Return the names of the flags that a number holds, in the order of FLAGS."""
    return tuple(flag.name for flag in FLAGS if mask >> flag.bit & 1)


def suspicion_of(names: Iterable[str]) -> int:
    """Return how suspicious a row with these flags is: 0 is not at all, the sum of their weights else."""
    return sum(BY_NAME[name].suspicion for name in set(names))
