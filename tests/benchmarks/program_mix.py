"""The mix of recorded programs that the sandbox is measured on, taken from public recorded data.

65 of 100 import numpy (nearly all without using it), 9 use SymPy, the others need the standard library only:
the shares of the programs that code models wrote for GSM8K, SVAMP, MultiArith, AQuA and TabMWP. What runs
longer than a second in one process is left out; what raises stays, as a runner must report it too.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
import re
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_backend.execution.given import GIVEN, solve_it

SHARES = {"numpy imported": 130, "sympy": 18, "stdlib only": 52}
PER_ROUND = sum(SHARES.values())
_SYMPY = re.compile(r"\b(?:solve_it|Symbol|symbols|simplify|Eq|Rational)\(|\bsympy\b")
_POT = "teacher/program_of_thoughts"
_SETS = {
    f"{_POT}/gsm8k_zeroshot.jsonl.gz": "generated",
    f"{_POT}/gsm8k_fewshot.jsonl.gz": "generated",
    f"{_POT}/svamp_fewshot.jsonl.gz": "generated",
    "pal_datasets/gsmhardv2.jsonl": "code",
    "restricted/xot/gsm8k_test_pot.jsonl.gz": "reason/pot",
    "teacher/mwp_reft/svamp_python_sdp.json.gz": "answer_cot",
    "teacher/faithful_cot/GSM8K/code002_noNL.jsonl.gz": "completion",
    "teacher/faithful_cot/GSM8K/gpt-3.5-turbo_noNL.jsonl.gz": "completion",
    "teacher/faithful_cot/GSM8K/gpt4_noNL.jsonl.gz": "completion",
}


class TooSlowError(BaseException):
    """A program ran longer than it may; no program catches this by accident."""


@dataclass(frozen=True)
class Recorded:
    """One recorded program, its kind (a key of SHARES), and how it ended in this process."""

    code: str
    kind: str
    ended: str


def harness_names() -> dict[str, Any]:
    """Return the names that public harnesses put above a program: the same that the sandbox gives."""
    import math

    import numpy
    import sympy

    modules = {"math": math, "numpy": numpy, "sympy": sympy}
    names = {
        name: getattr(modules[module], attribute) if attribute else modules[module]
        for name, (module, attribute) in GIVEN.items()
        if module in modules
    }
    return {**names, "solve_it": solve_it}


def with_head(recorded: Recorded) -> str:
    """Return the text for an interpreter of its own: below the imports of its harness where it needs them."""
    if recorded.kind != "sympy" or "import sympy" in recorded.code:
        return recorded.code
    return (
        "import math\nimport sympy\nfrom sympy import Eq, Rational, Symbol, simplify, solve, symbols\n"
        "def solve_it(equations, unknowns):\n"
        "    found = sympy.solve(equations, unknowns, dict=True)\n"
        "    return found[0] if found else {unknown: None for unknown in unknowns}\n" + recorded.code
    )


def run_text(code: str, names: dict[str, Any]) -> str:
    """Run one program in this process, silent; return how it ended."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(compile(code, "<program>", "exec"), {"__name__": "__main__", **names})
        except TooSlowError:
            raise
        except BaseException as error:
            return type(error).__name__
    return "ended"


def read_mix(folder: Path, rounds: int) -> list[list[Recorded]]:
    """Return rounds of PER_ROUND programs; any part of one from its front holds the kinds by their shares."""
    found: dict[str, list[str]] = {kind: [] for kind in SHARES}
    for code in _all_texts(folder):
        found[_kind_of(code)].append(code)
    by_kind = {}
    for kind, codes in found.items():
        random.Random(0).shuffle(codes)
        by_kind[kind] = _endless(codes)
    return [_interleaved(by_kind, number) for number in range(rounds)]


def describe(mix: list[list[Recorded]]) -> str:
    """Return in one paragraph what the mix is made of."""
    programs = [recorded for part in mix for recorded in part]
    kinds = Counter(recorded.kind for recorded in programs)
    ended = Counter(recorded.ended for recorded in programs)
    shares = ", ".join(f"{kind} {count / len(programs):.0%}" for kind, count in kinds.most_common())
    lines = sum(recorded.code.count("\n") + 1 for recorded in programs) / len(programs)
    different = len({recorded.code for recorded in programs})
    raised = ", ".join(f"{name} {count}" for name, count in ended.most_common(6))
    return f"{len(programs):,} programs ({different:,} different): {shares}; {lines:.0f} lines each; {raised}"


def _all_texts(folder: Path) -> Iterator[str]:
    for name, field in _SETS.items():
        path = folder / name
        if not path.is_file():
            continue
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as file:
            rows = json.load(file) if ".json." in path.name + "." and "jsonl" not in path.name else map(
                json.loads, file
            )  # fmt: skip
            for row in rows:
                text = row.get(field) or ""
                text = text[0] if isinstance(text, list) else text
                if text.strip():
                    yield text


def _kind_of(code: str) -> str:
    if _SYMPY.search(code):
        return "sympy"
    return "numpy imported" if "import numpy" in code else "stdlib only"


def _endless(codes: list[str]) -> Iterator[Recorded]:
    """Yield those that are quick enough, and again from the start when they are used up."""
    names, known = harness_names(), {}
    while codes:
        for code in codes:
            if code not in known:
                known[code] = _timed(code, names)
            if known[code]:
                yield Recorded(code, _kind_of(code), known[code])


def _timed(code: str, names: dict[str, Any]) -> str:
    """Return how a program ended here, or '' when it took more than a second."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        return run_text(code, names)
    except TooSlowError:
        return ""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interleaved(by_kind: dict[str, Iterator[Recorded]], number: int) -> list[Recorded]:
    """Return one round, with each kind spread evenly over it."""
    places = sorted(
        ((place + random.Random(number).random()) / count, kind)
        for kind, count in SHARES.items()
        for place in range(count)
    )
    return [next(by_kind[kind]) for _, kind in places]
