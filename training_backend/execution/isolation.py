"""How well programs are shut in on this system, in words a person can act on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from training_backend.events import Reporter

_COULD = {
    "open": "A program could open a file.",
    "socket": "A program could make a network connection.",
    "fork": "A program could start other processes.",
    "kill": "A program could signal other processes.",
}
# ends the sentence that says why programs no longer share a process
ONE_BY_ONE = "Programs run one by one from now on."


@dataclass(frozen=True)
class IsolationReport:
    """`level` is full or basic; `missing` has a sentence for each protection that is not there."""

    level: str
    missing: tuple[str, ...]


def from_ready(ready: dict[str, Any], lane_closed: str = "") -> IsolationReport:
    """Return the report of a launcher that said ready; `lane_closed` is why programs no longer share.

    Full means: there is a filter, and the launcher's own test could do nothing.
    """
    missing = [str(sentence) for sentence in ready.get("missing", ())]
    missing += [_COULD[name] for name in ready.get("could", ()) if name in _COULD]
    if lane_closed:
        missing.append(f"{lane_closed} {ONE_BY_ONE}")
    if ready.get("filter") and not ready.get("could"):
        return IsolationReport("full", tuple(missing))
    return IsolationReport("basic", tuple(missing))


def say_missing(report: IsolationReport, reporter: Reporter) -> None:
    """Say each missing protection once, on standard error where a person reads it."""
    for sentence in report.missing:
        reporter.log(sentence, "warning")


def say_closed(why: str, reporter: Reporter) -> None:
    """Say at the end of a command why programs stopped sharing a process meanwhile, if they did."""
    if why:
        reporter.log(f"{why} {ONE_BY_ONE}", "warning")


def without_launcher(reason: str) -> IsolationReport:
    """Return the report of the reduced path: one ordinary process for each program."""
    system = {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
    sentences = [
        f"On {system} programs run in ordinary processes without a system call filter: "
        "rules on their text and the interpreter's own hooks stop files and network, the kernel does not.",
    ]
    if reason:
        sentences.insert(0, reason)
    if sys.platform in ("darwin", "win32"):
        sentences.append("Memory and time are watched from outside and not bounded by the system.")
    return IsolationReport("basic", tuple(sentences))
