"""How the program looks: colours, fonts, distances and icons, all from here and nowhere else.

Two palettes of our own lie on Fusion. One accent colour; four meaning colours that are used alike everywhere:
equal to gold, wrong, could not be judged, changed by a person. A sign or a word always goes with the colour.
Distances grow with the text: `gap(1)` is a quarter of a line. What stands already follows by `distances.py`.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from kpdd_app import distances
from kpdd_app.stylesheet import stylesheet
from training_backend.paths import resources_dir

# units for gap(): quarters of a line of text
XS, S, M, L, XL = 1, 2, 3, 4, 6
SMALLEST_PT, LARGEST_PT = 9, 24

_TEXT_FACES = ("Inter", "Inter Variable", "Noto Sans", "Cantarell", "Segoe UI", ".AppleSystemUIFont",
               "SF Pro Text", "Ubuntu", "DejaVu Sans")  # fmt: skip
_MONO_FACES = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Noto Sans Mono", "Menlo", "Consolas",
               "Ubuntu Mono", "DejaVu Sans Mono")  # fmt: skip


@dataclass(frozen=True)
class Tokens:
    """The colours of a scheme, as `#rrggbb`; a `…_tint` is the quiet background of its colour."""

    name: str
    window: str
    surface: str
    raised: str
    hover: str
    border: str
    strong_border: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_tint: str
    on_accent: str
    equal: str
    equal_tint: str
    wrong: str
    wrong_tint: str
    unjudged: str
    unjudged_tint: str
    changed: str
    changed_tint: str
    code_keyword: str
    code_number: str
    code_string: str
    code_comment: str
    code_name: str

    @property
    def dark(self) -> bool:
        """Tell whether this is the dark scheme."""
        return self.name == "dark"


COLOURS = tuple(field.name for field in fields(Tokens) if field.name != "name")

LIGHT = Tokens(
    name="light",
    window="#f4f5f7", surface="#ffffff", raised="#ffffff", hover="#eceef2",
    border="#e0e3e8", strong_border="#c3c9d2", text="#1a1e24", muted="#5f6875", faint="#98a0ac",
    accent="#2c5cd6", accent_tint="#e6edfd", on_accent="#ffffff",
    equal="#16794a", equal_tint="#e2f4ea", wrong="#b9342b", wrong_tint="#fceae8",
    unjudged="#8a5a00", unjudged_tint="#fbf0d9", changed="#7642bd", changed_tint="#f1eafb",
    code_keyword="#7a3fb0", code_number="#0f6a8b", code_string="#2d7a3e", code_comment="#7b8592",
    code_name="#1f4fb3",
)  # fmt: skip

DARK = Tokens(
    name="dark",
    window="#15171b", surface="#1b1e23", raised="#24282f", hover="#272b33",
    border="#2d323a", strong_border="#464d58", text="#e3e6eb", muted="#9aa3b0", faint="#687180",
    accent="#7ba3ff", accent_tint="#24324f", on_accent="#0f1420",
    equal="#56c990", equal_tint="#1a3529", wrong="#f5837b", wrong_tint="#422322",
    unjudged="#e3b253", unjudged_tint="#3a2f18", changed="#bb9df5", changed_tint="#332a47",
    code_keyword="#c7a0f5", code_number="#7cc7e0", code_string="#95cf9f", code_comment="#77818f",
    code_name="#8fb3ff",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How a state is shown: its sign (an icon name), its word, and the names of its two colours."""

    sign: str
    word: str
    colour: str
    tint: str


