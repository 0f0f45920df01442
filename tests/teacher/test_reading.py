"""Replies as models give them: every shape gives the same parts, and what cannot be read has one sentence."""

from __future__ import annotations

import json
import time

import pytest

from training_backend.errors import ConfigError
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher.reading import ReadReply, read_reply
from training_backend.teacher.reply_parts import NAMES
from training_backend.teacher.reply_text import MAX_REPLY_CHARS

CORE = "How many pens does Lia have left?"
ITEMS = ("Lia buys 4 packs.", "There are 6 pens in each pack.", "She gives away 5 pens.")
POINTS = KeyPoints(CORE, ITEMS)
DASHED = "\n".join(f"- {item}" for item in ITEMS)
NUMBERED = [f"{number}. {item}" for number, item in enumerate(ITEMS, 1)]
AS_JSON = json.dumps({"core_question": CORE, "information": ITEMS})
LABELLED = f"Core question: {CORE}\nInformation:\n{DASHED}"
PROGRAM = "pens = 4 * 6\n# Information: five are given away\nans = pens - 5"
CHAIN = "Lia has 4 * 6 = 24 pens. Then 24 - 5 = 19 pens are left. The answer is 19."
EQUATIONS = "pens = 4 * 6\nleft = pens - 5\nans = left"

KEY_POINTS = {
    "labels": LABELLED,
    "windows line ends": LABELLED.replace("\n", "\r\n"),
    "wrong order": f"Information:\n{DASHED}\n\nCore question: {CORE}",
    "numbered": f"Core question: {CORE}\nInformation:\n" + "\n".join(NUMBERED),
    "one line": f"Core question: {CORE} Information: " + " ".join(NUMBERED),
    "bold": f"**Core question:** {CORE}\n\n**Problem-solving information:**\n\n{DASHED}",
    "bold around all": f"**Core question: {CORE}**\n**Information:**\n- **" + "**\n- **".join(ITEMS) + "**",
    "headings": f"## Core Question\n\n{CORE}\n\n## Information\n\n* " + "\n\n* ".join(ITEMS),
    "bulleted labels": f"- Core question: {CORE}\n- Information:\n  - " + "\n  - ".join(ITEMS),
    "chatter": f"Sure! Here are the key points:\n\n{LABELLED}\n\nLet me know if you need anything else!",
    "fence": f"```\n{LABELLED}\n```",
    "thinking": f"<think>\nCore question: is it this?\n</think>\n\n{LABELLED}",
    "end of thinking": f"The user wants {{\n</think>{LABELLED}",
    "channels": "<|channel|>analysis<|message|>Core question: ?<|end|><|start|>assistant<|channel|>final"
                f"<|message|>{LABELLED}<|return|>",
    "the question told first": f"Question: Lia buys 4 packs.\n\n{LABELLED}",
    "written on": f"{LABELLED}\n\nQuestion: Bo has 3 cups.\nCore question: How many?\nInformation:\n- 3.",
    "an answer too": f"{LABELLED}\n\nAnswer: 19",
    "list as JSON": f"Core question: {CORE}\nInformation: {json.dumps(ITEMS)}",
    "introduced": f"Core question: The core question is: {CORE}\nInformation:\nThese are given:\n{DASHED}",
    "quoted": f'Core question: "{CORE}"\nInformation:\n{DASHED}',
    "JSON": AS_JSON,
    "JSON of other names": json.dumps({"Core Question": CORE, "Useful information": DASHED}),
    "JSON inside JSON": json.dumps([{"core_question": CORE, "information": [{"a": i} for i in ITEMS]}]),
    "JSON in a fence": f"Here it is:\n```json\n{AS_JSON}\n```\nDone.",
    "JSON after its schema": f'Schema: {{"type": "object"}}\n{AS_JSON}',
}  # fmt: skip

