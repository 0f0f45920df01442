"""The export dialog: which rows, in which format, to where, and the first row as it will be written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.open_project import OpenProject
from kpdd_app.settings import Settings
from training_backend.events import Result
from training_backend.project.exporters import FORMATS, Wish, card_path, preview, where_words
from training_backend.project.listing import RowFilter

if TYPE_CHECKING:
    from kpdd_app.pages.dataset import DatasetPage


class ExportDialog(QDialog):
    """Chooses rows, format and place; `arguments` is what the command needs."""

    def __init__(
        self, project: OpenProject, shown: RowFilter, count: int, parent: QWidget | None = None
    ) -> None:
        """`shown` is the filter of the table and `count` how many rows it has."""
        super().__init__(parent)
        assert project.path is not None
        self.setWindowTitle(self.tr("Export rows"))
        self._project = project
        self._file = project.path
        self._shown = shown
        filtered = bool(shown.facets or shown.search)
        self.those = QRadioButton(self.tr("the {0} rows of the filter").format(QLocale().toString(count)))
        self.fit = QRadioButton(self.tr("all rows equal to gold"))
        self.reviewed = QRadioButton(self.tr("all rows that a person accepted"))
        self.all = QRadioButton(self.tr("all rows"))
        self.those.setVisible(filtered)
        (self.those if filtered else self.all).setChecked(True)
        self.form = QComboBox()
        self.form.setAccessibleName(self.tr("Format"))
        for key, form in FORMATS.items():
            self.form.addItem(self.tr(form.title), key)
        self.notes = QCheckBox(self.tr("with the notes that a person made"))
        self.spreadsheet = QCheckBox(self.tr("for a spreadsheet: no text is taken for a formula"))
        self.spreadsheet.setChecked(True)
        self.card = QCheckBox(self.tr("with a data set card beside the file"))
        self.file = QLineEdit()
        self.file.setAccessibleName(self.tr("File or folder"))
        folder = Settings().text("export/folder", str(self._file.parent))
        self.file.setText(str(Path(folder) / f"{self._file.stem}.jsonl"))
        self.problem = QLabel()
        self.problem.setProperty("role", "wrong")
        self.problem.setWordWrap(True)
        self.sample = QPlainTextEdit()
        self._build()
        self._connect()
        self._fit_format()
        # the keyboard begins at what is chosen, not at the first choice there is
        (self.those if filtered else self.all).setFocus()

    # --- what was chosen --------------------------------------------------------------------------

    def wanted(self) -> RowFilter:
        """Return the filter of the rows that were chosen."""
        if self.those.isChecked():
            return RowFilter(self._shown.facets, self._shown.search)
        if self.fit.isChecked():
            return RowFilter({"verdict": frozenset({"equal"})})
        return RowFilter({"review": frozenset({"accepted"})} if self.reviewed.isChecked() else {})

    def wish(self) -> Wish:
        """Return the format and what is ticked of what it knows."""
        key = str(self.form.currentData())
        return Wish(
            format=key,
            notes=FORMATS[key].notes and self.notes.isChecked(),
            spreadsheet=key == "csv" and self.spreadsheet.isChecked(),
            card=key != "folder" and self.card.isChecked(),
        )

    def target(self) -> Path:
        """Return the file or folder to write."""
        return Path(self.file.text().strip())

    def arguments(self) -> list[str]:
        """Return the words of `kpdd export` for what was chosen."""
        wish = self.wish()
        words = ["export", str(self._file), str(self.target()), "--format", wish.format]
        for condition in where_words(self.wanted()):
            words += ["--where", condition]
        ticked = {"--notes": wish.notes, "--spreadsheet": wish.spreadsheet, "--card": wish.card}
        return words + [word for word, is_on in ticked.items() if is_on]

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        choices = _column(self.those, self.fit, self.reviewed, self.all)
        options = _column(self.form, self.notes, self.spreadsheet, self.card)
        self.browse = QPushButton(self.tr("Choose…"))
        self.browse.setAutoDefault(False)
        line = QHBoxLayout()
        line.setSpacing(theme.gap(1.5))
        line.addWidget(self.file, 1)
        line.addWidget(self.browse)
        self.sample.setReadOnly(True)
        self.sample.setTabChangesFocus(True)
        self.sample.setFont(theme.mono_font(-0.5))
        self.sample.setAccessibleName(self.tr("The first row as it will be written"))
        self.sample.setMinimumHeight(theme.line_height() * 6)
        form = QFormLayout()
        form.setHorizontalSpacing(theme.gap(4))
        form.setVerticalSpacing(theme.gap(3))
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("Rows"), choices)
        form.addRow(self.tr("Format"), options)
        form.addRow(self.tr("To"), line)
        self._sample_title = QLabel(self.tr("First row"))
        form.addRow(self._sample_title, self.sample)
        note = QLabel(self.tr("Texts are written as corrected; the project is not changed."))
        note.setProperty("role", "muted")
        self.go = QPushButton(self.tr("Export"))
        self.go.setProperty("kind", "primary")
        self.go.setDefault(True)
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addWidget(note, 1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.XL)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addLayout(form, 1)
        column.addWidget(self.problem)
        column.addLayout(buttons)
        self.setMinimumWidth(theme.gap(130))
        self.resize(theme.gap(150), theme.line_height() * 30)

    def _connect(self) -> None:
        self.form.currentIndexChanged.connect(lambda _: self._fit_format())
        for button in (self.those, self.fit, self.reviewed, self.all):
            button.toggled.connect(lambda on: self._show_sample() if on else None)
        self.notes.toggled.connect(lambda _: self._show_sample())
        self.file.textChanged.connect(lambda _: self._check())
        self.browse.clicked.connect(self._browse)
        self.go.clicked.connect(self.accept)
        self.cancel.clicked.connect(self.reject)

    # --- slots ------------------------------------------------------------------------------------

    def _fit_format(self) -> None:
        """Give the name the ending of the format, and show the options that it knows."""
        key = str(self.form.currentData())
        path = self.target()
        endings = {form.ending for form in FORMATS.values()}
        if self.file.text().strip() and path.suffix in endings:
            self.file.setText(str(path.with_suffix(FORMATS[key].ending)))
        self.notes.setVisible(FORMATS[key].notes)
        self.spreadsheet.setVisible(key == "csv")
        self.card.setVisible(key != "folder")
        self._check()
        self._show_sample()

    def _show_sample(self) -> None:
        wanted, wish = self.wanted(), self.wish()
        self._project.read(
            lambda project: preview(project, wanted, wish), self._take_sample, self._no_sample, "export"
        )

    def _take_sample(self, text: str) -> None:
        without = self.tr(
            "None of the first rows has a rationale; this format holds only rows that have one."
        )
        nothing = self.tr("No row fits.") if FORMATS[self.wish().format].notes else without
        self.sample.setPlainText(text or nothing)

    def _no_sample(self, problem: Exception) -> None:
        self.sample.setPlainText(str(problem))

    def _browse(self) -> None:
        if self.form.currentData() == "folder":
            parent = messages.open_folder(self, self.tr("Folder to put it into"), str(self.target().parent))
            path = parent / self.target().name if parent is not None else None
        else:
            kinds = self.tr("Rows (*{0})").format(FORMATS[self.wish().format].ending)
            path = messages.save_file(self, self.tr("Export to"), kinds, self.file.text())
        if path is not None:
            Settings().set_text("export/folder", str(path.parent))
            self.file.setText(str(path))

    def _check(self) -> None:
        path = self.target()
        folder = self.form.currentData() == "folder"
        problem = ""
        if not self.file.text().strip() or not path.name:
            problem = self.tr("Give it a name.")
        elif not path.parent.is_dir():
            problem = self.tr("There is no folder {0}.").format(path.parent)
        elif path.is_dir() and not folder:
            problem = self.tr("This is a folder; give the file a name in it.")
        elif path.is_file() and folder:
            problem = self.tr("This is a file; give the folder another name.")
        elif path == self._file:
            problem = self.tr("This is the project itself; choose another name.")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.go.setEnabled(not problem)


def export_rows(page: DatasetPage) -> None:
    """Ask what to export and start the job."""
    if page.project.path is None:
        messages.inform(page, page.tr("There is nothing to export."), page.tr("Open a project first."))
        return
    dialog = ExportDialog(page.project, page.source.filter, len(page.source), page)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    words, path = dialog.arguments(), dialog.target()
    there = [
        each for each in (path, card_path(path)) if each.exists() and (each == path or "--card" in words)
    ]
    if there:
        hint = page.tr("The folder and all files in it will be replaced.") if path.is_dir() else page.tr(
            "It will be replaced.")  # fmt: skip
        what = page.tr("{0} exists already.").format(there[0].name)
        if not messages.question(page, what, hint, yes=page.tr("Replace")):
            return
        words.append("--replace")
    job = page.jobs.start(page.tr("Export to {0}").format(path.name), words)
    job.event_came.connect(lambda event: messages.note(event.text) if isinstance(event, Result) else None)
    job.failed.connect(lambda failure: messages.error(page, failure))


def _column(*widgets: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(theme.gap(1.5))
    for widget in widgets:
        column.addWidget(widget)
    return column
