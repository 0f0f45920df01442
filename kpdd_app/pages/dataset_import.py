"""The import dialog: a file or a benchmark, what was recognised in it, its first rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.background import Background
from kpdd_app.pages.dataset_import_benchmarks import Benchmarks
from kpdd_app.pages.dataset_import_columns import Columns
from kpdd_app.pages.dataset_import_preview import Preview, look_into, remember, said_in_the_window
from kpdd_app.pages.dataset_import_result import follow_import
from kpdd_app.settings import Settings
from training_backend.project.column_mapping import value_of
from training_backend.project.native_formats import FORMATS
from training_backend.project.question_file import Entry, Unreadable

if TYPE_CHECKING:
    from kpdd_app.pages.dataset import DatasetPage

KINDS = (
    "Questions (*.jsonl *.json *.xml *.csv *.tsv *.parquet *.gz);;Projects to merge (*.kpdd);;All files (*)"
)


_RAW_COLUMNS = 24
# what a screen needs above a dialog, in pixels
TITLE_BAR = 28
# rows of the preview that are always seen
ROWS_SEEN = 5


class ImportDialog(QDialog):
    """Chooses a file or benchmarks and says what is in it; `arguments` is what the command needs."""

    def __init__(self, path: Path | None, parent: QWidget | None = None) -> None:
        """With a `path` its start is shown at once."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import questions"))
        self.preview = Preview()
        self._background = Background("import-preview", self)
        self._named_by_person: set[str] = set()
        self._build()
        room = self.screen().availableSize()
        wide = min(theme.gap(240), round(room.width() * 0.95))
        self.resize(wide, min(theme.gap(160), room.height() - TITLE_BAR))
        self.file.setFocus()
        if path is not None:
            self.file.setText(str(path))

    # --- methods ----------------------------------------------------------------------------------

    def arguments(self, project: Path) -> list[str]:
        """Return the words of `kpdd import` for what was chosen."""
        if self.tabs.currentIndex() == 1:
            words = ["import", str(project)]
            for name in self.benchmarks.names():
                words += ["--download", name]
            return words
        words = ["import", str(project), str(Path(self.file.text().strip()).expanduser())]
        if self.preview.other_project is not None:
            return words
        if self.preview.mapping is None:
            words += ["--format", str(self.format.currentData())]
        else:
            for target, column in self.columns.mapping().items():
                words += ["--map", f"{target}={column}"]
            words += ["--teacher", self.columns.teacher.text().strip() or "recorded"]
        for option, field_ in (("--dataset", self.dataset), ("--split", self.split)):
            if field_.text().strip():
                words += [option, field_.text().strip()]
        return words + (["--keep-good"] if self.keep_good.isChecked() else [])

    def accept(self) -> None:
        if self.tabs.currentIndex() == 0 and self.preview.mapping is not None:
            remember(self.preview.columns, self.columns.mapping())
        super().accept()

    def done(self, result: int) -> None:
        self._background.close(wait=False)
        super().done(result)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.tabs = QTabWidget()
        for part in (self.tabs, self.tabs.tabBar()):
            part.setAccessibleName(self.tr("Where from"))
        self.benchmarks = Benchmarks()
        self.tabs.addTab(_scrolled(self._file_tab()), self.tr("A file"))
        self.tabs.addTab(_scrolled(self.benchmarks), self.tr("Benchmarks"))
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.XL)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addWidget(self.tabs, 1)
        column.addLayout(self._buttons())
        self.tabs.currentChanged.connect(self._ready)
        self.benchmarks.changed.connect(self._ready)
        self._show()

    def _file_tab(self) -> QWidget:
        self.columns = Columns()
        self.columns.changed.connect(self._look_by_columns)
        self.keep_good = QCheckBox(self.tr("Leave out what cannot be read, and import the rest"))
        tab = QWidget()
        column = QVBoxLayout(tab)
        column.setContentsMargins(0, theme.gap(theme.M), 0, 0)
        column.setSpacing(theme.gap(theme.M))
        column.addLayout(self._form())
        column.addWidget(self.columns)
        column.addWidget(self._found())
        column.addWidget(self._rows(), 1)
        self._nothing = QWidget()  # keeps the form at the top where there are no rows to show
        column.addWidget(self._nothing, 1)
        column.addWidget(self.keep_good)
        return tab

    def _form(self) -> QFormLayout:
        self.file = QLineEdit()
        self.file.setAccessibleName(self.tr("File"))
        self.file.setPlaceholderText(self.tr("questions, what a teacher wrote, or another project to merge"))
        self.file.textChanged.connect(self._look_anew)
        browse = QPushButton(self.tr("Choose…"))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        self.format = QComboBox()
        self.format.setAccessibleName(self.tr("Format"))
        # its longest title need not fit while it is closed
        self.format.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.format.setMinimumContentsLength(12)
        self.format.addItem(self.tr("recognise it"), "auto")
        for key, native in FORMATS.items():
            if key != "generic":
                self.format.addItem(native.title, key)
        self.format.addItem(self.tr("by its columns"), "columns")
        self.format.currentIndexChanged.connect(self._look_anew)
        self.dataset = self._name_field("dataset", self.tr("Data set"))
        self.split = self._name_field("split", self.tr("Split"))
        form = QFormLayout()
        form.setHorizontalSpacing(theme.gap(4))
        form.setVerticalSpacing(theme.gap(2))
        form.addRow(self.tr("File"), _line(self.file, browse))
        form.addRow(self.tr("Format"), _line(self.format, QLabel(self.tr("Data set")), self.dataset,
                                            QLabel(self.tr("Split")), self.split))  # fmt: skip
        return form

    def _name_field(self, key: str, title: str) -> QLineEdit:
        field_ = QLineEdit()
        field_.setAccessibleName(title)
        field_.textEdited.connect(lambda _: self._named_by_person.add(key))
        return field_

    def _found(self) -> QLabel:
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.found.setTextFormat(Qt.TextFormat.PlainText)
        self.found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return self.found

    def _rows(self) -> QTreeWidget:
        self.rows = QTreeWidget()
        self.rows.setAccessibleName(self.tr("The first rows"))
        self.rows.setRootIsDecorated(False)
        self.rows.setUniformRowHeights(True)
        self.rows.setTabKeyNavigation(False)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.rows.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.rows.header().setStretchLastSection(True)
        self.rows.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.rows.setMinimumHeight(theme.row_height() * ROWS_SEEN)
        return self.rows

    def _buttons(self) -> QHBoxLayout:
        self.go = QPushButton(self.tr("Import"))
        self.go.setProperty("kind", "primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self.accept)
        cancel = QPushButton(self.tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.go)
        return row

    # --- slots ------------------------------------------------------------------------------------

    def _browse(self) -> None:
        settings = Settings()
        path = messages.open_file(self, self.tr("Choose a file with questions"), self.tr(KINDS),
                                  settings.text("import/folder"))  # fmt: skip
        if path is not None:
            settings.set_text("import/folder", str(path.parent))
            self.file.setText(str(path))

    def _look_anew(self) -> None:
        self._look(None)

    def _look_by_columns(self) -> None:
        self._look(self.columns.mapping())

    def _look(self, mapping: dict[str, str] | None) -> None:
        text = self.file.text().strip()
        if not text:
            self._background.drop("look")
            self._take(Preview())
            return
        path, format = Path(text).expanduser(), str(self.format.currentData())
        self._background.run(lambda: look_into(path, format, mapping), self._take, key="look")

    def _take(self, preview: Preview) -> None:
        self.preview = preview
        for key, field_ in (("dataset", self.dataset), ("split", self.split)):
            if key not in self._named_by_person:
                field_.setText(getattr(preview, key))
        if preview.mapping is not None:
            self.columns.show_mapping(preview.columns, preview.mapping)
        self._show()

    def _show(self) -> None:
        preview = self.preview
        merging = preview.other_project is not None
        self.columns.setVisible(preview.mapping is not None)
        self.keep_good.setVisible(not merging)
        for field_ in (self.format, self.dataset, self.split):
            field_.setEnabled(not merging)
        self.rows.setVisible(not merging)
        self._nothing.setVisible(merging)
        self._fill_rows()
        self.found.setText(self._words())
        self.found.setProperty("role", "wrong" if preview.problem is not None else "muted")
        self.found.style().unpolish(self.found)
        self.found.style().polish(self.found)
        self._ready()

    def _fill_rows(self) -> None:
        """Show the rows as they would be imported; before the mapping is complete, as the file has them."""
        preview = self.preview
        self.rows.clear()
        if preview.raw:
            columns = preview.columns[:_RAW_COLUMNS]
            titles, lines = columns, [_raw_item(record, columns) for record in preview.raw]
        else:
            titles = [self.tr("Id"), self.tr("Gold"), self.tr("Question"), self.tr("Written by a teacher")]
            lines = [_item(row) for row in preview.rows]
        self.rows.setColumnCount(len(titles))
        self.rows.setHeaderLabels(titles)
        self.rows.addTopLevelItems(lines)
        taught = any(isinstance(row, Entry) and (row.rationales or row.key_points) for row in preview.rows)
        for number in range(len(titles)):
            self.rows.setColumnHidden(number, not preview.raw and number == 3 and not taught)
            self.rows.resizeColumnToContents(number)
            widest = theme.gap(40 if preview.raw else (24, 20, 90, 90)[number])
            self.rows.setColumnWidth(number, min(self.rows.columnWidth(number), widest))

    def _words(self) -> str:
        preview = self.preview
        if preview.problem is not None:
            return said_in_the_window(preview.problem)
        if preview.other_project is not None:
            return self.tr(
                "Another project with {0} questions and {1} rows. It is merged into yours with the history "
                "of both; where both were corrected, yours stands and theirs is kept in the history."
            ).format(*map(QLocale().toString, preview.other_project))
        if not preview.rows:
            return self.tr("Nothing is changed before you press Import.")
        if not preview.good:
            return self.tr("None of its first {0} rows can be read.").format(len(preview.rows))
        text = self.tr("Recognised: {0}.").format(preview.format) if preview.mapping is None else self.tr(
            "Read by its columns; say which one holds what.")  # fmt: skip
        text += " " + self.tr("These are its first {0} rows.").format(len(preview.rows))
        if bad := len(preview.rows) - preview.good:
            text += " " + self.tr("{0} of them cannot be read; nothing is imported then, unless you "
                                  "choose to leave such rows out.").format(bad)  # fmt: skip
        return text

    def _ready(self) -> None:
        if self.tabs.currentIndex() == 1:
            self.go.setText(self.tr("Download and import"))
            self.go.setEnabled(bool(self.benchmarks.names()))
            return
        merging = self.preview.other_project is not None
        self.go.setText(self.tr("Merge") if merging else self.tr("Import"))
        self.go.setEnabled(merging or bool(self.preview.good))


def import_rows(page: DatasetPage, path: Path | None) -> None:
    """Ask what to import, start the job, and show what it did when it ends."""
    project = page.project
    if project.path is None or project.read_only:
        why = project.read_only_reason or page.tr("Open or make a project first; questions belong to one.")
        messages.inform(page, page.tr("Nothing can be imported now."), why)
        return
    dialog = ImportDialog(path, page)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    words = dialog.arguments(project.path)
    name = ", ".join(dialog.benchmarks.names()) if "--download" in words else Path(words[2]).name

    def start(words: list[str]) -> None:
        job = page.jobs.start(page.tr("Import {0}").format(name), words)
        follow_import(job, page, project.rows_changed.emit, lambda: start([*words, "--keep-good"]))

    start(words)


def _scrolled(part: QWidget) -> QScrollArea:
    """Return a part that is scrolled where letters are large and the screen is low: nothing is cut off."""
    scroll = QScrollArea()
    scroll.setWidget(part)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return scroll


def _line(*widgets: QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(theme.gap(theme.M))
    for widget in widgets:
        line.addWidget(widget, 0 if isinstance(widget, QLabel | QPushButton) else 1)
    return line


def _raw_item(record: Mapping[str, Any], columns: list[str]) -> QTreeWidgetItem:
    values = (value_of(record, column) for column in columns)
    texts = (value if isinstance(value, str) else json.dumps(value, default=str) for value in values)
    return QTreeWidgetItem([" ".join(text[:400].split()) for text in texts])


def _item(row: Entry | Unreadable) -> QTreeWidgetItem:
    if isinstance(row, Unreadable):
        place = f"{row.unit} {row.line}" if row.line else ""
        item = QTreeWidgetItem([place, "", f"cannot be read: {row.reason}", ""])
        item.setIcon(2, theme.icon("question", "unjudged"))
        item.setForeground(2, theme.colour("unjudged"))
        item.setToolTip(2, row.reason)
        return item
    question = " ".join(row.question.text.split()) if row.question else ""
    written = [f"{rationale.kind}: {' '.join(rationale.text.split())}" for rationale in row.rationales]
    if row.key_points is not None:
        written.append(row.key_points.core_question or "; ".join(row.key_points.information))
    gold = row.question.gold_text if row.question else ""
    item = QTreeWidgetItem([row.key[2], gold, question[:400], "  ·  ".join(written)[:400]])
    item.setToolTip(2, question[:2000])
    return item
