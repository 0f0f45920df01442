"""The dialog Keys: every action with its keys, to be found, changed, set back and kept as a file."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import key_bindings, theme
from kpdd_app.key_bindings import BOUND, BY_ID, Bound
from kpdd_app.widgets.notice import Notice
from kpdd_app.widgets.palette import score

ID = Qt.ItemDataRole.UserRole


class KeysEditor(QDialog):
    """Choose an action, press the keys it shall have; what is in the way is said before it is taken."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show every action."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Change the keys"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Find an action or a key"))
        self.search.setAccessibleName(self.tr("Find an action or a key"))
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setAccessibleName(self.tr("Actions and their keys"))
        self.list.setHeaderLabels([self.tr("Action"), self.tr("Where"), self.tr("Keys")])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            self.list.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentItemChanged.connect(lambda *_: self._show_current())
        self.list.itemActivated.connect(lambda *_: self.record.setFocus())
        self.what = QLabel()
        self.what.setProperty("role", "muted")
        self.record: QKeySequenceEdit = QKeySequenceEdit()
        self.record.setMaximumSequenceLength(1)
        self.record.setClearButtonEnabled(True)
        self.record.setAccessibleName(self.tr("New keys: press them"))
        self.record.keySequenceChanged.connect(lambda _: self._judge())
        self.use = QPushButton(self.tr("Use these keys"))
        self.use.setProperty("kind", "primary")
        self.use.clicked.connect(self._use)
        self.no_keys = QPushButton(self.tr("No keys"))
        self.no_keys.clicked.connect(lambda: self._set(()))
        self.usual = QPushButton(self.tr("Usual keys"))
        self.usual.clicked.connect(self._reset_one)
        self.problem = Notice()
        self.all_usual = QPushButton(self.tr("Usual keys for all"))
        self.all_usual.clicked.connect(self._reset_all)
        self.copy = QPushButton(self.tr("Copy the list"))
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(key_bindings.as_text()))
        self.keep = QPushButton(self.tr("Save the list…"))
        self.keep.clicked.connect(self._save)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.accept)
        self._lay_out()
        self._fill()
        self.search.setFocus()

    @property
    def current(self) -> Bound | None:
        """Return the action chosen in the list."""
        item = self.list.currentItem()
        return BY_ID[item.data(0, ID)] if item is not None else None

    def choose(self, action_id: str) -> None:
        """Choose an action in the list, where it is shown."""
        for number in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(number)
            if item is not None and item.data(0, ID) == action_id:
                self.list.setCurrentItem(item)

    def eventFilter(self, watched, event: QEvent) -> bool:
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        down = pressed and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)  # type: ignore[attr-defined]
        if watched is self.search and down:
            self.list.setFocus()
            return True
        return super().eventFilter(watched, event)

    # --- construction -----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        for button in (self.use, self.no_keys, self.usual, self.all_usual, self.copy, self.keep,
                       self.close_button):  # fmt: skip
            # Return belongs to the list and to the field that records
            button.setAutoDefault(False)
        change = QHBoxLayout()
        change.setSpacing(theme.gap(theme.S))
        change.addWidget(self.record, 1)
        for part in (self.use, self.no_keys, self.usual):
            change.addWidget(part)
        foot = QHBoxLayout()
        for part in (self.all_usual, self.copy, self.keep):
            foot.addWidget(part)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addWidget(self.what)
        column.addLayout(change)
        column.addWidget(self.problem)
        column.addLayout(foot)
        metrics = theme.text_metrics()
        self.resize(min(1000, metrics.averageCharWidth() * 100), min(640, theme.row_height() * 24))

    # --- slots ------------------------------------------------------------------------------------

    def _fill(self) -> None:
        chosen = self.current.id if self.current else ""
        words = self.search.text()
        self.list.clear()
        for bound in BOUND:
            keys = key_bindings.shown(bound.id)
            where = self.tr("everywhere") if bound.page == key_bindings.WINDOW else bound.page.title()
            title = key_bindings.title_of(bound.id).rstrip("…")
            if words and not (score(words, f"{title} {where}") or words.lower() in keys.lower()):
                continue
            item = QTreeWidgetItem([title, where, keys])
            item.setData(0, ID, bound.id)
            item.setFont(2, theme.mono_font(-0.5))
            if not key_bindings.is_usual(bound.id):
                item.setForeground(2, theme.colour("changed"))
                item.setIcon(2, theme.icon("pencil", "changed"))
                item.setToolTip(2, self.tr("Usually: {0}").format(", ".join(bound.keys) or "–"))
            self.list.addTopLevelItem(item)
        self.list.setCurrentIndex(self.list.model().index(0, 0))
        self.choose(chosen)
        self._show_current()

    def _show_current(self) -> None:
        bound = self.current
        for part in (self.record, self.no_keys, self.usual):
            part.setEnabled(bound is not None)
        self.record.clear()
        self._judge()
        if bound is None:
            self.what.setText(self.tr("No action is called so."))
            return
        title = key_bindings.title_of(bound.id).rstrip("…")
        self.what.setText(self.tr("New keys for “{0}”: go into the field and press them").format(title))
        self.usual.setEnabled(not key_bindings.is_usual(bound.id))
        self.no_keys.setEnabled(bool(key_bindings.keys_of(bound.id)))

    def _judge(self) -> None:
        """Say what has these keys already."""
        bound, key = self.current, _written(self.record)
        self.use.setEnabled(bool(key and bound))
        self.use.setText(self.tr("Use these keys"))
        self.problem.clear()
        others = key_bindings.clashes(bound.id, key) if bound is not None and key else []
        if others:
            names = ", ".join(f"“{key_bindings.title_of(other.id).rstrip('…')}”" for other in others)
            self.problem.say(self.tr("{0} belongs to {1}, which would lose it.").format(
                QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText), names))  # fmt: skip
            self.use.setText(self.tr("Take it from there"))

    def _use(self) -> None:
        bound, key = self.current, _written(self.record)
        if bound is None or not key:
            return
        for other in key_bindings.clashes(bound.id, key):
            kept = [own for own in key_bindings.keys_of(other.id) if QKeySequence(own) != QKeySequence(key)]
            key_bindings.set_keys(other.id, kept)
        self._set((key,))

    def _set(self, keys: tuple[str, ...]) -> None:
        if self.current is not None:
            key_bindings.set_keys(self.current.id, keys)
            self._fill()
            self.list.setFocus()

    def _reset_one(self) -> None:
        bound = self.current
        if bound is None:
            return
        taken = [(key, other) for key in bound.keys for other in key_bindings.clashes(bound.id, key)]
        if taken:
            names = ", ".join(f"“{key_bindings.title_of(other.id)}” ({key})" for key, other in taken)
            self.problem.say(self.tr("These keys belong to {0} now; set that back first.").format(names))
            return
        key_bindings.reset([bound.id])
        self._fill()

    def _reset_all(self) -> None:
        key_bindings.reset(list(BY_ID))
        self._fill()

    def _save(self) -> None:
        from kpdd_app import messages

        path = messages.save_file(self, self.tr("Save the list of keys"), self.tr("Text (*.tsv)"), "keys.tsv")
        if path is None:
            return
        try:
            path.write_text(key_bindings.as_text(), encoding="utf-8")
        except OSError as error:
            self.problem.say(self.tr("The list could not be written: {0}").format(error), "wrong")


def _written(field: QKeySequenceEdit) -> str:
    return field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
