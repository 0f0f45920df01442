"""The ways through a trace as buttons: over, out, to a breakpoint, to a change, around a loop."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from kpdd_app import theme
from kpdd_app.key_bindings import name_button
from kpdd_app.trace_steps import Loop
from kpdd_app.widgets.quick_label import QuickLabel

# (name of the way, icon, what it does)
WAYS = (
    ("over_back", "step-over-back", "Back over the last line"),
    ("over", "step-over", "Over this line, with all that it calls"),
    ("out", "step-out", "Out of this function"),
    ("breakpoint_back", "to-breakpoint-back", "Back to the last breakpoint"),
    ("breakpoint", "to-breakpoint", "On to the next breakpoint"),
    ("change", "next-change", "To the next change of the chosen variable"),
)


class RunTools(QWidget):
    """Asks for a way by its name; shows which round of which loop it is."""

    way_asked = Signal(str)
    fold_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the row."""
        super().__init__(parent)
        self.buttons: dict[str, QToolButton] = {}
        # room for the longest loop at hand: the buttons stand still while loops within loops take turns
        self._most_rounds = 0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(0.5))
        for name, icon, what in WAYS:
            row.addWidget(self._button(name, icon, what))
        self.fold = self._button("fold", "fold", "Fold the rounds in the middle of long loops")
        self.fold.setCheckable(True)
        self.fold.toggled.connect(self.fold_changed)
        row.addWidget(self.fold)
        row.addSpacing(theme.gap(1))
        row.addStretch(1)
        self.loop = QuickLabel(Qt.AlignmentFlag.AlignHCenter)
        row.addWidget(self._button("round_back", "chevron-left", "The round before"))
        row.addWidget(self.loop)
        row.addWidget(self._button("round", "chevron-right", "The next round"))
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self.show_loop(None, 0)
        self.set_ways(set())

    def set_ways(self, possible: set[str]) -> None:
        """Let only those ways be pressed that lead somewhere."""
        for name, _, _ in WAYS:
            self.buttons[name].setEnabled(name in possible)

    def show_loop(self, loop: Loop | None, step: int) -> None:
        """Say which round of a loop runs; None: no loop."""
        for name in ("round_back", "round"):
            self.buttons[name].setVisible(loop is not None)
        self.loop.setVisible(loop is not None)
        if loop is None:
            self._most_rounds = 0
        else:
            number, rounds = QLocale().toString, len(loop.starts)
            words = self.tr("{0} / {1}").format(number(loop.round_at(step)), number(rounds))
            self._most_rounds = max(self._most_rounds, rounds)
            self.loop.reserve(self.tr("{0} / {0}").format(number(self._most_rounds)))
            self.loop.say(words, self.tr("Line {0}: round {1}").format(loop.line, words))

    def _button(self, name: str, icon: str, what: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("icon_name", icon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAutoRaise(True)
        name_button(button, self.tr(what), f"solve.{name}")
        button.clicked.connect(lambda _=False: self.way_asked.emit(name))
        self.buttons[name] = button
        return button

    def _restyle(self) -> None:
        size = QSize(theme.icon_size(), theme.icon_size())
        for button in self.buttons.values():
            button.setIcon(theme.icon(str(button.property("icon_name"))))
            button.setIconSize(size)
