"""The steps of a chain of thought: each computed again, with what its numbers were taken from."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from training_backend.execution.program_lines import Literal
from training_backend.execution.worked_steps import Source, WorkedStep, with_places
from training_backend.rationale.answers import format_number, numbers_in
from training_backend.rationale.arithmetic import Claim, claims

# so many characters before a number may say what it counts
_BESIDE = 80


def chain_steps(text: str, question: str = "", items: Sequence[str] = ()) -> list[WorkedStep]:
    """Return the arithmetic statements of a chain of thought in order.

    A number on a left side is the result of an earlier step where one has it, else a number of the question
    or of an item, else it came from nowhere. A step that reads the result of a false step is shaky.
    """
    steps: list[WorkedStep] = []
    written: list[list[Literal]] = []
    results: list[float] = []
    before: Claim | None = None
    for claim in claims(text):
        if before is not None and claim.start < before.end:
            # `a = b = c` goes on from what it just said
            sources: list[Source] = [Source(claim.left, len(steps))]
            literals: list[Literal] = []
        else:
            sources, literals = _read(text, claim, len(steps), results)
        steps.append(_step(text, claim, tuple(sources), steps))
        written.append(literals)
        results.append(claim.claimed)
        before = claim
    return with_places(steps, written, question, items)


def _step(text: str, claim: Claim, sources: tuple[Source, ...], before: Sequence[WorkedStep]) -> WorkedStep:
    built_on = [before[source.step - 1] for source in sources if source.step]
    step = WorkedStep(
        " ".join(text[claim.start : claim.end].split()), claim.holds, span=(claim.start, claim.end),
        sources=sources, shaky=any(one.shaky or one.holds is False for one in built_on),
    )  # fmt: skip
    return step if claim.holds else replace(step, detail=f"it is {format_number(claim.computed)}")


def _read(
    text: str, claim: Claim, number: int, results: Sequence[float]
) -> tuple[list[Source], list[Literal]]:
    """Return what a step reads: results of earlier steps, and numbers to be looked for elsewhere."""
    sources: list[Source] = []
    literals: list[Literal] = []
    beside = re.split(r"[.!?]\s", text[max(0, claim.start - _BESIDE) : claim.end])[-1]
    for start, end, value in numbers_in(claim.left):
        step = next((n for n in range(number, 0, -1) if math.isclose(results[n - 1], abs(value))), 0)
        if step:
            sources.append(Source(format_number(abs(value)), step))
        else:
            literals.append(Literal(number + 1, start, end, abs(value), 0, beside))
    return list(dict.fromkeys(sources)), literals
