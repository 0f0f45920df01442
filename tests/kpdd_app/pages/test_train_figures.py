"""The newest figures of a run's students, in as many lines as there is room for."""

from __future__ import annotations

import os
import time

import pytest
from PySide6.QtWidgets import QWidget

from kpdd_app.pages.train_figures import COLUMNS, Figures, FiguresView, figure_texts
from kpdd_app.pages.train_run import RunView
from training_backend.events import HeldOut, Metrics, Started, to_line
from training_backend.project.training_rows import TrainingRow
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import prepare_run


def test_figures_go_into_more_lines_where_there_is_no_room(qtbot):
    # a window's own widget would be held at the width of its present layout
    holder = QWidget()
    qtbot.addWidget(holder)
    view = FiguresView(holder)
    view.set_roles({"key": "Key", "solve": "Solve"})
    view.figures["key"].take(Metrics("key", 7, 1207, 2.0, 2.265, 0.0004, 1742.0, 1 << 30, 3.0))
    view.resize(1400, 200)
    with qtbot.waitExposed(holder):
        holder.show()
    view.refresh(running=True)

    def lines_are(count: int) -> bool:
        places = [view.labels["key", name].geometry() for name, _ in COLUMNS]
        whole = all(place.right() <= view.width() for place in places)
        return whole and len({place.y() for place in places}) == count

    qtbot.waitUntil(lambda: lines_are(1), timeout=5_000)
    heights = []
    for width, lines in ((view._width(8) - 1, 2), (view._width(4) - 1, 3), (view._width(3) - 1, 4)):
        view.resize(width, 300)
        qtbot.waitUntil(lambda lines=lines: lines_are(lines), timeout=5_000)
        assert all(view.labels["key", name].isVisible() for name, _ in COLUMNS)
        heights.append(view.sizeHint().height())
    assert heights == sorted(heights) and view.minimumSizeHint().width() == view._width(2)
    view.resize(1400, 200)
    qtbot.waitUntil(lambda: lines_are(1), timeout=5_000)
    assert sum(label.isVisible() for names in view._names for label in names) == 0


def test_a_look_without_answers_leaves_those_of_the_look_before():
    figures = Figures()
    figures.look(HeldOut("solve", 10, 2.0, 0.5, [{"said": "12"}]))
    # as older runs wrote it, which were stopped while they looked
    figures.look(HeldOut("solve", 20, 1.5))
    assert figures.held_out is not None and figures.held_out.samples == [{"said": "12"}]
    told = figure_texts(figures, running=False)
    assert (told["held"], told["accuracy"]) == ("1.500", "50.0 %")
    figures.look(HeldOut("solve", 30, 1.0, 0.75, [{"said": "13"}]))
    assert figures.held_out.samples == [{"said": "13"}] and figures.held_out.accuracy == 0.75


def prepared(tmp_path, **settings):
    rows = [
        TrainingRow(
            n, n, "d", "train", f"{n} and 1?", "", n + 1, "How many?", (f"{n}",), "pot", f"ans = {n} + 1"
        )
        for n in range(8)
    ]
    return prepare_run(tmp_path / "run", RunConfig(method="kpdd-pot", max_steps=1, **settings), rows)


@pytest.mark.parametrize(
    ("settings", "hint", "legend"),
    [
        ({"held_out": 0}, "No rows of this run are held out", None),
        ({"held_out": 0.25}, "asked at every look", "held-out accuracy of Solve (right axis)"),
        ({"held_out": 0.25, "held_out_judged": 0}, "asked at every look", None),
    ],
)
def test_only_what_a_run_holds_out_is_promised(qtbot, tmp_path, fake_jobs, settings, hint, legend):
    view = RunView(fake_jobs)
    qtbot.addWidget(view)
    run = prepared(tmp_path, **settings)
    view.show_run(run.path, "A run", "kpdd-pot")
    assert hint in view.samples.hint.text()
    assert ("held-out loss" in view.legend.text()) == (settings["held_out"] > 0)
    assert "accuracy" not in view.legend.text() if legend is None else legend in view.legend.text()


def test_a_run_at_work_is_read_before_it_is_shown_as_live(qtbot, tmp_path, fake_jobs):
    run = prepared(tmp_path)
    lines = [to_line(Started(command="train", pid=os.getpid(), run_folder=str(run.path), t=time.time()))]
    lines += [to_line(Metrics("key", n, 9000, 1.0, 1 / n, 5e-4, 1.0, 1, n * 0.1)) for n in range(1, 2001)]
    run.events_file.write_text("\n".join(lines) + "\n")
    view = RunView(fake_jobs)
    qtbot.addWidget(view)
    view.show_run(run.path, "A run", "kpdd-pot")
    words = []

    def look(_):
        view._refresh()
        words.append((view.word.text(), view.figures.labels["key", "left"].text()))

    view._job.event_came.connect(look)
    qtbot.waitUntil(lambda: not view._job.reading, timeout=20_000)
    assert len(words) == 2001 and set(words) == {("reading …", "–")}
    assert view.word.text().startswith("running") and view.figures.labels["key", "left"].text() != "–"
    view.release()
