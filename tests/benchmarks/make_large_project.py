"""Make a project with very many rows, to measure with; nothing of it is kept in the repository.

python tests/benchmarks/make_large_project.py OUT.kpdd [ROWS]

What rows are filtered by is spread as in projects that grew: some datasets are large, most rows are
unreviewed and without flags, rounds and corrections are rare. A million rows have some 40,000 combinations
of it, which is more than a real project will have.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from training_backend.project import lines, search
from training_backend.project.flags import FLAGS, mask_of, suspicion_of
from training_backend.project.lines import digest, snippet
from training_backend.project.store import Project

NAMES = (
    "Anna", "Boris", "Chen", "Dalia", "Emeka", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kofi",
    "Lena", "Mika", "Nadia", "Omar", "Pia", "Quin", "Rosa",
)  # fmt: skip
THINGS = (
    "apples", "pencils", "tickets", "bolts", "robes", "shells", "eggs", "coins", "pages", "tiles",
    "loaves", "boxes", "marbles", "stamps",
)  # fmt: skip
VERBS = (
    "buys", "sells", "finds", "loses", "packs", "paints", "bakes", "reads", "carries", "counts",
    "trades", "collects",
)  # fmt: skip
# value and weight; a facet's values are drawn on their own for each question or row
DATASETS = {"gsm8k": 60, "own": 15, "asdiv": 10, "svamp": 8, "multiarith": 5, "gsm-hard": 2}
SPLITS = {"train": 88, "test": 8, "validation": 4}
ROUNDS = {0: 90, 1: 7, 2: 3}
VERDICTS = {"equal": 70, "not_equal": 17, "raised": 6, "not_run": 4, "no_answer": 2, "timed_out": 1}
REVIEWS = {"unreviewed": 80, "accepted": 14, "rejected": 6}
# four rows a question, as one of these ways of asking gives them: (kind, path)
ASKED = {
    (("pot", 0), ("pot", 1), ("pot", 2), ("pot", 3)): 60,
    (("cot", 0), ("pot", 0), ("cot", 1), ("pot", 1)): 25,
    (("cot", 0), ("pot", 0), ("eot", 0), ("eot", 1)): 15,
}
PATHS, CHUNK = 4, 5000
FLAGGED, CHANGED, SUSPICIOUS = 0.01, 0.02, 0.2


def make(path: Path, rows: int, seed: int = 0) -> None:
    """Write a project of `rows` rows: a quarter as many questions, four rows each."""
    chance = random.Random(seed)
    with Project.create(path) as project:
        with project.writing() as connection:
            connection.exec_driver_sql(
                "INSERT INTO origin (teacher, model, source) VALUES ('made up', 'for measuring', '')"
            )
        for start in range(0, rows // PATHS, CHUNK):
            _write_questions(project, chance, start, min(CHUNK, rows // PATHS - start))
        with project.writing() as connection:
            # its flags are written already
            connection.exec_driver_sql("DELETE FROM flag_due")
            lines.trim_touched(connection)
        search.catch_up(project)


def _write_questions(project: Project, chance: random.Random, start: int, count: int) -> None:
    questions, points, rationales, entries, judgements, found = [], [], [], [], [], []
    for number in range(start + 1, start + count + 1):
        asked = question(chance, number)
        questions.append(asked)
        core, information = key_points(chance)
        points.append((number, number, 1, f"{number}", core, information))
        dataset, split, text, gold, value, round_ = *asked[1:3], *asked[4:7], drawn(chance, ROUNDS)
        for place, (kind, path) in enumerate(drawn(chance, ASKED)):
            row_id = (number - 1) * PATHS + place + 1
            program, verdict = program_of(chance), drawn(chance, VERDICTS)
            corrected = program + "  # looked over" if chance.random() < CHANGED else None
            answer = value if verdict == "equal" else value + chance.randint(1, 50)
            known = None if verdict == "not_run" else answer
            flags = flags_of(chance)
            rationales.append((row_id, number, kind, path, 1, program, corrected))
            stands = corrected or program
            judgements.append((row_id, row_id, digest(kind, stands, value), verdict, f"{answer:g}", known))
            found += [(row_id, name, "made up") for name in flags]
            entries.append((
                row_id, number, number, row_id, row_id, dataset, split, kind, path, verdict,
                drawn(chance, REVIEWS), int(chance.random() < FLAGGED), int(corrected is not None),
                snippet(text, "question"), snippet(core, "core_question"), snippet(stands, "rationale"),
                "" if known is None else f"{answer:g}", known, gold, value, round_, mask_of(flags),
                suspicion_of(flags),
            ))  # fmt: skip
    with project.writing() as connection:
        for table, columns, values in (
            ("question", "id, dataset, split, native_id, text, gold_text, gold_value", questions),
            ("key_points", "id, question_id, origin_id, digest, core_question, information", points),
            ("rationale", "id, question_id, kind, path, origin_id, text, corrected_text", rationales),
            ("row", "id, question_id, key_points_id, rationale_id, judgement_id, dataset, split, kind, path,"
             " verdict, review, flagged, changed, question, core_question, rationale, answer_text,"
             " answer_value, gold_text, gold_value, round, flags, suspicion", entries),
            ("judgement", "id, row_id, digest, state, answer_text, value", judgements),
            ("row_flag", "row_id, flag, why", found),
        ):  # fmt: skip
            marks = ", ".join("?" * (columns.count(",") + 1))
            if values:
                connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
    search.catch_up(project)


def drawn(chance: random.Random, weights: dict):
    """Return one key, as often as its weight says."""
    return chance.choices(list(weights), list(weights.values()))[0]


def flags_of(chance: random.Random) -> list[str]:
    """Return the names of a row's flags: most have none, some two or three."""
    if chance.random() > SUSPICIOUS:
        return []
    count = drawn(chance, {1: 75, 2: 20, 3: 5})
    return [flag.name for flag in chance.sample(FLAGS, count)]


def question(chance: random.Random, number: int) -> tuple:
    """Return one line of the table `question`: id, dataset, split, native id, text, gold and its value."""
    name, thing = chance.choice(NAMES), chance.choice(THINGS)
    text = (
        f"{name} {chance.choice(VERBS)} {chance.randint(2, 900)} {thing} in {chance.randint(2, 60)} days. "
        f"{chance.choice(NAMES)} {chance.choice(VERBS)} {chance.randint(2, 90)} more "
        f"{chance.choice(THINGS)}. Each box holds {chance.randint(2, 40)} {thing}. "
        f"How many {thing} does {name} have in the end?"
    )
    dataset, split = drawn(chance, DATASETS), drawn(chance, SPLITS)
    return (number, dataset, split, str(number), text, str(number % 997), float(number % 997))


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
