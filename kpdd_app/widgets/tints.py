"""The tint behind a token: how unsure the student was of it, in a few steps."""

from __future__ import annotations

from PySide6.QtGui import QBrush, QColor, QTextCharFormat, QTextLayout

from kpdd_app import theme

# neighbours of one step are drawn in one go
STEPS = 8


def tint_step(probability: float) -> int:
    """Return how strongly a token is tinted, 0 (sure) to STEPS (not sure at all)."""
    return round(STEPS * (1.0 - max(0.0, min(1.0, probability))))


def tint(step: int) -> QBrush:
    """Return the brush of a step: the hue of *could not be judged*, light on light and deep on dark."""
    hue = theme.colour("unjudged").hsvHueF()
    share = step / STEPS
    if theme.current().dark:
        return QBrush(QColor.fromHsvF(hue, 0.75, 0.22 + 0.3 * share))
    return QBrush(QColor.fromHsvF(hue, 0.10 + 0.50 * share, 1.0))


def tinted(start: int, length: int, step: int) -> QTextLayout.FormatRange:
    """Return the format of a stretch of text that is tinted by a step."""
    form = QTextCharFormat()
    form.setBackground(tint(step))
    piece = QTextLayout.FormatRange()
    piece.start, piece.length, piece.format = start, length, form
    return piece
