"""Changes of very many rows: the question before them, and the strip that shows how far they are."""

from __future__ import annotations

import time

from PySide6.QtCore import QLocale, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from kpdd_app import messages, theme
from kpdd_app.long_work import LongWork
from kpdd_app.widgets.job_bar import duration

# a person is asked before a change of more rows than this
VERY_MANY = 100_000
# what is done sooner needs no strip
SHOW_MS = 300


def confirmed(parent: QWidget, what: str, count: int) -> bool:
    """Ask before a very large change; `what` is the button's word. True at once for fewer rows."""
    if count <= VERY_MANY:
        return True
    number = QLocale().toString(count)
    return messages.question(
        parent,
        parent.tr("{0}: {1} rows?").format(what, number),
        parent.tr("It goes on beside your work, can be stopped, and is one step for Undo."),
        yes=what,
    )


class WorkStrip(QFrame):
    """A line with the title of long work, its progress, the time left, and *Stop*; else hidden."""

    def __init__(self, work: LongWork, parent: QWidget | None = None) -> None:
        """Follow `work`."""
        super().__init__(parent)
        self.work = work
        self.setProperty("panel", "notice")
        self.title = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the change"))
        self.text = QLabel()
        self.text.setProperty("role", "muted")
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.setProperty("kind", "link")
        self.stop.setToolTip(self.tr("Stop: what is done so far is kept, and Undo takes it back"))
        self.stop.clicked.connect(self._stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.gap(2), theme.gap(0.5), theme.gap(2), theme.gap(0.5))
        row.setSpacing(theme.gap(2))
        row.addWidget(self.title)
        row.addWidget(self.bar, 1)
        row.addWidget(self.text)
        row.addWidget(self.stop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOW_MS)
        self._timer.timeout.connect(lambda: self.setVisible(work.busy))
        work.began.connect(self._begin)
        work.progressed.connect(self._show_progress)
        work.ended.connect(self._end)
        self.hide()

    def _begin(self, title: str) -> None:
        self.title.setText(title)
        self.text.clear()
        self.bar.setRange(0, 0)
        self.stop.setEnabled(True)
        self._timer.start()

    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        number = QLocale().toString
        text = self.tr("{0} of {1}").format(number(done), number(total))
        if 0 < done < total and not self.work.stopping:
            spent = time.monotonic() - self.work.began_at
            text += self.tr(" · {0} left").format(duration(spent * (total - done) / done))
        self.text.setText(text)

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self.text.setText(self.tr("stopping …"))
        self.work.stop()

    def _end(self) -> None:
        self._timer.stop()
        self.hide()