RATIONALES = {
    ("pot", PROGRAM): {
        "bare": PROGRAM,
        "label": f"Program:\n{PROGRAM}",
        "fence": f"```python\n{PROGRAM}\n```",
        "chatter": "Sure, here is a program:\n\n```python\n" + PROGRAM + "\n```\n\nIt counts the pens.\n\n"
                   "Output:\n```\n19\n```",
        "bare chatter": f"Here is the program.\n\n{PROGRAM}\n\nThis gives the pens that are left.",
        "JSON": json.dumps({"program": PROGRAM}),
        "JSON of lines": json.dumps({"program": PROGRAM.split("\n")}),
        "pieces": "First:\n```python\npens = 4 * 6\n# Information: five are given away\n```\nThen:\n"
                  "```python\nans = pens - 5\n```",
        "corrected": "```python\nans = 4 * 6\n```\nWait, that is wrong.\n```python\n" + PROGRAM + "\n```",
        "written on": f"{PROGRAM}\n\nQuestion: Bo has 3 cups.\n\nProgram:\nans = 3",
    },
    ("cot", CHAIN): {
        "bare": CHAIN,
        "label": f"Chain of thought: {CHAIN}",
        "bold": CHAIN.replace("The answer is 19.", "**The answer is 19.**"),
        "chatter": f"Certainly! Here is the solution:\n\n{CHAIN}\n\nI hope this helps!",
        "fence": f"```text\n{CHAIN}\n```",
        "JSON": json.dumps({"chain_of_thought": CHAIN, "answer": 19}),
        "written on": f"{CHAIN}\n\nQuestion: Bo has 3 cups.\nChain of thought: The answer is 3.",
    },
    ("eot", EQUATIONS): {
        "bare": EQUATIONS,
        "label": f"Equations:\n{EQUATIONS}",
        "fence": f"Let us set up the equations.\n\n```\n{EQUATIONS}\n```\n\nThe answer is 19.",
        "chatter": f"Let p be the number of pens = ?\n\n{EQUATIONS}\n\nSo 19 pens are left.",
        "bullets": "\n".join(f"- {line}" for line in EQUATIONS.split("\n")),
        "numbers": "\n".join(f"{n}. {line}" for n, line in enumerate(EQUATIONS.split("\n"), 1)),
        "ticks": "\n".join(f"`{line}`" for line in EQUATIONS.split("\n")),
        "JSON": json.dumps({"equations": EQUATIONS}),
        "written on": f"{EQUATIONS}\n\nQuestion: Bo has 3 cups.\n\nEquations:\nans = 3",
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", KEY_POINTS)
def test_key_points_in_every_shape(shape):
    assert read_reply("key_points", "", KEY_POINTS[shape]) == ReadReply(key_points=POINTS)


@pytest.mark.parametrize(
    ("kind", "written", "reply"),
    [
        pytest.param(kind, written, reply, id=f"{kind} {shape}")
        for (kind, written), shapes in RATIONALES.items()
        for shape, reply in shapes.items()
    ],
)
def test_rationales_in_every_shape(kind, written, reply):
    assert read_reply(kind, "", reply) == ReadReply(rationale=written)


@pytest.mark.parametrize("points", ["labels", "wrong order", "bold", "headings"])
@pytest.mark.parametrize(
    ("kind", "label"), [("cot", "Chain of thought"), ("pot", "Program"), ("eot", "Equations")]
)
def test_one_call_gives_both(points, kind, label):
    written = {"cot": CHAIN, "pot": PROGRAM, "eot": EQUATIONS}[kind]
    after = read_reply("one_call", kind, f"{KEY_POINTS[points]}\n\n{label}:\n{written}")
    fenced = read_reply("one_call", kind, f"{KEY_POINTS[points]}\n\n**{label}**\n```\n{written}\n```")
    assert after == fenced == ReadReply(key_points=POINTS, rationale=written)
    part = {"cot": "chain_of_thought", "pot": "program", "eot": "equations"}[kind]
    text = json.dumps({"core_question": CORE, "information": ITEMS, part: written})
    assert read_reply("one_call", kind, text) == after


@pytest.mark.parametrize("name", ["harder_question", "alike_question"])
@pytest.mark.parametrize(
    "shape",
    ["{}", "New question: {}", "**New question:**\n\n{}", '"{}"', "Sure! Here is a new question:\n\n{}",
     "New question: {}\n\nAnswer: 12", "Question: {}\nSolution: 3 * 4 = 12.", "```\n{}\n```",
     "New question: {}\n\nLet me know if you want another one."],
)  # fmt: skip
def test_new_questions(name, shape):
    asked = "A box has 3 rows of 4 eggs. How many eggs are in the box?"
    assert read_reply(name, "", shape.format(asked)) == ReadReply(question=asked)
    lines = "A box has 3 rows of 4 eggs.\n\nHow many eggs are in the box?"
    assert read_reply(name, "", json.dumps({"question": lines})).question == asked


@pytest.mark.parametrize(
    ("name", "reply", "problem"),
    [
        ("key_points", "", "The reply is empty."),
        ("key_points", " \n\t\ufeff\n", "The reply is empty."),
        ("key_points", "<think>So the question", "The reply ends inside its thinking: it was cut off."),
        ("key_points", "<think>So</think>", "The reply is empty."),
        ("key_points", f"Information:\n{DASHED}", "The reply holds no core question."),
        ("key_points", f"Core question:\nInformation:\n{DASHED}", "The reply holds no core question."),
        ("key_points", f"Core question: {CORE}", "The reply holds no information."),
        ("key_points", f"Core question: {CORE}\nInformation: none", "The reply holds no information."),
        ("key_points", "Lia has pens.", "The reply holds no core question and no information."),
        ("key_points", '{"core_question": "How', "The reply is JSON that is not well formed or was cut off."),
        ("key_points", '{"core_question": "", "information": []}',
         "The reply holds no core question and no information."),
        ("key_points", "I'm sorry, but I can't help with that.",
         "The teacher refused: “I'm sorry, but I can't help with that.”"),
        ("cot", "I cannot solve this.", "The teacher refused: “I cannot solve this.”"),
        ("cot", "There are some pens left.", "The chain of thought states no number."),
        ("pot", "pens = 4 * 6\nprint(pens - 5)",
         "The program stores no answer (ans, answer, result or solution())."),
        ("pot", "def solution(packs):\n    return packs * 6",
         "The program stores no answer (ans, answer, result or solution())."),
        ("pot", "```python\n```", "The reply holds no program."),
        ("pot", "pens = 4 6\nans = pens", "The program is no Python: invalid syntax (line 1)."),
        ("eot", "pens = 4 * 6\nleft = pens - 5", "No equation says what ans is."),
        ("eot", "pens = 4 packs\nans = pens",
         "The equations cannot be read: an operator is missing before 'packs' (line 1, column 10)."),
        ("eot", "Nineteen", "The equations cannot be read: this line is no equation: it has no '=' "
         "(line 1, column 9)."),
        ("alike_question", "New question:", "The reply holds no new question."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_a_sentence(name, reply, problem):
    assert read_reply(name, "", reply) == ReadReply(problem=problem)


def test_a_part_that_can_be_read_is_there_in_spite_of_the_other():
    no_answer = read_reply("one_call", "pot", f"{KEY_POINTS['labels']}\nProgram:\nprint(19)")
    assert (no_answer.key_points, no_answer.rationale) == (POINTS, None)
    assert no_answer.problem.startswith("The program stores no answer")
    no_core = read_reply("one_call", "pot", f"Information:\n{DASHED}\nProgram:\n{PROGRAM}")
    assert (no_core.key_points, no_core.rationale) == (None, PROGRAM)
    assert no_core.problem == "The reply holds no core question."


def test_words_of_a_refusal_in_a_good_reply_are_none():
    chain = f"I can't know the colors, but I do not need them. {CHAIN}"
    assert read_reply("cot", "", chain) == ReadReply(rationale=chain)


def test_an_item_that_names_a_part_stays_an_item():
    items = ["Lia buys 4 packs.", "The core question is: what is left?", "She gives away 5 pens."]
    reply = f"Core question: {CORE}\nInformation:\n" + "\n".join(f"- {item}" for item in items)
    assert read_reply("key_points", "", reply).key_points.information == tuple(items)


def test_a_reply_of_two_megabytes_is_told_and_not_read():
    read = read_reply("cot", "", "The answer is 5. " * 123_362)
    assert read == ReadReply(
        problem="The reply has 2,097,153 characters, far more than an answer, and was not read."
    )
    # but what a teacher thought before it answered may be long
    assert read_reply("cot", "", f"<think>{'hm ' * 700_000}</think>{CHAIN}") == ReadReply(rationale=CHAIN)


@pytest.mark.parametrize(
    "piece",
    ["*", "\n", "- ", "```\n", "Information:\n", " ", "<think>", "(", "1. ", '{"', "x = 1\n", "for a b\n",
     "Sure:\n", "a:\n", "answer is ", "2**"],
)  # fmt: skip
def test_any_text_is_read_in_a_time_that_grows_with_its_length(piece):
    took = []
    for length in (MAX_REPLY_CHARS // 5, MAX_REPLY_CHARS):
        text = (piece * length)[:length]
        began = time.process_time()
        for name in NAMES:
            assert isinstance(read_reply(name, "pot", text), ReadReply)
        took.append(time.process_time() - began)
    # five times the text: linear is 5, square 25; a floor for what is too quick to compare
    assert took[1] < 12 * max(took[0], 0.1)


def test_unknown_prompts_and_kinds():
    with pytest.raises(ConfigError):
        read_reply("one_call", "", "text")
    with pytest.raises(ConfigError):
        read_reply("essay", "cot", "text")
