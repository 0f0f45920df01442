"""The status line: the open project, whether all is saved, short notes, and the running job."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from kpdd_app import messages, theme
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.widgets.job_bar import JobBar
from kpdd_app.widgets.short_label import ShortLabel

NOTE_MS = 6000


class StatusLine(QWidget):
    """One line at the foot of the window."""

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Follow the project and the jobs."""
        super().__init__(parent)
        self._project = project
        self._sign = QLabel()
        self._name = ShortLabel()
        self._saved = QLabel()
        self._saved.setProperty("role", "muted")
        self._note = ShortLabel()
        self._note.setProperty("role", "muted")
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.job_bar = JobBar(jobs)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._note.clear)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(theme.gap(3), theme.gap(0.8), theme.gap(2), theme.gap(0.8))
        row.setSpacing(theme.gap(2))
        for part in (self._sign, self._name, self._saved):
            row.addWidget(part)
        row.addWidget(self._note, 1)
        row.addWidget(self.job_bar)
        messages.notes().said.connect(self.say)
        project.opened.connect(lambda _: self._show())
        project.closed.connect(self._show)
        project.saving.connect(self._show_saving)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def say(self, text: str) -> None:
        """Show a short note for some seconds."""
        self._note.setText(text)
        self._timer.start(NOTE_MS)

    @property
    def text(self) -> str:
        """Return the note on the screen."""
        return self._note.text()

    def resizeEvent(self, event) -> None:
        """Leave the larger part to what runs: the project's name is in the title of the window too."""
        super().resizeEvent(event)
        self._name.setMaximumWidth(self.width() * 3 // 10)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), theme.colour("window"))
            painter.setPen(theme.colour("border"))
            painter.drawLine(0, 0, self.width(), 0)
        finally:
            painter.end()

    def _restyle(self) -> None:
        self._show()
        # as high as with a job, so that the pages do not move when one starts
        edges = self._row.contentsMargins()
        wanted = self.job_bar.sizeHint().height() + edges.top() + edges.bottom()
        self.setMinimumHeight(max(theme.row_height() + theme.gap(1), wanted))

    def _show(self) -> None:
        path = self._project.path
        read_only = path is not None and self._project.read_only
        sign = ("lock", "unjudged") if read_only else ("file", "muted")
        edge = round(theme.line_height() * 0.95)
        self._sign.setPixmap(theme.pixmap(*sign, edge, self.devicePixelRatioF()))
        self._sign.setVisible(path is not None)
        self._name.setText(path.stem if path is not None else self.tr("no project open"))
        self._sign.setToolTip(str(path) if path is not None else "")
        self._show_saving(False)

    def _show_saving(self, waiting: bool) -> None:
        if self._project.path is None:
            self._saved.clear()
        elif self._project.read_only:
            self._saved.setText(self.tr("read-only"))
            self._saved.setToolTip(self._project.read_only_reason)
        else:
            self._saved.setText(self.tr("saving …") if waiting else self.tr("all saved"))
