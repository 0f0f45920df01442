"""What an import did, shown when its job ends; with places that cannot be read, the choice to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from kpdd_app import messages
from kpdd_app.jobs import Job
from training_backend.errors import DatasetError
from training_backend.events import Result

_LISTED = 1000


def follow_import(
    job: Job, page: QWidget, changed: Callable[[Any], None], again: Callable[[], None] | None = None
) -> None:
    """Say at the end of an import what it did; `again` imports the readable rest where that is wanted."""
    results: list[Result] = []
    job.event_came.connect(lambda event: results.append(event) if isinstance(event, Result) else None)

    def ended(status: str) -> None:
        changed(None)
        if results:
            report(page, results[-1], again)
        elif job.last_failure is not None:
            messages.error(page, job.last_failure)

    job.ended.connect(ended)


def report(page: QWidget, result: Result, again: Callable[[], None] | None = None) -> None:
    """Show an import's result: a note when all went in, else a window with every place that did not."""
    files = result.data.get("files", [])
    failed = [file for file in files if "error" in file]
    refused = [file for file in files if file.get("refused")]
    summary = result.text.splitlines()[0] if result.text else ""
    if failed:
        first = failed[0]
        what = str(first.get("message") or first["error"])
        messages.error(page, DatasetError(what, str(first.get("hint", "")), str(first.get("where", ""))))
        return
    if refused and again is not None:
        if _ask(page, refused):
            again()
        return
    hints = _hints(page, files)
    if not hints:
        messages.note(summary)
        return
    messages.inform(page, summary, " ".join(hints), _places(files), page.tr("Import"))


def _hints(page: QWidget, files: list[dict[str, Any]]) -> list[str]:
    hints = []
    if any(file.get("unreadable_count") for file in files):
        hints.append(page.tr("What could be read is in the project."))
    different = sum(file.get("different", 0) for file in files)
    if different:
        hints.append(page.tr("{0} questions that were there already have another text and were left as they "
                             "are.").format(different))  # fmt: skip
    conflicts = sum(file.get("conflicts", 0) for file in files)
    if conflicts:
        hints.append(page.tr("{0} values differ from yours; yours stand, theirs are in the history of their "
                             "fields.").format(conflicts))  # fmt: skip
    renamed = sum(file.get("renamed", 0) for file in files)
    if renamed:
        hints.append(page.tr("{0} questions have a number that another question of yours has; they were "
                             "added under a name of their own.").format(renamed))  # fmt: skip
    return hints


def _ask(page: QWidget, files: list[dict[str, Any]]) -> bool:
    """Ask whether the readable rest is to be imported, with the list of the other places."""
    bad = sum(file["unreadable_count"] for file in files)
    good = sum(file["readable"] for file in files)
    leave = page.tr("Import nothing")
    rest = page.tr("Import the other {0}").format(f"{good:,}")
    what = page.tr("1 place of the file cannot be read; nothing was imported.")
    if bad > 1:
        what = page.tr("{0} places of the file cannot be read; nothing was imported.").format(f"{bad:,}")
    hint = page.tr("Mend them and import again, or import the rest without them.")
    if bad > _LISTED:
        hint += " " + page.tr("These are the first {0}.").format(f"{_LISTED:,}")
    choices = (leave, rest) if good else (leave,)
    box = messages.Message(
        page, page.tr("Import"), what, hint, "", _places(files), ("question", "unjudged"), choices
    )
    box.exec()
    return box.chosen == rest


def _places(files: list[dict[str, Any]]) -> str:
    """Return a line for every place that could not be read, under the name of its file."""
    lines = []
    for file in files:
        places = file.get("unreadable", [])[:_LISTED]
        if places:
            lines.append(str(file["file"]))
        for place in places:
            at = f"{place.get('unit', 'line')} {place['line']}: " if place["line"] else ""
            lines.append(f"    {at}{place['reason']}")
    return "\n".join(lines)
