"""The actions of the Dataset page: the review keys, bulk changes, and what the row's menu offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from kpdd_app import messages

if TYPE_CHECKING:
    from kpdd_app.pages.dataset import DatasetPage


class DatasetActions(QObject):
    """Every action is a QAction of the page, so the palette and the list of keys know it."""

    def __init__(self, page: DatasetPage) -> None:
        """Add the actions to `page`."""
        super().__init__(page)
        self.page = page
        self.project = page.project
        tr = self.tr
        self.next = self._add(tr("Next row"), "J", lambda: page.table.step(+1))
        self.previous = self._add(tr("Previous row"), "K", lambda: page.table.step(-1))
        self.accept = self._add(tr("Accept"), "A", lambda: self.review("accepted"), writes=True)
        self.reject = self._add(tr("Reject"), "R", lambda: self.review("rejected"), writes=True)
        self.flag = self._add(tr("Flag"), "F", self.toggle_flag, writes=True)
        self.unreview = self._add(
            tr("Set back to unreviewed"), "", lambda: self.review("unreviewed"), writes=True
        )
        self.next_unreviewed = self._add(tr("Next unreviewed row"), "N", self.go_unreviewed)
        self.edit = self._add(tr("Edit the row"), "E", page.editor.edit)
        self.run = self._add(tr("Run the program"), "Ctrl+Return", page.editor.run_program, writes=True)
        self.rerun = self._add(
            tr("Run the selected rows again"), "Ctrl+Shift+Return", self.run_selected, writes=True
        )
        self.diff = self._add(tr("Differences from the teacher's text"), "D", page.editor.show_differences)
        self.trace = self._add(tr("Trace the program on the Solve page"), "T", self.show_trace)
        self.undo = self._add(tr("Undo the last change"), "U", self.undo_last, writes=True)
        self.search = self._add(tr("Search"), "Ctrl+F", self._to_search, "/")
        self.all = self._add(tr("Select all rows of this filter"), "Ctrl+A", page.table.select_all)
        self.refresh = self._add(tr("Refresh the table"), "F5", page.source.refresh)
        self.clear = self._add(tr("Clear the filter"), "", page.clear_filter)
        self.export = self._add(tr("Export rows…"), "Ctrl+E", page.export_rows)
        self.copy = self._add(tr("Copy the question"), "", self.copy_question)
        self.facets = self._add(tr("Show or hide the facets"), "Ctrl+B", lambda: _toggle(page.left))
        self.panel = self._add(tr("Show or hide the row"), "Ctrl+Shift+B", lambda: _toggle(page.editor))
        self.columns = self._add(tr("Choose columns…"), "", self.choose_columns)
        page.table.menu_wanted.connect(self.show_menu)
        page.editor.review_wanted.connect(self.review_shown)
        page.editor.flag_wanted.connect(self.toggle_flag)
        self.project.opened.connect(lambda _: self._allow())
        self.project.closed.connect(self._allow)
        self._allow()

    # --- what they do -----------------------------------------------------------------------------

    def review(self, state: str) -> None:
        """Review the chosen rows; after a single one go on to the next."""
        ids = self.page.chosen_ids()
        if not ids:
            return
        self.page.editor.flush()
        self.project.set_review(ids, state)
        if len(ids) == 1 and state != "unreviewed":
            self.page.table.step(+1)
        elif len(ids) > 1:
            messages.note(self.tr("{0} rows {1}").format(len(ids), state))

    def review_shown(self, state: str) -> None:
        """Review the row in the editor, or take the review back when it has this one already."""
        detail = self.page.editor.detail
        if detail is not None:
            state = "unreviewed" if detail.row.review == state else state
            self.project.set_review([detail.row.id], state)

    def toggle_flag(self) -> None:
        """Flag the chosen rows; when the row shown has a flag, take the flags off."""
        ids = self.page.chosen_ids()
        row = self.page.editor.detail.row if self.page.editor.detail is not None else None
        if ids:
            self.project.set_flagged(ids, not (row is not None and row.flagged))

    def go_unreviewed(self) -> None:
        """Go to the next unreviewed row below, else the first one above."""
        self.page.source.next_unreviewed(self.page.table.current, self._go)

    def run_selected(self) -> None:
        """Run the programs of the chosen rows again."""
        ids = self.page.chosen_ids()
        if ids:
            self.page.editor.flush()
            self.project.rerun(ids)

    def show_trace(self) -> None:
        """Ask for the program of the row shown to be traced."""
        detail = self.page.editor.detail
        if detail is not None and detail.row.kind in ("pot", "eot"):
            self.page.trace_wanted.emit(detail)

    def undo_last(self) -> None:
        """Take the last change back, what is being typed included."""
        self.page.editor.flush()
        self.project.undo()

    def copy_question(self) -> None:
        """Put the question of the row shown on the clipboard."""
        detail = self.page.editor.detail
        if detail is not None:
            QGuiApplication.clipboard().setText(detail.question.text)

    def choose_columns(self) -> None:
        """Open the menu of columns."""
        header = self.page.table.header
        header.menu().exec(header.mapToGlobal(header.rect().bottomLeft()))

    def show_menu(self, place: QPoint) -> None:
        """Show what can be done with the chosen rows."""
        menu = QMenu(self.page)
        for group in ((self.accept, self.reject, self.unreview, self.flag), (self.rerun, self.trace),
                      (self.copy, self.export), (self.all, self.columns)):  # fmt: skip
            menu.addActions(group)
            menu.addSeparator()
        menu.exec(place)

    # --- helpers ----------------------------------------------------------------------------------

    def _add(
        self, text: str, keys: str, do: Callable[[], object], *more: str, writes: bool = False
    ) -> QAction:
        action = QAction(text, self.page)
        action.setShortcuts([QKeySequence(each) for each in (keys, *more) if each])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setProperty("writes", writes)
        action.triggered.connect(lambda _=False: do())
        self.page.addAction(action)
        return action

    def _allow(self) -> None:
        for action in self.page.actions():
            possible = self.project.path is not None
            if action.property("writes"):
                possible = not self.project.read_only
            action.setEnabled(possible)

    def _to_search(self) -> None:
        self.page.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.page.search.selectAll()

    def _go(self, position: int | None) -> None:
        if position is None:
            messages.note(self.tr("Every row of this filter is reviewed"))
        else:
            self.page.table.set_current(position)


def _toggle(widget) -> None:
    widget.setVisible(widget.isHidden())
