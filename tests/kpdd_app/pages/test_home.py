"""Home: the funnel opens rows, what to do next fits the project, the sample is made once."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from kpdd_app.open_project import OpenProject
from kpdd_app.pages.home import HomePage
from kpdd_app.pages.home_steps import funnel_steps, next_steps
from kpdd_app.settings import Settings


@pytest.fixture
def home(qtbot, open_project, fake_jobs):
    Settings().add_recent(open_project.path)
    page = HomePage(open_project, fake_jobs)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    with qtbot.waitActive(page):
        page.show()
    qtbot.waitUntil(lambda: bool(page.funnel.steps))
    yield page
    page.leave()


def same(text: str) -> str:
    return text


def test_the_funnel_counts_the_project(home):
    steps = {step.title: step.number for step in home.funnel.steps}
    assert steps == {"questions": 12, "replies": 13, "parsed": 13, "equal to gold": 10, "reviewed": 0,
                     "fit for the student": 10, "trained": 0, "accuracy": 0}  # fmt: skip
    heights = [step.share for step in home.funnel.steps[:4]]
    assert heights == sorted(heights, reverse=True)


def test_a_number_opens_its_rows_by_mouse_and_by_keys(qtbot, home):
    box = home.funnel._box(3)
    with qtbot.waitSignal(home.rows_wanted) as wanted:
        qtbot.mouseClick(home.funnel, Qt.MouseButton.LeftButton, pos=QPoint(int(box.center().x()), 30))
    assert wanted.args[0].facets == {"verdict": frozenset({"equal"})}
    home.funnel.setFocus()
    qtbot.keyClick(home.funnel, Qt.Key.Key_Right)
    qtbot.keyClick(home.funnel, Qt.Key.Key_Right)
    with qtbot.waitSignal(home.rows_wanted) as wanted:
        qtbot.keyClick(home.funnel, Qt.Key.Key_Return)
    assert wanted.args[0].facets["review"] == {"unreviewed", "accepted"}
    assert home.funnel.accessibleDescription().startswith("fit for the student: 10")
    qtbot.keyClick(home.funnel, Qt.Key.Key_Right)
    with qtbot.waitSignal(home.page_wanted) as page:
        qtbot.keyClick(home.funnel, Qt.Key.Key_Return)
    assert page.args == ["train"]


def test_the_next_step_fits_the_project(home):
    assert [button.text() for button in home.next_buttons] == [
        "Ask a teacher",
        "Train students",
        "See what failed",
    ]
    assert next_steps({"questions": 0}, same)[0].target == "import"
    done = {"questions": 5, "asked_questions": 5, "asked": 5, "equal": 5, "used": 5}
    assert next_steps(done, same)[0].target == "train"
    assert next_steps({**done, "runs": 1}, same)[0].target == "solve"


def test_suspicious_rows_are_offered_heaviest_first(qtbot, home):
    steps = next_steps({"questions": 5, "asked_questions": 5, "suspects": 40}, same)
    assert [step.action for step in steps] == ["Look at the most suspicious"] and "40" in steps[0].why
    wanted = steps[0].target
    assert (wanted.sort, wanted.descending) == ("suspicion", True)
    assert "none" not in wanted.facets["flags"] and wanted.facets["review"] == {"unreviewed"}


def test_an_empty_funnel_has_no_share_to_divide_by():
    steps = funnel_steps({}, same)
    assert [step.number for step in steps] == [0] * 8
    assert all(step.share in (None, 0.0, 1.0) for step in steps)


def test_counts_follow_the_project(qtbot, home):
    home.project.set_review([1], "accepted")
    qtbot.waitUntil(lambda: home.funnel.steps[4].number == 1)


def test_recent_projects_can_be_opened(qtbot, home, tmp_path):
    other = tmp_path / "other.kpdd"
    other.touch()
    Settings().add_recent(other)
    home._refresh()
    assert [home.side.recent.item(n).text() for n in range(home.side.recent.count())] == [
        "other",
        "small project",
    ]
    with qtbot.waitSignal(home.project_wanted) as wanted:
        rectangle = home.side.recent.visualItemRect(home.side.recent.item(0))
        qtbot.mouseClick(home.side.recent.viewport(), Qt.MouseButton.LeftButton, pos=rectangle.center())
    assert wanted.args == [other]


def test_without_a_project_home_offers_one(qtbot, fake_jobs):
    project = OpenProject()
    page = HomePage(project, fake_jobs)
    qtbot.addWidget(page)
    assert page.shown is page.nothing
    with qtbot.waitSignal(page.new_project_wanted):
        page.nothing.button.click()
    project.shut_down()


def test_the_sample_is_opened_when_it_is_there(qtbot, home):
    from training_backend.paths import sample_project_file

    sample_project_file().touch()
    with qtbot.waitSignal(home.project_wanted) as wanted:
        home.side.sample.click()
    assert wanted.args[0].name == "sample.kpdd"


def test_the_best_accuracy_measured_stands_at_the_end(qtbot, home):
    from training_backend.project.runs import add_evaluation, add_run, finish_evaluation, set_run_status

    project = home.project.project
    run = add_run(project, "r1", "kpdd-pot", "first")
    set_run_status(project, run, "done", {})
    for benchmark, accuracy in (("shelf test", 0.5), ("svamp", 0.612), ("unfinished", 0.9), ("none", None)):
        made = add_evaluation(project, run, "first", benchmark, "kpdd-pot", {})
        if benchmark != "unfinished":
            finish_evaluation(project, made, {"accuracy": accuracy, "total": 300})
    home.project.runs_changed.emit()
    qtbot.waitUntil(lambda: home.funnel.steps[-1].text == "61.2 %")
    assert home.funnel.steps[-1].title == "accuracy on svamp"
    assert "first on svamp, 300 questions" in home.funnel.steps[-1].unit
    assert home.funnel.steps[-2].number == 1


def test_rows_that_the_student_cannot_carry_are_counted_apart(home):
    from training_backend.project.flags import mask_of
    from training_backend.project.funnel import funnel

    project = home.project.project
    with project.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE row SET flags = ? WHERE id IN (1, 3)", (mask_of(["unfit_for_student"]),)
        )
    counts = funnel(project)
    assert (counts["used"], counts["unfit"]) == (8, 2)
    assert "2 more are unfit" in funnel_steps(counts, same)[5].unit


def test_the_funnel_follows_a_job_while_it_runs_and_rests_while_unseen(qtbot, home):
    from training_backend.events import RowsChanged
    from training_backend.project.history import set_review
    from training_backend.project.store import Project

    with Project.open(home.project.path) as other:
        set_review(other, [1, 3], "rejected")
    home._watch(RowsChanged(2))
    qtbot.waitUntil(lambda: home.funnel.steps[4].number == 2)
    home.hide()
    home._watch(RowsChanged(2))
    assert home._stale and not home._soon.isActive()
    home.show()
    assert not home._stale


def test_where_there_is_little_room_the_stages_and_the_projects_lie_below(qtbot, home):
    def beside() -> bool:
        return home.side.mapTo(home, QPoint()).x() > home.parts.mapTo(home, QPoint()).x()

    assert beside() and not home.funnel.stacked
    home.resize(420, 500)
    qtbot.waitUntil(lambda: not beside() and home.funnel.stacked)
    assert home.side.recent.isVisible() and home.side.width() > 300
    for button in home.next_buttons:
        assert button.height() >= button.sizeHint().height()
    home.resize(1200, 600)
    qtbot.waitUntil(lambda: beside() and not home.funnel.stacked)


def test_stages_below_each_other_open_by_mouse_and_by_keys(qtbot, home):
    home.resize(420, 500)
    qtbot.waitUntil(lambda: home.funnel.stacked)
    with qtbot.waitSignal(home.rows_wanted) as wanted:
        qtbot.mouseClick(home.funnel, Qt.MouseButton.LeftButton, pos=home.funnel._box(3).center().toPoint())
    assert wanted.args[0].facets == {"verdict": frozenset({"equal"})}
    qtbot.keyClick(home.funnel, Qt.Key.Key_Down)
    assert home.funnel.accessibleDescription().startswith("reviewed")
    qtbot.keyClick(home.funnel, Qt.Key.Key_Up)
    assert home.funnel.accessibleDescription().startswith("equal to gold")


def test_the_next_thing_to_do_takes_the_keyboard_once_it_is_known(qtbot, open_project, fake_jobs):
    page = HomePage(open_project, fake_jobs)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    with qtbot.waitActive(page):
        page.show()
    page.take_focus()
    qtbot.waitUntil(lambda: bool(page.next_buttons) and page.next_buttons[0].hasFocus())
    page.leave()
