"""What is known about one rationale: the state a row is filtered by, and the answer it was judged on."""

from __future__ import annotations

from dataclasses import dataclass

# not_asked: no teacher text yet · not_run: a text, not judged yet · no_gold: an answer was read, but there
# is no gold answer to compare it with · does_not_parse: the equations are no equations.
STATES = (
    "not_asked", "not_run", "equal", "not_equal", "no_answer", "raised", "timed_out", "out_of_memory",
    "refused", "crashed", "does_not_parse", "no_gold",
)  # fmt: skip
# an answer was read · it was judged, and there was none to read
ANSWERED = ("equal", "not_equal", "no_gold")
FAILED = ("no_answer", "raised", "timed_out", "out_of_memory", "refused", "crashed")


@dataclass(frozen=True)
class Judgement:
    """The judged answer of one rationale.

    `state` is one of STATES. `verdict` is what running gave (`execution.results.VERDICTS`; empty when
    nothing ran, as for a chain of thought). `value` is the answer as a number, `answer_text` what it was
    read from and `rule` how. `isolation` and `python` say under which protection and interpreter a program
    ran.
    """

    state: str
    verdict: str
    answer_text: str
    value: float | None
    stdout: str = ""
    error: str = ""
    error_line: int | None = None
    elapsed_ms: float = 0.0
    rule: str = ""
    isolation: str = ""
    python: str = ""
