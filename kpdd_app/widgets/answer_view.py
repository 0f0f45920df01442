"""The end of an inference: the answer in large type, and what it is against gold, by sign and by word."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from kpdd_app import theme
from training_backend.events import Answer
from training_backend.rationale.answers import format_number

ROUND = 7
_WORDS = {
    "no_answer": "The program ended without a number as its answer.",
    "raised": "The program raised an error.",
    "timed_out": "The program was stopped: it did not come to an end in time.",
    "out_of_memory": "The program was stopped: it wanted too much memory.",
    "refused": "The sandbox refused the program.",
    "crashed": "The program crashed.",
    "does_not_parse": "What the student wrote could not be read.",
}
# equations do not run, and a chain of thought is only read
_OTHER_WORDS = {
    "eot": {
        "no_answer": "The equations have no answer.",
        "raised": "These are no equations that can be solved.",
        "timed_out": "The equations were not solved in time.",
        "out_of_memory": "Solving the equations wanted too much memory.",
    },
    "cot": {"no_answer": "No answer could be read."},
}


class AnswerView(QFrame):
    """A band with the answer; quiet while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the band, empty."""
        super().__init__(parent)
        self.setAccessibleName(self.tr("Answer"))
        self._look: tuple[str, str, str] = ("", "muted", "hover")
        self._said: tuple = ()
        self.caption = QLabel(self.tr("Answer"))
        self.caption.setProperty("role", "caption")
        self.number = QLabel("–")
        self.number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.number.setTextFormat(Qt.TextFormat.PlainText)
        self.sign = QLabel()
        self.word = QLabel()
        self.detail = QLabel()
        for label in (self.word, self.detail):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.setProperty("role", "muted")
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.caption)
        left.addWidget(self.number)
        words = QVBoxLayout()
        words.setSpacing(theme.gap(0.5))
        words.addStretch(1)
        words.addWidget(self.word)
        words.addWidget(self.detail)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.gap(3), theme.gap(2), theme.gap(3), theme.gap(2))
        row.setSpacing(theme.gap(3))
        row.addLayout(left)
        row.addWidget(self.sign)
        row.addLayout(words, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.notifier().changed.connect(self._restyle)
        self.show_answer(None, None)
        self._restyle()

    def show_answer(
        self, answer: Answer | None, gold: float | None, show_gold: bool = True, kind: str = "pot"
    ) -> None:
        """Show how an inference ended; None: it has not ended yet."""
        gold_text = format_number(gold) if gold is not None else ""
        if answer is None:
            waiting = self.tr("gold {0}").format(gold_text) if gold_text and show_gold else ""
            self._say("–", ("", "muted", "hover"), waiting, "")
            return
        number = answer.answer_text or (format_number(answer.value) if answer.value is not None else "–")
        if answer.equal is True:
            look = ("check", "equal", "equal_tint")
            said = self.tr("equal to gold {0}").format(gold_text) if show_gold else self.tr("equal to gold")
            self._say(number, look, said, "")
        elif answer.equal is False and answer.value is not None:
            look = ("cross", "wrong", "wrong_tint")
            said = self.tr("not equal: gold is {0}").format(gold_text)
            self._say(number, look, said if show_gold else self.tr("not equal to gold"), "")
        elif answer.value is not None:
            self._say(number, ("ring", "muted", "hover"), self.tr("no gold answer to compare with"), "")
        else:
            detail = answer.error.removeprefix("EquationError: ")
            word = _ending(answer, kind)
            if answer.verdict == "no_answer" and kind == "pot":
                detail = self.tr("Its answer has to stand in ans, or be what solution() returns.")
            gold_part = self.tr("gold is {0}").format(gold_text) if gold_text and show_gold else ""
            self._say("–", ("question", "unjudged", "unjudged_tint"), word,
                      " · ".join(part for part in (detail, gold_part) if part))  # fmt: skip

    def _say(self, number: str, look: tuple[str, str, str], word: str, detail: str) -> None:
        said = (number, look, word, detail)
        if said == self._said:
            return
        self._said = said
        shown = number if len(number) <= 24 else number[:23] + "…"
        self.number.setText(shown)
        self.number.setToolTip(number if shown != number else "")
        self.word.setText(word)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.setAccessibleDescription(" ".join((number, word, detail)))
        self._look = look
        self._show_look()

    def _show_look(self) -> None:
        sign, colour, _ = self._look
        edge = round(theme.line_height() * 1.6)
        self.sign.setVisible(bool(sign))
        if sign:
            self.sign.setPixmap(theme.pixmap(sign, colour, edge, self.devicePixelRatioF()))
        # said anew each time: a plain font is lost where a widget gets another parent
        self.number.setFont(theme.text_font(theme.point_size() * 0.8, bold=True))
        self.word.setFont(theme.text_font(0.5, bold=True))
        quiet = colour == "muted"
        self._dress(self.number, "faint" if self.number.text() == "–" and quiet else "text")
        self._dress(self.word, colour)
        # painted, not dressed by a style sheet: a new one costs more than a step of the time line may
        self.update()

    def _dress(self, label: QLabel, colour: str) -> None:
        palette = label.palette()
        palette.setColor(QPalette.ColorRole.WindowText, theme.colour(colour))
        label.setPalette(palette)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground and its border in the colours of what is said."""
        _, colour, tint = self._look
        quiet = colour == "muted"
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(theme.colour("border" if quiet else colour))
            painter.setBrush(theme.colour("window" if quiet else tint))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), ROUND, ROUND)
        finally:
            painter.end()

    def _restyle(self) -> None:
        self._show_look()
        # the band keeps its height whatever it says, so that nothing jumps when the answer comes
        self.setMinimumHeight(round(theme.line_height() * 4.2))


def _ending(answer: Answer, kind: str) -> str:
    """Return in a sentence how an inference without an answer ended."""
    if answer.error.startswith("printed more than"):
        return "The program was stopped: it printed too much."
    said = _OTHER_WORDS.get(kind, {}).get(answer.verdict) or _WORDS.get(answer.verdict)
    return said or answer.verdict.replace("_", " ")
