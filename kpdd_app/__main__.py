"""The command `kpdd`: no argument opens the window, a project file opens it there, else a backend command."""

from __future__ import annotations

import sys


def main() -> int:
    """Dispatch; the window's libraries are imported only when the window opens."""
    # a frozen app starts its children as [sys.executable, sub-command]
    import multiprocessing

    multiprocessing.freeze_support()
    arguments = sys.argv[1:]
    if not arguments or arguments[0].endswith(".kpdd") or arguments[0] == "window":
        from kpdd_app.app import run_window

        return run_window(arguments)
    from training_backend.__main__ import main as run_command

    return run_command(arguments)


if __name__ == "__main__":
    sys.exit(main())
