"""A box of choices that keeps its width: what is too long for it ends in an ellipsis and is told in full."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

from kpdd_app import theme


class ChoiceBox(QComboBox):
    """A combo box at least `letters` wide, whatever its choices are."""

    def __init__(self, name: str, letters: int = 12, parent: QWidget | None = None) -> None:
        """Build it empty; `name` is what a screen reader calls it."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMinimumContentsLength(letters)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def shown(self) -> str:
        """Return the choice as it is written in the box."""
        option = self._option()
        return option.fontMetrics.elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, self._room(option).width() - 4
        )

    def event(self, event: QEvent) -> bool:
        """Tell the whole choice, above the help, where the box shows less."""
        if event.type() == QEvent.Type.ToolTip and self.shown() != self._option().currentText:
            text = "\n".join(part for part in (self._option().currentText, self.toolTip()) if part)
            QToolTip.showText(event.globalPos(), text, self)  # type: ignore[attr-defined]
            return True
        return super().event(event)

    def paintEvent(self, event) -> None:
        """Draw the box with as much of the choice as there is room for."""
        option = self._option()
        option.currentText = self.shown()
        painter = QStylePainter(self)
        try:
            painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
            if self.currentIndex() < 0:
                # the style sheet would draw it like a choice
                painter.setPen(theme.colour("faint"))
                room = self._room(option).adjusted(1, 0, -1, 0)
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, option.currentText)
            else:
                painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        finally:
            painter.end()

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        if self.currentIndex() < 0:
            option.currentText = self.placeholderText()
        return option

    def _room(self, option: QStyleOptionComboBox) -> QRect:
        return self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
