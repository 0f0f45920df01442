"""How a run stands: what the project knows of it is shown whole, its verdicts too."""

from __future__ import annotations

from PySide6.QtCore import Qt

from kpdd_app.widgets.generation_view import GenerationView
from training_backend.teacher.requests import Counts


def test_a_stored_run_shows_its_counts_its_failures_and_its_verdicts(qtbot):
    view = GenerationView()
    qtbot.addWidget(view)
    view.show()
    counts = Counts(10, 7, 2, 1, {"key": 2}, 9, 900, 0, 90, 0.5)
    view.set_stored("T · m", counts, "The run was stopped.", states={"equal": 5, "not_equal": 2})
    assert view.equation.accessibleName() == "asked 10, done 7, failed 2, waiting 1"
    words = [button.text() for button in view._buttons.values()]
    assert sorted(words) == ["2  not equal", "5  equal"]
    with qtbot.waitSignal(view.state_wanted) as wanted:
        qtbot.mouseClick(view._buttons["not_equal"], Qt.MouseButton.LeftButton)
    assert wanted.args == ["not_equal"]
    view.set_stored("T · m", counts, "")
    assert not view._buttons
