"""How facets, table and row share the Dataset page, at every width and size of letters."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from kpdd_app import theme

# the least room for the table beside facets and row, in quarters of a line
TABLE = 112


class ThreeParts(QSplitter):
    """Facets, table and row beside each other.

    Where they have no room the facets go first; then the row lies below the table.
    """

    narrowed = Signal(bool)
    """The facets went for want of room (True), or came back."""

    def __init__(self, left: QWidget, middle: QWidget, right: QWidget, parent: QWidget | None = None) -> None:
        """`left` and `right` say with their minimum width how much they need."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.left, self.middle, self.right = left, middle, right
        self._narrow = False
        self._by_hand = False
        self._put_away: list[QWidget] = []
        self._swapped = False
        self._beside = QByteArray()
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        for part in (left, middle, right):
            self.addWidget(part)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(lambda *_: self._moved())

    @property
    def below(self) -> bool:
        """Tell whether the row lies below the table."""
        return self.orientation() == Qt.Orientation.Vertical

    def toggle_left(self) -> None:
        """Show or hide the facets; where all lie below each other they take the row's place."""
        shown = self.left.isHidden()
        self.left.setVisible(shown)
        if self.below:
            self._swap(shown)

    def show_alone(self, alone: bool) -> None:
        """Show the middle alone: where there is no row at all, facets and row have nothing to say."""
        if alone and not self._put_away:
            self._put_away = [part for part in (self.left, self.right) if not part.isHidden()]
            for part in self._put_away:
                part.hide()
        elif not alone and self._put_away:
            for part in self._put_away:
                part.setVisible(part is self.right or not self._narrow)
            self._put_away = []

    def widths(self) -> QByteArray:
        """Return the widths that a person gave; empty without any."""
        if not self._by_hand:
            return QByteArray()
        return self._beside if self.below else self.saveState()

    def restore(self, widths: QByteArray) -> None:
        """Take up the widths that a person gave."""
        self._by_hand = self.restoreState(widths)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        rows = max(theme.gap(TABLE), self.middle.minimumSizeHint().width())
        narrow = self.width() < self.left.minimumWidth() + rows + self.right.minimumWidth()
        if narrow != self._narrow:
            self._narrow = narrow
            self.left.setVisible(not narrow and self.left not in self._put_away)
            self.narrowed.emit(narrow)
        self._turn(self.width() < rows * 0.8 + self.right.minimumWidth())
        self._share()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._share()

    def _swap(self, away: bool) -> None:
        """Put the row away for the facets, or bring it back."""
        if away and not self.right.isHidden():
            self.right.hide()
            self.setSizes([self.height() // 2, self.height() // 2, 0])
        elif not away and self._swapped:
            self.right.show()
        self._swapped = away

    def _turn(self, below: bool) -> None:
        if below == self.below:
            return
        self._swap(False)
        if below:
            self._beside = self.saveState()
            self.setOrientation(Qt.Orientation.Vertical)
            rows = max(self.middle.minimumSizeHint().height(), round(self.height() * 0.4))
            self.setSizes([0, rows, self.height() - rows])
        else:
            self.setOrientation(Qt.Orientation.Horizontal)
            self.restoreState(self._beside)

    def _share(self) -> None:
        """Share the width among the three, as long as nobody has done so by hand."""
        if self._by_hand or self.below or not self.isVisible():
            return
        width = self.width()
        left = 0 if self._narrow else max(self.left.minimumWidth(), min(theme.gap(46), round(width * 0.16)))
        right = max(self.right.minimumWidth(), min(theme.gap(112), round(width * 0.36)))
        self.setSizes([left, width - left - right, right])

    def _moved(self) -> None:
        self._by_hand = self._by_hand or not self.below
