"""The part of the import dialog that offers benchmarks to download, each with its licence."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from training_backend.project.downloads import BENCHMARKS, Benchmark


class Benchmarks(QWidget):
    """The list of published benchmarks, and a line for a data set of the hub."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Nothing is chosen at first."""
        super().__init__(parent)
        self.list = self._list()
        self.hub = QLineEdit()
        self.hub.setAccessibleName(self.tr("Data set of the hub"))
        self.hub.setPlaceholderText(self.tr("OWNER/NAME, also OWNER/NAME@REVISION or OWNER/NAME:FOLDER"))
        self.hub.textChanged.connect(self.changed)
        self.licences = QLabel()
        self.licences.setWordWrap(True)
        self.licences.setTextFormat(Qt.TextFormat.PlainText)
        self.list.itemSelectionChanged.connect(self._selected)
        line = QHBoxLayout()
        line.setSpacing(theme.gap(theme.M))
        line.addWidget(QLabel(self.tr("Data set of the hub")))
        line.addWidget(self.hub, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.gap(theme.M), 0, 0)
        column.setSpacing(theme.gap(theme.M))
        column.addWidget(self.list, 1)
        column.addLayout(line)
        column.addWidget(self.licences)
        self._selected()

    def names(self) -> list[str]:
        """Return what is chosen, as `kpdd import --download` takes it."""
        chosen = [item.data(0, Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]
        hub = self.hub.text().strip()
        return [name for name in BENCHMARKS if name in chosen] + ([hub] if hub else [])

    def _list(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setAccessibleName(self.tr("Benchmarks"))
        tree.setHeaderLabels([self.tr("Benchmark"), self.tr("Questions"), self.tr("Size"),
                              self.tr("Licence"), self.tr("Published at")])  # fmt: skip
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setTabKeyNavigation(False)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setStretchLastSection(True)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for mark in BENCHMARKS.values():
            item = QTreeWidgetItem([mark.title, QLocale().toString(mark.questions),
                                    QLocale().formattedDataSize(mark.bytes), mark.licence,
                                    mark.origin])  # fmt: skip
            item.setData(0, Qt.ItemDataRole.UserRole, mark.name)
            for column in (1, 2):
                item.setTextAlignment(column, right)
                tree.headerItem().setTextAlignment(column, right)
            if not mark.commercial:
                item.setIcon(3, theme.icon("warning", "unjudged"))
            tree.addTopLevelItem(item)
        return tree

    def _selected(self) -> None:
        marks: list[Benchmark] = [BENCHMARKS[name] for name in self.names() if name in BENCHMARKS]
        bound = [mark for mark in marks if not mark.commercial]
        if bound:
            text = self.tr("{0} is published under {1}: not for commercial use, and to be named.").format(
                ", ".join(mark.title for mark in bound), ", ".join({mark.licence for mark in bound})
            )
        elif marks:
            text = self.tr("Each file is checked against the digest of the published one; what was cut off "
                           "goes on where it ended.")  # fmt: skip
        else:
            text = self.tr("Choose one or several. HTTPS_PROXY, HF_ENDPOINT and HF_HUB_OFFLINE are honoured.")
        self.licences.setText(text)
        self.licences.setProperty("role", "" if bound else "muted")
        self.licences.style().unpolish(self.licences)
        self.licences.style().polish(self.licences)
        self.changed.emit()
