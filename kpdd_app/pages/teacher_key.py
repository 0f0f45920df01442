"""The key of a teacher: where it is kept, said plainly; typed, kept, forgotten, never shown again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from kpdd_app import theme
from kpdd_app.background import Background
from training_backend.errors import KpddError
from training_backend.teacher import keys
from training_backend.teacher.teacher_config import TeacherConfig

ENVIRONMENT = "environment"


class KeyField(QWidget):
    """Where the key comes from, a field to type it into, and one sentence about how it stands."""

    source_changed = Signal(str)
    """A setting `key_source`: keyring, session, none, environment:NAME."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a teacher."""
        super().__init__(parent)
        self._config: TeacherConfig | None = None
        self._missing = False
        # the system's keyring may take seconds: never in the window's thread
        self._work = Background("teacher-keys", self)
        self._build()

    def show_config(self, config: TeacherConfig) -> None:
        """Show whose key this is and how it stands."""
        if self._config is not None and keys.address(config) != keys.address(self._config):
            self.key.clear()
        self._config = config
        self._missing = False
        source = str(config.get("key_source") or "none")
        kind, _, variable = source.partition(":")
        for box in (self.source, self.variable):
            box.blockSignals(True)
        self.source.setCurrentIndex(max(0, self.source.findData(kind)))
        if kind == ENVIRONMENT and variable != self.variable.text():
            self.variable.setText(variable)
        for box in (self.source, self.variable):
            box.blockSignals(False)
        self._fit()
        self.look()

    def look(self) -> None:
        """Look where the key is, and say so."""
        config = self._config
        if config is None:
            return
        self._do(lambda: (keys.stored_where(config).sentence, bool(keys.get_key(config))), self._say)

    @property
    def missing(self) -> bool:
        """Tell whether a key is wanted and there is none; False while that is looked up."""
        return self._missing

    def close_work(self) -> None:
        """End the thread; called once."""
        self._work.close(wait=False)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.source = QComboBox()
        self.source.setAccessibleName(self.tr("Where the key is kept"))
        for text, kind in (
            (self.tr("Kept in the system's keyring"), "keyring"),
            (self.tr("For this session only"), "session"),
            (self.tr("From an environment variable"), ENVIRONMENT),
            (self.tr("No key"), "none"),
        ):
            self.source.addItem(text, kind)
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setMinimumContentsLength(12)
        self.source.currentIndexChanged.connect(self._source_chosen)
        self.variable = QLineEdit()
        self.variable.setAccessibleName(self.tr("Name of the environment variable"))
        self.variable.setPlaceholderText("OPENAI_API_KEY")
        self.variable.editingFinished.connect(self._source_chosen)
        self.key = QLineEdit()
        self.key.setAccessibleName(self.tr("Key"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(self.tr("paste the key"))
        self.key.returnPressed.connect(self.keep)
        self.keep_button = QPushButton(self.tr("Keep"))
        self.keep_button.setAccessibleName(self.tr("Keep the key"))
        self.keep_button.clicked.connect(self.keep)
        self.forget_button = QPushButton(self.tr("Forget"))
        self.forget_button.setAccessibleName(self.tr("Forget the key"))
        self.forget_button.clicked.connect(self.forget)
        self.state = QLabel()
        self.state.setProperty("role", "caption")
        self.state.setWordWrap(True)
        self.entry = QWidget()
        row = QHBoxLayout(self.entry)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(1.5))
        row.addWidget(self.key, 1)
        row.addWidget(self.keep_button)
        row.addWidget(self.forget_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1))
        for part in (self.source, self.variable, self.entry, self.state):
            column.addWidget(part)

    # --- slots ------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Keep the typed key in its place; the field is emptied, the key is not shown again."""
        config, text = self._config, self.key.text()
        if config is None or not text.strip():
            return
        self.key.clear()
        self._do(lambda: (keys.set_key(config, text).sentence, True), self._say)

    def forget(self) -> None:
        """Remove the key from where it is kept."""
        config = self._config
        if config is None:
            return
        self.key.clear()

        def task() -> tuple[str, bool]:
            keys.forget_key(config)
            return keys.stored_where(config).sentence, bool(keys.get_key(config))

        self._do(task, self._say)

    def _source_chosen(self) -> None:
        kind = str(self.source.currentData())
        self._fit()
        name = self.variable.text().strip()
        if kind != ENVIRONMENT:
            self.source_changed.emit(kind)
        elif name:
            self.source_changed.emit(f"{ENVIRONMENT}:{name}")

    def _fit(self) -> None:
        kind = self.source.currentData()
        self.variable.setVisible(kind == ENVIRONMENT)
        self.entry.setVisible(kind in ("keyring", "session"))
        self.state.setVisible(kind != "none")

    def _say(self, found: tuple[str, bool]) -> None:
        sentence, known = found
        kind = self.source.currentData()
        self._missing = not known and kind != "none"
        missing = not known and kind in ("keyring", "session")
        once = self.tr("There is no key yet. Once it is typed: {0}").format(
            sentence[:1].lower() + sentence[1:]
        )
        self.state.setText(once if missing else sentence)
        self._dress("unjudged" if not known and kind != "none" else "caption")
        self.forget_button.setEnabled(known)

    def _failed(self, error: Exception) -> None:
        parts = (error.message, error.hint) if isinstance(error, KpddError) else (type(error).__name__,)
        self.state.setText(" ".join(part for part in parts if part))
        self._dress("wrong")

    def _dress(self, role: str) -> None:
        self.state.setProperty("role", role)
        self.state.style().unpolish(self.state)
        self.state.style().polish(self.state)

    def _do(self, task: Callable[[], tuple[str, bool]], then: Callable[[tuple[str, bool]], None]) -> None:
        config = self._config

        def deliver(found: tuple[str, bool]) -> None:
            if self._config is config:
                then(found)

        self._work.run(task, deliver, self._failed)
