"""What the window remembers between two starts, each with its type and its default."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from training_backend.paths import user_data_dir

RECENT = 12
# the text that says what becomes of runs when the window closes: "" (ask), leave, stop
ON_CLOSE = "runs/on_close"


class Settings:
    """A thin, typed door to one ini file in the user's data folder."""

    def __init__(self) -> None:
        """Open the file; a missing one means defaults."""
        self._store = QSettings(str(user_data_dir() / "window.ini"), QSettings.Format.IniFormat)

    @property
    def scheme(self) -> str:
        """Return `system`, `light` or `dark`."""
        value = str(self._store.value("look/scheme", "system", type=str))
        return value if value in ("system", "light", "dark") else "system"

    @scheme.setter
    def scheme(self, value: str) -> None:
        self._store.setValue("look/scheme", value)

    @property
    def point_size(self) -> int:
        """Return the size of ordinary text in points."""
        return int(self._store.value("look/point_size", 10, type=int))  # type: ignore[call-overload]

    @point_size.setter
    def point_size(self, value: int) -> None:
        self._store.setValue("look/point_size", value)

    @property
    def page(self) -> str:
        """Return the key of the page that was open last."""
        return str(self._store.value("window/page", "home", type=str))

    @page.setter
    def page(self, value: str) -> None:
        self._store.setValue("window/page", value)

    def state(self, name: str) -> QByteArray:
        """Return a saved geometry or splitter state; empty when there is none."""
        value = self._store.value(f"state/{name}", QByteArray(), type=QByteArray)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_state(self, name: str, value: QByteArray) -> None:
        """Keep a geometry or splitter state."""
        self._store.setValue(f"state/{name}", value)

    def numbers(self, name: str) -> dict[str, int]:
        """Return saved whole numbers by name (column widths); entries that are no numbers are left out."""
        text = str(self._store.value(f"numbers/{name}", "", type=str))
        pairs = (part.split(":", 1) for part in text.split(";") if ":" in part)
        return {key: int(value) for key, value in pairs if value.isdigit()}

    def set_numbers(self, name: str, values: dict[str, int]) -> None:
        """Keep whole numbers by name."""
        self._store.setValue(f"numbers/{name}", ";".join(f"{key}:{value}" for key, value in values.items()))

    def text(self, name: str, default: str = "") -> str:
        """Return a saved text (the last folder, the last choice of a form)."""
        return str(self._store.value(f"text/{name}", default, type=str))

    def set_text(self, name: str, value: str) -> None:
        """Keep a text."""
        self._store.setValue(f"text/{name}", value)

    def recent(self) -> list[Path]:
        """Return the projects opened before that still exist, the latest first."""
        lines = str(self._store.value("projects/recent", "", type=str)).split("\n")
        return [Path(line) for line in lines if line and Path(line).exists()]

    def add_recent(self, path: Path) -> None:
        """Put a project at the head of the recent ones."""
        rest = [str(old) for old in self.recent() if old != path]
        self._store.setValue("projects/recent", "\n".join([str(path), *rest][:RECENT]))

    def sync(self) -> None:
        """Write everything to disk now."""
        self._store.sync()
