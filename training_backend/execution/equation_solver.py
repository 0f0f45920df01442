"""Solve a system of equations with SymPy, inside the sandbox's child only."""

from __future__ import annotations

from typing import Any


def warm_up() -> None:
    """Bring in what SymPy loads on first use."""


def run_equations(text: str, recorder: Any) -> dict[str, Any]:
    """Return the end frame's content for the equations of `text`."""
    return {"status": "no_answer", "reason": "equations are not solved yet"}
