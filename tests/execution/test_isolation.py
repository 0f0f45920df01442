"""The report of what protects from programs: sentences, the shared process that was closed, who says it."""

from __future__ import annotations

from training_backend.execution.isolation import IsolationReport, from_ready, say_missing


class Heard:
    """Takes what a reporter is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def log(self, text: str, level: str = "info") -> None:
        self.lines.append((text, level))


def test_a_closed_shared_process_is_missing_at_full_isolation():
    report = from_ready({"filter": True}, "A program gave another value alone.")
    assert report.level == "full"
    assert report.missing == ("A program gave another value alone. Programs run one by one from now on.",)
    assert from_ready({"filter": True}).missing == ()


def test_each_missing_protection_is_one_warning():
    heard = Heard()
    say_missing(IsolationReport("basic", ("No filter.", "No Landlock.")), heard)
    assert heard.lines == [("No filter.", "warning"), ("No Landlock.", "warning")]
