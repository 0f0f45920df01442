"""The frame: six pages by keys, every action by name, names for screen readers, light imports."""

from __future__ import annotations

import linecache
import subprocess
import sys

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton, QWidget

from kpdd_app import theme
from kpdd_app.closing import ask_about_jobs
from kpdd_app.jobs import Jobs
from kpdd_app.main_window import MainWindow
from kpdd_app.open_project import OpenProject
from kpdd_app.page_list import PAGES
from kpdd_app.settings import ON_CLOSE, Settings
from kpdd_app.widgets.palette import KeysDialog, Palette, score

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot, qapp):
    window = MainWindow(OpenProject(), Jobs(), Settings())
    qtbot.addWidget(window)
    window.resize(1200, 760)
    with qtbot.waitActive(window):
        window.show()
    yield window
    window.close()
    theme.apply(qapp, "light", 10)


@pytest.fixture
def with_project(qtbot, window, small_project):
    window.project.open(small_project)
    return window


def test_ctrl_and_a_number_open_the_pages(qtbot, window):
    for number, (key, _, _) in enumerate(PAGES, 1):
        qtbot.keyClick(window, getattr(Qt.Key, f"Key_{number}"), CONTROL)
        assert window.current == key
        assert window.rail.buttons[key].isChecked()
    qtbot.mouseClick(window.rail.buttons["dataset"], Qt.MouseButton.LeftButton)
    assert window.current == "dataset"
    assert Settings().page == "dataset"


def test_the_solve_page_leads_to_a_row_of_the_dataset(qtbot, with_project):
    page = with_project.show_page("solve")
    page._say_kept(2, "Kept as row 2 of the dataset.")
    qtbot.mouseClick(page.kept.action, Qt.MouseButton.LeftButton)
    assert with_project.current == "dataset"
    qtbot.waitUntil(lambda: with_project.page("dataset").editor.row_id == 2, timeout=5000)


def test_every_focusable_widget_has_a_name(qtbot, with_project):
    looked_at, nameless = 0, []
    for key, _, _ in PAGES:
        page = with_project.show_page(key)
        qtbot.wait(1)
        for widget in [page, *page.findChildren(QWidget)]:
            takes_keys = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            inner = "Private" in widget.parentWidget().metaObject().className()
            own = inner or widget.objectName().startswith("qt_")
            if not takes_keys or widget is page or own:
                continue
            looked_at += 1
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if isinstance(widget, QPushButton) and not text and not widget.isVisibleTo(page):
                continue  # a notice or an empty state without an action
            if not (widget.accessibleName() or text):
                nameless.append(f"{key}: {type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    assert not nameless
    assert looked_at > 60


def test_every_page_can_be_built(window):
    for key, _, _ in PAGES:
        assert type(window.page(key)).__name__ != "EmptyState", key


def test_texts_of_modules_are_let_go_when_a_page_is_built(window):
    lines = linecache.getlines(__file__)
    assert lines and __file__ in linecache.cache
    window.page("evaluate")
    assert __file__ not in linecache.cache


def test_the_palette_finds_and_runs_every_action(qtbot, window):
    for key, _, _ in PAGES:
        window.page(key)
    palette = window.show_palette()
    titles = palette.titles()
    assert len(titles) > 40
    assert {"Go to Solve", "Copy diagnostics", "Accept", "Start the teacher's run"} <= set(titles)
    qtbot.keyClicks(palette.field, "dark col")
    assert palette.titles()[0] == "Dark colours"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert theme.current() is theme.DARK
    assert Settings().scheme == "dark"


def test_the_palette_opens_with_its_key_and_goes_to_the_page(qtbot, window):
    window.show_page("home")
    window.page("teacher")
    qtbot.keyClick(window, Qt.Key.Key_K, CONTROL)
    palette = next(w for w in QApplication.topLevelWidgets() if isinstance(w, Palette) and w.isVisible())
    qtbot.keyClicks(palette.field, "ask one")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.current == "teacher"


def test_letters_find_words():
    assert score("go sol", "Go to Solve") > score("go sol", "Open the sample project") == 0
    assert score("und", "Undo: accept 1 row") > score("und", "Show or hide the background")
    assert score("xyz", "Undo") == 0
    assert score("", "Undo") > 0


def test_a_question_mark_shows_the_keys_of_the_page(qtbot, window, monkeypatch):
    shown = []
    monkeypatch.setattr(KeysDialog, "exec", lambda self: shown.append(self))
    window.show_page("dataset")
    qtbot.keyClick(window, Qt.Key.Key_Question)
    text = shown[0].findChild(QLabel).text()
    assert "Next unreviewed row" in text
    assert "Command palette" in text


def test_text_grows_and_shrinks(qtbot, window):
    window.set_point_size(23)
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Plus, CONTROL)
    assert theme.point_size() == 24
    assert Settings().point_size == 24
    assert not window.grab().isNull()
    window.set_point_size(10)
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Minus, CONTROL)
    assert theme.point_size() == 9


