"""Measure `kpdd flags` on a large project: beside one pass over all texts, and what an edit waits meanwhile.

python tests/benchmarks/measure_flagging.py [ROWS]

One question in 25 stands in a test set, and nearly every row gets a flag: the numbers in the generated key
points are drawn at random. Real projects write far less.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from make_large_project import make

from training_backend.project.flagging import Flagging, due_count, mark_all
from training_backend.project.history import set_flagged
from training_backend.project.store import Project

TEST_ONE_IN = 25


def main(rows: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.kpdd"
        make(path, rows)
        with Project.open(path) as project:
            with project.writing() as connection:
                for table, column in (("question", "id"), ("row", "question_id")):
                    connection.exec_driver_sql(
                        f"UPDATE {table} SET split = 'test' WHERE {column} % {TEST_ONE_IN} = 0"
                    )
            reading = cpu(lambda: read_all(project))
            for name in ("first run, flags are written", "again, nothing has changed"):
                mark_all(project)
                took, work = time.perf_counter(), cpu(Flagging(project).run)
                took = time.perf_counter() - took
                print(
                    f"{name}: {rows / work:,.0f} rows a second of processor time, {rows / took:,.0f} by the "
                    f"clock; {work / reading:.1f} times one pass over all texts ({reading:.2f} s)"
                )
            assert due_count(project) == 0
            alone = edits(path, 200, lambda: False)
            forget(project)
            command = [sys.executable, "-m", "training_backend", "flags", str(path), "--quiet"]
            worker = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            beside = edits(path, 4000, lambda: worker.poll() is not None)
            worker.wait()
            for name, times in (("alone", alone), ("beside flags", beside)):
                times.sort()
                p99 = times[int(len(times) * 0.99) - 1]
                print(
                    f"an edit {name}: median {statistics.median(times) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f}, "
                    f"longest {times[-1] * 1e3:.1f} ({len(times)} edits)"
                )


def forget(project: Project) -> None:
    """Take all flags away, so that they are all written again."""
    with project.writing() as connection:
        connection.exec_driver_sql("DELETE FROM row_flag")
        connection.exec_driver_sql("UPDATE row SET flags = 0, suspicion = 0")
    mark_all(project)


def read_all(project: Project) -> None:
    """Read every text once."""
    with project.reading() as connection:
        for _ in connection.execute("SELECT * FROM row_text"):
            pass


def cpu(task) -> float:
    """Return the processor time of a task in seconds."""
    began = time.process_time()
    task()
    return time.process_time() - began


def edits(path: Path, most: int, ended: Callable[[], bool]) -> list[float]:
    """Return how long each of up to `most` edits of another connection took, one every 25 ms."""
    times = []
    with Project.open(path) as project:
        for number in range(most):
            time.sleep(0.025)
            if ended():
                break
            began = time.perf_counter()
            set_flagged(project, [number + 1], True)
            times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
