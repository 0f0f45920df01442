"""Measure what the list answers on a large project: cpu time of the calling thread and wall time, in ms.

python tests/benchmarks/measure_listing.py PROJECT.kpdd      (make one with make_large_project.py)
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path

import numpy as np

from training_backend.project.details import row_detail
from training_backend.project.funnel import funnel
from training_backend.project.history import set_review, undo
from training_backend.project.listing import SORTS, Listing, RowFilter
from training_backend.project.store import Project


def timed(title: str, call, times: int = 1):
    """Run `call` and print the median and the largest wall time, and the median cpu time of this thread."""
    walls, cpus, result = [], [], None
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.thread_time()
        result = call()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.thread_time() - cpu) * 1000)
    print(f"{title:<46} wall {np.median(walls):8.1f}  worst {max(walls):8.1f}  cpu {np.median(cpus):8.1f}")
    return result


def main(path: Path) -> None:
    """Print every figure."""
    project = timed("open the project", lambda: Project.open(path))
    listing = Listing(path)
    first = timed("first rows (limit 200), nothing read yet", lambda: listing.page(range(1, 129)))
    assert len(first) == 128
    ids = timed("all ids, nothing read yet", lambda: listing.ids(RowFilter()))
    print(f"{'rows':<46} {len(ids):,}")
    timed("all ids again", lambda: listing.ids(RowFilter()), 5)
    timed("facets of all rows", lambda: listing.facets(RowFilter()), 5)
    wrong = RowFilter({"verdict": frozenset({"not_equal", "raised"}), "review": frozenset({"unreviewed"})})
    timed("ids of a filter of two facets", lambda: listing.ids(wrong), 5)
    timed("facets of that filter", lambda: listing.facets(wrong), 5)
    for sort in SORTS:
        timed(f"sort by {sort}, first time", lambda sort=sort: listing.ids(RowFilter(sort=sort)))
    timed(
        "sort by question, filtered, again", lambda: listing.ids(RowFilter(wrong.facets, sort="question")), 5
    )
    chance = random.Random(0)
    starts = [chance.randrange(len(ids) - 128) for _ in range(300)]
    source = iter(starts)

    def page():
        start = next(source)
        return listing.page(ids[start : start + 128])

    timed("a page of 128 rows anywhere", page, 300)
    for search in ("rob", "robes", "Ina", "tickets_at_start", "417 shells", "how many", "zzzz", "<<"):
        timed(
            f"first 200 hits of '{search}'", lambda s=search: listing.ids(RowFilter(search=s), limit=200), 3
        )
        found = timed(f"all hits of '{search}'", lambda s=search: listing.ids(RowFilter(search=s)))
        timed(
            f"facets of '{search}' ({len(found):,} hits)",
            lambda s=search: listing.facets(RowFilter(search=s)),
        )
    timed("funnel", lambda: funnel(project))
    timed("a row in full", lambda: row_detail(project, 4711), 20)
    timed("accept one row", lambda: set_review(project, [chance.randrange(len(ids))], "accepted"), 20)
    timed("ids after a change", lambda: listing.ids(RowFilter()))
    timed("accept 100,000 rows", lambda: set_review(project, range(1, 100_001), "accepted"))
    timed("undo that", lambda: undo(project))
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    listing.close()
    project.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
