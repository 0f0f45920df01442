"""Find and replace over many rows: what to find, what would change, and only then the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.long_work import LongWork, Report
from kpdd_app.open_project import OpenProject
from kpdd_app.widgets.hit_list import HitList
from training_backend.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

    from training_backend.project.replacing import Hit, Replaced, Search

    Ids = Sequence[int] | np.ndarray

WAIT_MS = 250
# more than anybody looks through; the rest is found when these are done
MOST_HITS = 100_000
FIELDS = {
    "rationale": "Rationale", "core_question": "Core question", "information": "Information",
    "question": "Question", "gold": "Gold answer", "note": "Note",
}  # fmt: skip
USUAL_FIELDS = ("rationale", "core_question", "information")


class ReplaceDialog(QDialog):
    """Previews while one types; nothing is changed before *Replace*."""

    def __init__(
        self,
        project: OpenProject,
        rows: Ids,
        selected: Ids,
        parent: QWidget | None = None,
    ) -> None:
        """`rows` are those of the filter, `selected` those of them that are selected."""
        super().__init__(parent)
        self.project = project
        self._scopes = [("all", rows), ("selected", selected)]
        self.work = LongWork("find-texts", self)
        self._again = False
        self.setWindowTitle(self.tr("Find and replace"))
        self.find_text = self._line(self.tr("Find"))
        self.put_text = self._line(self.tr("Replace with"))
        self.find_problem = _small("wrong")
        self.replace_problem = _small("wrong")
        self.regex = QCheckBox(self.tr("Regular expression"))
        self.match_case = QCheckBox(self.tr("Match case"))
        self.whole_words = QCheckBox(self.tr("Whole words"))
        self.scope = QComboBox()
        self.scope.setAccessibleName(self.tr("In which rows"))
        number = QLocale().toString
        self.scope.addItem(self.tr("All rows of this filter ({0})").format(number(len(rows))))
        self.scope.addItem(self.tr("The selected rows ({0})").format(number(len(selected))))
        self.scope.setCurrentIndex(1 if len(selected) > 1 else 0)
        self.fields = {key: QCheckBox(self.tr(title)) for key, title in FIELDS.items()}
        for key in USUAL_FIELDS:
            self.fields[key].setChecked(True)
        self.hits = HitList()
        self.found = QLabel()
        self.found.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the search"))
        self.bar.hide()
        self.tick_all = QPushButton(self.tr("Tick all"))
        self.tick_none = QPushButton(self.tr("Tick none"))
        self.go = QPushButton()
        self.go.setProperty("kind", "primary")
        self.close_button = QPushButton(self.tr("Close"))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._lay_out()
        self._connect()
        self._search()

    # --- construction -----------------------------------------------------------------------------

    def _line(self, name: str) -> QLineEdit:
        line = QLineEdit()
        line.setAccessibleName(name)
        line.setPlaceholderText(name)
        line.setFont(theme.mono_font())
        return line

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.gap(theme.M))
        grid.setVerticalSpacing(theme.gap(theme.S))
        for row, (name, part) in enumerate((
            (self.tr("Find"), _column(self.find_text, self.find_problem)),
            (self.tr("Replace with"), _column(self.put_text, self.replace_problem)),
            ("", _row(self.match_case, self.whole_words, self.regex)),
            (self.tr("In"), _row(*self.fields.values())), (self.tr("Rows"), self.scope),
        )):  # fmt: skip
            label = QLabel(name)
            label.setProperty("role", "muted")
            label.setContentsMargins(0, theme.gap(0.8), 0, 0)
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(part, row, 1)
        line = QHBoxLayout()
        line.addWidget(self.found)
        line.addWidget(self.bar, 1)
        line.addStretch(1)
        line.addWidget(self.tick_all)
        line.addWidget(self.tick_none)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.gap(theme.L)] * 4)
        column.setSpacing(theme.gap(theme.M))
        column.addLayout(grid)
        column.addLayout(line)
        column.addWidget(self.hits, 1)
        column.addLayout(foot)
        for button in (self.tick_all, self.tick_none, self.go, self.close_button):
            # Return in a field means "search", never "replace"
            button.setAutoDefault(False)
        room = self.screen().availableSize()
        self.resize(min(theme.gap(230), round(room.width() * 0.9)), min(theme.gap(170), room.height() - 80))

    def _connect(self) -> None:
        for line in (self.find_text, self.put_text):
            line.textChanged.connect(lambda _: self._timer.start())
        for box in (self.regex, self.match_case, self.whole_words, *self.fields.values()):
            box.toggled.connect(lambda _: self._timer.start())
        self.scope.currentIndexChanged.connect(lambda _: self._timer.start())
        self._timer.timeout.connect(self._search)
        self.work.progressed.connect(self._show_progress)
        self.hits.model_of_hits.ticks_changed.connect(self._show_count)
        self.tick_all.clicked.connect(lambda: self.hits.model_of_hits.tick_all(True))
        self.tick_none.clicked.connect(lambda: self.hits.model_of_hits.tick_all(False))
        self.go.clicked.connect(self._replace)
        self.close_button.clicked.connect(self.reject)

    # --- searching --------------------------------------------------------------------------------

    def wanted(self) -> Search:
        """Return what the fields say."""
        from training_backend.project.replacing import Search

        return Search(self.find_text.text(), self.put_text.text(), self.regex.isChecked(),
                      self.match_case.isChecked(), self.whole_words.isChecked())  # fmt: skip

    def _search(self) -> None:
        """Begin to look for what the fields say now; a search that still runs is stopped first."""
        from training_backend.project.replacing import replacer

        if self.work.busy:
            self._again = True
            self.work.stop()
            return
        self._say(None)
        search, project = self.wanted(), self.project.project
        fields = [key for key, box in self.fields.items() if box.isChecked()]
        if not search.find or not fields or project is None:
            self._take([])
            return
        try:
            replacer(search)
        except ConfigError as error:
            self._say(error)
            self._take([])
            return
        rows = self._scopes[self.scope.currentIndex()][1]
        self.bar.setRange(0, 0)
        self.bar.show()
        self.found.setText(self.tr("searching …"))
        self.work.run("find", lambda report: _find(project, rows, fields, search, report),
                      self._found, self._failed)  # fmt: skip

    def _found(self, hits: list[Hit]) -> None:
        if self._again:
            self._again = False
            self._search()
            return
        self._take(hits)

    def _failed(self, error: Exception) -> None:
        if self._again:
            self._found([])
            return
        self._take([])
        if isinstance(error, ConfigError):
            self._say(error)
        else:
            messages.error(self, error)

    def _take(self, hits: list[Hit]) -> None:
        self.bar.hide()
        self.hits.model_of_hits.take(hits)
        self._show_count()

    # --- replacing --------------------------------------------------------------------------------

    def _replace(self) -> None:
        from training_backend.project.replacing import replace_hits

        hits = self.hits.model_of_hits.ticked()
        if not hits:
            return
        number = QLocale().toString(len(hits))
        project = self.project
        project.change_in_parts(
            self.tr("Replacing in {0} texts").format(number),
            lambda opened, report: replace_hits(opened, hits, report=report),
            _say_replaced,
        )
        self.accept()

    def done(self, result: int) -> None:
        self._timer.stop()
        self._again = False
        self.work.close()
        super().done(result)

    # --- helpers ----------------------------------------------------------------------------------

    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def _show_count(self) -> None:
        model = self.hits.model_of_hits
        count, ticked = model.rowCount(), model.ticked_count()
        number = QLocale().toString
        if not self.find_text.text():
            text = self.tr("What is found is listed here; nothing changes before you say so.")
        elif not any(box.isChecked() for box in self.fields.values()):
            text = self.tr("Choose at least one text to look in.")
        elif not (self.find_problem.isHidden() and self.replace_problem.isHidden()):
            text = ""
        elif not count:
            text = self.tr("Nothing would change.")
        else:
            text = self.tr("{0} of {1} texts ticked").format(number(ticked), number(count))
            if count >= MOST_HITS:
                text += self.tr(" – the first ones; search again when these are done")
        self.found.setText(text)
        self.go.setText(self.tr("Replace in {0} texts").format(number(ticked)))
        self.go.setEnabled(bool(ticked) and not self.project.read_only and not self.project.bulk.busy)
        for button in (self.tick_all, self.tick_none):
            button.setEnabled(bool(count))

    def _say(self, error: ConfigError | None) -> None:
        for label, where in ((self.find_problem, "find"), (self.replace_problem, "replace")):
            here = error is not None and error.where == where
            label.setText(f"{error.message} {error.hint}" if here and error is not None else "")
            label.setVisible(here)


def _find(project: Any, rows: Ids, fields: list[str], search: Search, report: Report) -> list[Hit]:
    from training_backend.project.replacing import find_hits

    ids = rows.tolist() if hasattr(rows, "tolist") else list(rows)
    hits: list[Hit] = []
    for hit in find_hits(project, ids, fields, search, report):
        hits.append(hit)
        if len(hits) >= MOST_HITS:
            break
    return hits


def _say_replaced(done: Replaced) -> None:
    number = QLocale().toString
    text = _say_text("Replaced in {0} texts; Undo takes it back").format(number(done.texts))
    if done.left:
        text += _say_text("; {0} were changed meanwhile and left").format(number(done.left))
    messages.note(text)


def _say_text(text: str) -> str:
    from PySide6.QtCore import QCoreApplication

    return QCoreApplication.translate("replace", text)


def _small(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.hide()
    return label


def _row(*parts: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.gap(theme.M))
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return box


def _column(*parts: QWidget) -> QWidget:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.gap(0.6))
    for part in parts:
        column.addWidget(part)
    return box
