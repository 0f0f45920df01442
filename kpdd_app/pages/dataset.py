"""The Dataset page: facets at left, search and the table in the middle, the row at right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.key_bindings import name_button
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.dataset_actions import DatasetActions
from kpdd_app.pages.dataset_bulk import WorkStrip
from kpdd_app.pages.dataset_filters import ChipLine, SavedFilters
from kpdd_app.pages.dataset_parts import ThreeParts
from kpdd_app.pages.dataset_student import StudentMenu
from kpdd_app.settings import Settings
from kpdd_app.widgets.empty_state import EmptyState
from kpdd_app.widgets.facet_panel import FacetPanel
from kpdd_app.widgets.icon_button import IconButton
from kpdd_app.widgets.row_editor import RowEditor
from kpdd_app.widgets.row_paint import COLUMNS
from kpdd_app.widgets.row_source import RowFilter, RowSource
from kpdd_app.widgets.row_table import RowTable
from training_backend.events import RowsChanged

SEARCH_MS = 110


class DatasetPage(QWidget):
    """Curation by pointing, clicking and single keys."""

    solve_wanted = Signal(str, object)
    trace_wanted = Signal(object)
    ask_again_wanted = Signal(object)
    """The ids of the rows that a teacher is to answer once more."""
    page_wanted = Signal(str)
    choose_project_wanted = Signal()

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Show the rows of `project`; imports and exports run as `jobs`."""
        super().__init__(parent)
        self.project = project
        self.jobs = jobs
        self.settings = Settings()
        self.source = RowSource(self)
        self.facets = FacetPanel()
        self.kept = SavedFilters(project)
        self.chips = ChipLine()
        self.strips = [WorkStrip(project.bulk), WorkStrip(project.judge)]
        self.table = RowTable(self.source)
        self.editor = RowEditor(project)
        self.search = QLineEdit()
        self.empty = EmptyState("dataset", "")
        self._search_timer = QTimer(self)
        self._search_timer.setSingleShot(True)
        self._search_timer.setInterval(SEARCH_MS)
        self._build()
        self.student_menu = StudentMenu(project, jobs, self)
        self.actions_of_page = DatasetActions(self)
        self._connect()
        self._restore()
        if project.path is not None:
            self._opened(project.path)
        else:
            self._show_state()

    # --- properties and methods -------------------------------------------------------------------

    def key(self) -> str:
        """Return the page's key in the rail."""
        return "dataset"

    def take_focus(self) -> None:
        """Give the keyboard to the table, or to the one thing to do where it is empty."""
        shown = self.table if self.stack.currentWidget() is self.table else self.empty.button
        shown.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_filter(self, wanted: RowFilter) -> None:
        """Show the rows of a filter, as Home's numbers and other pages ask."""
        self.search.blockSignals(True)
        self.search.setText(wanted.search)
        self.search.blockSignals(False)
        self.facets.choose(dict(wanted.facets))
        self._apply(wanted)

    def sort(self, key: str, descending: bool, from_top: bool = False) -> None:
        """Show the rows in the order of a column (one of SORTS); `from_top`: the first becomes current."""
        old = self.source.filter
        if from_top:
            self.table.forget_current()
        self._apply(RowFilter(old.facets, old.search, key, descending))

    def keep_filter(self) -> None:
        """Ask for a name and keep the filter shown under it."""
        if self.project.path is not None and not self.project.read_only:
            self.kept.keep(self.source.filter)

    def show_row(self, row_id: int) -> None:
        """Make a row current; one outside the filter is still shown in the editor."""
        if not self.table.show_row(row_id):
            self.editor.show_row(row_id)

    def clear_filter(self) -> None:
        """Show all rows again, in the order that the head of the table shows."""
        old = self.source.filter
        order = ("id", False) if self._hidden_order(old) else (old.sort, old.descending)
        self.show_filter(RowFilter({}, "", *order))

    def import_file(self, path: Path | None = None) -> None:
        """Open the import dialog, with a file in it where one was dropped."""
        from kpdd_app.pages.dataset_import import import_rows

        import_rows(self, path)

    def export_rows(self) -> None:
        """Open the export dialog."""
        from kpdd_app.pages.dataset_export import export_rows

        export_rows(self)

    def chosen(self) -> np.ndarray:
        """Return the rows that an action is for: the selected ones, else the one in the editor."""
        ids = self.table.selected()
        if len(ids) or self.editor.row_id is None:
            return ids
        return np.array([self.editor.row_id], dtype=np.int64)

    def leave(self) -> None:
        """Keep what was typed, widths and splitters; called before the window closes."""
        self.editor.flush()
        self.settings.set_state("dataset/splitter", self.splitter.widths())
        self._keep_columns()
        self.source.shut_down()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.editor.setMinimumWidth(theme.gap(66))
        self.splitter = ThreeParts(self._left(), self._middle(), self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.splitter)

    def _left(self) -> QWidget:
        self.left = QWidget()
        self.left.setMinimumWidth(theme.gap(42))
        column = QVBoxLayout(self.left)
        column.setContentsMargins(0, theme.gap(1), 0, 0)
        column.setSpacing(0)
        column.addWidget(self.kept)
        column.addWidget(self.facets, 1)
        return self.left

    def _middle(self) -> QWidget:
        self.search.setPlaceholderText(self.tr("Search in all text"))
        self.search.setAccessibleName(self.tr("Search in all text"))
        self.search.setClearButtonEnabled(False)
        # a file that is dropped here is meant for the window
        self.search.setAcceptDrops(False)
        self.search.addAction(theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        # where the facets have no room beside the table, this is the way to them
        self.facets_button = IconButton("panel-left", self.tr("Show or hide the facets"))
        self.facets_button.hide()
        self.replace_button = IconButton("diff", self.tr("Find and replace"))
        self.import_button = IconButton("import", self.tr("Import a file"))
        self.export_button = IconButton("export", self.tr("Export rows"))
        bar = QHBoxLayout()
        bar.setContentsMargins(theme.gap(2), theme.gap(1.5), theme.gap(2), theme.gap(1.5))
        bar.setSpacing(theme.gap(1.5))
        bar.addWidget(self.facets_button)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.count)
        for part in (self.replace_button, self.import_button, self.export_button):
            bar.addWidget(part)
        self.news = QFrame()
        self.news.setProperty("panel", "notice")
        self._news_text = QLabel()
        refresh = QPushButton(self.tr("Refresh"))
        name_button(refresh, self.tr("Refresh the table"), "dataset.refresh")
        refresh.setProperty("kind", "link")
        refresh.clicked.connect(self.source.refresh)
        line = QHBoxLayout(self.news)
        line.setContentsMargins(theme.gap(2), theme.gap(0.5), theme.gap(2), theme.gap(0.5))
        line.addWidget(self._news_text)
        line.addWidget(refresh)
        line.addStretch(1)
        self.news.hide()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        # it must not claim its height while the table is shown
        self.empty.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.middle = QWidget()
        column = QVBoxLayout(self.middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.chips)
        for strip in (*self.strips, self.news):
            column.addWidget(strip)
        column.addWidget(self.stack, 1)
        return self.middle

    def _connect(self) -> None:
        project, source = self.project, self.source
        project.opened.connect(self._opened)
        project.closed.connect(self._closed)
        project.rows_changed.connect(source.rows_changed)
        project.undone.connect(self._undone)
        self.jobs.job_started.connect(self._watch)
        source.ids_changed.connect(self._show_state)
        source.facets_changed.connect(self.facets.set_facets)
        source.news_changed.connect(self._show_news)
        source.failed.connect(project.failed)
        self.facets.menu_wanted.connect(lambda _, place: self.student_menu.show(place))
        self.facets.changed.connect(lambda _: self._filter())
        self.search.textChanged.connect(lambda _: self._search_timer.start())
        self.search.returnPressed.connect(self.take_focus)
        leave = QShortcut(Qt.Key.Key_Escape, self.search, context=Qt.ShortcutContext.WidgetShortcut)
        leave.activated.connect(self._leave_search)
        self._search_timer.timeout.connect(self._filter)
        self.table.sort_wanted.connect(self.sort)
        self.table.header.layout_changed.connect(self._keep_columns)
        self.kept.chosen.connect(self.show_filter)
        self.kept.keep_wanted.connect(self.keep_filter)
        self.kept.filters_changed.connect(self._add_filter_actions)
        self.chips.part_removed.connect(self._remove_part)
        self.chips.cleared.connect(self.clear_filter)
        self.chips.keep_wanted.connect(self.keep_filter)
        self.splitter.narrowed.connect(self.facets_button.setVisible)
        self.facets_button.clicked.connect(lambda: self.actions_of_page.facets.trigger())
        self.replace_button.clicked.connect(lambda: self.actions_of_page.find_and_replace())
        self.table.current_changed.connect(self.editor.show_row)
        self.table.selection_changed.connect(lambda _: self._show_count())
        self.table.activated.connect(lambda _: self.editor.edit())
        self.editor.row_wanted.connect(self.show_row)
        self.editor.trace_wanted.connect(self.trace_wanted)
        self.import_button.clicked.connect(lambda: self.import_file())
        self.export_button.clicked.connect(self.export_rows)
        self.empty.acted.connect(self._help)
        self.empty.acted_other.connect(lambda: self.page_wanted.emit("home"))

    def _restore(self) -> None:
        header = self.table.header
        header.restore(self.settings.numbers("dataset/columns"))
        header.restore_order(self.settings.text("dataset/order").split())
        self.splitter.restore(self.settings.state("dataset/splitter"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.actions_of_page.say_why_not(event):
            super().keyPressEvent(event)

    # --- slots ------------------------------------------------------------------------------------

    def _opened(self, path: Path) -> None:
        self.clear_filter()
        self.source.open(path)

    def _closed(self) -> None:
        self.source.close()
        self.facets.set_facets({})

    def _watch(self, job: Job) -> None:
        """Follow the jobs that write rows."""

        def take(event: object) -> None:
            if isinstance(event, RowsChanged):
                self.project.rows_changed.emit(None)

        job.event_came.connect(take)

    def _leave_search(self) -> None:
        """Take the words away, if there are any, and give the keyboard back to the rows."""
        if self.search.text():
            self._remove_part("search")
        else:
            self.take_focus()

    def _filter(self) -> None:
        old = self.source.filter
        words = self.search.text().strip()
        self._apply(RowFilter(dict(self.facets.chosen), words, old.sort, old.descending))

    def _apply(self, wanted: RowFilter) -> None:
        """Show a filter everywhere it is shown, and its rows."""
        self._search_timer.stop()
        header = self.table.header
        header.sort, header.descending = wanted.sort, wanted.descending
        header.update()
        self._show_chips(wanted)
        self.editor.mark_search(wanted.search)
        self.kept.show_current(wanted)
        self.source.set_filter(wanted)

    def _show_chips(self, wanted: RowFilter) -> None:
        self.chips.show_filter(wanted, not self.project.read_only, self._hidden_order(wanted))

    def _hidden_order(self, wanted: RowFilter) -> str:
        """Return the title of the column that gives the order, where the table does not show it."""
        columns = [column for column in COLUMNS if column.sort == wanted.sort]
        hidden = self.table.header.hidden()
        return columns[0].title if columns and all(column.key in hidden for column in columns) else ""

    def _remove_part(self, name: str) -> None:
        old = self.source.filter
        words = "" if name == "search" else old.search
        facets = {facet: values for facet, values in old.facets.items() if facet != name}
        order = ("id", False) if name == "order" else (old.sort, old.descending)
        self.show_filter(RowFilter(facets, words, *order))
        self.take_focus()

    def _add_filter_actions(self) -> None:
        """Let the palette know the kept filters."""
        for action in self.kept.actions_of_filters:
            self.addAction(action)

    def _keep_columns(self) -> None:
        header = self.table.header
        self.settings.set_numbers("dataset/columns", header.state())
        self.settings.set_text("dataset/order", " ".join(header.order()))
        self._show_chips(self.source.filter)

    def _undone(self, sentence: str, ids: list[int]) -> None:
        from kpdd_app import messages

        messages.note(sentence)
        if ids and self.editor.row_id not in ids:
            self.show_row(ids[0])

    def _show_news(self, added: int, gone: int) -> None:
        number = QLocale().toString
        parts = [self.tr("new rows: {0}").format(number(added))] if added else []
        parts += [self.tr("rows that no longer fit this filter: {0}").format(number(gone))] if gone else []
        text = self.tr(", ").join(parts)
        self._news_text.setText(text[:1].upper() + text[1:])
        self.news.setVisible(bool(parts))

    def _show_state(self) -> None:
        """Show the table, or what to do where it is empty."""
        self._show_count()
        wanted = self.source.filter
        nothing = not (len(self.source) or self.source.loading or wanted.facets or wanted.search)
        self.splitter.show_alone(nothing or self.project.path is None)
        if self.project.path is None:
            self.empty.say(self.tr("No project is open"), self.tr("Rows belong to a project."),
                           self.tr("Open a project…"), self.tr("Go to Home"))  # fmt: skip
        elif len(self.source) or self.source.loading:
            self.stack.setCurrentWidget(self.table)
            return
        elif wanted.facets or wanted.search:
            why = self.tr("Other words or fewer facets find more.")
            self.empty.say(self.tr("No row fits this filter"), why, self.tr("Clear the filter"))
        else:
            self.empty.say(
                self.tr("This project has no questions yet"),
                self.tr("Questions come from a file: GSM8K, SVAMP, ASDiv, MultiArith, or any JSON lines with "
                        "a question and an answer. Drop it on the window, or choose it."),
                self.tr("Import a file…"),
            )  # fmt: skip
        self.stack.setCurrentWidget(self.empty)

    def _show_count(self) -> None:
        number = QLocale().toString(len(self.source))
        text = self.tr("{0} rows").format(number) if len(self.source) != 1 else self.tr("1 row")
        if self.table.selected_count() > 1:
            text = self.tr("{0} of {1} selected").format(
                QLocale().toString(self.table.selected_count()), number
            )
        self.count.setText(text)

    def _help(self) -> None:
        if self.project.path is None:
            self.choose_project_wanted.emit()
        elif self.source.filter.facets or self.source.filter.search:
            self.clear_filter()
        else:
            self.import_file()
