"""The style sheet that Fusion is dressed in, written from the colours and distances of the theme.

Widgets choose a dress by properties: `kind` of a button is `primary`, `quiet` or `link`; `role` of a label is
`title`, `heading`, `muted`, `caption`, `mono`; `panel` of a frame is `surface`, `raised` or `notice`, of a
splitter `apart` (a gap between frames, no line).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def stylesheet(t: Any, gap: Callable[[float], int], line: int, glyph: Callable[[str, str], str]) -> str:
    """Return the sheet for the tokens `t`; `glyph(name, colour name)` gives the file of a small drawing."""
    return "".join(
        (_text(t, gap, line), _buttons(t, gap), _fields(t, gap, line, glyph), _frames(t, gap, line))
    )


def _text(t: Any, gap: Callable[[float], int], line: int) -> str:
    px = line
    return f"""
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_border};
  padding: {gap(1)}px {gap(1.5)}px; }}
QLabel[role="title"] {{ font-size: {round(px * 1.25)}px; font-weight: 600; }}
QLabel[role="heading"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {t.muted}; }}
QLabel[role="caption"] {{ color: {t.muted}; font-size: {round(px * 0.72)}px; }}
QLabel[role="changed"] {{ color: {t.changed}; }}
QLabel[role="wrong"] {{ color: {t.wrong}; }}
QLabel[role="equal"] {{ color: {t.equal}; }}
QLabel[role="unjudged"] {{ color: {t.unjudged}; }}
"""


def _buttons(t: Any, gap: Callable[[float], int]) -> str:
    pad = f"padding: {gap(1.1)}px {gap(3)}px"
    return f"""
QPushButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_border};
  border-radius: 5px; {pad}; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.border}; }}
QPushButton:focus {{ border-color: {t.accent}; }}
QPushButton:disabled {{ color: {t.faint}; border-color: {t.border}; background: {t.window}; }}
QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
  font-weight: 600; }}
