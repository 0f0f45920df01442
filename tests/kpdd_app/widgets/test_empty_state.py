"""An empty place: its buttons go below each other before their words are cut."""

from __future__ import annotations

from kpdd_app.widgets.empty_state import EmptyState


def test_buttons_without_room_beside_each_other_go_below(qtbot):
    place = EmptyState("home", "Nothing is here", "Something could be.", "Make a new one…", "Open the sample")
    qtbot.addWidget(place)
    place.resize(600, 400)
    place.show()
    qtbot.waitUntil(lambda: place.button.y() == place.other.y())
    narrow = place.minimumSizeHint().width()
    assert narrow < place.button.width() + place.other.width()
    place.resize(narrow, 400)
    qtbot.waitUntil(lambda: place.button.y() < place.other.y())
    assert place.button.width() >= place.button.sizeHint().width()
    assert place.other.width() >= place.other.sizeHint().width()
