"""How a generation stands: asked = done + failed + waiting, tokens, money, failures by reason, results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme

# part → colour of the theme
PARTS = {"done": "accent", "failed": "wrong", "waiting": "border"}
MILLION = 1_000_000
REASONS = {
    "key": "the key was refused", "permission": "not allowed", "model": "no such model",
    "rate_limit": "too many requests", "server": "the server failed",
    "refused_connection": "no server there", "reset": "the connection broke", "cut": "cut in the middle",
    "silence": "no answer in time", "not_json": "no reply of a model", "refusal": "the teacher refused",
    "empty": "an empty reply", "too_long": "the prompt is too long", "bad_request": "the request was refused",
    "certificate": "the certificate", "proxy": "the proxy", "address": "the address",
    "unreadable": "could not be read", "length": "cut at the longest length",
    "key_points": "its key points failed",
}  # fmt: skip


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
    again_wanted = Signal(str)
    """Ask again what failed for this reason; empty: everything that failed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin before any run."""
        super().__init__(parent)
        self.counts: dict[str, int] = {}
        self._running = False
        self.title = QLabel(self.tr("The run"))
        self.title.setProperty("role", "heading")
        self.equation = QLabel()
        self.equation.setTextFormat(Qt.TextFormat.RichText)
        self.bar = PartsBar()
        self.spent = QLabel()
        self.spent.setWordWrap(True)
        self.note = QLabel()
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.states = QGridLayout()
        self.states.setHorizontalSpacing(theme.gap(2))
        self.states.setVerticalSpacing(theme.gap(0.5))
        self.reasons = QGridLayout()
        self.reasons.setHorizontalSpacing(theme.gap(3))
        self.reasons.setVerticalSpacing(theme.gap(0.5))
        self.reasons.setColumnStretch(2, 1)
        self._buttons: dict[str, QPushButton] = {}
        self._reasons: dict[str, tuple[QLabel, QPushButton]] = {}
        line = QHBoxLayout()
        line.addLayout(self.states)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        for part in (self.title, self.equation, self.bar, self.spent):
            column.addWidget(part)
        column.addLayout(line)
        column.addLayout(self.reasons)
        column.addWidget(self.note)
        theme.notifier().changed.connect(self._show)
        self.clear()

    # --- methods ----------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget the run that was shown."""
        self.counts = {}
        self._running = False
        self._set_states({})
        self._set_reasons({})
        self._say(self.tr("Nothing was asked yet."))
        self._show()

    def begin(self, title: str = "") -> None:
        """A run starts."""
        self.clear()
        self._running = True
        self.title.setText(title or self.tr("The run"))
        self.note.setText(self.tr("starting …"))

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Show the parts of asked, tokens, money, reasons (`failed:…`) and states of rows (`state:…`)."""
        self.counts = dict(counts)
        if self._running:
            self.note.clear()
        states = _under(counts, "state:")
        if states:
            self._set_states(states)
        self._set_reasons(_under(counts, "failed:"))
        self._show()

    def set_stored(
        self,
        title: str,
        counts: Any,
        note: str,
        wrong: bool = False,
        states: Mapping[str, int] | None = None,
    ) -> None:
        """Show a run as the project knows it: a `requests.Counts`, and its rows by verdict.

        `wrong` tells that it failed.
        """
        self.title.setText(title)
        self._running = False
        shown = {name: getattr(counts, name) for name in ("asked", "done", "failed", "waiting", "replies",
                 "prompt_tokens", "cached_tokens", "completion_tokens")}  # fmt: skip
        if counts.money is not None:
            shown["money_millionths"] = round(counts.money * MILLION)
        self.set_counts(shown | {f"failed:{reason}": n for reason, n in counts.reasons.items()})
        self._set_states(states or {})
        self._say(note, wrong)

    def set_result(self, data: Mapping[str, Any]) -> None:
        """Show the end: counts, verdicts, reasons of failures."""
        kept = {key: value for key, value in self.counts.items() if key not in ("on_their_way",)}
        for key in ("asked", "done", "failed", "waiting", "prompt_tokens", "completion_tokens"):
            if key in data:
                kept[key] = int(data[key])
        kept = {key: value for key, value in kept.items() if not key.startswith("failed:")}
        reasons = dict(data.get("reasons") or {})
        self.set_counts(kept | {f"failed:{reason}": count for reason, count in reasons.items()})
        if data.get("by_state"):
            self._set_states(data["by_state"])
        lines = []
        if data.get("existing"):
            lines.append(
                self.tr("{0} were answered before and not asked again.").format(_n(data["existing"]))
            )
        recorded: dict[str, int] = {}
        for failure in data.get("failures") or ():
            recorded[failure.get("reason", "")] = recorded.get(failure.get("reason", ""), 0) + 1
        lines += [f"{_n(count)} × {reason}" for reason, count in sorted(recorded.items(), key=_by_count)[:4]]
        if data.get("problem") and data.get("status") != "budget":
            lines.append(str(data["problem"]))
        self.note.setText("\n".join(lines))

    def end(self, status: str, failure: str = "") -> None:
        """The run ended as `status` (done, pilot, stopped, budget, failed)."""
        self._running = False
        parts = [how_it_ended(status, self.counts.get("waiting", 0)), failure, self.note.text()]
        self._say("\n".join(part for part in parts if part), status == "failed")
        self._show()

    # --- helpers ----------------------------------------------------------------------------------

    def _say(self, text: str, wrong: bool = False) -> None:
        self.note.setText(text)
        self.note.setProperty("role", "wrong" if wrong else "muted")
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)

    def _show(self) -> None:
        visible = bool(self.counts)
        for part in (self.equation, self.bar):
            part.setVisible(visible)
        self.bar.set_counts(self.counts)
        tokens = theme.current()
        shown = {key: _n(self.counts.get(key, 0)) for key in ("asked", "done", "failed", "waiting")}
        tone = tokens.wrong if self.counts.get("failed") else tokens.text
        parts = [_part(shown[key], self.tr(key), tone if key == "failed" else tokens.text) for key in shown]
        signs = [_sign("="), _sign("+"), _sign("+"), ""]
        row = "".join(part + sign for part, sign in zip(parts, signs, strict=True))
        self.equation.setText(f"<table><tr>{row}</tr></table>")
        self.equation.setAccessibleName(", ".join(f"{key} {text}" for key, text in shown.items()))
        text = spent_text(self.counts)
        self.spent.setText(text)
        self.spent.setVisible(bool(text))
        for state, button in self._buttons.items():
            look = theme.look(state)
            button.setIcon(theme.icon(look.sign, look.colour))
            button.setIconSize(QSize(theme.icon_size(), theme.icon_size()))
        for _, again in self._reasons.values():
            again.setEnabled(not self._running)

    def _set_states(self, states: Mapping[str, int]) -> None:
        for gone in set(self._buttons) - set(states):
            _remove(self._buttons.pop(gone))
        for place, (state, count) in enumerate(sorted(states.items(), key=_by_count)):
            look = theme.look(state)
            if state not in self._buttons:
                button = QPushButton()
                button.setProperty("kind", "quiet")
                button.setToolTip(self.tr("Show all rows of the project with this verdict"))
                button.clicked.connect(lambda _=False, state=state: self.state_wanted.emit(state))
                self._buttons[state] = button
            self._buttons[state].setText(f"{_n(count)}  {look.word}")
            self.states.addWidget(self._buttons[state], place // 4, place % 4)

    def _set_reasons(self, reasons: Mapping[str, int]) -> None:
        for gone in set(self._reasons) - set(reasons):
            _remove(*self._reasons.pop(gone))
        for place, (reason, count) in enumerate(sorted(reasons.items(), key=_by_count)):
            if reason not in self._reasons:
                self._reasons[reason] = self._reason_line(reason)
            label, button = self._reasons[reason]
            label.setText(f"✕ {_n(count)}  {_word(reason)}")
            self.reasons.addWidget(label, place, 0)
            self.reasons.addWidget(button, place, 1)

    def _reason_line(self, reason: str) -> tuple[QLabel, QPushButton]:
        label = QLabel()
        label.setProperty("role", "wrong")
        button = QPushButton(self.tr("Ask again"))
        button.setProperty("kind", "link")
        button.setAccessibleName(self.tr("Ask again what failed: {0}").format(_word(reason)))
        button.setEnabled(not self._running)
        button.clicked.connect(lambda _=False: self.again_wanted.emit(reason))
        return label, button


def _remove(*widgets: QWidget) -> None:
    for widget in widgets:
        widget.hide()
        widget.deleteLater()


def _word(reason: str) -> str:
    return REASONS.get(reason, reason.replace("_", " "))


def how_it_ended(status: str, waiting: int) -> str:
    """Say how a run ended, or was cut off, and what starting again would do."""
    words = {
        "done": "What was chosen was asked; the rest of the run waits." if waiting else "The run is done.",
        "pilot": "The pilot is done, and the estimate is made from it. Start asks the rest.",
        "stopped": "The run was stopped; starting again asks only what is missing.",
        "budget": "The budget is reached. Raise it and start again: nothing is asked twice.",
        "failed": "The run failed; what was answered is kept.",
        "running": "The run was cut off; starting again asks only what is missing.",
        "paused": "The run was cut off; starting again asks only what is missing.",
    }
    return words.get(status, status)


def spent_text(counts: Mapping[str, int]) -> str:
    """Return tokens and money so far; money that is not known is said to be so."""
    if not counts.get("replies"):
        return ""
    parts = [f"{_n(counts['replies'])} replies", f"{_n(counts.get('prompt_tokens', 0))} tokens in",
             f"{_n(counts.get('completion_tokens', 0))} out"]  # fmt: skip
    if "money_millionths" in counts:
        parts.append(f"{QLocale().toString(counts['money_millionths'] / MILLION, 'f', 4)} paid")
    else:
        parts.append("money: the price is not known")
    if counts.get("on_their_way"):
        parts.append(f"{_n(counts['on_their_way'])} on their way")
    return "  ·  ".join(parts)


def _under(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {key.removeprefix(prefix): n for key, n in counts.items() if key.startswith(prefix) and n}


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


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
