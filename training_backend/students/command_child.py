"""A command of this program in a process of its own: it is told words, what it says comes line by line."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from training_backend.events import Control

# a checkpoint is written at the end
_END_S = 120.0


class CommandChild:
    """A child process, which stops when its input ends."""

    def __init__(
        self,
        arguments: Sequence[str],
        lines: queue.Queue[tuple[CommandChild, str | None]],
        environment: Mapping[str, str] | None = None,
        own_session: bool = False,
    ) -> None:
        """Start it; (child, line) goes into `lines`, after the last line (child, None).

        With `own_session` Ctrl+C does not reach it. Raises OSError where no process can be started.
        """
        command = [sys.executable]
        if not getattr(sys, "frozen", False):
            command += ["-m", "training_backend"]
        self._told = ""
        self.process = subprocess.Popen(
            [*command, *arguments, "--events", "--stop-at-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_safe(os.environ if environment is None else environment),
            text=True,
            encoding="utf-8",
            start_new_session=own_session,
        )
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def obey(self, control: Control) -> None:
        """Pass on what is wanted, once: stop, pause or resume."""
        wanted = "stop" if control.stop_requested else "pause" if control.paused else "resume"
        if wanted != self._told and (self._told or wanted != "resume"):
            # a process that has ended needs nothing
            with contextlib.suppress(OSError, ValueError):
                assert self.process.stdin is not None
                self.process.stdin.write(json.dumps({"command": wanted}) + "\n")
                self.process.stdin.flush()
        self._told = wanted

    def end(self) -> None:
        """End its input, and give it time; after that it is killed."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self, lines: queue.Queue[tuple[CommandChild, str | None]]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.put((self, line))
        lines.put((self, None))


def _safe(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which this program is found, and nothing else in the folder of the start."""
    places = [str(Path(__file__).resolve().parents[2]), environment.get("PYTHONPATH", "")]
    return {
        **environment, "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(filter(None, places)),
    }  # fmt: skip
