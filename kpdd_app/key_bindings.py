"""Every action of the program with its name and its keys: one table, and what a person chose instead.

The table is what the pages make their actions from, so the palette, the list of keys, the tool tips and the
dialog that changes keys all say the same. What a person chose is kept in the settings, an empty choice too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import SIGNAL, QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from kpdd_app.settings import Settings

WINDOW = "window"


@dataclass(frozen=True)
class Bound:
    """One action: its id (`page.name`; `window.name` works everywhere), its title, its usual keys."""

    id: str
    title: str
    keys: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """Return the key of the page where its keys work, or "window"."""
        return self.id.split(".", 1)[0]


BOUND: tuple[Bound, ...] = (
    Bound("window.home", "Go to Home", ("Ctrl+1",)),
    Bound("window.teacher", "Go to Teacher", ("Ctrl+2",)),
    Bound("window.dataset", "Go to Dataset", ("Ctrl+3",)),
    Bound("window.train", "Go to Train", ("Ctrl+4",)),
    Bound("window.solve", "Go to Solve", ("Ctrl+5",)),
    Bound("window.evaluate", "Go to Evaluate", ("Ctrl+6",)),
    Bound("window.palette", "Command palette", ("Ctrl+K",)),
    Bound("window.keys", "Keys of this page", ("?",)),
    Bound("window.change_keys", "Change the keys…", ("Ctrl+Alt+K",)),
    Bound("window.new", "New project…", ("Ctrl+N",)),
    Bound("window.open", "Open project…", ("Ctrl+O",)),
    Bound("window.sample", "Open the sample project"),
    Bound("window.import", "Import a file…", ("Ctrl+I",)),
    Bound("window.undo", "Undo", ("Ctrl+Z",)),
    Bound("window.redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Bound("window.light", "Light colours"),
    Bound("window.dark", "Dark colours"),
    Bound("window.system", "Colours of the system"),
    Bound("window.scheme", "Switch between light and dark", ("Ctrl+Shift+D",)),
    Bound("window.larger", "Larger text", ("Ctrl++", "Ctrl+=")),
    Bound("window.smaller", "Smaller text", ("Ctrl+-",)),
    Bound("window.diagnostics", "Copy diagnostics"),
    Bound("window.stop_jobs", "Stop all jobs"),
    Bound("window.quit", "Quit", ("Ctrl+Q",)),
    Bound("teacher.start", "Start the teacher's run", ("Ctrl+Return",)),
    Bound("teacher.ask", "Ask one question", ("Ctrl+T",)),
    Bound("teacher.stop", "Stop the teacher's run"),
    Bound("teacher.pilot", "Ask a pilot of twenty rows", ("Ctrl+Shift+Return",)),
    Bound("teacher.pause", "Pause the teacher's run, or go on", ("Ctrl+P",)),
    Bound("teacher.add", "Add a teacher…", ("Ctrl+Shift+N",)),
    Bound("teacher.test", "Test the teacher", ("Ctrl+Shift+T",)),
    Bound("teacher.keep", "Keep the prompt as a version", ("Ctrl+S",)),
    Bound("teacher.settings", "The teacher's settings", ("Alt+1",)),
    Bound("teacher.prompts", "Prompts and worked examples", ("Alt+2",)),
    Bound("teacher.try", "Try one question", ("Alt+3",)),
    Bound("teacher.run", "The teacher's run", ("Alt+4",)),
    Bound("dataset.next", "Next row", ("J",)),
    Bound("dataset.previous", "Previous row", ("K",)),
    Bound("dataset.accept", "Accept", ("A",)),
    Bound("dataset.reject", "Reject", ("R",)),
    Bound("dataset.unreview", "Set back to unreviewed", ("Shift+U",)),
    Bound("dataset.flag", "Flag, or take the flag away", ("F",)),
    Bound("dataset.unflag", "Take the flags away", ("Shift+F",)),
    Bound("dataset.next_unreviewed", "Next unreviewed row", ("N",)),
    Bound("dataset.edit", "Edit the row", ("E",)),
    Bound("dataset.note", "Write a note", ("M",)),
    Bound("dataset.run", "Run the program", ("Ctrl+Return",)),
    Bound("dataset.rerun", "Run the selected rows again", ("Ctrl+Shift+Return",)),
    Bound("dataset.ask_again", "Ask the teacher again…", ("Shift+T",)),
    Bound("dataset.replace", "Find and replace…", ("Ctrl+H",)),
    Bound("dataset.diff", "Differences from the text as it was written", ("D",)),
    Bound("dataset.history", "History of the row", ("H",)),
    Bound("dataset.reply", "The teacher's reply", ("Y",)),
    Bound("dataset.next_path", "Next path of this question", ("]",)),
    Bound("dataset.previous_path", "Previous path of this question", ("[",)),
    Bound("dataset.trace", "Walk through the rationale on the Solve page", ("T",)),
    Bound("dataset.undo", "Undo the last change", ("U",)),
    Bound("dataset.search", "Search", ("Ctrl+F", "/")),
    Bound("dataset.all", "Select all rows of this filter", ("Ctrl+A",)),
    Bound("dataset.refresh", "Refresh the table", ("F5",)),
    Bound("dataset.clear", "Clear the filter", ("Ctrl+Shift+F",)),
    Bound("dataset.keep_filter", "Keep this filter…", ("Ctrl+S",)),
    Bound("dataset.suspicion", "Most suspicious rows first", ("S",)),
    Bound("dataset.student", "The student that rows must fit…", ("Shift+S",)),
    Bound("dataset.export", "Export rows…", ("Ctrl+E",)),
    Bound("dataset.copy", "Copy the question", ("Ctrl+C",)),
    Bound("dataset.facets", "Show or hide the facets", ("Ctrl+B",)),
    Bound("dataset.panel", "Show or hide the row", ("Ctrl+Shift+B",)),
    Bound("dataset.columns", "Columns…", ("C",)),
    Bound("train.new", "New run", ("Ctrl+Shift+N",)),
    Bound("train.start", "Start training", ("Ctrl+Return",)),
    Bound("train.queue", "Add the run to the queue", ("Ctrl+Shift+Return",)),
    Bound("train.copy", "Copy the run as a command"),
    Bound("train.yaml", "Copy the run's settings as YAML"),
    Bound("train.open", "Open a run made elsewhere…"),
    Bound("train.compare", "Compare runs", ("Ctrl+D",)),
    Bound("train.pause", "Pause the run, or go on", ("Ctrl+P",)),
    Bound("train.stop", "Stop the run and keep it"),
    Bound("train.resume_from", "Resume from a checkpoint…"),
    Bound("solve.solve", "Solve this question", ("Ctrl+Return",)),
    Bound("solve.pick", "Pick a question", ("Ctrl+L",)),
    Bound("solve.draw", "Draw a question at random", ("Ctrl+R",)),
    Bound("solve.alternatives", "Continue with another token here", ("Ctrl+B",)),
    Bound("solve.what_if", "Change the key points and solve again", ("Ctrl+E",)),
    Bound("solve.side_by_side", "Two branches side by side", ("Ctrl+Shift+B",)),
    Bound("solve.next_branch", "Next branch", ("Ctrl+PgDown",)),
    Bound("solve.previous_branch", "Previous branch", ("Ctrl+PgUp",)),
    Bound("solve.close_branch", "Close this branch", ("Ctrl+W",)),
    Bound("solve.play", "Play or pause"),
    Bound("solve.to_start", "To the beginning"),
    Bound("solve.to_end", "To the end"),
    Bound("solve.over", "Over this line", ("F10",)),
    Bound("solve.over_back", "Back over the last line", ("Shift+F10",)),
    Bound("solve.into", "Into what this line calls", ("F11",)),
    Bound("solve.out", "Out of this function", ("Shift+F11",)),
    Bound("solve.breakpoint", "On to the next breakpoint", ("F8",)),
    Bound("solve.breakpoint_back", "Back to the last breakpoint", ("Shift+F8",)),
    Bound("solve.toggle_breakpoint", "Set or remove a breakpoint", ("F9",)),
    Bound("solve.run_to", "Run to the line of the caret", ("Ctrl+F10",)),
    Bound("solve.change", "To the next change of the chosen variable", ("]",)),
    Bound("solve.change_back", "To the last change of the chosen variable", ("[",)),
    Bound("solve.round", "Next round of the loop", ("}", "Alt+Right")),
    Bound("solve.round_back", "Round of the loop before", ("{", "Alt+Left")),
    Bound("solve.fold", "Fold long loops", ("Z",)),
    Bound("solve.present", "Present this solution", ("F5",)),
    Bound("solve.picture", "Export the solution as a picture…"),
    Bound("solve.web_page", "Export the solution as a web page…"),
    Bound("solve.json", "Export the solution as JSON…"),
    Bound("solve.keep", "Send the solution to the dataset", ("Ctrl+D",)),
    Bound("evaluate.start", "Evaluate", ("Ctrl+Return",)),
)
BY_ID = {bound.id: bound for bound in BOUND}


class _Notifier(QObject):
    changed = Signal()


_notifier: _Notifier | None = None


def notifier() -> _Notifier:
    """Return the object whose signal `changed` says that some keys are others now."""
    global _notifier
    if _notifier is None:
        _notifier = _Notifier()
    return _notifier


def keys_of(action_id: str) -> tuple[str, ...]:
    """Return the keys of an action in Qt's portable writing: a person's choice, else the usual ones."""
    text = Settings().text(f"keys/{action_id}", "\n")
    return BY_ID[action_id].keys if text == "\n" else tuple(key for key in text.split(" ") if key)


def is_usual(action_id: str) -> bool:
    """Tell whether an action has its usual keys."""
    return keys_of(action_id) == BY_ID[action_id].keys


def set_keys(action_id: str, keys: Sequence[str]) -> None:
    """Give an action these keys, or none."""
    usual = tuple(keys) == BY_ID[action_id].keys
    Settings().set_text(f"keys/{action_id}", "\n" if usual else " ".join(keys))
    notifier().changed.emit()


def reset(action_ids: Sequence[str]) -> None:
    """Give actions their usual keys again."""
    settings = Settings()
    for action_id in action_ids:
        settings.set_text(f"keys/{action_id}", "\n")
    notifier().changed.emit()


def clashes(action_id: str, key: str) -> list[Bound]:
    """Return the other actions that have this key where `action_id` works: on its page, or everywhere."""
    wanted = QKeySequence(key)
    page = BY_ID[action_id].page
    return [
        other for other in BOUND
        if other.id != action_id and (WINDOW in (page, other.page) or other.page == page)
        and wanted in [QKeySequence(own) for own in keys_of(other.id)]
    ]  # fmt: skip


def shown(action_id: str) -> str:
    """Return the keys of an action as this system writes them; empty when it has none."""
    native = QKeySequence.SequenceFormat.NativeText
    return " or ".join(QKeySequence(key).toString(native) for key in keys_of(action_id))


def title_of(action_id: str) -> str:
    """Return the title of an action in the person's language."""
    return QCoreApplication.translate("keys", BY_ID[action_id].title)


