"""What the rest of a run will take, in words: tokens, money and time, each with its range."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QLocale

from kpdd_app import theme
from kpdd_app.widgets.job_bar import duration


def estimate_text(estimate: Any, budget: float | None = None) -> str:
    """Return an estimate as rich text: what is left, tokens, money, time, each with its range."""
    number = QLocale().toString
    if not estimate.chains:
        return "Everything that is chosen was asked."
    source = (f"from {number(estimate.seen)} that were answered; the range holds nine times of ten"
              if estimate.seen else "by the length of the texts only; a pilot tells more")  # fmt: skip
    told, answered = (_between(part, 0) for part in (estimate.prompt_tokens, estimate.completion_tokens))
    lines = [("to ask", f"{number(estimate.chains)} questions and paths"), ("tokens in", told),
             ("tokens out", answered)]  # fmt: skip
    if estimate.money is None:
        lines.append(("money", "not known: this model has no price here (Settings, Price)"))
    else:
        over = budget is not None and estimate.money.high > budget
        text = f"{_between(estimate.money, 4)} {estimate.currency}" if estimate.money.high > 0 else "nothing"
        lines.append(("money", text + (" — more than the budget may be needed" if over else "")))
    if estimate.seconds is None:
        lines.append(("time", "not known before the first replies"))
    else:
        low, middle, high = (duration(getattr(estimate.seconds, part)) for part in ("low", "middle", "high"))
        lines.append(("time", middle if low == high else f"{middle} ({low} to {high})"))
    muted, space = theme.current().muted, theme.gap(4)
    cells = "".join(f"<tr><td style='color:{muted}; padding-right:{space}px'>{name}</td><td>{text}</td></tr>"
                    for name, text in lines)  # fmt: skip
    return (f"<b>Estimate</b> <span style='color:{muted}'>{source}</span>"
            f"<table>{cells}</table>")  # fmt: skip


def _between(part: Any, digits: int) -> str:
    low, middle, high = (QLocale().toString(float(value), "f", digits)
                         for value in (part.low, part.middle, part.high))  # fmt: skip
    return middle if low == high else f"{middle} ({low} to {high})"
