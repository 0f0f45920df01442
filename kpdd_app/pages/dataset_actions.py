"""The actions of the Dataset page: the review keys, bulk changes, and what the row's menu offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu

from kpdd_app import messages
from kpdd_app.key_bindings import add_action, name_button
from kpdd_app.open_project import MANY
from kpdd_app.pages.dataset_bulk import confirmed

if TYPE_CHECKING:
    import numpy as np

    from kpdd_app.pages.dataset import DatasetPage


class DatasetActions(QObject):
    """Every action is a QAction of the page, so the palette and the list of keys know it."""

    def __init__(self, page: DatasetPage) -> None:
        """Add the actions to `page`."""
        super().__init__(page)
        self.page = page
        self.project = page.project
        editor, table = page.editor, page.table
        self.next = self._add("next", lambda: table.step(+1))
        self.previous = self._add("previous", lambda: table.step(-1))
        self.accept = self._add("accept", lambda: self.review("accepted"), writes=True)
        self.reject = self._add("reject", lambda: self.review("rejected"), writes=True)
        self.unreview = self._add("unreview", lambda: self.review("unreviewed"), writes=True)
        self.flag = self._add("flag", self.toggle_flag, writes=True)
        self.unflag = self._add("unflag", lambda: self.set_flags(False), writes=True)
        self.next_unreviewed = self._add("next_unreviewed", self.go_unreviewed)
        self.edit = self._add("edit", editor.edit)
        self.note = self._add("note", editor.edit_note)
        self.run = self._add("run", editor.run_program, writes=True)
        self.rerun = self._add("rerun", self.run_selected, writes=True)
        self.ask_again = self._add("ask_again", self.ask_teacher_again, writes=True)
        self.replace = self._add("replace", self.find_and_replace, writes=True)
        self.diff = self._add("diff", editor.show_differences)
        self.history = self._add("history", editor.show_history)
        self.reply = self._add("reply", editor.show_reply)
        self.next_path = self._add("next_path", lambda: editor.step_path(+1))
        self.previous_path = self._add("previous_path", lambda: editor.step_path(-1))
        self.trace = self._add("trace", self.show_trace)
        self.undo = self._add("undo", self.undo_last, writes=True)
        self.search = self._add("search", self._to_search)
        self.all = self._add("all", table.select_all)
        self.refresh = self._add("refresh", page.source.refresh)
        self.clear = self._add("clear", page.clear_filter)
        self.keep_filter = self._add("keep_filter", page.keep_filter, writes=True)
        self.suspicion = self._add("suspicion", lambda: page.sort("suspicion", True, from_top=True))
        self.student = self._add("student", self.choose_student, writes=True)
        self.export = self._add("export", page.export_rows)
        self.copy = self._add("copy", self.copy_question)
        self.facets = self._add("facets", page.splitter.toggle_left)
        self.panel = self._add("panel", lambda: _toggle(page.editor))
        self.columns = self._add("columns", self.choose_columns)
        for button, name, action in (
            (editor.head.accept, self.tr("Accept"), "accept"),
            (editor.head.reject, self.tr("Reject"), "reject"),
            (editor.head.flag, self.tr("Flag"), "flag"),
            (editor.head.trace, self.tr("Walk through this on the Solve page"), "trace"),
            (editor.head.again, self.tr("Ask the teacher again"), "ask_again"),
            (editor.run_button, self.tr("Run in the sandbox"), "run"),
            (page.export_button, self.tr("Export rows"), "export"),
            (page.replace_button, self.tr("Find and replace"), "replace"),
            (page.facets_button, self.tr("Show or hide the facets"), "facets"),
        ):  # fmt: skip
            name_button(button, name, f"dataset.{action}")
        name_button(page.import_button, self.tr("Import a file"), "window.import")
        page.table.menu_wanted.connect(self.show_menu)
        page.editor.review_wanted.connect(self.review_shown)
        page.editor.flag_wanted.connect(self.toggle_flag)
        page.editor.head.again.clicked.connect(self.ask_row_again)
        self.project.opened.connect(lambda _: self._allow())
        self.project.closed.connect(self._allow)
        self._allow()

    # --- what they do -----------------------------------------------------------------------------

    def review(self, state: str) -> None:
        """Review the chosen rows; after a single one go on to the next."""
        ids = self.page.chosen()
        words = {"accepted": self.tr("Accept"), "rejected": self.tr("Reject")}
        word = words.get(state, self.tr("Set back to unreviewed"))
        if not len(ids) or not confirmed(self.page, word, len(ids)):
            return
        self.page.editor.flush()
        self.project.set_review(ids, state)
        if len(ids) == 1 and state != "unreviewed":
            self.page.table.step(+1)
        elif 1 < len(ids) <= MANY:
            messages.note(self.tr("{0} rows {1}").format(QLocale().toString(len(ids)), state))

    def review_shown(self, state: str) -> None:
        """Review the row in the editor, or take the review back when it has this one already."""
        detail = self.page.editor.detail
        if detail is not None:
            state = "unreviewed" if detail.row.review == state else state
            self.project.set_review([detail.row.id], state)

    def toggle_flag(self) -> None:
        """Flag the chosen rows; when the row shown has a flag, take the flags off."""
        row = self.page.editor.detail.row if self.page.editor.detail is not None else None
        self.set_flags(not (row is not None and row.flagged))

    def set_flags(self, flagged: bool) -> None:
        """Flag the chosen rows, or take their flags off."""
        ids = self.page.chosen()
        word = self.tr("Flag") if flagged else self.tr("Take the flags away")
        if len(ids) and confirmed(self.page, word, len(ids)):
            self.project.set_flagged(ids, flagged)

    def go_unreviewed(self) -> None:
        """Go to the next unreviewed row below, else the first one above."""
        self.page.source.next_unreviewed(self.page.table.current, self._go)

    def run_selected(self) -> None:
        """Run the programs of the chosen rows again."""
        ids = self.page.chosen()
        if len(ids) and confirmed(self.page, self.tr("Run the programs again"), len(ids)):
            self.page.editor.flush()
            self.project.rerun(ids)

    def ask_teacher_again(self) -> None:
        """Hand the chosen rows to the Teacher page's run, for another answer to each."""
        ids = self.page.chosen()
        if len(ids):
            self._hand_over(ids)

    def ask_row_again(self) -> None:
        """Hand the row in the editor to the Teacher page's run."""
        if self.page.editor.row_id is not None:
            self._hand_over([self.page.editor.row_id])

    def _hand_over(self, ids: Sequence[int] | np.ndarray) -> None:
        self.page.editor.flush()
        self.page.ask_again_wanted.emit(ids)

    def find_and_replace(self) -> None:
        """Open the dialog over the rows of the filter and the selected ones."""
        from kpdd_app.pages.dataset_replace import ReplaceDialog

        self.page.editor.flush()
        self.project.flush()
        ReplaceDialog(self.project, self.page.source.ids, self.page.chosen(), self.page).exec()

    def show_trace(self) -> None:
        """Ask for the rationale of the row shown to be walked: a program, equations or a chain of thought."""
        detail = self.page.editor.detail
        if detail is not None and detail.row.kind:
            self.page.trace_wanted.emit(detail)

    def undo_last(self) -> None:
        """Take the last change back, what is being typed included."""
        self.page.editor.flush()
        self.project.undo()

    def choose_student(self) -> None:
        """Open the menu of the students whose texts the rows must fit."""
        beside = self.page.facets if self.page.facets.isVisible() else self.page.search
        self.page.student_menu.show(beside.mapToGlobal(QPoint(0, beside.height() // 3)))

    def copy_question(self) -> None:
        """Put the question of the row shown on the clipboard."""
        detail = self.page.editor.detail
        if detail is not None:
            QGuiApplication.clipboard().setText(detail.question.text)

    def choose_columns(self) -> None:
        """Open the dialog of columns: shown or not, in which order."""
        from kpdd_app.widgets.column_dialog import ColumnDialog

        ColumnDialog(self.page.table.header, self.page).exec()

    def show_menu(self, place: QPoint) -> None:
        """Show what can be done with the chosen rows."""
        menu = QMenu(self.page)
        for group in ((self.accept, self.reject, self.unreview, self.flag, self.unflag),
                      (self.rerun, self.ask_again, self.replace, self.trace), (self.copy, self.export),
                      (self.all, self.columns)):  # fmt: skip
            menu.addActions(group)
            menu.addSeparator()
        menu.exec(place)

    def say_why_not(self, event: QKeyEvent) -> bool:
        """Say why the action of a key does nothing in a read-only project; False where it is no such key."""
        if not (self.project.path is not None and self.project.read_only):
            return False
        pressed = QKeySequence(event.keyCombination())
        for action in self.page.actions():
            if action.property("writes") and pressed in action.shortcuts():
                self.say_read_only(action.text())
                return True
        return False

    def say_read_only(self, what: str) -> None:
        """Say that this cannot be done because the project is open read-only, and why it is."""
        reason = self.project.read_only_reason or self.tr("It was opened to be read.")
        messages.note(self.tr("{0}: not in a read-only project. {1}").format(what, reason))

    # --- helpers ----------------------------------------------------------------------------------

    def _add(self, name: str, do: Callable[[], object], writes: bool = False) -> QAction:
        action = add_action(self.page, f"dataset.{name}", do)
        action.setProperty("writes", writes)
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
