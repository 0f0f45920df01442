"""What running one program gave: a verdict from a closed set and the answer as text and number."""

from __future__ import annotations

from dataclasses import dataclass

# ok: an answer was read · no_answer: it ended, but left no number · refused: the policy or the system
# said no, with the reason · crashed: it died or broke the protocol, with the reason.
VERDICTS = ("ok", "no_answer", "raised", "timed_out", "out_of_memory", "refused", "crashed")


@dataclass(frozen=True)
class RunResult:
    """The outcome of one program or one system of equations.

    `verdict` is one of VERDICTS. `taken_from` names where the answer was found (`ans`, `solution()`, …).
    `error` is `Type: message` with the 1-based `error_line`; `reason` explains `no_answer`, `refused` and
    `crashed` in words. `tier` says by which launcher it ran (`light`, `numpy`, `heavy`; `pure`: together with
    others in one child of the light one), `isolation` at which level (`full`, `basic`), `python` under which
    interpreter version. `rule` is how the number was read.
    """

    verdict: str
    answer_text: str = ""
    value: float | None = None
    taken_from: str = ""
    stdout: str = ""
    stdout_cut: bool = False
    error: str = ""
    error_line: int | None = None
    elapsed_ms: float = 0.0
    tier: str = ""
    isolation: str = ""
    python: str = ""
    reason: str = ""
    rule: str = ""
    cpu_ms: float = 0.0
    peak_mib: float = 0.0
