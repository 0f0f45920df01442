"""The export dialog: which rows, in which form, to which file; the work is a job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.settings import Settings
from training_backend.events import Result
from training_backend.project.listing import RowFilter

if TYPE_CHECKING:
    from kpdd_app.pages.dataset import DatasetPage

# format → title, ending
FORMS = {
    "jsonl": ("JSON lines with every field", ".jsonl"),
    "csv": ("CSV with every field", ".csv"),
    "messages": ("OpenAI messages", ".jsonl"),
    "alpaca": ("Alpaca instructions", ".jsonl"),
}


class ExportDialog(QDialog):
    """Chooses rows, form and file; `arguments` is what the command needs."""

    def __init__(self, project: Path, shown: RowFilter, count: int, parent: QWidget | None = None) -> None:
        """`shown` is the filter of the table and `count` how many rows it has."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export rows"))
        self._project = project
        self._shown = shown
        number = QLocale().toString(count)
        filtered = bool(shown.facets or shown.search)
        self.those = QRadioButton(self.tr("the {0} rows of the filter").format(number))
        self.fit = QRadioButton(self.tr("all rows equal to gold"))
        self.reviewed = QRadioButton(self.tr("all rows that a person accepted"))
        self.all = QRadioButton(self.tr("all rows"))
        self.those.setVisible(filtered)
        (self.those if filtered else self.all).setChecked(True)
        self.form = QComboBox()
        self.form.setAccessibleName(self.tr("Format"))
        for key, (title, _) in FORMS.items():
            self.form.addItem(title, key)
        self.form.currentIndexChanged.connect(self._fit_ending)
        self.file = QLineEdit()
        self.file.setAccessibleName(self.tr("File"))
        folder = Settings().text("export/folder", str(project.parent))
        self.file.setText(str(Path(folder) / f"{project.stem}.jsonl"))
        self.file.textChanged.connect(lambda _: self._check())
        self.problem = QLabel()
        self.problem.setProperty("role", "wrong")
        self.problem.setWordWrap(True)
        self._build()
        self._check()

    def arguments(self) -> list[str]:
        """Return the words of `kpdd export` for what was chosen."""
        words = ["export", str(self._project), self.file.text(), "--format", str(self.form.currentData())]
        if self.those.isChecked():
            for facet, values in self._shown.facets.items():
                words += ["--where", f"{facet}={','.join(str(value) for value in sorted(values, key=str))}"]
            if self._shown.search:
                words += ["--where", f"search={self._shown.search}"]
        elif self.fit.isChecked():
            words += ["--where", "verdict=equal"]
        elif self.reviewed.isChecked():
            words += ["--where", "review=accepted"]
        return words

    def _build(self) -> None:
        choices = QVBoxLayout()
        choices.setSpacing(theme.gap(1.5))
        for button in (self.those, self.fit, self.reviewed, self.all):
            choices.addWidget(button)
        browse = QPushButton(self.tr("Choose…"))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.setSpacing(theme.gap(1.5))
        line.addWidget(self.file, 1)
        line.addWidget(browse)
        form = QFormLayout()
        form.setHorizontalSpacing(theme.gap(4))
        form.setVerticalSpacing(theme.gap(3))
        form.addRow(self.tr("Rows"), choices)
        form.addRow(self.tr("Format"), self.form)
        form.addRow(self.tr("File"), line)
        note = QLabel(self.tr("Texts are written as corrected; the project is not changed."))
        note.setProperty("role", "muted")
        self.go = QPushButton(self.tr("Export"))
        self.go.setProperty("kind", "primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self.accept)
        cancel = QPushButton(self.tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.XL)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(note)
        column.addLayout(buttons)
        self.setMinimumWidth(theme.gap(130))

    def _fit_ending(self) -> None:
        path = Path(self.file.text())
        if path.suffix in (".jsonl", ".csv"):
            self.file.setText(str(path.with_suffix(FORMS[str(self.form.currentData())][1])))

    def _browse(self) -> None:
        path = messages.save_file(
            self, self.tr("Export to"), self.tr("Rows (*.jsonl *.csv)"), self.file.text()
        )
        if path is not None:
            Settings().set_text("export/folder", str(path.parent))
            self.file.setText(str(path))

    def _check(self) -> None:
        path = Path(self.file.text().strip())
        problem = ""
        if not self.file.text().strip() or path.is_dir():
            problem = self.tr("Give the file a name.")
        elif not path.parent.is_dir():
            problem = self.tr("There is no folder {0}.").format(path.parent)
        elif path == self._project:
            problem = self.tr("This is the project itself; choose another name.")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.go.setEnabled(not problem)


def export_rows(page: DatasetPage) -> None:
    """Ask what to export and start the job."""
    if page.project.path is None:
        messages.inform(page, page.tr("There is nothing to export."), page.tr("Open a project first."))
        return
    dialog = ExportDialog(page.project.path, page.source.filter, len(page.source), page)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    path = Path(dialog.file.text())
    if path.exists() and not messages.question(
        page, page.tr("{0} exists already.").format(path.name), page.tr("It will be replaced."),
        yes=page.tr("Replace"),
    ):  # fmt: skip
        return
    job = page.jobs.start(page.tr("Export to {0}").format(path.name), dialog.arguments())
    job.event_came.connect(lambda event: messages.note(event.text) if isinstance(event, Result) else None)
    job.failed.connect(lambda failure: messages.error(page, failure))
