"""Writing with CTranslate2 in numbers of 8 bits: quicker than its float copy, and a slightly other student.

Its texts are not those of transformers to the letter, so it is used only where it is asked for, and only
after the float copy was proven and both answered sixteen questions: how many texts are the same is part of
the engine's name. Where too few are, NotUsable says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training_backend.methods import Task
from training_backend.students.ct2_engine import CT2Engine, NotUsable
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.examples import source_text
from training_backend.students.hf_engine import HFEngine, Request

# of the sixteen texts so many at least must be the same
LEAST_SAME = 12
# long enough for a program, short enough for a student that never ends
_LONGEST = 160
_THINGS = (("Anna", "pens", 3, 12), ("Tom", "apples", 5, 8), ("Ben", "coins", 14, 6), ("Mia", "books", 20, 4))
_QUESTIONS = (
    ("{who} has {a} boxes with {b} {what} each.", "How many {what} does {who} have in all?",
     ("{who} has {a} boxes", "each box holds {b} {what}")),
    ("{who} has {a} {what} and buys {b} more.", "How many {what} does {who} have now?",
     ("{who} has {a} {what}", "{who} buys {b} more {what}")),
    ("{who} had {c} {what} and gave {a} of them away.", "How many {what} are left?",
     ("{who} had {c} {what}", "{who} gave {a} {what} away")),
    ("{who} shares {c} {what} among {a} friends, all alike.", "How many {what} does each friend get?",
     ("{who} shares {c} {what}", "there are {a} friends")),
)  # fmt: skip


def int8_engine(
    reference: HFEngine, precise: CT2Engine, sources: Sequence[Sequence[int]], limit: int
) -> CT2Engine:
    """Return the engine in 8 bits; NotUsable where it writes other texts than `precise`, the float copy.

    `sources` are ids of sources to try, `limit` is how many tokens the student may write.
    """
    made = CT2Engine(reference, "int8")
    requests = [Request(tuple(ids), (0,)) for ids in sources]
    settings, limit = DecodingSettings(), min(limit, _LONGEST)
    texts, others = (
        {i: ids for i, _, ids in each.write(requests, settings, limit)} for each in (precise, made)
    )
    same = sum(texts[i] == others[i] for i in texts)
    if not requests:
        raise NotUsable("no question fits it that could show what 8 bits change")
    if same * 16 < LEAST_SAME * len(requests):
        raise NotUsable(f"in 8 bits it writes other texts: {same} of {len(requests)} are as in float32")
    made.name = f"ctranslate2-int8, {same} of {len(requests)} texts as in float32"
    return made


def trial_sources(about: Mapping[str, Any]) -> Iterator[str]:
    """Yield sixteen sources as the student of `about` (its student.json) is used to read them."""
    tasks = about.get("tasks") or [{"prefix": "question", "reads": ["question"], "writes": "cot"}]
    task = Task(tasks[0]["prefix"], tuple(tasks[0]["reads"]), tasks[0]["writes"])
    for who, what, a, b in _THINGS:
        names = {"who": who, "what": what, "a": a, "b": b, "c": a * b}
        for told, asked, information in _QUESTIONS:
            core = asked.format(**names)
            yield source_text(task, {
                "question": f"{told.format(**names)} {core}",
                "core_question": core,
                "information": tuple(item.format(**names) for item in information),
            })  # fmt: skip
