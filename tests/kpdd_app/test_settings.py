"""The window's memory between two starts."""

from __future__ import annotations

from PySide6.QtCore import QByteArray

from kpdd_app.settings import RECENT, Settings


def test_values_have_types_and_defaults(qapp):
    settings = Settings()
    assert (settings.scheme, settings.point_size, settings.page) == ("system", 10, "home")
    settings.scheme, settings.point_size, settings.page = "dark", 13, "train"
    settings.set_numbers("columns", {"id": 60, "gold": 0})
    settings.set_state("window", QByteArray(b"abc"))
    settings.set_text("folder", "/a b/ü")
    settings.sync()
    again = Settings()
    assert (again.scheme, again.point_size, again.page) == ("dark", 13, "train")
    assert again.numbers("columns") == {"id": 60, "gold": 0}
    assert again.state("window") == b"abc"
    assert again.text("folder") == "/a b/ü"


def test_unreadable_values_mean_defaults(qapp):
    settings = Settings()
    settings.scheme = "purple"
    assert settings.scheme == "system"
    assert settings.numbers("nothing") == {}


def test_recent_projects_are_the_existing_ones_latest_first(qapp, tmp_path):
    settings = Settings()
    files = [tmp_path / f"p {n}.kpdd" for n in range(RECENT + 3)]
    for file in files:
        file.touch()
        settings.add_recent(file)
    assert settings.recent() == list(reversed(files))[:RECENT]
    settings.add_recent(files[-4])
    assert settings.recent()[0] == files[-4]
    files[-4].unlink()
    assert files[-4] not in settings.recent()
