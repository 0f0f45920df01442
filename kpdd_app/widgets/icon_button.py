"""A button that shows one of our drawings and follows the colours of the theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from kpdd_app import theme


class IconButton(QToolButton):
    """A flat button; without a text its name is the tool tip and the accessible name."""

    def __init__(self, icon_name: str, name: str, text: str = "", colour: str = "muted",
                 parent: QWidget | None = None) -> None:  # fmt: skip
        """`name` says what the button does; `text` is written beside the drawing."""
        super().__init__(parent)
        self._icon_name = icon_name
        self._colour = colour
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if text:
            self.setText(text)
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def set_look(self, icon_name: str, colour: str) -> None:
        """Show another drawing or colour."""
        if (icon_name, colour) != (self._icon_name, self._colour):
            self._icon_name, self._colour = icon_name, colour
            self._restyle()

    def _restyle(self) -> None:
        self.setIcon(theme.icon(self._icon_name, self._colour))
        self.setIconSize(QSize(theme.icon_size(), theme.icon_size()))
