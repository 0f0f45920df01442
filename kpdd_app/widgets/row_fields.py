"""The parts of the row editor: a titled field with its mark of change, and the outcome of a program."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.widgets.growing_text import GrowingText
from training_backend.project.details import FieldText
from training_backend.rationale.answers import format_number
from training_backend.rationale.judgement import Judgement


class Field(QWidget):
    """A title, a mark where a person changed the text, the way back to the teacher's text, and the editor."""

    edited = Signal(str, str)
    bring_back_wanted = Signal(str)

    def __init__(self, key: str, title: str, editor: GrowingText, parent: QWidget | None = None) -> None:
        """`key` is the field's name in the project."""
        super().__init__(parent)
        self.key = key
        self.editor = editor
        self._mark = QLabel()
        self._word = QLabel(self.tr("changed"))
        self._word.setProperty("role", "changed")
        self._back = QPushButton(self.tr("Bring back the teacher's text"))
        self._back.setProperty("kind", "link")
        self._back.setAccessibleName(self.tr("Bring back the teacher's text of: {0}").format(title))
        self._back.clicked.connect(lambda: self.bring_back_wanted.emit(self.key))
        self.title = QLabel(title)
        self.title.setProperty("role", "muted")
        self.title.setBuddy(editor)
        self.head = QHBoxLayout()
        self.head.setSpacing(theme.gap(1))
        for part in (self.title, self._mark, self._word):
            self.head.addWidget(part)
        self.head.addStretch(1)
        self.head.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(0.6))
        column.addLayout(self.head)
        column.addWidget(editor)
        self._known = editor.text
        editor.textChanged.connect(self._changed)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self.show_changed(False)

    def take(self, text: FieldText) -> None:
        """Show a text of the project."""
        self.put(text.text)
        self.show_changed(text.corrected is not None)

    def put(self, text: str) -> None:
        """Put a text in that nobody typed."""
        self.editor.set_text(text)
        self._known = self.editor.text

    def show_changed(self, changed: bool) -> None:
        """Show or hide the mark and the way back."""
        for part in (self._mark, self._word, self._back):
            part.setVisible(changed)

    @property
    def changed(self) -> bool:
        """Tell whether the mark is shown."""
        return not self._mark.isHidden()

    def _changed(self) -> None:
        # Qt also says "changed" when only colours did, as when a program gives way to prose: the text of the
        # row shown before must not be taken for something typed into the next one
        text = self.editor.text
        if text != self._known:
            self._known = text
            self.edited.emit(self.key, text)

    def _restyle(self) -> None:
        edge = round(theme.line_height() * 0.85)
        self._mark.setPixmap(theme.pixmap("pencil", "changed", edge, self.devicePixelRatioF()))


class Pill(QLabel):
    """A state as a sign and a word on its quiet colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._look: theme.Look | None = None
        self._text = ""
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        theme.notifier().changed.connect(self._restyle)

    def show_state(self, state: str, text: str = "") -> None:
        """Show a verdict or review state; `text` instead of its usual word."""
        self.show_look(theme.look(state), text)

    def show_look(self, look: theme.Look, text: str = "") -> None:
        """Show a sign and a word that are no state; `text` instead of the word."""
        if (look, text or look.word) == (self._look, self._text):
            return
        self._look = look
        self._text = text or look.word
        self.setAccessibleName(self._text)
        self._restyle()

    def _restyle(self) -> None:
        if self._look is None:
            return
        edge = round(theme.line_height() * 0.85)
        picture = theme.glyph_file(self._look.sign, self._look.colour)
        self.setText(
            f"<table cellspacing=0 cellpadding=0><tr><td valign=middle><img src='{picture}' width={edge} "
            f"height={edge}></td><td valign=middle>&nbsp;{self._text}</td></tr></table>"
        )
        tokens = theme.current()
        sheet = (
            f"QLabel {{ background: {getattr(tokens, self._look.tint)}; color: "
            f"{getattr(tokens, self._look.colour)}; border-radius: {theme.gap(1)}px; "
            f"padding: {theme.gap(0.4)}px {theme.gap(1.4)}px; }}"
        )
        if sheet != self.styleSheet():
            # the same one again would be read again and everything around be laid out anew
            self.setStyleSheet(sheet)


class Outcome(QFrame):
    """What running the program gave: verdict, answer against gold, error with its line, printed text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.setProperty("panel", "surface")
        self.pill = Pill()
        self.answer = QLabel()
        self.answer.setTextFormat(Qt.TextFormat.PlainText)
        self.answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.aside = QLabel()
        self.aside.setProperty("role", "caption")
        self.error = _block("wrong")
        self.output = _block("muted")
        line = QHBoxLayout()
        line.setSpacing(theme.gap(2))
        line.addWidget(self.pill)
        line.addWidget(self.answer)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(1.6)] * 4)
        column.setSpacing(theme.gap(1))
        column.addLayout(line)
        column.addWidget(self.error)
        column.addWidget(self.output)
        column.addWidget(self.aside)
        theme.notifier().changed.connect(self._restyle)

    def show_running(self) -> None:
        """Say that the program runs."""
        self.pill.show_state("not_run", self.tr("running …"))
        self.answer.clear()
        self.aside.clear()
        self.error.hide()
        self.output.hide()

    def take(self, judgement: Judgement, state: str, gold: str) -> None:
        """Show a judgement; `state` is the row's, `gold` the gold answer as text."""
        self.pill.show_state(state)
        answer = judgement.answer_text
        if not answer and judgement.value is not None:
            answer = format_number(judgement.value)
        parts = [self.tr("answer {0}").format(answer)] if answer else []
        parts += [self.tr("gold {0}").format(gold)] if gold else []
        self.answer.setText("   ".join(parts))
        aside = [judgement.rule] if judgement.rule else []
        if judgement.elapsed_ms:
            aside.append(f"{judgement.elapsed_ms:.0f} ms" if judgement.elapsed_ms >= 1 else "< 1 ms")
        self.aside.setText("  ·  ".join(aside))
        self.aside.setVisible(bool(aside))
        self.aside.setToolTip("\n".join(part for part in (judgement.isolation, judgement.python) if part))
        where = self.tr("line {0}: ").format(judgement.error_line) if judgement.error_line else ""
        self._say(self.error, where + judgement.error if judgement.error else "")
        self._say(self.output, judgement.stdout.rstrip("\n"))

    def _say(self, label: QLabel, text: str) -> None:
        label.setText(text if len(text) < 3000 else text[:3000] + " …")
        if text:
            label.setFont(theme.mono_font(-0.5))
        label.setVisible(bool(text))

    def _restyle(self) -> None:
        for label in (self.error, self.output):
            label.setFont(theme.mono_font(-0.5))


def _block(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label
