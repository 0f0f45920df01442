"""Where a number comes from, lit up: pointing at a name marks the question, the items and the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from kpdd_app import theme
from kpdd_app.background import Background
from kpdd_app.number_links import Links, NumberLinks, Span, StepLinks, links_of
from kpdd_app.recording import Recording

if TYPE_CHECKING:
    from kpdd_app.pages.solve_columns import SolveColumns

# so many numbers are named in words
NAMED = 8


class NumberLights(QObject):
    """Follows the pointer and the focus over variables and program; marks what the value came from."""

    def __init__(self, columns: SolveColumns) -> None:
        """Listen to the columns' widgets."""
        super().__init__(columns)
        self._columns = columns
        self._background = Background("solve-origins", self)
        self._recording: Recording | None = None
        self._links: NumberLinks | StepLinks | None = None
        self._asked = False
        self._name = ""
        self._local = 0
        self._done = False
        self._lit: Links | None = None
        self._marked: tuple = ()
        columns.run.variables.name_pointed.connect(self.point)
        columns.run.program.name_pointed.connect(self.point)
        columns.run.step_pointed.connect(self.point)
        columns.question.edit.textChanged.connect(self._mark_question)
        theme.notifier().changed.connect(self._restyle)

    def close_threads(self) -> None:
        """End the thread that follows numbers."""
        self._background.close(wait=False)

    def clear(self) -> None:
        """Light up nothing."""
        self._recording = self._links = None
        self._asked, self._name, self._done = False, "", False
        self._show(None)

    def show_step(self, recording: Recording, local: int, done: bool) -> None:
        """Follow the step: what is pointed at may hold another value now."""
        if recording is not self._recording:
            self.clear()
            self._recording = recording
        if recording.over and not self._asked and recording.program:
            self._asked = True
            self._background.run(lambda: links_of(recording), lambda found: self._take(recording, found),
                                 lambda _: None, key="origins")  # fmt: skip
        moved = (local, done) != (self._local, self._done)
        self._local, self._done = local, done
        if moved and (self._name or self._links):
            self.point(self._name)

    def point(self, name: str) -> None:
        """Light up where the value of a name came from; an empty name: nothing."""
        self._name = name
        found = None
        pointed = bool(name) or (self._links is not None and self._links.follows and not self._done)
        if pointed and self._links is not None and self._recording is not None and self._local:
            frames = [frame.id for frame in self._recording.trace.state(self._local).frames]
            found = self._links.of(name, frames, self._local)
        self._show(found)

    # --- helpers ----------------------------------------------------------------------------------

    def _take(self, recording: Recording, found: NumberLinks | StepLinks) -> None:
        if recording is self._recording:
            self._links = found
            self.point(self._name)

    def _show(self, found: Links | None) -> None:
        self._lit = found
        columns = self._columns
        columns.run.program.show_origins(found.program if found else ())
        columns.run.light_steps(found.steps if found else ())
        for role, strip in columns.key_points.strips.items():
            strip.set_marks(found.key_points.get(role, ()) if found else ())
        self._mark_question()
        columns.origin.say(self._words(found))

    def _words(self, found: Links | None) -> str:
        links = self._links
        if links is None:
            return ""
        if found is not None:
            parts = []
            if found.question:
                parts.append(self.tr("question: {0}").format(self._named(found.question)))
            if found.items:
                parts.append(self.tr("item {0}").format(", ".join(map(str, found.items))))
            lines = sorted({line for line, _, _ in found.program})
            if lines:
                parts.append(self.tr("line {0}").format(", ".join(map(str, lines))))
            if found.steps:
                parts.append(self.tr("step {0}").format(", ".join(map(str, found.steps))))
            if found.nowhere and parts:
                parts.append(self.tr("written nowhere before: {0}").format(", ".join(found.nowhere)))
            said = " · ".join(parts) or self.tr("no number that was given")
            if found.deciding:
                said += " · " + self.tr("decided by {0}").format(self._named(found.deciding))
            return self.tr("{0} comes from {1}").format(found.head, said)
        if self._done and links.unused:
            return self.tr("Numbers of the question that the answer does not use: {0}").format(
                self._named(links.unused)
            )
        return ""

    def _named(self, spans: tuple[Span, ...]) -> str:
        """Return the texts of spans, each once; of many the first."""
        texts = list(dict.fromkeys(self._texts(spans)))
        return ", ".join(texts[:NAMED]) + (" …" if len(texts) > NAMED else "")

    def _texts(self, spans: tuple[Span, ...]) -> list[str]:
        assert self._links is not None
        return [self._links.question[start:end] for start, end in spans]

    def _mark_question(self) -> None:
        """Mark places of the question, while it is still the one that was solved."""
        edit = self._columns.question.edit
        links = self._links
        typed = edit.toPlainText()
        same = links is not None and typed.strip() == links.question.strip()
        lit = self._lit.question if same and self._lit else ()
        unused = links.unused if same and links and self._done else ()
        if (typed, lit, unused) == self._marked:
            return
        self._marked = (typed, lit, unused)
        offset = _offset(typed, links.question) if same and links else 0
        marks = [self._mark(edit, span, offset, False) for span in unused if span not in lit]
        marks += [self._mark(edit, span, offset, True) for span in lit]
        edit.setExtraSelections(marks)

    @staticmethod
    def _mark(edit, span: Span, offset: int, lit: bool) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        name = "changed" if lit else "unjudged"
        mark.format.setBackground(theme.colour(f"{name}_tint"))
        mark.format.setForeground(theme.colour(name))
        mark.format.setUnderlineColor(theme.colour(name))
        style = QTextCharFormat.UnderlineStyle
        mark.format.setUnderlineStyle(style.SingleUnderline if lit else style.DotLine)
        mark.cursor = QTextCursor(edit.document())
        mark.cursor.setPosition(_units(edit.toPlainText(), span[0] + offset))
        mark.cursor.setPosition(_units(edit.toPlainText(), span[1] + offset), QTextCursor.MoveMode.KeepAnchor)
        return mark

    def _restyle(self) -> None:
        self._marked = ()
        self._mark_question()


def _offset(typed: str, question: str) -> int:
    """Return how far the question's characters are moved in the field: white space around it is no part."""
    return (len(typed) - len(typed.lstrip())) - (len(question) - len(question.lstrip()))


def _units(text: str, position: int) -> int:
    """Return a position in Qt's UTF-16 units."""
    return len(text[:position].encode("utf-16-le", "surrogatepass")) // 2
