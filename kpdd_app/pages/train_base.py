"""The choice of a base student: the demo's, well-known ones of the hub, a folder, a run, another hub id."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from kpdd_app import messages, theme
from kpdd_app.pages.train_parts import note_label
from kpdd_app.widgets.choice_box import ChoiceBox
from training_backend.students.known_bases import KNOWN

DEMO, TINY, FOLDER, HUB, RANDOM = "demo", "tiny", "folder", "hub", "random"
# these want a place beside the choice
PLACED = (FOLDER, HUB, RANDOM)
USUAL = "google/flan-t5-small"
# what fits a base student when it is chosen; those of the hub learn by the paper's figures
_PRESETS = {DEMO: "go-on", TINY: "demo", RANDOM: "quick-look"}


class BaseChoice(QWidget):
    """A box of base students, and below it a place where the choice needs one."""

    changed = Signal()
    # a person chose, so that the preset that fits may follow
    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build it with the demo's students chosen."""
        super().__init__(parent)
        self.box = ChoiceBox(self.tr("Base student"))
        self._fill()
        self.place = QLineEdit()
        self.place.setAccessibleName(self.tr("Folder or hub id"))
        self.browse = QPushButton(self.tr("Browse…"))
        self.browse.clicked.connect(self._browse)
        self.mistake = note_label("wrong")
        self.mistake.hide()
        place = QHBoxLayout()
        place.addWidget(self.place, 1)
        place.addWidget(self.browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(0.5))
        column.addWidget(self.box)
        column.addLayout(place)
        column.addWidget(self.mistake)
        self.box.currentIndexChanged.connect(lambda _: self._changed())
        self.box.activated.connect(lambda _: self.chosen.emit())
        self.place.textChanged.connect(lambda _: self.changed.emit())
        self._changed()

    @property
    def form(self) -> str:
        """Return the choice itself: one of the forms above, or the hub id of a well-known one."""
        return str(self.box.currentData())

    @property
    def base(self) -> str:
        """Return the base student as the command takes it."""
        place = self.place.text().strip()
        return {RANDOM: f"random:flan-t5-small:{place}", FOLDER: place, HUB: place}.get(self.form, self.form)

    @property
    def preset(self) -> str:
        """Return the preset that fits the choice."""
        return _PRESETS.get(self.form, "kpdd-paper")

    def lacks_place(self) -> str:
        """Say what is missing beside the choice; empty: nothing."""
        if self.form not in PLACED or self.place.text().strip():
            return ""
        return self.tr("name a hub id") if self.form == HUB else self.tr("name a folder")

    def choose(self, form: str, place: str = "") -> bool:
        """Choose a form or a well-known hub id; return whether there is one."""
        number = self.box.findData(form)
        if number < 0 or not form:
            return False
        self.box.setCurrentIndex(number)
        self.place.setText(place)
        return True

    def choose_base(self, base: str) -> None:
        """Choose what the command calls `base`."""
        if self.choose(base):
            return
        kind, _, rest = base.partition(":")
        if kind == RANDOM:
            self.choose(RANDOM, rest.partition(":")[2])
        else:
            local = Path(base).expanduser().exists() or base.count("/") != 1
            self.choose(FOLDER if local else HUB, base)

    def saved(self) -> str:
        """Return the choice as one text."""
        return f"{self.form}|{self.place.text()}"

    def show_mistake(self, text: str) -> None:
        """Say what is wrong with the choice; empty: nothing."""
        self.mistake.setText(text)
        self.mistake.setVisible(bool(text))

    def _fill(self) -> None:
        self.box.addItem(self.tr("The demo students, trained further"), DEMO)
        self.box.addItem(self.tr("A tiny T5 from nothing, the demo's vocabulary"), TINY)
        self.box.insertSeparator(self.box.count())
        for known in KNOWN:
            millions = known.shape.parameters / 1e6
            self.box.addItem(
                self.tr("{0}, {1:,.0f} million weights").format(known.title, millions), known.hub_id
            )
            self.box.setItemData(self.box.count() - 1, known.hub_id, 3)
        self.box.insertSeparator(self.box.count())
        self.box.addItem(self.tr("A folder, or the students of a run"), FOLDER)
        self.box.addItem(self.tr("Another one of the hub"), HUB)
        self.box.addItem(self.tr("FlanT5-small from nothing, a tokenizer's folder"), RANDOM)

    def _changed(self) -> None:
        self.place.setVisible(self.form in PLACED)
        self.browse.setVisible(self.form in (FOLDER, RANDOM))
        self.place.setPlaceholderText(
            {HUB: "owner/name or owner/name@revision", RANDOM: self.tr("a folder with tokenizer.json")}.get(
                self.form, self.tr("a folder with config.json and model.safetensors")
            )
        )
        self.changed.emit()

    def _browse(self) -> None:
        folder = messages.open_folder(self, self.tr("Choose a folder"), str(Path(self.place.text()).parent))
        if folder is not None:
            self.place.setText(str(folder))
