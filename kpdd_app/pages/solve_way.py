"""How tokens are chosen on the Solve page: the likeliest, or samples with temperature, seed and a vote."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from kpdd_app import theme
from kpdd_app.pages.solve_branches import Way

USUAL_TEMPERATURE = 0.7
MOST_PATHS = 64


class WayRow(QWidget):
    """A choice between the likeliest and samples; fields for samples appear when they are wanted."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the row: the likeliest."""
        super().__init__(parent)
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("How tokens are chosen"))
        self.choice.addItems([self.tr("the likeliest"), self.tr("samples")])
        self.choice.setToolTip(self.tr("Write the likeliest token each time, or draw tokens by probability"))
        self.temperature = QDoubleSpinBox()
        self.temperature.setRange(0.05, 2.0)
        self.temperature.setSingleStep(0.1)
        self.temperature.setValue(USUAL_TEMPERATURE)
        self.temperature.setLocale(QLocale.c())
        self.top_p = QDoubleSpinBox()
        self.top_p.setRange(0.05, 1.0)
        self.top_p.setSingleStep(0.05)
        self.top_p.setValue(1.0)
        self.top_p.setLocale(QLocale.c())
        self.seed = QSpinBox()
        self.seed.setRange(0, 999_999)
        self.seed.setValue(1)
        self.paths = QSpinBox()
        self.paths.setRange(1, MOST_PATHS)
        self.paths.setValue(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(1))
        row.addWidget(self.choice)
        self._fields: list[QWidget] = []
        for title, hint, field in (
            (
                self.tr("T"),
                self.tr("Temperature: how far from the likeliest samples may go"),
                self.temperature,
            ),
            (
                self.tr("top-p"),
                self.tr("Top-p: draw only from the likeliest tokens that together have this probability"),
                self.top_p,
            ),
            (self.tr("Seed"), self.tr("The same seed draws the same samples"), self.seed),
            (
                self.tr("Paths"),
                self.tr("More than one: so many solutions are drawn, and they vote"),
                self.paths,
            ),
        ):
            label = QLabel(title)
            label.setProperty("role", "muted")
            label.setBuddy(field)
            field.setAccessibleName(hint.split(":")[0] if field is not self.seed else self.tr("Seed"))
            field.setToolTip(hint)
            self._fields += [label, field]
            row.addWidget(label)
            row.addWidget(field)
        self.choice.currentIndexChanged.connect(self._chosen)
        self._chosen()

    @property
    def way(self) -> Way:
        """Return what is chosen."""
        if self.choice.currentIndex() == 0:
            return Way()
        temperature, top_p = (round(field.value(), 2) for field in (self.temperature, self.top_p))
        return Way(temperature, top_p, self.seed.value(), 0, self.paths.value())

    def _chosen(self) -> None:
        for part in self._fields:
            part.setVisible(self.choice.currentIndex() == 1)
        self.changed.emit()
