"""How one row of the table is drawn, and which columns there are."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from kpdd_app import theme
from kpdd_app.widgets.found_words import found_words
from training_backend.project.flags import BY_NAME
from training_backend.project.listing import ListRow

LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
KIND_NAMES = {"cot": "CoT", "pot": "PoT", "eot": "EoT", "": "–"}


@dataclass(frozen=True)
class Column:
    """One column: its key, its title, its width in characters, and how its cell is made.

    `least` is the width, in characters too, to which it shrinks in a narrow window; `order` is what it
    sorts by (empty: its key).
    """

    key: str
    title: str
    characters: float
    text: Callable[[ListRow], str]
    face: str = "text"  # text, mono, muted
    right: bool = False
    shown: bool = True
    least: float = 4
    order: str = ""

    @property
    def sort(self) -> str:
        """Return the name in SORTS by which a click on the title sorts."""
        return self.order or self.key


def kind_text(row: ListRow) -> str:
    """Return kind and path in a few letters: `PoT`, `PoT 2`."""
    name = KIND_NAMES.get(row.kind, row.kind)
    return f"{name} {row.path + 1}" if row.path else name


COLUMNS: tuple[Column, ...] = (
    Column("id", "#", 5.5, lambda row: f"{row.id}", "muted", right=True, least=4.5),
    Column("verdict", "Verdict", 14, lambda row: theme.look(row.verdict).word, least=3),
    Column("review", "Review", 6, lambda row: ""),
    Column("kind", "Kind", 5.5, kind_text, least=3.5),
    Column("question", "Question", 20, lambda row: row.question, least=12),
    Column("answer_text", "Answer", 8, lambda row: row.answer_text, "mono", right=True, least=6.5),
    Column("gold_text", "Gold", 8, lambda row: row.gold_text, "mono", right=True, least=6.5),
    Column("core_question", "Core question", 34, lambda row: row.core_question, shown=False),
    Column("rationale", "Rationale", 34, lambda row: row.rationale, "mono", shown=False),
    Column("suspicion", "Suspicion", 7, lambda row: f"{row.suspicion}" if row.suspicion else "", "mono",
           right=True, shown=False),
    Column("flags", "Found", 20, lambda row: ", ".join(BY_NAME[name].title for name in row.flags),
           shown=False, order="suspicion"),
    Column("dataset", "Dataset", 12, lambda row: row.dataset, "muted", shown=False),
    Column("split", "Split", 8, lambda row: row.split, "muted", shown=False),
    Column("path", "Path", 4, lambda row: f"{row.path + 1}", "muted", right=True, shown=False),
    Column("round", "Round", 5, lambda row: f"{row.round}" if row.round else "", "muted", right=True,
           shown=False),
    Column("flagged", "Flag", 4, lambda row: "flag" if row.flagged else "", "muted", shown=False),
    Column("changed", "Changed", 6, lambda row: "changed" if row.changed else "", "muted", shown=False),
)  # fmt: skip
# takes the width that the others leave, until a person gives it one
ELASTIC = "question"
# the columns whose texts a search looks through
SEARCHED = frozenset(["question", "core_question", "rationale"])
# fewer letters of a verdict say nothing
LEAST_LETTERS = 2
COLUMN = {column.key: column for column in COLUMNS}


class RowPainter:
    """Fonts, heights and shortened texts of one state of theme and widths; made again when they change."""

    def __init__(self, scale: float) -> None:
        """`scale` is the screen's device pixel ratio."""
        self.scale = scale
        self.height = theme.row_height()
        self.pad = theme.gap(1.6)
        self.edge = round(theme.line_height() * 0.92)
        self.fonts: dict[str, QFont] = {
            "text": _plain(theme.text_font()),
            "muted": theme.text_font(),
            "mono": _plain(theme.mono_font()),
        }
        self.metrics = {face: QFontMetrics(font) for face, font in self.fonts.items()}
        self.colours = {name: theme.colour(name) for name in theme.COLOURS}
        self._narrow = {
            face: max(2.0, metrics.horizontalAdvance("il.,") / 4) for face, metrics in self.metrics.items()
        }
        self._wide = {face: metrics.horizontalAdvance("W") + 1 for face, metrics in self.metrics.items()}
        # where the letters of a line stand, from the row's top on
        self._base = {
            face: (self.height - metrics.height()) // 2 + metrics.ascent()
            for face, metrics in self.metrics.items()
        }
        self._short: dict[tuple[str, str, int], str] = {}
        self._search = ""
        # text, face and room → (from, width) of what is found, in pixels
        self._marks: dict[tuple[str, str, int], list[tuple[int, int]]] = {}

    def look_for(self, search: str) -> None:
        """Mark the words of a search in the texts that it looks through; an empty one marks nothing."""
        if search != self._search:
            self._search = search
            self._marks.clear()

    def paint(
        self, painter: QPainter, row: ListRow, columns: list[tuple[Column, int, int]], top: int, marked: bool
    ) -> None:
        """Draw the cells of a row; `columns` are (column, left, width), `marked`: it left the filter."""
        for column, left, width in columns:
            if column.key == "verdict":
                self._verdict(painter, row, left, width, top, marked)
            elif column.key == "review":
                self._review(painter, row, left, top)
            else:
                quiet = marked or column.face == "muted"
                if column.key == "answer_text" and not marked:
                    tone = self._answer_tone(row)
                else:
                    tone = self.colours["muted" if quiet else "text"]
                text = column.text(row)
                if self._search and column.key in SEARCHED:
                    self._mark(painter, text, column.face, left, width, top)
                self._text(painter, text, column.face, tone, left, width, top, column.right)

    def placeholder(
        self, painter: QPainter, columns: list[tuple[Column, int, int]], top: int, number: int
    ) -> None:
        """Draw quiet bars where a row is still being read."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colours["hover"])
        for index, (_, left, width) in enumerate(columns):
            part = 0.35 + ((number * 7 + index * 13) % 10) / 20
            bar = QRect(left + self.pad, top + self.height // 2 - 3, int((width - 2 * self.pad) * part), 6)
            painter.drawRoundedRect(bar, 3, 3)

    def _verdict(
        self, painter: QPainter, row: ListRow, left: int, width: int, top: int, marked: bool
    ) -> None:
        look = theme.look(row.verdict)
        picture = theme.pixmap(look.sign, look.colour, self.edge, self.scale)
        painter.drawPixmap(left + self.pad // 2, top + (self.height - self.edge) // 2, picture)
        tone = self.colours["muted" if marked else look.colour]
        shift = self.edge + self.pad // 2
        room = width - shift - 2 * (self.pad // 2)
        if len(self._shortened(look.word, "text", room).rstrip("…")) < min(LEAST_LETTERS, len(look.word)):
            # the sign says more than the beginning of a word
            return
        self._text(painter, look.word, "text", tone, left + shift, width - shift, top, False, self.pad // 2)

    def _review(self, painter: QPainter, row: ListRow, left: int, top: int) -> None:
        signs = []
        if row.review != "unreviewed":
            look = theme.look(row.review)
            signs.append(("accept" if row.review == "accepted" else "reject", look.colour))
        if row.changed:
            signs.append(("pencil", "changed"))
        if row.flagged:
            signs.append(("flag-filled", "unjudged"))
        x = left + self.pad // 2
        for name, tone in signs:
            picture = theme.pixmap(name, tone, self.edge, self.scale)
            painter.drawPixmap(x, top + (self.height - self.edge) // 2, picture)
            x += self.edge + 2

    def _answer_tone(self, row: ListRow) -> QColor:
        if row.verdict in ("equal", "not_equal"):
            return self.colours[theme.look(row.verdict).colour]
        return self.colours["muted"]

    def _mark(self, painter: QPainter, text: str, face: str, left: int, width: int, top: int) -> None:
        """Tint and underline what the search finds in a text that begins at the left."""
        room = width - self.pad - self.pad // 2
        if not text or room < 8:
            return
        key = (text, face, room)
        places = self._marks.get(key)
        if places is None:
            if len(self._marks) > 6000:
                self._marks.clear()
            places = self._marks[key] = self._places(text, face, room)
        metrics = self.metrics[face]
        for start, wide in places:
            x, y = left + self.pad + start, top + self._base[face]
            painter.fillRect(x, y - metrics.ascent(), wide, metrics.height(), self.colours["accent_tint"])
            # on a chosen row the tint is the ground
            painter.fillRect(x, y + 2, wide, 1, self.colours["accent"])

    def _places(self, text: str, face: str, room: int) -> list[tuple[int, int]]:
        """Return where what is found stands in the text shown; nowhere in one that begins at the right."""
        if not text.isascii() and any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
            return []
        short = self._shortened(text, face, room)
        seen = len(short) - (1 if short != text else 0)
        width = self.metrics[face].horizontalAdvance
        return [
            (width(text[:start]), width(text[: min(end, seen)]) - width(text[:start]))
            for start, end in found_words(self._search, text)
            if start < seen
        ]

    def _text(self, painter: QPainter, text: str, face: str, tone: QColor, left: int, width: int, top: int,
              right: bool, pad: int | None = None) -> None:  # fmt: skip
        pad = self.pad if pad is None else pad
        room = width - pad - self.pad // 2
        if not text or room < 8:
            return
        painter.setFont(self.fonts[face])
        painter.setPen(tone)
        short = self._shortened(text, face, room)
        if right or not text.isascii():
            box = QRect(left + pad // (2 if right else 1), top, room, self.height)
            painter.drawText(box, RIGHT if right else LEFT, short)
        else:
            # other scripts may begin at the right; this one needs no layout
            painter.drawText(left + pad, top + self._base[face], short)

    def _shortened(self, text: str, face: str, room: int) -> str:
        """Return the text with … where it does not fit; measuring is what costs, so results are kept."""
        if len(text) * self._wide[face] <= room and text.isalnum() and text.isascii():
            # numbers and words that fit however wide their letters are
            return text
        key = (text, face, room)
        found = self._short.get(key)
        if found is None:
            if len(self._short) > 6000:
                self._short.clear()
            # no face has narrower letters: more than this never fits
            cut = text[: int(room / self._narrow[face]) + 2]
            found = self.metrics[face].elidedText(cut, Qt.TextElideMode.ElideRight, room)
            if len(cut) < len(text) and not found.endswith("…"):
                found = self.metrics[face].elidedText(cut + "…………", Qt.TextElideMode.ElideRight, room)
            self._short[key] = found
        return found


def _plain(font: QFont) -> QFont:
    """Return a font without kerning and features where its script can do without: half the time of a text."""
    font.setStyleStrategy(QFont.StyleStrategy.PreferNoShaping)
    return font