def test_undo_is_named_and_only_possible_when_there_is_something(qtbot, with_project):
    assert not with_project.undo_action.isEnabled()
    with qtbot.waitSignal(
        with_project.project.history_changed, check_params_cb=lambda undo, redo: bool(undo)
    ):
        with_project.project.set_review([1], "accepted")
    assert with_project.undo_action.text() == "Undo: accept 1 row"
    with qtbot.waitSignal(with_project.project.undone):
        qtbot.keyClick(with_project, Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: with_project.redo_action.isEnabled())


def drop(window: MainWindow, path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place, actions = QPoint(300, 300), Qt.DropAction.CopyAction
    enter = QDragEnterEvent(place, actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.dragEnterEvent(enter)
    if enter.isAccepted():
        window.dropEvent(QDropEvent(QPointF(place), actions, data, Qt.MouseButton.LeftButton,
                                    Qt.KeyboardModifier.NoModifier))  # fmt: skip
    return enter.isAccepted()


def test_a_dropped_project_opens_and_a_dropped_file_is_imported(
    qtbot, window, small_project, tmp_path, monkeypatch
):
    wanted = []
    with qtbot.waitSignal(window.project.opened):
        assert drop(window, small_project)
    assert window.windowTitle().startswith("small project")
    monkeypatch.setattr(
        type(window.page("dataset")), "import_file", lambda self, path=None: wanted.append(path)
    )
    assert drop(window, tmp_path / "questions.jsonl")
    qtbot.waitUntil(lambda: wanted == [tmp_path / "questions.jsonl"])
    assert window.current == "dataset"
    assert not drop(window, tmp_path / "picture.png")


def test_a_second_window_says_that_it_is_read_only(qtbot, with_project, small_project):
    other = MainWindow(OpenProject(), Jobs(), Settings())
    qtbot.addWidget(other)
    other.project.open(small_project)
    assert "(read-only)" in other.windowTitle()
    assert "read-only" in other.status.text.lower()
    other.close()


def test_pages_lead_to_each_other(qtbot, with_project):
    with_project.show_page("home")
    from kpdd_app.widgets.row_source import RowFilter

    with_project.page("home").rows_wanted.emit(RowFilter({"verdict": frozenset({"raised"})}))
    assert with_project.current == "dataset"
    page = with_project.page("dataset")
    qtbot.waitUntil(lambda: len(page.source) == 1)


def test_the_frame_starts_without_the_heavy_libraries():
    code = (
        "import os, sys; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "import kpdd_app.app, kpdd_app.pages.home\n"
        "heavy = {'torch', 'transformers', 'sqlalchemy', 'matplotlib', 'numpy', 'scipy', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_becomes_of_runs_at_closing_is_asked_once(qtbot, window, monkeypatch):
    asked = []

    def answer(box) -> None:
        asked.append(box.text)
        box.chosen = "Let it go on"

    monkeypatch.setattr("kpdd_app.messages.Message.exec", answer)
    monkeypatch.setattr(window.jobs, "running", lambda: [RunningJob()])
    for _ in range(2):
        assert ask_about_jobs(window, window.jobs, window.settings) is False
    assert len(asked) == 1 and "Training mine is still running" in asked[0]
    assert Settings().text(ON_CLOSE) == "leave"
    train = window.show_page("train")
    train.side.on_close.setCurrentIndex(train.side.on_close.findData("stop"))
    train.side.on_close.activated.emit(train.side.on_close.currentIndex())
    assert ask_about_jobs(window, window.jobs, window.settings) is True and len(asked) == 1
    Settings().set_text(ON_CLOSE, "")
    monkeypatch.setattr(window.jobs, "running", lambda: [RunningJob(), RunningJob(), RunningJob()])
    # there is no choice of these words for several runs
    assert ask_about_jobs(window, window.jobs, window.settings) is None
    assert "Training mine and 2 more are still running." in asked[1]
    # a run that somebody else left at work is not stopped unasked
    Settings().set_text(ON_CLOSE, "stop")
    monkeypatch.setattr(window.jobs, "running", lambda: [FollowedJob()])
    assert ask_about_jobs(window, window.jobs, window.settings) is False and len(asked) == 3
    Settings().set_text(ON_CLOSE, "")
    monkeypatch.undo()


class RunningJob:
    """A run as the window sees it when it is asked to close."""

    title = "Training mine"
    background = False
    detached = True
    followed = False
    arguments = ("train",)
    run_folder = None


class FollowedJob(RunningJob):
    """A run that an earlier window started."""

    followed = True
    arguments = ()


def test_the_window_never_needs_more_room_than_the_screen_has(qtbot, window):
    room = window.screen().availableGeometry()
    least = window.minimumSize()
    assert least.width() == min(900, room.width()) and least.height() <= min(560, room.height())
    # a size of a larger screen is not taken up here
    window.settings.set_state("window", window.saveGeometry())
    window._restore()
    assert window.width() <= room.width() and window.height() <= room.height()