def as_text() -> str:
    """Return all actions with their keys as a table of tabs, to print or to keep."""
    lines = ["page\taction\tkeys\tusual keys"]
    lines += [
        "\t".join((bound.page, bound.title, ", ".join(keys_of(bound.id)), ", ".join(bound.keys)))
        for bound in BOUND
    ]
    return "\n".join(lines) + "\n"


def add_action(owner: QWidget, action_id: str, do: Callable[[], object]) -> QAction:
    """Make the action of the table and add it to its page or window; its keys follow the person's choice."""
    action = QAction(title_of(action_id), owner)
    action.setProperty("action_id", action_id)
    if BY_ID[action_id].page != WINDOW:
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def take_keys() -> None:
        action.setShortcuts([QKeySequence(key) for key in keys_of(action_id)])

    take_keys()
    _follow(action, take_keys)
    action.triggered.connect(lambda _=False: do())
    owner.addAction(action)
    return action


def name_button(button: QWidget, name: str, action_id: str) -> None:
    """Give a button the tool tip `name (keys)`, which follows the keys; its accessible name is `name`."""
    button.setAccessibleName(name)

    def show_keys() -> None:
        keys = shown(action_id)
        button.setToolTip(f"{name} ({keys})" if keys else name)

    show_keys()
    _follow(button, show_keys)


def scrolls(event: QKeyEvent) -> bool:
    """Tell whether a key moves up or down inside a view; the page around it wants all others."""
    return event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def _follow(owner: QObject, take: Callable[[], None]) -> None:
    """Call `take` whenever keys change, as long as `owner` lives."""
    # Qt ends a connection with its context; the signal's own `connect` has no room for one
    QObject.connect(notifier(), SIGNAL("changed()"), owner, take)
