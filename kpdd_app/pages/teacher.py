"""The Teacher page: the project's teachers, their settings and prompts, one question tried, the run."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QScrollArea, QTabWidget, QWidget

from kpdd_app import messages, theme
from kpdd_app.jobs import Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.teacher_asks import Asks
from kpdd_app.pages.teacher_follow import ASKED, RunFollower
from kpdd_app.pages.teacher_list import TeacherList
from kpdd_app.pages.teacher_prompts import PromptsPanel
from kpdd_app.pages.teacher_reads import Found, find_all, find_row
from kpdd_app.pages.teacher_run import RunPanel
from kpdd_app.pages.teacher_settings import TeacherSettings
from kpdd_app.pages.teacher_try import TryPanel
from kpdd_app.pages.teacher_wanted import Again
from kpdd_app.settings import Settings
from kpdd_app.widgets.empty_state import EmptyState
from training_backend.project.listing import RowFilter
from training_backend.teacher.teacher_config import PRESETS, TeacherConfig, remove_teacher, save_teacher

if TYPE_CHECKING:
    import numpy as np

    from training_backend.teacher.trying import SampleRow

SETTINGS, PROMPTS, TRY, RUN = range(4)
# narrower than so many units of text the teachers stand above the panels
NARROW = 150


class TeacherPage(QWidget):
    """Lets a teacher write key points and rationales for the project's questions."""

    rows_wanted = Signal(object)
    page_wanted = Signal(str)
    import_wanted = Signal()
    choose_project_wanted = Signal()

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Generate for `project` with `jobs`."""
        super().__init__(parent)
        self.project = project
        self.jobs = jobs
        self._configs: dict[str, TeacherConfig] = {}
        self._has_questions = False
        self._again: tuple[int, ...] = ()
        self._row_number = 0
        self._settings = Settings()
        self._build()
        self._connect()
        self._make_actions()
        self._refresh()
        self.prompts.refresh()

    # --- methods ----------------------------------------------------------------------------------

    def key(self) -> str:
        """Return the page's key in the rail."""
        return "teacher"

    def take_focus(self) -> None:
        """Give the keyboard to the teachers, or to the one next action; look for a run of somebody else."""
        if self.empty.isVisible():
            self.empty.button.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.list.names.setFocus(Qt.FocusReason.OtherFocusReason)
        self.follower.look()

    def use_filter_source(self, source: Callable[[], RowFilter | None]) -> None:
        """Take the filter of the Dataset page from `source` whenever a run wants it."""
        self.follower.shown_rows = source

    def leave(self) -> None:
        """Save what was typed; the window closes."""
        self.settings.flush()
        self.prompts.flush()
        self.settings.key.close_work()

    def config(self) -> TeacherConfig | None:
        """Return the chosen teacher."""
        return self._configs.get(self.list.current())

    def start(self, pilot: bool = False, again: str | None = None) -> None:
        """Start or go on with the run that the form describes; `again`: ask failures of this reason again."""
        self.settings.flush()
        if self.project.path is None or self._refuse_read_only():
            return
        problem = self.run.problem() or self._no_key()
        self.run.show_problem(problem)
        if problem:
            self.show_tab(RUN)
        elif self.prompts.keep_all():
            self.follower.start(pilot, again)

    def ask_again(self, row_ids: Sequence[int] | np.ndarray) -> None:
        """Put another answer to these rows into the form of the run; nothing is asked before *Start*."""
        self._again = tuple(row_ids if isinstance(row_ids, Sequence) else row_ids.tolist())
        if self._configs or self._has_questions:
            self._hand_over()

    def ask(self) -> None:
        """Ask about one question and show the reply beside what was read from it; nothing is stored."""
        self.settings.flush()
        self.show_tab(TRY)
        if self.prompts.keep_all():
            self.asks.try_one()

    def show_tab(self, place: int) -> None:
        """Show settings, prompts, the trial or the run."""
        self.tabs.setCurrentIndex(place)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.list = TeacherList()
        self.settings = TeacherSettings()
        self.prompts = PromptsPanel(self.project)
        self.trial = TryPanel()
        self.run = RunPanel()
        self.view = self.run.view
        self.asks = Asks(self.project, self.jobs, self.settings, self.trial, self.config, self)
        self.follower = RunFollower(self.project, self.jobs, self.run, self.config, self)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for part in (self.tabs, self.tabs.tabBar()):
            part.setAccessibleName(self.tr("Parts of the page"))
        for title, panel in (
            (self.tr("Settings"), self.settings), (self.tr("Prompts"), self.prompts),
            (self.tr("Ask one"), self.trial), (self.tr("Run"), self.run),
        ):  # fmt: skip
            self.tabs.addTab(panel if isinstance(panel, QScrollArea) else _scrolled(panel), title)
        self.body = QWidget()
        self.inner = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.body)
        self.inner.setContentsMargins(0, 0, 0, 0)
        self.inner.setSpacing(0)
        self.line = QFrame()
        self.line.setProperty("panel", "line")
        self.line.setMinimumSize(1, 1)
        self.inner.addWidget(self.list)
        self.inner.addWidget(self.line)
        self.inner.addWidget(self.tabs, 1)
        self.empty = EmptyState("teacher", "")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.body)
        outer.addWidget(self.empty)

    def _connect(self) -> None:
        self.project.opened.connect(self._opened)
        self.project.closed.connect(self._closed)
        self.project.rows_changed.connect(lambda ids: self._refresh() if ids is None else None)
        self.follower.began.connect(lambda: self.show_tab(RUN))
        self.empty.acted.connect(self._help)
        theme.notifier().changed.connect(self._arrange)
        self.empty.acted_other.connect(lambda: self.list.add(PRESETS["sample"]))
        self.list.chosen.connect(self._show_teacher)
        self.list.add_wanted.connect(self._add)
        self.list.rename_wanted.connect(self._rename)
        self.list.remove_wanted.connect(self._remove)
        self.settings.changed.connect(self._save)
        self.settings.models_wanted.connect(self.asks.fetch_models)
        self.settings.test_wanted.connect(self.asks.test)
        self.settings.price.price_changed.connect(self.follower.estimate)
        self.prompts.row_wanted.connect(self._show_row)
        self.prompts.kept.connect(lambda _: self.follower.estimate())
        self.trial.row_wanted.connect(self._show_row)
        self.trial.ask_wanted.connect(self.ask)
        self.trial.stop_wanted.connect(self.asks.stop_trying)
        self.run.pilot_wanted.connect(lambda: self.start(pilot=True))
        self.run.start_wanted.connect(self.start)
        self.view.state_wanted.connect(self._show_state)
        self.view.again_wanted.connect(lambda reason: self.start(again=reason))

    def _make_actions(self) -> None:
        for name, do in (
            ("start", self.start), ("pilot", lambda: self.start(pilot=True)), ("pause", self.follower.pause),
            ("stop", self.follower.stop), ("ask", self.ask), ("keep", self.prompts.keep),
            ("add", self._show_menu), ("test", self._ask_test),
            ("settings", lambda: self._go(SETTINGS)), ("prompts", lambda: self._go(PROMPTS)),
            ("try", lambda: self._go(TRY)), ("run", lambda: self._go(RUN)),
        ):  # fmt: skip
            add_action(self, f"teacher.{name}", do)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Put the teachers beside the panels, or above them where the text is large for the window."""
        most, direction = 16_777_215, QBoxLayout.Direction
        narrow = self.width() < theme.gap(NARROW)
        self.inner.setDirection(direction.TopToBottom if narrow else direction.LeftToRight)
        self.list.set_compact(narrow)
        self.list.setMaximumWidth(most if narrow else min(theme.gap(52), round(self.width() * 0.24)))
        self.line.setMaximumSize(most if narrow else 1, 1 if narrow else most)
        for panel in (self.settings, self.prompts, self.trial):
            panel.set_narrow(narrow)

    # --- what the project has ---------------------------------------------------------------------

    def _closed(self) -> None:
        """Let nothing of a closed project be saved into the next one."""
        self.settings.forget()
        self.run.forget_again()
        self._again = ()
        self._configs = {}
        self.list.show_teachers([])
        self._refresh()

    def _opened(self, _: object) -> None:
        self._row_number = 0
        self.trial.clear()
        if self.follower.job is None:
            self.view.clear()
        self._refresh()
        self.prompts.refresh()

    def _refresh(self) -> None:
        if self.project.path is None:
            self._show_empty(self.tr("No project is open"), self.tr("A teacher writes about a project's "
                             "questions."), self.tr("Open a project…"))  # fmt: skip
        else:
            self.project.read(find_all, self._take_all, self._failed, key="teacher-all")

    def _take_all(self, found: Found) -> None:
        self._has_questions = bool(found.datasets)
        self._configs = {config.name: config for config in found.teachers}
        shown = self.settings.shown()
        if shown is not None and shown.name in self._configs:
            # what was typed last may not be on disk yet
            self._configs[shown.name] = shown
        self.run.set_writable(not self.project.read_only, self.project.read_only_reason)
        self.run.set_questions(found.datasets, found.filters)
        kept = self._settings.text("teacher/current")
        if list(self._configs) != self.list.shown_names() or not self.list.current():
            self.list.show_teachers(found.teachers, self.list.current() or kept)
        self.list.set_writable(not self.project.read_only)
        self.settings.set_writable(not self.project.read_only)
        if not found.datasets:
            self._show_empty(self.tr("There is nothing to ask about yet"), self.tr("Import questions first; "
                             "then a teacher writes key points and rationales for them."),
                             self.tr("Import a file…"))  # fmt: skip
        elif not found.teachers:
            self._show_empty(self.tr("This project has no teacher yet"),
                             self.tr("A teacher is any language model that writes: a hosted provider, a "
                                     "server or a folder on this machine, a recording."),
                             self.tr("Add a teacher…"), self.tr("Use the sample teacher"))  # fmt: skip
        else:
            self.empty.hide()
            self.body.show()
            self._show_row(self._row_number)
            self.follower.look()
        if self._again:
            self._hand_over()

    def _hand_over(self) -> None:
        """Show what another answer takes, with a teacher that can be asked and *Start* under the finger."""
        rows, self._again = self._again, ()
        asked = [name for name, config in self._configs.items() if config.kind in ASKED]
        if not asked:
            messages.inform(
                self, self.tr("No teacher of this project can be asked for another answer."),
                self.tr("Add one: a provider, a server or a model on this machine. The sample teacher and "
                        "recordings always answer the same."),
            )  # fmt: skip
            return
        if self.list.current() not in asked:
            self._show_list(asked[0])
        began = datetime.datetime.now().isoformat(timespec="milliseconds")
        self.run.set_again(Again(began, rows))
        self.show_tab(RUN)
        self.run.start_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_row(self, number: int) -> None:
        self.project.read(partial(find_row, number=number), self._take_row, self._failed, key="teacher-row")

    def _take_row(self, row: SampleRow) -> None:
        self._row_number = row.number
        self.prompts.show_row(row)
        self.trial.show_row(row)

    # --- teachers ---------------------------------------------------------------------------------

    def _show_teacher(self, name: str) -> None:
        config = self._configs.get(name)
        if config is None:
            return
        self._settings.set_text("teacher/current", name)
        self.settings.show_config(config)
        recorded = config.kind in ("sample", "replay")
        self.tabs.setTabVisible(PROMPTS, not recorded)
        self.trial.set_recorded(recorded)
        self.prompts.set_structured(bool(config.get("structured")))
        self.run.show_config(config)
        self.trial.clear()
        self.follower.look()

    def _save(self, config: TeacherConfig) -> None:
        self._configs[config.name] = config
        self.run.show_config(config)
        self.prompts.set_structured(bool(config.get("structured")))
        self.project.change(lambda project: save_teacher(project, config) and None)

    def _add(self, config: TeacherConfig) -> None:
        if self._refuse_read_only():
            return
        self.settings.flush()
        self._configs[config.name] = config
        self.project.change(lambda project: save_teacher(project, config) and None)
        self._show_list(config.name)
        self.empty.hide()
        self.body.show()
        self._go(RUN if config.kind == "sample" else SETTINGS)
        self._show_row(self._row_number)

    def _rename(self, old: str, new: str) -> None:
        self.settings.flush()
        config = dataclasses.replace(self._configs.pop(old), name=new)
        self._configs[new] = config
        self.project.change(lambda project: save_teacher(project, config, replaces=old) and None)
        self._show_list(new)
        self.list.names.setFocus()

    def _remove(self, name: str) -> None:
        if not messages.question(
            self, self.tr("Remove the teacher “{0}”?").format(name),
            self.tr("What it wrote stays. Its key stays in the keyring."), yes=self.tr("Remove"),
        ):  # fmt: skip
            return
        self._configs.pop(name, None)
        self.project.change(lambda project: remove_teacher(project, name), lambda _: self._refresh())
        self._show_list("")

    def _show_list(self, current: str) -> None:
        ordered = sorted(self._configs.values(), key=lambda config: (config.name.lower(), config.name))
        self.list.show_teachers(ordered, current)

    # --- helpers ----------------------------------------------------------------------------------

    def _no_key(self) -> str:
        """Say that the teacher's key is missing: a run without it would only be refused."""
        config = self.config()
        if config is None or config.kind != "endpoint" or not self.settings.key.missing:
            return ""
        return self.tr("This teacher has no key yet. Enter it under Settings, or choose “No key” there.")

    def _ask_test(self) -> None:
        self.show_tab(SETTINGS)
        self.settings.flush()
        self.asks.test()

    def _go(self, place: int) -> None:
        """Show a tab and give its first field the keyboard."""
        self.show_tab(place)
        fields = {SETTINGS: self.settings.first_field(), PROMPTS: self.prompts.name,
                  TRY: self.trial.number, RUN: self.run.rows}  # fmt: skip
        fields[place].setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_menu(self) -> None:
        if self.project.path is not None and not self._refuse_read_only():
            self.list.show_menu(self.empty.button if self.empty.isVisible() else None)

    def _show_state(self, state: str) -> None:
        self.rows_wanted.emit(RowFilter({"verdict": frozenset({state})}))

    def _help(self) -> None:
        if self.project.path is None:
            self.choose_project_wanted.emit()
        elif not self._has_questions:
            self.import_wanted.emit()
        else:
            self._show_menu()

    def _failed(self, error: Exception) -> None:
        messages.error(self, error)

    def _refuse_read_only(self) -> bool:
        if self.project.read_only:
            messages.inform(self, self.tr("This project is open read-only."), self.project.read_only_reason)
        return self.project.read_only

    def _show_empty(self, what: str, why: str, action: str, other: str = "") -> None:
        self.empty.say(what, why, action, other)
        self.empty.show()
        self.body.hide()


def _scrolled(panel: QWidget) -> QScrollArea:
    """Return a panel in an area that scrolls where the window is too small for it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(panel)
    return area