QPushButton[kind="primary"]:hover {{ background: {t.accent}; border-color: {t.text}; }}
QPushButton[kind="primary"]:focus {{ border-color: {t.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {t.border}; color: {t.faint}; border-color: {t.border}; }}
QPushButton[kind="quiet"], QToolButton {{ background: transparent; border: 1px solid transparent;
  border-radius: 5px; padding: {gap(0.8)}px {gap(1.6)}px; }}
QPushButton[kind="quiet"]:hover, QToolButton:hover {{ background: {t.hover}; }}
QPushButton[kind="quiet"]:focus, QToolButton:focus {{ border-color: {t.accent}; }}
QPushButton[kind="quiet"]:checked, QToolButton:checked {{ background: {t.accent_tint}; color: {t.accent}; }}
QPushButton[kind="link"] {{ background: transparent; border: 1px solid transparent; color: {t.accent};
  padding: 1px {gap(1)}px; text-align: left; }}
QPushButton[kind="link"]:hover {{ text-decoration: underline; }}
QPushButton[kind="link"]:focus {{ border-color: {t.accent}; }}
QPushButton[kind="link"]:disabled {{ color: {t.faint}; }}
QToolButton:disabled {{ color: {t.faint}; }}
QToolButton::menu-indicator {{ image: none; }}
"""


def _fields(t: Any, gap: Callable[[float], int], line: int, glyph: Callable[[str, str], str]) -> str:
    box = round(line * 0.82)
    return f"""
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDoubleSpinBox {{ background: {t.surface};
  color: {t.text}; border: 1px solid {t.border}; border-radius: 5px;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox {{ padding: {gap(0.9)}px {gap(1.6)}px; min-height: {line}px; }}
QComboBox {{ padding-left: {gap(1.6) + 2}px; }}
QSpinBox, QDoubleSpinBox {{ padding-left: {gap(1.6) + 3}px; }}
QLineEdit:hover, QComboBox:hover, QSpinBox:hover, QDoubleSpinBox:hover {{ border-color: {t.strong_border}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QSpinBox:focus,
  QDoubleSpinBox:focus {{ border-color: {t.accent}; }}
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{ color: {t.faint};
  background: {t.window}; }}
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"], QComboBox[wrong="true"], QSpinBox[wrong="true"],
  QDoubleSpinBox[wrong="true"] {{ border-color: {t.wrong}; }}
QPlainTextEdit:read-only, QTextEdit:read-only {{ background: {t.window}; }}
QComboBox::drop-down {{ border: none; width: {line + gap(1)}px; }}
QComboBox::down-arrow {{ image: url({glyph("chevron-down", "muted")}); width: {box}px; height: {box}px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_border};
  padding: {gap(0.5)}px; outline: none; selection-background-color: {t.accent_tint};
  selection-color: {t.text}; }}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{
  border: none; background: transparent; width: {line}px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({glyph("chevron-up", "muted")});
  width: {round(box * 0.8)}px; height: {round(box * 0.8)}px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({glyph("chevron-down", "muted")});
  width: {round(box * 0.8)}px; height: {round(box * 0.8)}px; }}
QCheckBox, QRadioButton {{ spacing: {gap(1.6)}px; }}
QCheckBox::indicator, QRadioButton::indicator, QListView::indicator, QTreeView::indicator,
  QTableView::indicator {{ width: {box}px; height: {box}px; background: {t.surface};
  border: 1px solid {t.strong_border}; }}
QCheckBox::indicator, QListView::indicator, QTreeView::indicator, QTableView::indicator {{
  border-radius: 3px; }}
QRadioButton::indicator {{ border-radius: {box // 2 + 1}px; }}
QCheckBox::indicator:focus, QCheckBox::indicator:hover, QRadioButton::indicator:hover {{
  border-color: {t.accent}; }}
QCheckBox:focus, QRadioButton:focus {{ color: {t.accent}; }}
QCheckBox::indicator:checked, QListView::indicator:checked, QTreeView::indicator:checked,
  QTableView::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
  image: url({glyph("check", "on_accent")}); }}
QRadioButton::indicator:checked {{ border-color: {t.accent}; image: url({glyph("dot", "accent")}); }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ background: {t.window};
  border-color: {t.border}; }}
QCheckBox::indicator:checked:disabled {{ image: url({glyph("check", "faint")}); }}
"""


def _frames(t: Any, gap: Callable[[float], int], line: int) -> str:
    bar = max(9, round(line * 0.6))
    return f"""
QFrame[panel="surface"] {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 7px; }}
QFrame[panel="raised"] {{ background: {t.raised}; border: 1px solid {t.strong_border}; border-radius: 8px; }}
QFrame[panel="notice"] {{ background: {t.unjudged_tint}; border: none; border-radius: 5px; }}
QFrame[panel="line"] {{ background: {t.border}; border: none; }}
QStatusBar {{ background: {t.window}; border-top: 1px solid {t.border}; }}
QStatusBar::item {{ border: none; }}
QSplitter::handle {{ background: {t.border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QSplitter::handle:hover {{ background: {t.accent}; }}
QSplitter[panel="apart"]::handle {{ background: transparent; }}
QSplitter[panel="apart"]::handle:horizontal {{ width: {gap(2)}px; }}
QSplitter[panel="apart"]::handle:vertical {{ height: {gap(2)}px; }}
QSplitter[panel="apart"]::handle:hover {{ background: {t.hover}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: {bar + 2}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {bar + 2}px; margin: 0; }}
QScrollBar::handle {{ background: {t.strong_border}; border-radius: {bar // 2 - 1}px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: {line * 2}px; }}
QScrollBar::handle:horizontal {{ min-width: {line * 2}px; }}
QScrollBar::handle:hover {{ background: {t.faint}; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {t.border}; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {t.muted}; padding: {gap(1.2)}px {gap(2)}px;
  border: none; border-bottom: 2px solid transparent; margin-right: {gap(1)}px; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; }}
QTabBar::tab:focus {{ color: {t.accent}; }}
QProgressBar {{ background: {t.border}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px;
  color: transparent; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_border}; padding: {gap(1)}px; }}
QMenu::item {{ padding: {gap(1.1)}px {gap(5)}px {gap(1.1)}px {gap(3)}px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.accent_tint}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: {gap(1)}px {gap(1)}px; }}
QHeaderView {{ background: {t.window}; border: none; }}
QHeaderView::section {{ background: {t.window}; color: {t.muted}; border: none;
  border-bottom: 1px solid {t.border}; border-right: 1px solid {t.border};
  padding: {gap(1)}px {gap(1.6)}px; }}
QTableView, QListView, QTreeView {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 5px;
  gridline-color: {t.border}; outline: none; selection-background-color: {t.accent_tint};
  selection-color: {t.text}; alternate-background-color: {t.window}; }}
QTableView:focus, QListView:focus, QTreeView:focus {{ border-color: {t.accent}; }}
QListView::item, QTreeView::item {{ padding: {gap(0.8)}px {gap(1)}px; }}
QListView::item:selected, QTreeView::item:selected {{ background: {t.accent_tint}; color: {t.text}; }}
QGroupBox {{ border: none; margin-top: {line + gap(2)}px; font-weight: 600; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.border}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: {bar + 3}px; height: {bar + 3}px; margin: -{(bar - 1) // 2}px 0;
  border-radius: {(bar + 3) // 2}px; background: {t.raised}; border: 1px solid {t.strong_border}; }}
QSlider::handle:horizontal:focus {{ border-color: {t.accent}; }}
"""
