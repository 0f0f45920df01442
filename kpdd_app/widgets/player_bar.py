"""Moving on the line of steps: the slider, step forward and back, play at a chosen speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from kpdd_app import theme
from kpdd_app.widgets.quick_label import QuickLabel
from kpdd_app.widgets.trace_slider import Stretch, TraceSlider

# at speed 1: tokens are read, lines are looked at
TOKENS_PER_S = 20.0
LINES_PER_S = 2.5
SPEEDS: tuple[tuple[str, float], ...] = (
    ("½×", 0.5), ("1×", 1.0), ("2×", 2.0), ("4×", 4.0), ("as it comes", 0.0),
)  # fmt: skip
# so many lines of text wide the bar is when it has room for the speed, and for the buttons to both ends
SPEED_NEEDS = 34
ENDS_NEED = 24


class PlayerBar(QWidget):
    """Buttons, slider and speed. `moved` tells the step to show; the page's keys come here too."""

    moved = Signal(int)
    speed_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the bar; nothing to play yet."""
        super().__init__(parent)
        self._slow: tuple[int, int] = (0, 0)
        self._live = False
        self._following = False
        self._playing = False
        # the step after (or before) a step: folded loops are skipped by whoever knows them
        self.next_step: Callable[[int, int], int] = lambda step, by: step + by
        self.slider = TraceSlider()
        self.slider.valueChanged.connect(self._value_changed)
        self.slider.sliderMoved.connect(lambda _: self.pause())
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.first = self._button("first", self.tr("To the beginning"), "Home", self.to_start)
        self.back = self._button("step-back", self.tr("One step back"), "Left", lambda: self.step(-1))
        self.play = self._button("play", self.tr("Play or pause"), "Space", self.toggle)
        self.forward = self._button(
            "step-forward", self.tr("One step forward"), "Right", lambda: self.step(1)
        )
        self.last = self._button("last", self.tr("To the end"), "End", self.to_end)
        self.speed = QComboBox()
        self.speed.setAccessibleName(self.tr("Speed"))
        self.speed.setToolTip(
            self.tr("At 1×: {0:g} tokens, {1:g} lines a second").format(TOKENS_PER_S, LINES_PER_S)
        )
        for title, factor in SPEEDS:
            self.speed.addItem(title, factor)
        self.speed.setCurrentIndex(1)
        self.speed.currentIndexChanged.connect(self._speed_chosen)
        self.where = QuickLabel(Qt.AlignmentFlag.AlignRight)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(0.5))
        for button in (self.first, self.back, self.play, self.forward, self.last):
            row.addWidget(button)
        row.addWidget(self.speed)
        row.addSpacing(theme.gap(2))
        row.addWidget(self.slider, 1)
        row.addWidget(self.where)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self._show_where()

    # --- what is played ---------------------------------------------------------------------------

    @property
    def step_shown(self) -> int:
        """Return the step the handle stands at."""
        return self.slider.value()

    @property
    def playing(self) -> bool:
        """Tell whether it moves by itself."""
        return self._playing

    @property
    def factor(self) -> float:
        """Return the speed; 0 means: as it comes."""
        return float(self.speed.currentData())

    def set_factor(self, factor: float) -> None:
        """Choose a speed of SPEEDS."""
        index = self.speed.findData(factor)
        if index >= 0:
            self.speed.setCurrentIndex(index)

    def begin(self) -> None:
        """Start anew for a solution that is about to come: follow it at the chosen speed."""
        self.pause()
        self._slow = (0, 0)
        self.slider.set_stretches([])
        self.slider.setValue(0)
        self._live = self._following = True
        self._play()

    def set_phases(self, stretches: Sequence[Stretch], slow: tuple[int, int], live: bool) -> None:
        """Take the phases; steps in `slow` (after first, up to second) are lines; `live`: more may come."""
        self._slow = slow
        self._live = live
        self.slider.set_stretches(stretches)
        if self._following and not self.factor:
            self.slider.setValue(self.slider.maximum())
        if self._playing and not self._timer.isActive():
            self._arm()
        self._show_where()

    def go(self, step: int) -> None:
        """Stand at a step; playing stops."""
        self.pause()
        self.slider.setValue(step)

    def step(self, by: int) -> None:
        """Go some steps forward or back."""
        value = self.slider.value()
        self.go(self.next_step(value, by) if abs(by) == 1 else value + by)

    def to_start(self) -> None:
        """Go to the beginning."""
        self.go(0)

    def to_end(self) -> None:
        """Go to the end; while more is coming, stay at the end."""
        live = self._live
        self.go(self.slider.maximum())
        if live:
            self._following = True
            self._play(at_end=True)

    def toggle(self) -> None:
        """Play or pause; at the end play from the beginning."""
        if self._playing:
            self.pause()
            return
        if not self._live and self.slider.value() >= self.slider.maximum():
            self.slider.setValue(0)
        self._play()

    def pause(self) -> None:
        """Stand still."""
        self._playing = self._following = False
        self._timer.stop()
        self._show_playing()

    def take_key(self, event: QKeyEvent) -> bool:
        """Do what a key means on the line of steps; return whether it means something."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        wide = modifiers == Qt.KeyboardModifier.ShiftModifier
        if modifiers and not wide:
            return False
        moves = {
            Qt.Key.Key_Right: lambda: self.step(10 if wide else 1),
            Qt.Key.Key_Left: lambda: self.step(-10 if wide else -1),
            Qt.Key.Key_Home: self.to_start,
            Qt.Key.Key_End: self.to_end,
            Qt.Key.Key_Space: self.toggle,
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or (event.isAutoRepeat() and event.key() == Qt.Key.Key_Space):
            return False
        move()
        return True

    def add_buttons(self, *buttons: QWidget) -> None:
        """Put buttons at the end of the bar."""
        for button in buttons:
            self._row.addWidget(button)

    # --- helpers ----------------------------------------------------------------------------------

    def _play(self, at_end: bool = False) -> None:
        self._playing = True
        if self._live and (at_end or not self.factor):
            self.slider.setValue(self.slider.maximum())
        self._arm()
        self._show_playing()

    def _arm(self) -> None:
        """Wait as long as the next step deserves."""
        value = self.slider.value()
        if value >= self.slider.maximum():
            self._timer.stop()
            if not self._live:
                self.pause()
            return
        factor = self.factor
        if not factor and self._live:
            self._timer.stop()
            self.slider.setValue(self.slider.maximum())
            return
        rate = (LINES_PER_S if self._slow[0] <= value < self._slow[1] else TOKENS_PER_S) * (factor or 4.0)
        self._timer.start(max(4, round(1000 / rate)))

    def _tick(self) -> None:
        self.slider.setValue(self.next_step(self.slider.value(), 1))
        if self._playing:
            self._arm()

    def _value_changed(self, value: int) -> None:
        self._show_where()
        self.moved.emit(value)

    def _speed_chosen(self) -> None:
        self.speed_changed.emit(self.factor)
        if self._playing:
            self._arm()

    def _show_where(self) -> None:
        top = self.slider.maximum()
        self.where.reserve(f"{max(top, 9999)} / {max(top, 9999)}")
        self.where.say(f"{self.slider.value()} / {top}" if top else "")
        for button in (self.first, self.back):
            button.setEnabled(self.slider.value() > 0)
        for button in (self.forward, self.last):
            button.setEnabled(self.slider.value() < top or self._live)
        self.play.setEnabled(top > 0 or self._live)

    def _button(self, icon: str, what: str, keys: str, do) -> QToolButton:
        button = QToolButton()
        button.setProperty("icon_name", icon)
        button.setToolTip(f"{what}  ({keys})")
        button.setAccessibleName(what)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAutoRepeat(icon in ("step-back", "step-forward"))
        button.clicked.connect(lambda _=False: do())
        return button

    def _show_playing(self) -> None:
        name = "pause" if self._playing else "play"
        if name != self.play.property("icon_name"):
            self.play.setProperty("icon_name", name)
            self.play.setIcon(theme.icon(name))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the time line its room: what keys do too goes first."""
        super().resizeEvent(event)
        lines = self.width() / theme.line_height()
        self.speed.setVisible(lines > SPEED_NEEDS)
        for button in (self.first, self.last):
            button.setVisible(lines > ENDS_NEED)

    def _restyle(self) -> None:
        size = QSize(theme.icon_size(), theme.icon_size())
        for button in (self.first, self.back, self.play, self.forward, self.last):
            button.setIcon(theme.icon(str(button.property("icon_name"))))
            button.setIconSize(size)
        metrics = theme.text_metrics()
        self.speed.setMinimumWidth(metrics.horizontalAdvance("as it comes") + theme.line_height() * 3)
