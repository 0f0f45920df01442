"""Beside the form of a new run: what is to be said before the start, the command, and the start itself."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.pages.train_check import Finding
from kpdd_app.pages.train_parts import finding_line
from training_backend.events import Progress


class StartPanel(QFrame):
    """The check's findings, the run as a command, and the buttons."""

    start_wanted = Signal()
    queue_wanted = Signal()
    command_wanted = Signal()
    yaml_wanted = Signal()
    cancel_wanted = Signal()
    finding_acted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it without findings."""
        super().__init__(parent)
        self.setProperty("panel", "surface")
        heading = QLabel(self.tr("Before the start"))
        heading.setProperty("role", "heading")
        self.looking = QLabel(self.tr("looking again …"))
        self.looking.setProperty("role", "caption")
        self.looking.hide()
        self.findings = QVBoxLayout()
        self.findings.setSpacing(theme.gap(1.5))
        self.command = QLabel()
        self.command.setFont(theme.mono_font(-1))
        self.command.setWordWrap(True)
        self.command.setTextFormat(Qt.TextFormat.PlainText)
        self.command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.command.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(2))
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addWidget(self.looking, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(head)
        column.addWidget(self._scrolled(), 1)
        column.addLayout(self._copies())
        column.addWidget(self._progress())
        column.addWidget(self._reason())
        column.addLayout(self._starts())
        self._found: list[Finding] = []
        theme.notifier().changed.connect(self._restyle)

    def show_findings(self, findings: list[Finding]) -> None:
        """Show what the check found."""
        self._found = findings
        while (item := self.findings.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for finding in findings:
            self.findings.addWidget(finding_line(finding, self.finding_acted.emit))

    def allow_start(self, allowed: bool, reason: str = "") -> None:
        """Let the run start or not; the reason stands above the button and in its tool tip."""
        self.why.setVisible(bool(reason))
        first = reason.split(". ")[0].rstrip(".")
        self.why.setText(self.tr("It cannot start: {0}.").format(first))
        self.why.setToolTip(reason)
        if reason and self.start.hasFocus():
            # a disabled button would hand the keyboard to the list of pages
            self.why.setFocus()
        self.start.setToolTip(reason)
        self.start.setAccessibleDescription(reason)
        self.start.setEnabled(allowed)

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far the making of a run is (a download, the check of all texts); None: hide it."""
        self.preparing.setVisible(progress is not None)
        if progress is None:
            return
        self.doing.setText(f"{progress.stage} {progress.text}".strip() or self.tr("Starting …"))
        # a stage that is done is followed by one that has not begun to count
        counts = 0 <= progress.done < progress.total
        self.bar.setRange(0, 1000 if counts else 0)
        if counts:
            # megabytes of a download pass what an int of Qt holds
            self.bar.setValue(round(1000 * progress.done / progress.total))

    def _scrolled(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, theme.gap(2), 0)
        column.setSpacing(theme.gap(3))
        column.addLayout(self.findings)
        column.addStretch(1)
        column.addWidget(self.command)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the panel's colour, not the page's
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        return scroll

    def _copies(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.gap(4))
        for text, signal in (
            (self.tr("Copy as command"), self.command_wanted),
            (self.tr("Copy as YAML"), self.yaml_wanted),
        ):
            button = QPushButton(text)
            button.setProperty("kind", "link")
            button.setStyleSheet("padding: 1px 0;")
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _progress(self) -> QWidget:
        self.preparing = QWidget()
        self.doing = QLabel()
        self.doing.setProperty("role", "caption")
        self.doing.setWordWrap(True)
        self.doing.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Making the run"))
        cancel = QPushButton(self.tr("Cancel"))
        cancel.clicked.connect(lambda _=False: self.cancel_wanted.emit())
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(cancel)
        column = QVBoxLayout(self.preparing)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1))
        column.addWidget(self.doing)
        column.addLayout(row)
        self.preparing.hide()
        return self.preparing

    def _reason(self) -> QLabel:
        self.why = QLabel()
        self.why.setProperty("role", "wrong")
        self.why.setWordWrap(True)
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        self.why.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        # a button that is off is passed over by Tab; this is not
        self.why.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.why.setAccessibleName(self.tr("Why it cannot start"))
        self.why.hide()
        return self.why

    def _starts(self) -> QHBoxLayout:
        self.queue = QPushButton(self.tr("Add to the queue"))
        self.queue.setToolTip(self.tr("It starts when the runs before it have ended"))
        self.queue.clicked.connect(lambda _=False: self.queue_wanted.emit())
        self.start = QPushButton(self.tr("Train"))
        self.start.setProperty("kind", "primary")
        self.start.clicked.connect(lambda _=False: self.start_wanted.emit())
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.queue)
        row.addWidget(self.start)
        return row

    def _restyle(self) -> None:
        self.command.setFont(theme.mono_font(-1))
        # their signs are drawn in the colours of the theme
        self.show_findings(self._found)
