"""Small parts of the Train page: fields with notes, lines of the check, a run's status in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.pages.train_check import Finding

STATUS_WORDS = {
    "starting": "starting",
    "running": "running",
    "paused": "paused",
    "stopping": "stopping …",
    "prepared": "prepared, not begun",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
    "detached": "",
}
STATUS_SIGNS = {
    "done": ("check", "equal"),
    "failed": ("cross", "wrong"),
    "interrupted": ("cross", "wrong"),
    "running": ("play", "accent"),
    "paused": ("pause", "muted"),
    "stopped": ("stop", "muted"),
    "prepared": ("clock", "muted"),
}


def short_name(folder: Path, method: str) -> str:
    """Return the name of a run's folder without the method, which stands in the title.

    >>> short_name(Path("x.runs/2026-01-31-kpdd-pot-2"), "kpdd-pot")
    '2026-01-31-2'
    """
    return folder.name.replace(f"-{method}", "")


def scrolled(page: QWidget) -> QVBoxLayout:
    """Return the column of a page; where letters are large or the window is small it can be scrolled."""
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.gap(2))
    scroll = QScrollArea()
    scroll.setWidget(content)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    outer = QVBoxLayout(page)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)
    return column


def note_label(role: str = "caption") -> QLabel:
    """Return an empty label for what is said below a field."""
    note = QLabel()
    note.setProperty("role", role)
    note.setWordWrap(True)
    note.setTextFormat(Qt.TextFormat.PlainText)
    return note


def form_lines(lines: Iterable[tuple[str, QWidget, QLabel | None]]) -> QGridLayout:
    """Return fields below each other, each beside its label and with a note below it where there is one."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(theme.gap(2))
    grid.setVerticalSpacing(theme.gap(2))
    grid.setColumnStretch(1, 1)
    for number, (label, field, note) in enumerate(lines):
        name = QLabel(label)
        name.setContentsMargins(0, theme.gap(1.4), 0, 0)
        name.setBuddy(field)
        body = QVBoxLayout()
        body.setSpacing(theme.gap(0.5))
        body.addWidget(field)
        if note is not None:
            body.addWidget(note)
        grid.addWidget(name, number, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(body, number, 1)
    return grid


def finding_line(finding: Finding, act: Callable[[Finding], None]) -> QWidget:
    """Return one line of the check with its sign, and a button where something can be done."""
    line = QWidget()
    sign = QLabel()
    name = {"equal": "check", "wrong": "cross", "muted": "clock"}.get(finding.kind, "warning")
    sign.setPixmap(theme.pixmap(name, finding.kind, theme.icon_size(), line.devicePixelRatioF()))
    text = QLabel(finding.text)
    text.setWordWrap(True)
    text.setTextFormat(Qt.TextFormat.PlainText)
    body = QVBoxLayout()
    body.setSpacing(0)
    body.addWidget(text)
    words = {"teacher": line.tr("Let a teacher answer"), "dataset": line.tr("Import questions")}.get(
        finding.page, ""
    )
    if finding.rows is not None:
        words = line.tr("Show these rows") if finding.student else line.tr("Show the rows not used")
    if words:
        button = QPushButton(words)
        button.setProperty("kind", "link")
        # in line with the text above it
        button.setStyleSheet("padding: 1px 0;")
        button.clicked.connect(lambda _=False: act(finding))
        body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.gap(2))
    row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
    row.addLayout(body, 1)
    return line
