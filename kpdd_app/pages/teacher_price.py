"""What a model's tokens cost, with date and source, or that it is not known; a price can be entered."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from training_backend.errors import KpddError
from training_backend.teacher.cost import Price, price_of, prices_file, set_price
from training_backend.teacher.teacher_config import TeacherConfig


class PriceLine(QWidget):
    """One sentence about the price, and a button to enter another."""

    price_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a teacher."""
        super().__init__(parent)
        self._config: TeacherConfig | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setContentsMargins(0, theme.gap(1.4), 0, 0)
        self.button = QPushButton(self.tr("Set…"))
        self.button.setAccessibleName(self.tr("Set the price of this model"))
        self.button.clicked.connect(self.ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(2))
        row.addWidget(self.text, 1)
        row.addWidget(self.button)

    def show_config(self, config: TeacherConfig) -> None:
        """Show the price of a teacher's model."""
        self._config = config
        try:
            price = price_of(config)
        except KpddError as error:
            self.text.setText(f"{error.message} {error.hint}")
            return
        self.text.setText(self._sentence(price))
        self.button.setEnabled(bool(config.get("model")))

    def ask(self) -> None:
        """Ask for a price and keep it in the person's own file."""
        if self._config is None:
            return
        try:
            known = price_of(self._config)
        except KpddError as error:
            messages.error(self, error)
            return
        dialog = PriceDialog(self._config, known, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.set(*dialog.values())

    def set(self, prompt: float, completion: float, cached: float | None) -> None:
        """Keep a price."""
        assert self._config is not None
        try:
            set_price(self._config, prompt, completion, cached)
        except (KpddError, OSError) as error:
            messages.error(self, error)
            return
        self.show_config(self._config)
        self.price_changed.emit()

    def _sentence(self, price: Price | None) -> str:
        if price is None:
            return self.tr("Not known for this model at this address. Without it there is no budget and "
                           "no sum of money.")  # fmt: skip
        number = QLocale().toString
        told = self.tr("{0} in, {1} out, {2} for a million tokens").format(
            number(price.prompt, "g", 6), number(price.completion, "g", 6), price.currency
        )
        return f"{told} ({price.date}: {price.source})" if price.date else told


class PriceDialog(QDialog):
    """Three numbers: what a million tokens cost."""

    def __init__(self, config: TeacherConfig, known: Price | None, parent: QWidget | None = None) -> None:
        """Begin with what is known."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Price"))
        head = QLabel(self.tr("What a million tokens of {0} cost, in US dollars").format(config.get("model")))
        head.setWordWrap(True)
        head.setProperty("role", "heading")
        self.prompt = _money(self.tr("Tokens that are sent"), known.prompt if known else 0.0)
        self.cached = _money(self.tr("Of these, cached"), -1.0 if known is None or known.cached is None
                             else known.cached, least=-1.0)  # fmt: skip
        self.cached.setSpecialValueText(self.tr("the same"))
        self.completion = _money(self.tr("Tokens that are written"), known.completion if known else 0.0)
        form = QFormLayout()
        form.setHorizontalSpacing(theme.gap(4))
        form.setVerticalSpacing(theme.gap(2))
        for box in (self.prompt, self.cached, self.completion):
            form.addRow(box.accessibleName(), box)
        where = QLabel(self.tr("Kept in {0}, for all projects.").format(prices_file()))
        where.setProperty("role", "caption")
        where.setWordWrap(True)
        buttons = QDialogButtonBox()
        buttons.setStandardButtons(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("kind", "primary")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(5)] * 4)
        column.setSpacing(theme.gap(4))
        column.addWidget(head)
        column.addLayout(form)
        column.addWidget(where)
        column.addWidget(buttons)
        self.setMinimumWidth(theme.gap(110))
        # what is typed first replaces the number: a digit before it would be another price
        self.prompt.selectAll()

    def values(self) -> tuple[float, float, float | None]:
        """Return the prices of tokens sent, written, and cached (None: as sent)."""
        cached = self.cached.value()
        return self.prompt.value(), self.completion.value(), None if cached < 0 else cached


def _money(name: str, value: float, least: float = 0.0) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setAccessibleName(name)
    box.setRange(least, 100_000.0)
    box.setDecimals(4)
    box.setSingleStep(0.1)
    box.setValue(value)
    return box
