"""Recorded texts of real teachers come out of every shape in which models reply as they were put in."""

from __future__ import annotations

import ast
import gzip
import json
import re

import pytest

from training_backend.rationale.answers import read_answer
from training_backend.rationale.key_points import KeyPoints, split_items
from training_backend.teacher.found_rationale import find_program
from training_backend.teacher.reading import read_reply

CHATTER = "Sure! Here it is:\n\n{}\n\nLet me know if you need anything else!"
NEXT = "\n\nQuestion: Ann has 3 apples. How many?\n\n"
POINTS = {
    "labels": lambda core, items: f"Core question: {core}\nInformation:\n- " + "\n- ".join(items),
    "bold": lambda core, items: CHATTER.format(
        f"**Core question:** {core}\n\n**Information:**\n\n* " + "\n* ".join(items)),
    "headings": lambda core, items: f"## Core Question\n{core}\n\n## Information\n- " + "\n\n- ".join(items),
    "JSON": lambda core, items: json.dumps({"core_question": core, "information": items}),
    "written on": lambda core, items: f"Core question: {core}\r\nInformation:\r\n- " + "\r\n- ".join(items)
    + NEXT + "Core question: How many apples?\nInformation:\n- Ann has 3 apples.",
}  # fmt: skip
PROGRAMS = {
    "bare": "{}",
    "label": "Program:\n{}",
    "fence": "<think>\n```python\nans = 1\n```\n</think>\n```python\n{}\n```\nOutput:\n```\n42\n```",
    "chatter": CHATTER,
    "heading": "### Program\n\n```py\n{}\n```\n### Explanation\n1. x = 3",
    "written on": "{}" + NEXT + "Program:\nans = 3",
}
CHAINS = {
    "label": "Chain of thought: {}",
    "heading": "## Solution\n\n{}",
    "chatter": CHATTER,
    "written on": "Chain of thought: {}" + NEXT + "Chain of thought: The answer is 3.",
}


def recorded(path, key="completion"):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)[key] for line in lines]


def literals(path):
    return [ast.literal_eval(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize("shape", POINTS)
@pytest.mark.parametrize("model", ["gpt4", "gpt3.5"])
def test_recorded_key_points(shared_data, shape, model):
    folders = [
        shared_data / "restricted" / "dup" / f"{name}_{model}" for name in ("gsm8k", "svamp", "multiarith")
    ]
    tried, differing = 0, []
    for folder in folders:
        cores = literals(folder / "core_question_responses.txt")
        lists = literals(folder / "useful_infomation_responses.txt")
        for core, listed in zip(cores, lists, strict=True):
            items = tuple(" ".join(item.split()) for item in split_items(listed))
            core = re.sub(r"^The core question is:\s*", "", " ".join(core.split()))
            read = read_reply("key_points", "", POINTS[shape](core, items))
            tried += 1
            if read.problem or read.key_points != KeyPoints(core, items):
                differing.append((core, items, read))
    assert differing == []
    assert tried == 2919


@pytest.mark.slow
@pytest.mark.parametrize("shape", PROGRAMS)
@pytest.mark.parametrize("name", ["gpt4_NL+SL", "gpt4_noNL", "gpt-3.5-turbo_NL+SL", "code002_NL+SL"])
def test_recorded_programs(shared_data, shape, name):
    texts = recorded(shared_data / "teacher" / "faithful_cot" / "GSM8K" / f"{name}.jsonl.gz")
    usable = [text.strip("\n").rstrip() for text in texts if not find_program(text)[1]]
    assert len(texts) == 1319
    assert len(usable) >= 1300
    for text in usable:
        assert read_reply("pot", "", PROGRAMS[shape].replace("{}", text)).rationale == text


@pytest.mark.slow
@pytest.mark.parametrize("shape", CHAINS)
@pytest.mark.parametrize("name", ["gpt4_COT", "gpt4_LtM", "gpt-3.5-turbo_COT"])
def test_recorded_chains(shared_data, shape, name):
    texts = recorded(shared_data / "teacher" / "faithful_cot" / "GSM8K" / f"{name}.jsonl.gz")
    usable = [text for text in texts if read_answer(text)]
    assert len(usable) >= 1310
    for text in usable:
        read = read_reply("cot", "", CHAINS[shape].replace("{}", text))
        assert read.problem == ""
        assert read.rationale.split() == text.split()
