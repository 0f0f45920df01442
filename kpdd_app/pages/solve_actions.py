"""What can be done with a whole solution: present it, give it away, keep it as a row of the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from kpdd_app import messages, theme
from kpdd_app.key_bindings import add_action, name_button
from kpdd_app.open_project import OpenProject
from kpdd_app.recording import Recording
from kpdd_app.solution_document import document_of, key_points_of
from kpdd_app.widgets.present_mode import PresentMode
from training_backend.errors import StoreError
from training_backend.project.replies import Origin
from training_backend.students.solution_export import as_json, as_web_page

# a picture is drawn at twice the size it has on the screen: it goes into papers and slides
PICTURE_SCALE = 2


class SolutionActions(QObject):
    """Works on the recording that the page shows; makes the two buttons at the end of the time line."""

    kept = Signal(int, str)
    """The row that holds the solution, and a sentence that says so."""

    def __init__(
        self,
        page: QWidget,
        project: OpenProject,
        recording: Callable[[], Recording | None],
        students: Callable[[], str],
        picture_of: Callable[[], tuple[QWidget, list[QWidget]]],
    ) -> None:
        """`students` names whose solution it is; `picture_of` what a picture shows, and leaves out."""
        super().__init__(page)
        self._page, self._project = page, project
        self._recording, self._students = recording, students
        self._picture_of = picture_of
        self.present_button = _button("present", self.tr("Present this solution"), "solve.present")
        self.present_button.clicked.connect(lambda _=False: self.present())
        self.more_button = _button("export", self.tr("Export or keep this solution"), "")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more_button)
        ways = (
            ("picture", self.export_picture),
            ("web_page", self.export_web_page),
            ("json", self.export_json),
            ("keep", self.keep),
        )
        for name, do in ways:
            menu.addAction(add_action(page, f"solve.{name}", do))
        add_action(page, "solve.present", self.present)
        self.more_button.setMenu(menu)
        self.step: Callable[[], int] = lambda: 0
        self.go: Callable[[int], None] = lambda step: None
        self.gold_shown: Callable[[], bool] = lambda: True
        self.origins: Callable[[], tuple[Origin, Origin]]
        self.told_origins: Callable[[], dict[str, dict[str, Any]]] = dict
        self.origin_text: Callable[[], str] = str
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def present(self) -> PresentMode | None:
        """Show the solution on the whole screen."""
        recording = self._finished()
        if recording is None:
            return None
        view = PresentMode(recording, self.step(), self.gold_shown(), self._page.window(), self.origin_text())
        view.step_shown.connect(self.go)
        view.showFullScreen()
        view.setFocus()
        return view

    def export_picture(self) -> None:
        """Save the page's columns as they are as a PNG."""
        if self._finished() is not None:
            path = self._ask(self.tr("Export the solution as a picture"), "PNG (*.png)", "solution.png")
            if path is not None:
                self.save_picture(path)

    def save_picture(self, path: Path) -> None:
        """Write the picture: the solution with a margin and whose it is, without what can be pressed."""
        shown, controls = self._picture_of()
        there = [control for control in controls if control.isVisibleTo(shown)]
        for control in there:
            control.hide()
        # nothing is painted on the screen before the controls are back
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        picture = self._painted(shown)
        for control in there:
            control.show()
        if not picture.save(str(path), "PNG"):
            messages.error(self._page, StoreError("The picture could not be written.",
                                                  "Choose another folder.", where=str(path)))  # fmt: skip

    def _painted(self, shown: QWidget) -> QPixmap:
        margin, line = theme.gap(theme.L), theme.line_height()
        size = shown.size() + QSize(2 * margin, 2 * margin + line)
        picture = QPixmap(size * PICTURE_SCALE)
        picture.setDevicePixelRatio(PICTURE_SCALE)
        picture.fill(theme.colour("window"))
        shown.render(picture, QPoint(margin, margin))
        painter = QPainter(picture)
        painter.setFont(theme.text_font(-1))
        painter.setPen(theme.colour("muted"))
        place = QRect(margin, size.height() - margin // 2 - line, shown.width(), line)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft, f"{self._students()} · KPDD Studio")
        painter.end()
        return picture

    def export_web_page(self) -> None:
        """Save a page that steps through the solution in a browser."""
        self._export(self.tr("Export the solution as a web page"), "HTML (*.html)", "solution.html",
                     as_web_page)  # fmt: skip

    def export_json(self) -> None:
        """Save the solution with all its steps as JSON."""
        self._export(self.tr("Export the solution as JSON"), "JSON (*.json)", "solution.json", as_json)

    def keep(self) -> None:
        """Send the solution to the dataset: a row with its origin; its program runs again there."""
        recording = self._finished()
        if recording is None:
            return
        if self._project.project is None:
            messages.error(self._page, StoreError("No project is open to keep the solution in.",
                                                  "Open or make a project on the Home page."))  # fmt: skip
            return
        if not recording.program.strip():
            messages.note(self.tr("There is no rationale to keep."))
            return
        from training_backend.project.kept_solutions import Kept, keep_solution

        core, items = key_points_of(recording)
        origins = self.origins()
        stored: list[Kept] = []

        def write(project) -> list[int]:
            points_by, written_by = origins
            kept = keep_solution(project, recording.question, recording.gold, core, items,
                                 recording.kind, recording.program, written_by, points_by)  # fmt: skip
            stored.append(kept)
            return [kept.row_id]

        def then(_rows: list[int]) -> None:
            row = stored[0].row_id
            if stored[0].new:
                self._project.rerun([row])
                said = self.tr("Kept as row {0} of the dataset.").format(row)
            else:
                said = self.tr("The dataset has this solution: row {0}.").format(row)
            messages.note(said)
            self.kept.emit(row, said)

        self._project.change(write, then)

    # --- helpers ----------------------------------------------------------------------------------

    def _finished(self) -> Recording | None:
        recording = self._recording()
        if recording is None:
            messages.note(self.tr("There is no solution yet. Solve a question first."))
        elif not recording.over:
            messages.note(self.tr("The solution is not finished yet."))
            return None
        return recording

    def _export(self, title: str, kinds: str, name: str, make: Callable) -> None:
        recording = self._finished()
        if recording is None:
            return
        path = self._ask(title, kinds, name)
        if path is None:
            return
        try:
            path.write_text(
                make(document_of(recording, self._students(), self.told_origins())), encoding="utf-8"
            )
        except OSError as error:
            messages.error(self._page, StoreError("The file could not be written.",
                                                  error.strerror or str(error), where=str(path)))  # fmt: skip
        else:
            messages.note(self.tr("Written: {0}").format(path.name))

    def _ask(self, title: str, kinds: str, name: str) -> Path | None:
        path = messages.save_file(self._page, title, kinds, name)
        return path.with_suffix(Path(name).suffix) if path is not None and not path.suffix else path

    def _restyle(self) -> None:
        for button in (self.present_button, self.more_button):
            button.setIcon(theme.icon(str(button.property("icon_name"))))
            button.setIconSize(QSize(theme.icon_size(), theme.icon_size()))


def _button(icon: str, what: str, action: str) -> QToolButton:
    button = QToolButton()
    button.setProperty("icon_name", icon)
    if action:
        name_button(button, what, action)
    else:
        button.setToolTip(what)
        button.setAccessibleName(what)
    return button
