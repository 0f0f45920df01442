"""How a generation stands: asked = done + failed + waiting, the results by state, the failures by reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme

# part → colour of the theme
PARTS = {"done": "accent", "failed": "wrong", "waiting": "border"}
REASONS_SHOWN = 4


class PartsBar(QWidget):
    """One bar divided into done, failed and waiting."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.counts: dict[str, int] = {}
        self.setAccessibleName(self.tr("Done, failed and waiting"))

    def set_counts(self, counts: dict[str, int]) -> None:
        """Show these counts."""
        self.counts = counts
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.gap(80), theme.gap(2))

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            total = max(1, self.counts.get("asked", 0))
            left = 0.0
            painter.setBrush(theme.colour("border"))
            painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
            for part, tone in PARTS.items():
                width = self.width() * self.counts.get(part, 0) / total
                if width > 0 and part != "waiting":
                    painter.setBrush(theme.colour(tone))
                    painter.drawRoundedRect(QRectF(left, 0, max(2.0, width), self.height()), 3, 3)
                left += width
        finally:
            painter.end()


class GenerationView(QWidget):
    """The counts of the run at hand, or of the last one."""

    state_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin before any run."""
        super().__init__(parent)
        self.counts: dict[str, int] = {}
        self.title = QLabel(self.tr("The run"))
        self.title.setProperty("role", "heading")
        self.equation = QLabel()
        self.equation.setTextFormat(Qt.TextFormat.RichText)
        self.bar = PartsBar()
        self.note = QLabel()
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.states = QGridLayout()
        self.states.setHorizontalSpacing(theme.gap(2))
        self.states.setVerticalSpacing(theme.gap(0.5))
        self._buttons: list[QWidget] = []
        line = QHBoxLayout()
        line.addLayout(self.states)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        column.addWidget(self.title)
        column.addWidget(self.equation)
        column.addWidget(self.bar)
        column.addLayout(line)
        column.addWidget(self.note)
        theme.notifier().changed.connect(self._show)
        self.note.setText(self.tr("Nothing was asked in this session yet."))
        self._show()

    def begin(self) -> None:
        """A run starts."""
        self.counts = {}
        self._set_states({})
        self.note.setText(self.tr("starting …"))
        self._show()

    def set_counts(self, counts: dict[str, int]) -> None:
        """Show asked, done, failed and waiting."""
        self.counts = dict(counts)
        self.note.clear()
        self._show()

    def set_result(self, data: dict[str, Any]) -> None:
        """Show the end: counts, verdicts, reasons of failures."""
        self.counts = {key: int(data.get(key, 0)) for key in ("asked", "done", "failed", "waiting")}
        self._set_states(data.get("by_state", {}))
        lines = []
        if data.get("existing"):
            lines.append(
                self.tr("{0} were answered before and not asked again.").format(_n(data["existing"]))
            )
        reasons = Counter(failure.get("reason", "") for failure in data.get("failures", []))
        lines += [f"{_n(count)} × {reason}" for reason, count in reasons.most_common(REASONS_SHOWN)]
        self.note.setText("\n".join(lines))
        self._show()

    def end(self, status: str) -> None:
        """The run ended as `status`."""
        words = {
            "done": self.tr("The run is done."),
            "stopped": self.tr("The run was stopped; starting again asks only what is missing."),
            "failed": self.tr("The run failed; what was answered is kept."),
        }
        parts = [words.get(status, status), self.note.text()]
        self.note.setText("\n".join(part for part in parts if part))

    def _show(self) -> None:
        visible = bool(self.counts)
        self.equation.setVisible(visible)
        self.bar.setVisible(visible)
        self.bar.set_counts(self.counts)
        tokens = theme.current()
        shown = {key: _n(self.counts.get(key, 0)) for key in ("asked", "done", "failed", "waiting")}
        tone = tokens.wrong if self.counts.get("failed") else tokens.text
        parts = [_part(shown[key], self.tr(key), tone if key == "failed" else tokens.text) for key in shown]
        signs = [_sign("="), _sign("+"), _sign("+"), ""]
        row = "".join(part + sign for part, sign in zip(parts, signs, strict=True))
        self.equation.setText(f"<table><tr>{row}</tr></table>")

    def _set_states(self, states: dict[str, int]) -> None:
        for old in self._buttons:
            old.deleteLater()
        self._buttons = []
        for place, (state, count) in enumerate(sorted(states.items(), key=lambda item: -item[1])):
            look = theme.look(state)
            button = QPushButton(f"{_n(count)}  {look.word}")
            button.setProperty("kind", "quiet")
            button.setIcon(theme.icon(look.sign, look.colour))
            button.setToolTip(self.tr("Show these rows"))
            button.clicked.connect(lambda _=False, state=state: self.state_wanted.emit(state))
            self.states.addWidget(button, place // 4, place % 4)
            self._buttons.append(button)


def _part(number: str, name: str, tone: str) -> str:
    """Return a number over its name as a cell of rich text."""
    big = round(theme.line_height() * 1.15)
    return (
        f"<td style='padding-right:{theme.gap(3)}px'><span style='font-size:{big}px; color:{tone}'>{number}"
        f"</span><br><span style='color:{theme.current().muted}'>{name}</span></td>"
    )


def _sign(sign: str) -> str:
    big = round(theme.line_height() * 1.15)
    style = f"padding-right:{theme.gap(3)}px; color:{theme.current().muted}; font-size:{big}px"
    return f"<td style='{style}'>{sign}</td>"


def _n(number: int) -> str:
    return QLocale().toString(int(number))
