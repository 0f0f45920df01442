"""Add a thousand rows a second to a project for some seconds, as a run that asks a teacher does.

python tests/benchmarks/write_rows.py PROJECT.kpdd SECONDS

Prints, after each transaction, how many rows were written and the processor time it took so far.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from training_backend.project.replies import Origin, Reply, add_origin, add_replies
from training_backend.project.store import Project
from training_backend.rationale.key_points import KeyPoints

RATE, GROUP = 1000, 250


def main(path: Path, seconds: float) -> None:
    """Write groups of rows at their time."""
    with Project.open(path) as project:
        origin = add_origin(project, Origin("writer", f"run of {time.time():.0f}", "for measuring"))
        with project.reading() as connection:
            last = connection.execute("SELECT max(id) FROM question").fetchone()[0]
        start, spent = time.monotonic(), time.process_time()
        for number in range(int(seconds * RATE / GROUP)):
            time.sleep(max(0.0, start + number * GROUP / RATE - time.monotonic()))
            places = range(number * GROUP, (number + 1) * GROUP)
            points = KeyPoints("How many are left?", ("There are 7.",))
            add_replies(project, [
                Reply(place % last + 1, "pot", place // last, points, f"a = {place}\nans = a + 1",
                      {"pot": "as it came"}, "", origin, origin)
                for place in places
            ])  # fmt: skip
            print((number + 1) * GROUP, time.process_time() - spent, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
