"""Small recordings in the published layouts of DUP and Faithful-CoT, with sentences of our own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

QUESTIONS = (
    "Mia has 3 boxes with 4 pens each. How many pens does she have?",
    "A kite costs $5.  Tom buys 2 kites. How much does he pay?",
    "Lea reads 7 pages a day. How many pages does she read in 3 days?",
)
GOLD = ("12", "10", "21")
PROGRAMS = (
    '# 1. How many boxes are there? (independent, support: ["Mia has 3 boxes"])\nboxes = 3\n'
    '# 2. How many pens are in a box? (independent, support: ["4 pens each"])\npens = 4\n'
    "# 3. Final Answer: How many pens does Mia have? (depends on 1, 2, support: [])\nanswer = boxes * pens",
    '# 1. What does a kite cost? (independent, support: ["A kite costs $5"])\nprice = 5\n'
    '# 2. Final Answer: How much does Tom pay? (depends on 1, support: ["Tom buys 2 kites"])\n'
    "answer = math.ceil(price * 2)",
    "# no steps here\nanswer = 7 + 3",
)
CHAINS = (
    "3 * 4 = 12 pens. The answer is 12.",
    "He pays 2 * 5 = 10 dollars. The answer is $10.",
    "She reads 7 * 3 = 21 pages. The answer is 21.",
)


def faithful_cot(root: Path, rows: tuple[int, ...] = (0, 1, 2)) -> None:
    """Write `GSM8K/gpt4_*.jsonl.gz` and `data/GSM8K_test.jsonl` under `root`."""
    (root / "GSM8K").mkdir(parents=True)
    (root / "data").mkdir()
    for prompt, texts in (("NL+SL", PROGRAMS), ("COT", CHAINS)):
        with gzip.open(root / "GSM8K" / f"gpt4_{prompt}.jsonl.gz", "wt", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps({"id": row, "answer": "", "completion": texts[row]}) + "\n")
    lines = (json.dumps({"id": i, "question": QUESTIONS[i], "answer": f"#### {GOLD[i]}"}) for i in rows)
    (root / "data" / "GSM8K_test.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def dup(root: Path) -> None:
    """Write `gsm8k_gpt4/` under `root`; the information of row 2 is no Python string."""
    folder = root / "gsm8k_gpt4"
    folder.mkdir(parents=True)
    columns = {
        "dataset.txt": QUESTIONS,
        "labels.txt": GOLD,
        "core_question_responses.txt": [
            repr(t) for t in ("How many pens does Mia have?", "How much?", "How many pages?")
        ],
        "useful_infomation_responses.txt": [
            repr("1. There are 3 boxes.\n2. A box holds 4 pens."),
            repr("-A kite costs $5.\n-2 kites"),
            "['a list']",
        ],
        "DUP_final_responses.txt": [repr(chain) for chain in CHAINS],
    }  # fmt: skip
    for name, lines in columns.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
