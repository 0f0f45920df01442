"""Make a project with very many rows, to measure with; nothing of it is kept in the repository.

python tests/benchmarks/make_large_project.py OUT.kpdd [ROWS]
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from training_backend.project import lines, search
from training_backend.project.lines import digest
from training_backend.project.store import Project

NAMES = [
    "Anna",
    "Boris",
    "Chen",
    "Dalia",
    "Emeka",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Mika",
    "Nadia",
    "Omar",
    "Pia",
    "Quin",
    "Rosa",
]
THINGS = [
    "apples",
    "pencils",
    "tickets",
    "bolts",
    "robes",
    "shells",
    "eggs",
    "coins",
    "pages",
    "tiles",
    "loaves",
    "boxes",
    "marbles",
    "stamps",
]
VERBS = [
    "buys",
    "sells",
    "finds",
    "loses",
    "packs",
    "paints",
    "bakes",
    "reads",
    "carries",
    "counts",
    "trades",
    "collects",
]
STATES = (
    ["equal"] * 70 + ["not_equal"] * 15 + ["raised"] * 6 + ["not_run"] * 5 + ["timed_out", "no_answer"] * 2
)
PATHS = 4


def make(path: Path, rows: int, seed: int = 0) -> None:
    """Write a project of `rows` rows: a quarter as many questions, four programs each."""
    chance = random.Random(seed)
    with Project.create(path) as project:
        for start in range(0, rows // PATHS, 5000):
            count = min(5000, rows // PATHS - start)
            with project.writing() as connection:
                run = connection.exec_driver_sql
                if start == 0:
                    run("INSERT INTO origin (teacher, model, source) VALUES ('made up', 'for measuring', '')")
                run(
                    "INSERT INTO question (id, dataset, split, native_id, text, gold_text, gold_value,"
                    " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, '')",
                    [question(chance, start + n + 1) for n in range(count)],
                )
                points, rationales, entries, judgements = [], [], [], []
                for n in range(count):
                    number = start + n + 1
                    points.append((number, number, 1, "d", *key_points(chance)))
                    for p in range(PATHS):
                        row_id = (number - 1) * PATHS + p + 1
                        program = program_of(chance)
                        state = chance.choice(STATES)
                        review = chance.choice(["unreviewed"] * 8 + ["accepted", "rejected"])
                        rationales.append((row_id, number, p, program))
                        judgements.append(
                            (row_id, row_id, digest("pot", program, float(number % 997)), state)
                        )
                        entries.append(
                            (row_id, number, number, row_id, row_id, p, state, review, str(number % 997))
                        )
                run("INSERT INTO key_points (id, question_id, origin_id, digest, core_question, information)"
                    " VALUES (?, ?, ?, ?, ?, ?)", points)  # fmt: skip
                run("INSERT INTO rationale (id, question_id, kind, path, origin_id, text)"
                    " VALUES (?, ?, 'pot', ?, 1, ?)", rationales)  # fmt: skip
                run("INSERT INTO row (id, question_id, key_points_id, rationale_id, judgement_id, dataset,"
                    " split, kind, path, verdict, review, answer_text)"
                    " VALUES (?, ?, ?, ?, ?, 'gsm8k', 'train', 'pot', ?, ?, ?, ?)", entries)  # fmt: skip
                run("INSERT INTO judgement (id, row_id, digest, state) VALUES (?, ?, ?, ?)", judgements)
                lines.refresh(connection, [entry[0] for entry in entries])
        search.catch_up(project)


def question(chance: random.Random, number: int) -> tuple:
    """Return one line of the table `question`."""
    name, thing = chance.choice(NAMES), chance.choice(THINGS)
    text = (
        f"{name} {chance.choice(VERBS)} {chance.randint(2, 900)} {thing} in {chance.randint(2, 60)} days. "
        f"{chance.choice(NAMES)} {chance.choice(VERBS)} {chance.randint(2, 90)} more "
        f"{chance.choice(THINGS)}. Each box holds {chance.randint(2, 40)} {thing}. "
        f"How many {thing} does {name} have in the end?"
    )
    return (number, "gsm8k", "train", str(number), text, str(number % 997), float(number % 997))


def key_points(chance: random.Random) -> tuple[str, str]:
    """Return a core question and its information."""
    thing = chance.choice(THINGS)
    items = [
        f"{chance.choice(NAMES)} {chance.choice(VERBS)} {chance.randint(2, 900)} {thing}" for _ in range(3)
    ]
    return f"How many {thing} does {chance.choice(NAMES)} have in the end?", "\n".join(items)


def program_of(chance: random.Random) -> str:
    """Return a short program."""
    a, b = chance.choice(THINGS), chance.choice(VERBS)
    return (
        f"{a}_at_start = {chance.randint(2, 900)}\n{b}_per_day = {chance.randint(2, 60)}\n"
        f"days = {chance.randint(2, 60)}\nans = {a}_at_start + {b}_per_day * days - {chance.randint(1, 99)}"
    )


if __name__ == "__main__":
    began = time.monotonic()
    target = Path(sys.argv[1])
    make(target, int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
    print(f"{target}: {target.stat().st_size / 2**20:,.0f} MiB in {time.monotonic() - began:.0f} s")
