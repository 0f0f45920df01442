"""A solution of another question than the one on the page: said in a line above it, and laid under a veil."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from kpdd_app import theme
from kpdd_app.pages.solve_branches import Ask
from kpdd_app.pages.solve_question import QuestionPanel
from kpdd_app.recording import Recording
from kpdd_app.widgets.notice import Notice
from training_backend.rationale.answers import format_number

# how much of the ground lies over what is of another question: it can still be read
THICK = 0.6
NAMED_CHARS = 60


class Veil(QWidget):
    """Lies over a widget and dims it, or says a text in its place; what is below still takes the mouse."""

    def __init__(self, below: QWidget) -> None:
        """Cover `below`, hidden at first."""
        super().__init__(below)
        self._below = below
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        below.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as what is covered, and above what joined it later."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded) and not self.isHidden():
            self._cover()
        return super().eventFilter(watched, event)

    def cover(self, on: bool, text: str = "") -> None:
        """Dim what is below, or no longer; `text` is said in its place."""
        if on and text != self.text:
            self.text = text
            self.update()
        self.setVisible(on)
        if on:
            self._cover()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground over everything."""
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), theme.colour("surface", 1.0 if self.text else THICK))
            if self.text:
                painter.setPen(theme.colour("muted"))
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(self.rect(), int(flags), self.text)
        finally:
            painter.end()

    def _cover(self) -> None:
        self.setGeometry(self._below.rect())
        self.raise_()


class OtherQuestion(QObject):
    """Compares the question and gold on the page with those of the solution shown, once typing lets it."""

    changed = Signal()

    def __init__(self, question: QuestionPanel, parts: Sequence[QWidget], answer: QWidget) -> None:
        """`parts` show the solution, `answer` its verdict; `notice` is to stand above them."""
        super().__init__(question)
        self._question = question
        self._shown: tuple[Ask, Recording] | None = None
        self._said: tuple | None = None
        self._veils = [Veil(part) for part in parts]
        self._over_answer = Veil(answer)
        self.notice = Notice()
        self.notice.acted.connect(self._put_back)
        # what is typed is compared when nothing else is left to do
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.look)
        question.edit.textChanged.connect(self._timer.start)
        question.gold_edit.textChanged.connect(self._timer.start)

    @property
    def is_other(self) -> bool:
        """Tell whether the solution shown is of another question than the one on the page."""
        return self._shown is not None and not self._question.stands_for(self._shown[0].question)

    def show_for(self, shown: tuple[Ask, Recording] | None) -> None:
        """Take the request that the page shows, None when it shows none."""
        self._shown = shown
        self.look()

    def look(self) -> None:
        """Say whether the solution is of another question, or compared with another gold answer."""
        self._timer.stop()
        if self._shown is None:
            self._say("", "", False, "")
            return
        ask, recording = self._shown
        if self.is_other:
            told = self.tr("This solution is of another question: {0}").format(beginning_of(ask.question))
            answer = recording.answer.answer_text if recording.answer is not None else ""
            verdict = self.tr("Answer to the other question: {0}").format(answer or self.tr("none"))
            self._say(told, self.tr("Show that question"), True, verdict)
        elif not self._question.gold_is(ask.gold):
            if ask.gold is None:
                told = self.tr("This solution was compared with no gold answer. Solve again to compare it.")
                verdict = ""
            else:
                gold = format_number(ask.gold) if self._question.gold_shown else self.tr("another one")
                told = self.tr("This solution was compared with gold {0}. Solve again to compare it anew.")
                told = told.format(gold)
                verdict = self.tr("Not compared with the gold answer that stands here now")
            self._say(told, self.tr("Show that gold answer"), False, verdict)
        else:
            self._say("", "", False, "")

    # --- helpers ----------------------------------------------------------------------------------

    def _say(self, text: str, action: str, dim: bool, verdict: str) -> None:
        said = (text, action, dim, verdict)
        if said == self._said:
            return
        self._said = said
        for veil in self._veils:
            veil.cover(dim)
        self._over_answer.cover(bool(verdict), verdict)
        if text:
            self.notice.say(text, "unjudged", action)
        else:
            self.notice.clear()
        self.changed.emit()

    def _put_back(self) -> None:
        if self._shown is not None:
            ask = self._shown[0]
            self._question.set_question(ask.question, ask.gold)
            self.look()


def beginning_of(question: str) -> str:
    """Return the first words of a question on one line."""
    text = " ".join(question.split())
    if len(text) <= NAMED_CHARS:
        return text
    return text[:NAMED_CHARS].rsplit(" ", 1)[0] + " …"
