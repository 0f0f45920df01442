"""The head of the row editor: verdict, place, review and flag, and the other rows of the question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QTabBar, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.widgets.icon_button import IconButton
from kpdd_app.widgets.row_fields import Pill
from kpdd_app.widgets.row_paint import kind_text
from kpdd_app.widgets.short_label import ShortLabel
from training_backend.methods import KINDS
from training_backend.project.listing import ListRow

# from here on, in quarters of a line, verdict and buttons stand on one line
WIDE = 120
# letters of a teacher's name on a tab
NAME = 14


class RowHead(QFrame):
    """What is known and can be done about a row before its texts."""

    review_wanted = Signal(str)
    flag_wanted = Signal()
    trace_wanted = Signal()
    path_chosen = Signal(int)
    """The id of another row of the question."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        # how the tabs of the paths look, and in which colours and size
        self._looks: list[tuple[str, str, str]] = []
        self._style: tuple | None = None
        self._rows: tuple[ListRow, Sequence[ListRow]] | None = None
        self._writers: Mapping[int, tuple[str, str]] = {}
        self.place = ShortLabel()
        self.place.setProperty("role", "caption")
        self.pill = Pill()
        self.accept = IconButton("accept", self.tr("Accept"), self.tr("Accept"), "equal")
        self.reject = IconButton("reject", self.tr("Reject"), self.tr("Reject"), "wrong")
        for button in (self.accept, self.reject):
            button.setCheckable(True)
        self.flag = IconButton("flag", self.tr("Flag"))
        self.trace = IconButton("trace", self.tr("Walk through this on the Solve page"))
        self.again = IconButton("teacher", self.tr("Ask the teacher again"))
        self.accept.clicked.connect(lambda: self.review_wanted.emit("accepted"))
        self.reject.clicked.connect(lambda: self.review_wanted.emit("rejected"))
        self.flag.clicked.connect(self.flag_wanted)
        self.trace.clicked.connect(self.trace_wanted)
        self.paths = QTabBar()
        self.paths.setExpanding(False)
        self.paths.setAccessibleName(self.tr("Other rows of this question"))
        self.paths.tabBarClicked.connect(self._choose)
        self.paths.currentChanged.connect(self._choose)
        self._build()
        theme.notifier().changed.connect(self._restyle)

    def take(
        self,
        row: ListRow,
        siblings: Sequence[ListRow],
        writable: bool,
        writers: Mapping[int, tuple[str, str]] | None = None,
    ) -> None:
        """Show a row and the other rows of its question; `writers` are (teacher, model) by the row's id."""
        place = "  ·  ".join(part for part in (f"row {row.id}", row.dataset, row.split,
                             KINDS.get(row.kind, self.tr("no reply yet"))) if part)  # fmt: skip
        self.place.setText(place)
        self.pill.show_state(row.verdict)
        self.accept.setChecked(row.review == "accepted")
        self.reject.setChecked(row.review == "rejected")
        self.flag.set_look("flag-filled" if row.flagged else "flag", "unjudged" if row.flagged else "muted")
        for button in (self.accept, self.reject, self.flag, self.again):
            button.setEnabled(writable)
        self.trace.setVisible(bool(row.kind))
        self._rows = row, siblings
        self._writers = writers or {}
        self._show_paths(row, siblings)

    def step_path(self, way: int) -> None:
        """Go to the next (or with -1 the previous) row of the same question."""
        count = self.paths.count()
        if count > 1:
            self._choose((self.paths.currentIndex() + way) % count)

    def resizeEvent(self, event) -> None:
        """Put the two lines beside each other where there is room, as below the table."""
        super().resizeEvent(event)
        ways = QBoxLayout.Direction
        wide = self.width() > theme.gap(WIDE)
        self._lines.setDirection(ways.LeftToRight if wide else ways.TopToBottom)

    def _build(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(theme.gap(2))
        first.addWidget(self.pill)
        first.addWidget(self.place, 1)
        first.addWidget(self.again)
        second.setSpacing(theme.gap(1))
        for button in (self.accept, self.reject, self.flag, self.trace):
            second.addWidget(button)
        second.addStretch(1)
        self._lines = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._lines.setSpacing(theme.gap(1.2))
        self._lines.addLayout(first, 1)
        self._lines.addLayout(second)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.gap(3), theme.gap(1.5), theme.gap(3), 0)
        column.setSpacing(theme.gap(1.2))
        column.addLayout(self._lines)
        column.addWidget(self.paths)

    def _choose(self, index: int) -> None:
        row_id = self.paths.tabData(index) if index >= 0 else None
        if row_id is not None:
            self.path_chosen.emit(row_id)

    def _restyle(self) -> None:
        """Give the tabs signs in the new size and colours."""
        if self._rows is not None:
            self._show_paths(*self._rows)

    def _show_paths(self, row: ListRow, siblings: Sequence[ListRow]) -> None:
        rows = sorted([row, *siblings], key=lambda one: (one.kind, one.path, one.id))
        style = theme.current(), theme.icon_size()
        before = self._looks if style == self._style else []
        self._style = style
        names = tab_names(rows, self._writers)
        self._looks = [
            (one.verdict, name, ", ".join(filter(None, self._writers.get(one.id, ()))))
            for one, name in zip(rows, names, strict=True)
        ]
        self.paths.blockSignals(True)
        size = QSize(theme.icon_size(), theme.icon_size())
        if size != self.paths.iconSize():
            # the same one again would lay out and paint all tabs
            self.paths.setIconSize(size)
        while self.paths.count() > len(rows):
            self.paths.removeTab(self.paths.count() - 1)
        while self.paths.count() < len(rows):
            self.paths.addTab("")
        for index, one in enumerate(rows):
            # a tab that looks like the one before is not laid out again
            if self._looks[index : index + 1] != before[index : index + 1]:
                look = theme.look(one.verdict)
                self.paths.setTabIcon(index, theme.icon(look.sign, look.colour))
                # a teacher's name may hold a sign that would underline the next letter
                self.paths.setTabText(index, names[index].replace("&", "&&"))
                said = self._looks[index][2]
                self.paths.setTabToolTip(index, f"{look.word} · {said}" if said else look.word)
            self.paths.setTabData(index, one.id)
            if one.id == row.id:
                self.paths.setCurrentIndex(index)
        self.paths.blockSignals(False)
        self.paths.setVisible(len(rows) > 1)


def tab_names(rows: Sequence[ListRow], writers: Mapping[int, tuple[str, str]]) -> list[str]:
    """Return what stands on the tabs: kind and path, and what tells rows apart that share both.

    That is the teacher, where it is the same the model, and the row's number where both are.
    """
    names = [kind_text(row) for row in rows]
    known = [writers.get(row.id, ("", "")) for row in rows]
    for tell in (lambda n: known[n][0], lambda n: known[n][1].rpartition("/")[2], lambda n: f"#{rows[n].id}"):
        times = Counter(names)
        alike = [number for number, name in enumerate(names) if times[name] > 1]
        for name in {names[number] for number in alike}:
            of = [number for number in alike if names[number] == name]
            if len({tell(number) for number in of}) > 1:
                for number in of:
                    names[number] = f"{name} {_short(tell(number))}".rstrip()
    return names


def _short(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1].rstrip() + "…"
