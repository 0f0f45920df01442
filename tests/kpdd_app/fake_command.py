"""A small command that speaks the events protocol in the ways the tests ask for (run as a script)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from training_backend.events import Control, Ended, Failed, Log, Progress, Reporter, Result, Started


def main() -> int:
    how = sys.argv[1]
    reporter = Reporter(events=True)
    control = Control(read_stdin=True, stop_at_eof="--stop-at-eof" in sys.argv)
    if how == "silent":
        sys.stderr.write("first line\nValueError: nothing to say\n")
        return 3
    reporter.emit(Started(command=how, pid=os.getpid()))
    if how == "burst":
        for n in range(int(sys.argv[2])):
            reporter.progress("burst", n + 1, int(sys.argv[2]))
    elif how == "noise":
        print("this is no JSON")
        print('{"event": "from the future", "x": 1}')
        print('{"half": ', flush=True)
    elif how == "wait":
        return wait(reporter, control)
    elif how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(0.05)
    elif how == "grandchild":
        other = subprocess.Popen(["sleep", "60"])
        reporter.emit(Log(text=str(other.pid)))
    elif how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "fails":
        reporter.emit(Failed(message="The disk is full.", hint="Free some space.", where="/there"))
        reporter.emit(Ended(status="failed"))
        return 1
    elif how == "run":
        return run(reporter, control, sys.argv[2])
    reporter.emit(Result(data={"how": how}))
    reporter.emit(Ended(status="done"))
    return 0


def wait(reporter: Reporter, control: Control) -> int:
    """Count until told to stop."""
    n = 0
    while not control.stop_requested:
        control.wait_while_paused()
        n += 1
        reporter.emit(Progress(stage="wait", done=n))
        time.sleep(0.02)
    reporter.emit(Ended(status="stopped"))
    return 1


def run(reporter: Reporter, control: Control, folder: str) -> int:
    """Behave as a training run: events in its folder, stopped through its control file too."""
    from pathlib import Path

    run_folder = Path(folder)
    run_folder.mkdir(parents=True, exist_ok=True)
    control.attach(run_folder)
    reporter.attach(run_folder)
    reporter.emit(Started(command="run", pid=os.getpid(), run_folder=folder))
    return wait(reporter, control)


if __name__ == "__main__":
    sys.exit(main())
