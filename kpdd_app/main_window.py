"""The frame: rail, pages, status line, the palette of all actions, and the way from one page to another."""

from __future__ import annotations

import linecache
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMargins, QMimeData, QSize, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import key_bindings, messages, theme
from kpdd_app.closing import ask_about_jobs
from kpdd_app.diagnostics import diagnostics
from kpdd_app.jobs import Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.opening import Opening
from kpdd_app.page_list import PAGES, broken_page
from kpdd_app.settings import Settings
from kpdd_app.widgets.palette import Entry, KeysDialog, Palette
from kpdd_app.widgets.rail import Rail, RailButton
from kpdd_app.widgets.status_line import StatusLine

log = logging.getLogger(__name__)

# the room that the pages are made for, in pixels, and what a screen needs above it
LEAST = QSize(900, 560)
TITLE_BAR = 28

DATA_FILES = (".jsonl", ".json", ".xml", ".csv", ".tsv", ".parquet", ".gz")
# which page's dot shows a job, by the first word of its command
PAGE_OF_COMMAND = {"generate": "teacher", "execute": "dataset", "import": "dataset", "export": "dataset",
                   "train": "train", "solve": "solve", "evaluate": "evaluate"}  # fmt: skip


class MainWindow(QMainWindow):
    """Everything on the screen; built once by `app.py`."""

    painted = Signal()
    """The window was painted for the first time."""

    def __init__(self, project: OpenProject, jobs: Jobs, settings: Settings) -> None:
        """Build the frame and its first page."""
        super().__init__()
        self.project = project
        self.jobs = jobs
        self.settings = settings
        self.pages: dict[str, QWidget] = {}
        self._was_painted = False
        self._to_build = [key for key, _, _ in PAGES]
        self.setAcceptDrops(True)
        self._fit_screen()
        self.rail = Rail([(key, title) for key, title, _ in PAGES])
        self.stack = QStackedWidget()
        # a page that wants more than there is gives way: the rail and the status line are never cut off
        self.stack.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.status = StatusLine(project, jobs)
        self.opening = Opening(project, jobs, self)
        self.opening.said.connect(self.status.say)
        self.setCentralWidget(self._frame())
        self._make_actions()
        self._tools()
        self._connect()
        self._restore()
        self.show_page(settings.page if settings.page in dict(self.titles()) else "home")
        self._title()

    # --- pages ------------------------------------------------------------------------------------

    @staticmethod
    def titles() -> list[tuple[str, str]]:
        """Return (key, title) of the pages in their order."""
        return [(key, title) for key, title, _ in PAGES]

    @property
    def current(self) -> str:
        """Return the key of the page on the screen."""
        return next((key for key, page in self.pages.items() if page is self.stack.currentWidget()), "home")

    def page(self, key: str) -> QWidget:
        """Return a page, building it the first time; a page that cannot be built says why."""
        if key not in self.pages:
            make = next(make for name, _, make in PAGES if name == key)
            try:
                page = make(self.project, self.jobs)
            except Exception as error:
                log.exception("the page %s could not be built", key)
                page = broken_page(key, error)
            self.pages[key] = page
            # PySide reads the text of every module that is imported, and Python keeps it: some 20 MiB
            linecache.clearcache()
            if key in self._to_build:
                self._to_build.remove(key)
            self.stack.addWidget(page)
            self._connect_page(page)
        return self.pages[key]

    def show_page(self, key: str) -> QWidget:
        """Bring a page to the front and give it the keyboard."""
        page = self.page(key)
        self.stack.setCurrentWidget(page)
        self.rail.select(key)
        self.settings.page = key
        if hasattr(page, "take_focus"):
            page.take_focus()
        else:
            page.setFocus()
        return page

    def show_rows(self, wanted: Any) -> None:
        """Open the rows of a RowFilter on the Dataset page."""
        self.show_page("dataset").show_filter(wanted)  # type: ignore[attr-defined]

    def show_row(self, row: int) -> None:
        """Open one row on the Dataset page."""
        self.show_page("dataset").show_row(row)  # type: ignore[attr-defined]

    def show_solution(self, question: str, gold: Any) -> None:
        """Solve a question on the Solve page."""
        page = self.show_page("solve")
        page.solve_question(question, gold)  # type: ignore[attr-defined]

    def use_students(self, key: str, students: str) -> None:
        """Bring the Solve or the Evaluate page to the front with these students (`demo`, a run folder)."""
        self.show_page(key).use_students(students)  # type: ignore[attr-defined]

    def ask_again(self, row_ids: Any) -> None:
        """Put another answer of a teacher to these rows into the Teacher page's run."""
        self.show_page("teacher").ask_again(row_ids)  # type: ignore[attr-defined]

    def show_trace(self, detail: Any) -> None:
        """Show a row's rationale step by step on the Solve page."""
        self.show_page("solve").trace_row(detail)  # type: ignore[attr-defined]

    def build_next_page(self) -> None:
        """Build one page that nobody asked for yet, while the window is idle: switching is instant then."""
        if self._to_build:
            self.page(self._to_build[0])
        if self._to_build:
            QTimer.singleShot(120, self, self.build_next_page)

    # --- actions ----------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return every action of the program: those of the page in front first, then the window's."""
        titles = dict(self.titles())
        order = sorted(self.pages, key=lambda key: (key != self.current, list(titles).index(key)))
        found = [Entry(titles[key], action) for key in order for action in self.pages[key].actions()]
        return found + [Entry(self.tr("Window"), action) for action in self.actions()]

    def show_palette(self) -> Palette:
        """Open the command palette."""
        palette = Palette(self.entries(), self)
        palette.wanted.connect(self._run_entry)
        palette.show()
        return palette

    def show_keys(self) -> None:
        """Show the keys of the page in front and of the window."""
        title = dict(self.titles())[self.current]
        page_keys = [(entry.keys, entry.title) for entry in self.entries()
                     if entry.place == title and entry.keys]  # fmt: skip
        window_keys = [(entry.keys, entry.title) for entry in self.entries()
                       if entry.action in self.actions() and entry.keys]  # fmt: skip
        groups = [(title, page_keys)] if page_keys else []
        sheet = KeysDialog([*groups, (self.tr("Everywhere"), window_keys)], self)
        sheet.change_wanted.connect(self.change_keys)
        sheet.exec()

    def change_keys(self) -> None:
        """Open the dialog that changes keys."""
        from kpdd_app.widgets.keys_editor import KeysEditor

        KeysEditor(self).exec()

    def set_scheme(self, scheme: str) -> None:
        """Change to `light`, `dark` or `system` colours and remember it."""
        self.settings.scheme = scheme
        theme.apply(_app(), scheme)

    def set_point_size(self, size: int) -> None:
        """Change the size of text (9 to 24 pt) and remember it."""
        size = max(theme.SMALLEST_PT, min(theme.LARGEST_PT, size))
        self.settings.point_size = size
        theme.apply(_app(), self.settings.scheme, size)

    def open_project(self, path: Path) -> None:
        """Open a project without stopping the window; a damaged one is offered for repair."""
        self.opening.open(path)

    def choose_project(self) -> None:
        """Ask for a project file and open it."""
        path = messages.open_file(self, self.tr("Open a project"), self.tr("Projects (*.kpdd)"))
        if path is not None:
            self.open_project(path)

    def new_project(self) -> None:
        """Ask for a place and make a new project there."""
        path = messages.save_file(self, self.tr("New project"), self.tr("Projects (*.kpdd)"), "untitled.kpdd")
        if path is None:
            return
        path = path if path.suffix == ".kpdd" else path.with_name(path.name + ".kpdd")
        try:
            self.project.create(path)
        except Exception as error:
            messages.error(self, error)

    # --- events -----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ScreenChangeInternal:
            self._fit_screen()
        if event.type() == QEvent.Type.Paint and not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self.painted.emit)
        return super().event(event)

    def dragEnterEvent(self, event) -> None:
        if _files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event) -> None:
        files = _files(event.mimeData())
        event.acceptProposedAction()
        # the dialog must not open while the other program still holds the mouse
        QTimer.singleShot(0, self, lambda: self._take_file(files[0]))

    def closeEvent(self, event: QCloseEvent) -> None:
        stop_runs = ask_about_jobs(self, self.jobs, self.settings)
        if stop_runs is None:
            event.ignore()
            return
        self.settings.set_state("window", self.saveGeometry())
        for page in self.pages.values():
            if hasattr(page, "leave"):
                page.leave()
        # what follows may take a moment; nobody should watch it
        self.hide()
        self.project.shut_down()
        self.opening.shut_down()
        for job in self.jobs.running():
            if job.background and not job.detached:
                # a warm worker keeps nothing that could be lost
                job.kill()
        self.jobs.close(stop_detached=stop_runs)
        self.settings.sync()
        super().closeEvent(event)

    # --- construction -----------------------------------------------------------------------------

    def _frame(self) -> QWidget:
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(self.stack, 1)
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        return frame

    def _make_actions(self) -> None:
        for key, _ in self.titles():
            self._action(key, partial(self.show_page, key))
        self._action("palette", self.show_palette)
        self._action("keys", self.show_keys)
        self._action("change_keys", self.change_keys)
        self._action("new", self.new_project)
        self._action("open", self.choose_project)
        self._action("sample", self._open_sample)
        self._action("import", lambda: self._import(None))
        self.undo_action = self._action("undo", self.project.undo)
        self.redo_action = self._action("redo", self.project.redo)
        for scheme in ("light", "dark", "system"):
            self._action(scheme, partial(self.set_scheme, scheme))
        self._action("scheme", self._switch_scheme)
        self._action("larger", lambda: self.set_point_size(theme.point_size() + 1))
        self._action("smaller", lambda: self.set_point_size(theme.point_size() - 1))
        self._action("diagnostics", self._copy_diagnostics)
        self._action("stop_jobs", lambda: self.jobs.stop_all())
        self._action("quit", self.close)
        self._name_history("", "")

    def _action(self, name: str, do: Callable[[], Any]) -> QAction:
        return key_bindings.add_action(self, f"window.{name}", do)

    def _tools(self) -> None:
        tr = self.tr
        self._scheme_button = self._tool("moon", tr("Light or dark"), "scheme", self._switch_scheme)
        self._tool("search", tr("Command palette"), "palette", self.show_palette)
        self._tool("keyboard", tr("Keys of this page"), "keys", self.show_keys)
        for key, title in self.titles():
            key_bindings.name_button(self.rail.buttons[key], title, f"window.{key}")

    def _tool(self, icon: str, name: str, action: str, do: Callable[[], Any]) -> RailButton:
        button = self.rail.add_tool(icon, name)
        key_bindings.name_button(button, name, f"window.{action}")
        button.clicked.connect(lambda _=False: do())
        return button

    def _connect(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.project.opened.connect(self._opened)
        self.project.closed.connect(self._title)
        self.project.history_changed.connect(self._name_history)
        self.project.failed.connect(lambda problem: messages.error(self, problem))
        self.jobs.job_started.connect(lambda _: self._show_busy())
        self.jobs.job_ended.connect(self._job_ended)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def _connect_page(self, page: QWidget) -> None:
        """Join the signals that pages have in common; a page has those it needs."""
        for name, slot in (
            ("page_wanted", self.show_page),
            ("rows_wanted", self.show_rows),
            ("dataset_row_wanted", self.show_row),
            ("solve_wanted", self.show_solution),
            ("trace_wanted", self.show_trace),
            ("ask_again_wanted", self.ask_again),
            ("solve_students_wanted", partial(self.use_students, "solve")),
            ("evaluate_students_wanted", partial(self.use_students, "evaluate")),
            ("project_wanted", self.open_project),
            ("new_project_wanted", self.new_project),
            ("choose_project_wanted", self.choose_project),
            ("import_wanted", lambda: self._import(None)),
        ):
            if hasattr(page, name):
                getattr(page, name).connect(slot)
        if hasattr(page, "use_filter_source"):
            page.use_filter_source(self._shown_filter)

    def _shown_filter(self) -> Any:
        """Return the RowFilter that the Dataset page shows, None before it was looked at."""
        page = self.pages.get("dataset")
        return page.source.filter if page is not None else None  # type: ignore[attr-defined]

    def _fit_screen(self) -> None:
        """Never need more room than the screen has: at scale 2 a small one has 683 by 384 pixels."""
        area = self.screen().availableGeometry()
        self.setMinimumSize(min(LEAST.width(), area.width()), min(LEAST.height(), area.height() - TITLE_BAR))

    def _restore(self) -> None:
        if not self.restoreGeometry(self.settings.state("window")):
            area = QGuiApplication.primaryScreen().availableGeometry()
            self.resize(min(1440, round(area.width() * 0.9)), min(900, round(area.height() * 0.9)))
        elif not self.isMaximized() and not self.isFullScreen():
            room = self.screen().availableSize().shrunkBy(QMargins(0, TITLE_BAR, 0, 0))
            self.resize(self.size().boundedTo(room))

    # --- slots ------------------------------------------------------------------------------------

    def _opened(self, path: Path) -> None:
        self.settings.add_recent(path)
        self._title()
        if self.project.read_only and self.project.read_only_reason:
            self.status.say(self.tr("Read-only: {0}").format(self.project.read_only_reason))
        else:
            self.status.say(self.tr("{0} is open").format(path.name))

    def _title(self) -> None:
        path = self.project.path
        suffix = self.tr(" (read-only)") if path is not None and self.project.read_only else ""
        name = _app().applicationDisplayName() or "KPDD Studio"
        self.setWindowTitle(f"{path.stem}{suffix} — {name}" if path is not None else name)
        self._show_history_allowed()

    def _name_history(self, undo: str, redo: str) -> None:
        for action, word, label in (
            (self.undo_action, self.tr("Undo"), undo),
            (self.redo_action, self.tr("Redo"), redo),
        ):
            action.setText(f"{word}: {label}" if label else word)
            action.setData(bool(label))
        self._show_history_allowed()

    def _show_history_allowed(self) -> None:
        for action in (self.undo_action, self.redo_action):
            action.setEnabled(bool(action.data()) and not self.project.read_only)

    def _run_entry(self, entry: Entry) -> None:
        for key, title in self.titles():
            if title == entry.place and key != self.current:
                self.show_page(key)
        entry.action.trigger()

    def _switch_scheme(self) -> None:
        self.set_scheme("light" if theme.current().dark else "dark")

    def _restyle(self) -> None:
        self._scheme_button.set_icon_name("sun" if theme.current().dark else "moon")
        self.update()

    def _show_busy(self) -> None:
        # only runs of students are followed
        busy = {PAGE_OF_COMMAND.get(job.arguments[0] if job.arguments else "train")
                for job in self.jobs.running() if not job.background}  # fmt: skip
        for key, button in self.rail.buttons.items():
            button.set_busy(key in busy)

    def _job_ended(self, job: Any) -> None:
        self._show_busy()
        if job.status == "failed" and not job.background and job.last_failure is not None:
            messages.note(self.tr("{0} failed: {1}").format(job.title, job.last_failure.message))

    def _copy_diagnostics(self) -> None:
        QGuiApplication.clipboard().setText(diagnostics(self.project.path))
        self.status.say(self.tr("Diagnostics are on the clipboard"))

    def _open_sample(self) -> None:
        self.show_page("home").open_sample()  # type: ignore[attr-defined]

    def _take_file(self, path: Path) -> None:
        if path.suffix == ".kpdd":
            self.open_project(path)
        else:
            self._import(path)

    def _import(self, path: Path | None) -> None:
        self.show_page("dataset").import_file(path)  # type: ignore[attr-defined]


def _files(data: QMimeData) -> list[Path]:
    """Return the dropped files that this program can take."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in (*DATA_FILES, ".kpdd")]


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
