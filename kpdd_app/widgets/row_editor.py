"""The row at the right: its texts in editors that save themselves, its verdict, its history."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.open_project import OpenProject
from kpdd_app.widgets.code_editor import CodeEditor
from kpdd_app.widgets.diff_view import DiffView
from kpdd_app.widgets.empty_state import EmptyState
from kpdd_app.widgets.flag_list import FlagList
from kpdd_app.widgets.growing_text import GrowingText
from kpdd_app.widgets.icon_button import IconButton
from kpdd_app.widgets.row_fields import Field, Outcome
from kpdd_app.widgets.row_head import RowHead
from kpdd_app.widgets.row_history import RowHistory
from training_backend.methods import KINDS
from training_backend.project.details import RowDetail, field_history, row_detail
from training_backend.project.kept_solutions import SOURCE as SOLVE_PAGE
from training_backend.project.replies import Origin

SAVE_MS = 400
# saves closer together than this are one step of undo
ONE_STEP_S = 3.0
_TITLES = {
    "question": "Question", "gold": "Gold answer", "core_question": "Core question",
    "information": "Information, one item per line", "rationale": "Rationale", "note": "Note",
}  # fmt: skip
_TEACHER = "the teacher"


class RowEditor(QWidget):
    """Shows one row and keeps what is typed; nothing is saved by a button."""

    review_wanted = Signal(str)
    flag_wanted = Signal()
    trace_wanted = Signal(object)
    row_wanted = Signal(int)

    def __init__(self, project: OpenProject, parent: QWidget | None = None) -> None:
        """Edit rows of `project`."""
        super().__init__(parent)
        self.project = project
        self.row_id: int | None = None
        self.detail: RowDetail | None = None
        self._unsaved: dict[tuple[int, str], str] = {}
        self._in_flight: set[tuple[int, str, str]] = set()
        self._saved_at: dict[tuple[int, str], float] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.flush)
        self.fields: dict[str, Field] = {}
        self._build()
        project.rows_changed.connect(self._rows_changed)
        project.judging.connect(self._judging)
        project.closed.connect(lambda: self.show_row(None))

    # --- methods ----------------------------------------------------------------------------------

    def show_row(self, row_id: int | None) -> None:
        """Show another row, after what was typed in this one is on its way to disk."""
        if row_id == self.row_id and row_id is not None:
            return
        self.flush()
        self.row_id = row_id
        if row_id is None:
            self.detail = None
            self._empty.setVisible(True)
            self._body.setVisible(False)
            return
        self._load()

    def flush(self) -> None:
        """Hand everything typed to the project now."""
        self._timer.stop()
        for (row_id, field), text in list(self._unsaved.items()):
            if (row_id, field, text) in self._in_flight:
                continue
            now = time.monotonic()
            continues = now - self._saved_at.get((row_id, field), -9e9) < ONE_STEP_S
            self._saved_at = {(row_id, field): now}
            self._in_flight.add((row_id, field, text))
            self.project.edit_field(row_id, field, text, continues, partial(self._saved, row_id, field, text))

    def run_program(self) -> None:
        """Save, then run the row's program and show the verdict."""
        if self.row_id is not None and self.detail is not None and self.detail.row.kind:
            self.flush()
            self.project.rerun(self.row_id)

    def edit(self) -> None:
        """Put the keyboard into the rationale, or into the question where there is none."""
        name = "rationale" if self.fields["rationale"].isVisible() else "question"
        self.fields[name].editor.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def edit_note(self) -> None:
        """Put the keyboard into the note."""
        editor = self.fields["note"].editor
        editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._scroll.ensureWidgetVisible(editor)

    def show_differences(self) -> None:
        """Bring the differences from the text as it was written to the front."""
        self._show_tab(self.diff)

    def show_history(self) -> None:
        """Bring the history to the front and give it the keyboard: arrows choose, Return brings back."""
        self._show_tab(self.history)
        self.history.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_reply(self) -> None:
        """Bring the teacher's reply to the front."""
        self._show_tab(self.reply)

    def step_path(self, way: int) -> None:
        """Go to the next (or with -1 the previous) row of the same question."""
        self.head.step_path(way)

    def mark_search(self, search: str) -> None:
        """Mark the words that the rows were searched for."""
        for field in self.fields.values():
            field.editor.mark_search(search)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self._empty = EmptyState("file", self.tr("No row is chosen"), self.tr("Choose one in the table."))
        self._body = QWidget()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._empty)
        outer.addWidget(self._body)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head = RowHead()
        self.head.path_chosen.connect(self._path_chosen)
        self.head.review_wanted.connect(self.review_wanted)
        self.head.flag_wanted.connect(self.flag_wanted)
        self.head.trace_wanted.connect(lambda: self.trace_wanted.emit(self.detail))
        column.addWidget(self.head)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setMinimumHeight(theme.row_height() * 2)
        self._scroll.setWidget(self._fields())
        column.addWidget(self._scroll, 1)
        self._body.hide()

    def _fields(self) -> QWidget:
        inside = QWidget()
        # never wider than the panel, whatever a long word inside would like
        inside.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.gap(3), theme.gap(2), theme.gap(3), theme.gap(3))
        column.setSpacing(theme.gap(2.4))
        self.flag_list = FlagList()
        column.addWidget(self.flag_list)
        for key, least, most in (("question", 2, 14), ("gold", 1, 2), ("core_question", 1, 6),
                                 ("information", 2, 14)):  # fmt: skip
            column.addWidget(self._field(key, GrowingText(self.tr(_TITLES[key]), least, most)))
        self.fields["question"].editor.mark_numbers(True)
        self.fields["information"].editor.mark_numbers(True)
        self.code = CodeEditor(self.tr("Rationale"))
        rationale = self._field("rationale", self.code)
        self.run_button = IconButton("play", self.tr("Run in the sandbox"), self.tr("Run"), "accent")
        self.run_button.clicked.connect(self.run_program)
        rationale.head.addWidget(self.run_button)
        column.addWidget(rationale)
        self.outcome = Outcome()
        column.addWidget(self.outcome)
        column.addWidget(self._field("note", GrowingText(self.tr("Note"), 1, 8)))
        column.addWidget(self._more())
        column.addStretch(1)
        return inside

    def _field(self, key: str, editor: GrowingText) -> Field:
        field = Field(key, self.tr(_TITLES[key]), editor)
        field.edited.connect(self._typed)
        field.bring_back_wanted.connect(self._bring_back)
        editor.left.connect(self.flush)
        self.fields[key] = field
        return field

    def _more(self) -> QWidget:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(self.tr("More about this row"))
        self.diff = DiffView()
        self.history = RowHistory()
        self.history.bring_back_wanted.connect(self._put_text)
        self.reply = QPlainTextEdit()
        self.reply.setReadOnly(True)
        self.reply.setTabChangesFocus(True)
        self.reply.setAccessibleName(self.tr("The teacher's reply as it came"))
        self.tabs.addTab(self.diff, self.tr("Differences"))
        self.tabs.addTab(self.history, self.tr("History"))
        self.tabs.addTab(self.reply, self.tr("Teacher's reply"))
        self.tabs.setMinimumHeight(theme.line_height() * 15)
        self.tabs.currentChanged.connect(lambda _: self._show_more())
        return self.tabs

    # --- slots ------------------------------------------------------------------------------------

    def _typed(self, field: str, text: str) -> None:
        if self.row_id is None or self.detail is None or self.detail.row.id != self.row_id:
            return
        self._unsaved[self.row_id, field] = text
        if not self._timer.isActive():
            # not restarted by further keys: whatever happens, half a second is the most that is lost
            self._timer.start()

    def _saved(self, row_id: int, field: str, text: str, _rows: object) -> None:
        self._in_flight.discard((row_id, field, text))
        if self._unsaved.get((row_id, field)) == text:
            del self._unsaved[row_id, field]

    def _bring_back(self, field: str) -> None:
        if self.row_id is not None:
            self._unsaved.pop((self.row_id, field), None)
            self.project.bring_back(self.row_id, field)

    def _put_text(self, field: str, text: str) -> None:
        if self.row_id is not None:
            self.project.edit_field(self.row_id, field, text)

    def _rows_changed(self, ids: list[int] | None) -> None:
        if self.row_id is None:
            return
        if ids is None or self.row_id in ids:
            self._load()
        elif self._shows_any(ids):
            row_id = self.row_id
            self.project.read(lambda project: row_detail(project, row_id), self._take_paths, key="paths")

    def _judging(self, ids: list[int], begins: bool) -> None:
        if begins and self.row_id in ids:
            self.outcome.show_running()

    def _path_chosen(self, row_id: int) -> None:
        if row_id != self.row_id:
            self.row_wanted.emit(row_id)

    # --- helpers ----------------------------------------------------------------------------------

    def _show_tab(self, tab: QWidget) -> None:
        self.tabs.setCurrentWidget(tab)
        self._scroll.ensureWidgetVisible(self.tabs)

    def _shows_any(self, ids: list[int]) -> bool:
        return self.detail is not None and any(row.id in ids for row in self.detail.siblings)

    def _load(self) -> None:
        row_id = self.row_id
        assert row_id is not None
        self.project.read(lambda project: row_detail(project, row_id), self._take, key="row")

    def _take(self, detail: RowDetail) -> None:
        if detail.row.id != self.row_id:
            return
        another = self.detail is None or self.detail.row.id != detail.row.id
        self.detail = detail
        self._show_texts(detail)
        self.head.take(detail.row, detail.siblings, not self.project.read_only, detail.writers)
        self.flag_list.take(detail.flags)
        self._show_outcome(detail)
        self._show_more()
        self._empty.hide()
        self._body.show()
        if another:
            self._scroll.verticalScrollBar().setValue(0)

    def _take_paths(self, detail: RowDetail) -> None:
        """Show what another path of the question changed here: states and flags, no text."""
        if self.detail is None or self.detail.row.id != detail.row.id:
            self._take(detail)
        elif detail.row.id == self.row_id:
            self.detail = detail
            self.head.take(detail.row, detail.siblings, not self.project.read_only, detail.writers)
            self.flag_list.take(detail.flags)

    def _show_texts(self, detail: RowDetail) -> None:
        read_only = self.project.read_only
        kind = detail.row.kind
        self.fields["rationale"].title.setText(KINDS.get(kind, self.tr("rationale")).capitalize())
        self.code.set_code(kind in ("pot", "eot"))
        for key, field in self.fields.items():
            if field.editor.isReadOnly() != read_only:
                field.editor.setReadOnly(read_only)
            if (detail.row.id, key) in self._unsaved:
                continue
            field.blockSignals(True)
            if key == "note":
                field.put(detail.note)
            else:
                field.take(getattr(detail, key))
            field.blockSignals(False)
        self.run_button.setVisible(kind in ("pot", "eot", "cot"))
        self.run_button.setEnabled(not read_only)
        self.fields["rationale"].setVisible(bool(kind))
        self.outcome.setVisible(bool(kind))
        asked = bool(kind) or bool(detail.core_question.text) or bool(detail.information.text)
        for key in ("core_question", "information"):
            self.fields[key].setVisible(asked)

    def _show_outcome(self, detail: RowDetail) -> None:
        self.outcome.take(detail.judgement, detail.row.verdict, detail.gold.text)
        judged = detail.row.verdict not in ("not_run", "not_asked")
        self.code.set_error_line(detail.judgement.error_line if judged else None)

    def _show_more(self) -> None:
        detail, row_id = self.detail, self.row_id
        if detail is None or row_id is None:
            return
        shown = self.tabs.currentWidget()
        if shown is self.diff:
            texts = [(self.tr(_TITLES[key]), getattr(detail, key)) for key in _TITLES if key != "note"]
            changed = [
                (title, text.teacher, text.text) for title, text in texts if text.corrected is not None
            ]
            code = detail.row.kind != "cot" and detail.rationale.corrected is not None
            self.diff.compare_all(changed, mono=code, unchanged=unchanged_text(detail.origins))
        elif shown is self.history:
            read_only = self.project.read_only
            self.project.read(lambda project: field_history(project, row_id),
                              lambda items: self.history.take(items, read_only), key="history")  # fmt: skip
        else:
            self.reply.setFont(theme.mono_font(-0.5))
            self.reply.setPlainText(_reply_text(detail))


