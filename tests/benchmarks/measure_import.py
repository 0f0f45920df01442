"""Measure importing a large JSONL file beside sqlite-utils: rows per second of processor time, memory.

python tests/benchmarks/measure_import.py [LINES]      (a million if not given; the file is made and removed)

Each import is a process of its own. sqlite-utils stores the same lines in one table with the same unique key,
once as it is and once with a full-text index of the question, which a project has too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

_AFTER = """
import resource
own = resource.getrusage(resource.RUSAGE_SELF)
print(own.ru_utime + own.ru_stime, own.ru_maxrss // 1024, file=sys.__stdout__)
"""
_OURS = """
import sys
from training_backend.project.importers import import_file
from training_backend.project.store import Project
with Project.create(sys.argv[2]) as project:
    assert import_file(project, sys.argv[1], keep_good={keep}).added == int(sys.argv[3])
"""
_THEIRS = """
import json, sys
from sqlite_utils import Database
database = Database(sys.argv[2])
with open(sys.argv[1], encoding="utf-8") as lines:
    records = ({"native_id": n, **json.loads(line)} for n, line in enumerate(lines))
    database["question"].insert_all(records, pk="native_id", batch_size=1000)
if {index}:
    database["question"].enable_fts(["question"])
assert database["question"].count == int(sys.argv[3])
"""
VARIANTS = {
    "kpdd, checked first": _OURS.replace("{keep}", "False"),
    "kpdd, --keep-good": _OURS.replace("{keep}", "True"),
    "sqlite-utils": _THEIRS.replace("{index}", "False"),
    "sqlite-utils with full text": _THEIRS.replace("{index}", "True"),
}


def main(count: int) -> None:
    """Print a line per variant and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large train.jsonl"
        with file.open("w", encoding="utf-8") as out:
            for n in range(count):
                question = f"Ina has {n} jars and buys {n % 97} more of {n % 13} kinds. How many has she now?"
                out.write(
                    json.dumps({"question": question, "answer": f"{n} + {n % 97} #### {n + n % 97}"}) + "\n"
                )
        cpu = {}
        for name, script in VARIANTS.items():
            target = Path(folder) / f"{len(cpu)}.kpdd"
            told = subprocess.run([sys.executable, "-c", script + _AFTER, str(file), str(target), str(count)],
                                  capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
            cpu[name] = float(told[0])
            rate = f"{count / cpu[name]:>9,.0f} rows/s of cpu"
            print(f"{name:<28} {rate}  {cpu[name]:6.1f} s  {told[1]:>5} MiB", flush=True)
            target.unlink()
        for other in ("sqlite-utils", "sqlite-utils with full text"):
            print(f"checked first / {other}: {cpu['kpdd, checked first'] / cpu[other]:.2f} of the cpu time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
