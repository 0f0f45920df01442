"""The import dialog: a file, what was recognised in it, its first rows; then a job, then what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.background import Background
from kpdd_app.jobs import Job
from kpdd_app.settings import Settings
from training_backend.errors import KpddError
from training_backend.events import Result
from training_backend.project.question_file import QuestionFile, Unreadable
from training_backend.project.native_formats import FORMATS
from training_backend.project.questions import NewQuestion

if TYPE_CHECKING:
    from kpdd_app.pages.dataset import DatasetPage

PREVIEW_ROWS = 30
KINDS = "Questions (*.jsonl *.json *.xml *.csv *.gz);;All files (*)"


@dataclass
class Preview:
    """What the start of a file shows: its format, the names guessed, and the first rows, readable or not."""

    format: str = ""
    dataset: str = ""
    split: str = ""
    rows: list[NewQuestion | Unreadable] = field(default_factory=list)
    problem: KpddError | None = None


def look_into(path: Path, format: str) -> Preview:
    """Read the start of a file; a file that cannot be used gives its problem, never an exception."""
    try:
        file = QuestionFile(path, format)
        preview = Preview(file.format.title, file.dataset, file.split)
        try:
            for row in islice(file.questions(), PREVIEW_ROWS):
                preview.rows.append(row)
        finally:
            file.close()
    except KpddError as problem:
        return Preview(problem=problem)
    return preview


class ImportDialog(QDialog):
    """Chooses a file and says what it holds; `arguments` is what the command needs."""

    def __init__(self, path: Path | None, parent: QWidget | None = None) -> None:
        """With a `path` its start is shown at once."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import questions"))
        self.preview = Preview()
        self._background = Background("import-preview", self)
        self._named_by_person: set[str] = set()
        self._build()
        self.resize(min(theme.gap(240), 1100), theme.gap(130))
        if path is not None:
            self.file.setText(str(path))

    # --- methods ----------------------------------------------------------------------------------

    def arguments(self, project: Path) -> list[str]:
        """Return the words of `kpdd import` for what was chosen."""
        words = ["import", str(project), self.file.text()]
        words += ["--format", str(self.format.currentData())]
        for option, field_ in (("--dataset", self.dataset), ("--split", self.split)):
            if field_.text().strip():
                words += [option, field_.text().strip()]
        return words

    def done(self, result: int) -> None:
        self._background.close(wait=False)
        super().done(result)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.file = QLineEdit()
        self.file.setAccessibleName(self.tr("File"))
        self.file.setPlaceholderText(self.tr("GSM8K, SVAMP, ASDiv, MultiArith, PAL, or JSON lines"))
        self.file.textChanged.connect(self._look)
        browse = QPushButton(self.tr("Choose…"))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.setSpacing(theme.gap(1.5))
        line.addWidget(self.file, 1)
        line.addWidget(browse)
        self.format = QComboBox()
        self.format.setAccessibleName(self.tr("Format"))
        self.format.addItem(self.tr("recognise it"), "auto")
        for key, native in FORMATS.items():
            self.format.addItem(native.title, key)
        self.format.currentIndexChanged.connect(self._look)
        self.dataset = self._name_field("dataset", self.tr("Data set"))
        self.split = self._name_field("split", self.tr("Split"))
        form = QFormLayout()
        form.setHorizontalSpacing(theme.gap(4))
        form.setVerticalSpacing(theme.gap(2))
        form.addRow(self.tr("File"), line)
        form.addRow(self.tr("Format"), self.format)
        form.addRow(self.tr("Data set"), self.dataset)
        form.addRow(self.tr("Split"), self.split)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.XL)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addLayout(form)
        column.addWidget(self._found())
        column.addWidget(self._rows(), 1)
        column.addLayout(self._buttons())
        self._show()

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
        self.rows.setHeaderLabels([self.tr("Id"), self.tr("Gold"), self.tr("Question")])
        self.rows.setRootIsDecorated(False)
        self.rows.setUniformRowHeights(True)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.rows.header().setStretchLastSection(True)
        self.rows.setTextElideMode(Qt.TextElideMode.ElideRight)
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

    def _look(self) -> None:
        text = self.file.text().strip()
        if not text:
            self._background.drop("look")
            self._take(Preview())
            return
        path, format = Path(text).expanduser(), str(self.format.currentData())
        self._background.run(lambda: look_into(path, format), self._take, key="look")

    def _take(self, preview: Preview) -> None:
        self.preview = preview
        for key, field_ in (("dataset", self.dataset), ("split", self.split)):
            if key not in self._named_by_person:
                field_.setText(getattr(preview, key))
        self._show()

    def _show(self) -> None:
        preview = self.preview
        good = [row for row in preview.rows if isinstance(row, NewQuestion)]
        self.go.setEnabled(bool(good))
        self.rows.clear()
        for row in preview.rows:
            self.rows.addTopLevelItem(_line(row))
        if preview.problem is not None:
            self.found.setText(str(preview.problem))
        elif preview.rows:
            bad = len(preview.rows) - len(good)
            text = self.tr("Recognised: {0}. These are its first {1} rows.").format(
                preview.format, len(preview.rows)
            )
            if bad:
                text += " " + self.tr("{0} of them cannot be read and will be left out, with a list.").format(
                    bad
                )
            self.found.setText(text)
        else:
            self.found.setText(self.tr("Nothing is changed before you press Import."))
        self.found.setProperty("role", "wrong" if preview.problem is not None else "muted")
        self.found.style().unpolish(self.found)
        self.found.style().polish(self.found)


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
    name = Path(dialog.file.text()).name
    job = page.jobs.start(page.tr("Import {0}").format(name), dialog.arguments(project.path))
    follow_import(job, page, project.rows_changed.emit)


def follow_import(job: Job, page: QWidget, changed: Callable[[Any], None]) -> None:
    """Say at the end of an import what it did, with a list of what could not be read."""
    results: list[Result] = []
    job.event_came.connect(lambda event: results.append(event) if isinstance(event, Result) else None)

    def ended(status: str) -> None:
        changed(None)
        if results:
            report(page, results[-1])
        elif job.last_failure is not None:
            messages.error(page, job.last_failure)

    job.ended.connect(ended)


def report(page: QWidget, result: Result) -> None:
    """Show an import's result: a note when all went in, else a window with every place that did not."""
    files = result.data.get("files", [])
    bad = sum(file.get("unreadable_count", 0) for file in files)
    failed = [file for file in files if "error" in file]
    different = sum(file.get("different", 0) for file in files)
    summary = result.text.splitlines()[0] if result.text else ""
    if not bad and not failed and not different:
        messages.note(summary)
        return
    if failed:
        messages.error(page, failed[0]["error"])
        return
    lines = [
        f"{place['file']}, line {place['line']}: {place['reason']}"
        for file in files
        for place in file.get("unreadable", [])
    ]
    hint = page.tr("What could be read is in the project.")
    if different:
        hint += " " + page.tr("{0} questions that were there already have another text and were left as they "
                              "are.").format(different)  # fmt: skip
    messages.inform(page, summary, hint, "\n".join(lines), page.tr("Import"))


def _line(row: NewQuestion | Unreadable) -> QTreeWidgetItem:
    if isinstance(row, NewQuestion):
        return QTreeWidgetItem([row.native_id, row.gold_text, " ".join(row.text.split())])
    item = QTreeWidgetItem([f"line {row.line}" if row.line else "", "", f"cannot be read: {row.reason}"])
    item.setIcon(2, theme.icon("question", "unjudged"))
    item.setForeground(2, theme.colour("unjudged"))
    return item