_UNJUDGED = ("unjudged", "unjudged_tint")
_QUIET = ("muted", "hover")
LOOKS: dict[str, Look] = {
    "equal": Look("check", "equal", "equal", "equal_tint"),
    "not_equal": Look("cross", "not equal", "wrong", "wrong_tint"),
    "no_answer": Look("question", "no answer", *_UNJUDGED),
    "raised": Look("question", "error", *_UNJUDGED),
    "timed_out": Look("question", "timed out", *_UNJUDGED),
    "out_of_memory": Look("question", "out of memory", *_UNJUDGED),
    "refused": Look("question", "refused", *_UNJUDGED),
    "crashed": Look("question", "crashed", *_UNJUDGED),
    "does_not_parse": Look("question", "does not parse", *_UNJUDGED),
    "no_gold": Look("question", "no gold", *_UNJUDGED),
    "not_run": Look("ring", "not run", *_QUIET),
    "not_asked": Look("dash", "not asked", *_QUIET),
    "accepted": Look("check", "accepted", "equal", "equal_tint"),
    "rejected": Look("cross", "rejected", "wrong", "wrong_tint"),
    "unreviewed": Look("dash", "unreviewed", *_QUIET),
    "changed": Look("pencil", "changed", "changed", "changed_tint"),
}


def look(state: str) -> Look:
    """Return how a verdict, review state or mark is shown; an unknown one is shown by its own name."""
    return LOOKS.get(state) or Look("question", state.replace("_", " "), *_UNJUDGED)


class _Notifier(QObject):
    changed = Signal()


_tokens: Tokens = LIGHT
_point_size: int = 10
_notifier: _Notifier | None = None


def notifier() -> _Notifier:
    """Return the object whose signal `changed` says that colours or sizes are new."""
    global _notifier
    if _notifier is None:
        _notifier = _Notifier()
    return _notifier


def current() -> Tokens:
    """Return the colours in use."""
    return _tokens


def colour(name: str, alpha: float = 1.0) -> QColor:
    """Return a token of the scheme in use as a QColor; `alpha` in 0..1."""
    return QColor(_colour(name, alpha))


@lru_cache(maxsize=256)
def _colour(name: str, alpha: float) -> QColor:
    value = QColor(getattr(_tokens, name))
    value.setAlphaF(alpha)
    return value


def apply(app: QApplication, scheme: str = "system", point_size: int | None = None) -> None:
    """Give the whole program a scheme (`light`, `dark`, `system`) and a text size in points (9 to 24)."""
    global _tokens, _point_size
    before = _line()
    if point_size is not None:
        _point_size = max(SMALLEST_PT, min(LARGEST_PT, int(point_size)))
    _tokens = _choose(app, scheme)
    _forget()
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(_palette(_tokens))
    app.setFont(text_font())
    # before the sheet, which gives fields their heights itself
    distances.rescale(app, before, _line())
    app.setStyleSheet(stylesheet(_tokens, gap, line_height(), glyph_file))
    notifier().changed.emit()


def point_size() -> int:
    """Return the size of ordinary text in points."""
    return _point_size


def text_font(size_delta: float = 0, bold: bool = False) -> QFont:
    """Return the text face; `size_delta` in points. Figures have one width, so columns of them align."""
    return QFont(_text_font(size_delta, bold))


def mono_font(size_delta: float = 0) -> QFont:
    """Return the monospace face; `size_delta` in points."""
    return QFont(_mono_font(size_delta))


@lru_cache(maxsize=64)
def _text_font(size_delta: float, bold: bool) -> QFont:
    font = QFont(_family(_TEXT_FACES, "DejaVuSans.ttf"))
    font.setPointSizeF(max(6.0, _point_size + size_delta))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    if size_delta < 3:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


@lru_cache(maxsize=64)
def _mono_font(size_delta: float) -> QFont:
    font = QFont(_family(_MONO_FACES, "DejaVuSansMono.ttf"))
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    font.setPointSizeF(max(6.0, _point_size - 0.5 + size_delta))
    # ligatures would draw `<=` and `!=` as one sign that nobody typed
    font.setFeature(QFont.Tag("calt"), 0)
    return font


def font_rule(font: QFont) -> str:
    """Return a font as words of a style sheet: a plain setFont is lost when its widget gets a new parent."""
    return f"font-family: '{font.family()}'; font-size: {font.pointSizeF():g}pt;"


def line_height(font: QFont | None = None) -> int:
    """Return the height of one line of text in pixels."""
    return QFontMetrics(font).height() if font is not None else _line()


def text_metrics() -> QFontMetrics:
    """Return the metrics of ordinary text."""
    return QFontMetrics(text_font())