def unchanged_text(origins: Mapping[str, Origin]) -> str:
    """Return what is said of a row that no person changed, by who wrote its key points and its rationale.

    >>> unchanged_text({"rationale": Origin("student: Demo students", "Demo students", SOLVE_PAGE)})
    'Nothing was changed: every text was written by Demo students on the Solve page.'
    """
    writers = {part: _writer(origin) for part, origin in origins.items()}
    if len(set(writers.values())) > 1:
        words = {"key_points": "the key points", "rationale": "the rationale"}
        parts = [f"{words[part]} by {writer}" for part, writer in writers.items() if part in words]
        return f"Nothing was changed: {', '.join(parts)}."
    writer = next(iter(writers.values()), _TEACHER)
    if writer == _TEACHER:
        return "Nothing was changed: every text is the teacher's."
    return f"Nothing was changed: every text was written by {writer}."


def _writer(origin: Origin) -> str:
    if origin.source != SOLVE_PAGE:
        return _TEACHER
    name = "a person" if origin.teacher == "person" else origin.teacher.removeprefix("student: ")
    return f"{name} on the Solve page"


def _reply_text(detail: RowDetail) -> str:
    """Return the raw reply under the names of its parts, with where each came from."""
    parts = []
    for name, origin in detail.origins.items():
        prompt = f"prompt {origin.prompt_version}" if origin.prompt_version else ""
        facts = ", ".join(part for part in (origin.teacher, origin.model, origin.source, prompt) if part)
        parts.append(f"{name.replace('_', ' ')}: {facts}")
    parts += [f"\n── {name.replace('_', ' ')} ──\n{text}" for name, text in detail.raw.items()]
    return "\n".join(parts) if parts else "No teacher has written about this question yet."