@lru_cache(maxsize=256)
def gap(units: float) -> int:
    """Return a distance in pixels: `units` quarters of a line of ordinary text."""
    return max(1, round(units * _line() / 4))


def row_height() -> int:
    """Return the height of one row of a table or list in pixels."""
    return _line() + gap(2)


def icon(name: str, colour_name: str = "text") -> QIcon:
    """Return a drawing of `resources/icons` in a colour of the scheme, sharp at every scale."""
    result = QIcon()
    for scale in (1, 2, 3):
        result.addPixmap(pixmap(name, colour_name, icon_size(), scale))
        result.addPixmap(pixmap(name, "faint", icon_size(), scale), QIcon.Mode.Disabled)
    return result


def icon_size() -> int:
    """Return the edge of an ordinary icon in pixels."""
    return max(14, round(_line() * 1.05))


@lru_cache(maxsize=512)
def pixmap(name: str, colour_name: str, size: int, scale: float = 1.0) -> QPixmap:
    """Return a drawing `size` pixels wide for a screen of the given scale."""
    picture = QPixmap(round(size * scale), round(size * scale))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    try:
        renderer = QSvgRenderer(QByteArray(_svg(name, getattr(_tokens, colour_name)).encode()))
        renderer.render(painter, QRectF(0, 0, picture.width(), picture.height()))
    finally:
        painter.end()
    picture.setDevicePixelRatio(scale)
    return picture


def app_icon() -> QIcon:
    """Return the program's own icon."""
    return QIcon(str(resources_dir() / "icons" / "app.svg"))


def glyph_file(name: str, colour_name: str) -> str:
    """Return the path of a coloured copy of a drawing, as a style sheet wants it."""
    folder = _glyph_folder()
    file = folder / f"{name}-{getattr(_tokens, colour_name).lstrip('#')}.svg"
    if not file.exists():
        file.write_text(_svg(name, getattr(_tokens, colour_name)), encoding="utf-8")
    return file.as_posix()


def _choose(app: QApplication, scheme: str) -> Tokens:
    if scheme == "system":
        return DARK if app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return DARK if scheme == "dark" else LIGHT


def _forget() -> None:
    for made in (pixmap, _line, _text_font, _mono_font, _colour, gap):
        made.cache_clear()


@lru_cache(maxsize=1)
def _line() -> int:
    return QFontMetrics(text_font()).height()


@lru_cache(maxsize=8)
def _family(wanted: tuple[str, ...], carried: str) -> str:
    """Return the first face the system has, else the one that matplotlib's font folder carries."""
    have = set(QFontDatabase.families())
    for name in wanted:
        if name in have:
            return name
    spec = importlib.util.find_spec("matplotlib")
    if spec is not None and spec.origin:
        file = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / carried
        number = QFontDatabase.addApplicationFont(str(file))
        if number >= 0:
            return QFontDatabase.applicationFontFamilies(number)[0]
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()


@lru_cache(maxsize=128)
def _drawing(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def _svg(name: str, value: str) -> str:
    return _drawing(name).replace("currentColor", value)


@lru_cache(maxsize=1)
def _glyph_folder() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="kpdd-glyphs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _palette(tokens: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for where, value in (
        (role.Window, tokens.window), (role.WindowText, tokens.text), (role.Base, tokens.surface),
        (role.AlternateBase, tokens.window), (role.Text, tokens.text), (role.Button, tokens.raised),
        (role.ButtonText, tokens.text), (role.BrightText, tokens.wrong), (role.Highlight, tokens.accent),
        (role.HighlightedText, tokens.on_accent), (role.LinkVisited, tokens.accent),
        (role.Link, tokens.accent),
        (role.ToolTipBase, tokens.raised), (role.ToolTipText, tokens.text),
        (role.PlaceholderText, tokens.faint),
        (role.Light, tokens.raised), (role.Midlight, tokens.hover), (role.Mid, tokens.border),
        (role.Dark, tokens.strong_border), (role.Shadow, tokens.strong_border), (role.Accent, tokens.accent),
    ):  # fmt: skip
        palette.setColor(where, QColor(value))
    for where in (role.Text, role.ButtonText, role.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(tokens.faint))
    return palette
