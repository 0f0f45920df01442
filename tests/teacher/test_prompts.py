"""Prompts: what is sent, what is never sent, and that a version names all of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from training_backend.errors import ConfigError
from training_backend.teacher.prompts import (
    MOST_DEMONSTRATIONS,
    NAMES,
    VARIABLES,
    Prompt,
    built_in,
    from_data,
    messages,
    to_data,
)
from training_backend.teacher.reading import read_reply

QUESTION = "Ada has 3 jars with 8 coins each. How many coins has Ada?"
FIELDS = {
    "question": QUESTION, "kind": "pot", "core_question": "How many coins has Ada in all jars?",
    "information": ["There are 3 jars.", "Each jar holds 8 coins."],
}  # fmt: skip


@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_is_a_system_text_turns_and_the_question(name, structured):
    sent = messages(built_in(name), FIELDS, structured)
    roles = [message["role"] for message in sent]
    assert roles == ["system", *["user", "assistant"] * MOST_DEMONSTRATIONS, "user"]
    assert QUESTION in sent[-1]["content"]
    assert all(message["content"].strip() and "{{" not in message["content"] for message in sent)
    assert ("JSON object" in sent[0]["content"]) == structured


@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["cot", "pot", "eot"])
def test_the_demonstrated_replies_are_read_as_they_are_meant(name, kind, structured):
    prompt = built_in(name)
    sent = messages(prompt, {**FIELDS, "kind": kind}, structured)
    kind = name if name in ("cot", "pot", "eot") else kind
    for example, message in zip(prompt.demonstrations, sent[2::2], strict=True):
        read = read_reply(name, kind, message["content"])
        assert read.problem == ""
        if name in ("key_points", "one_call"):
            assert read.key_points.core_question == example.core_question
            assert read.key_points.information == example.information
        if name in ("cot", "pot", "eot", "one_call"):
            assert read.rationale == getattr(example, kind)
        if name.endswith("_question"):
            assert read.question == getattr(example, name)


def test_key_points_go_with_the_question_where_there_are_some():
    with_points, without = (messages(built_in("cot"), fields) for fields in (FIELDS, {"question": QUESTION}))
    assert with_points[-1]["content"].splitlines() == [
        f"Question: {QUESTION}", "Core question: How many coins has Ada in all jars?", "Information:",
        "- There are 3 jars.", "- Each jar holds 8 coins.",
    ]  # fmt: skip
    assert without[-1]["content"] == f"Question: {QUESTION}"
    # the demonstrations show what the question shows
    assert "Information:" in with_points[1]["content"]
    assert "Information:" not in without[1]["content"]
    core_only = messages(built_in("cot"), {"question": QUESTION, "core_question": "How many?"})
    assert "Core question:" in core_only[1]["content"]
    assert "Information:" not in core_only[1]["content"]


def test_a_gold_answer_is_never_sent():
    for name in NAMES:
        sent = json.dumps(messages(built_in(name), {**FIELDS, "gold": "24-gold", "answer": "24-gold"}))
        assert "24-gold" not in sent
    with pytest.raises(ConfigError, match="never sent"):
        messages(replace(built_in("cot"), user="{{ question }} {{ gold }}"), {**FIELDS, "gold": "24"})


@pytest.mark.parametrize("shown", [0, 1, 5, 8])
def test_the_number_of_demonstrations_is_a_setting(shown):
    assert len(messages(replace(built_in("pot"), shown=shown), FIELDS)) == 2 + 2 * shown


@pytest.mark.parametrize("shown", [-1, 9])
def test_other_numbers_are_refused(shown):
    with pytest.raises(ConfigError, match="0 to 8"):
        replace(built_in("pot"), shown=shown)


def test_what_is_wrong_names_prompt_text_variable_and_line():
    prompt = replace(built_in("eot"), system="Solve it.\n\n{{ hint }}")
    with pytest.raises(ConfigError) as told:
        messages(prompt, FIELDS)
    assert str(told.value).startswith("prompt eot, system text, line 3: There is no variable 'hint'.")
    assert all(name in told.value.hint for name in VARIABLES)
    with pytest.raises(ConfigError, match=r"user text: The text does not name the question"):
        messages(replace(built_in("eot"), user="Solve it."), FIELDS)
    with pytest.raises(ConfigError, match="no question"):
        messages(built_in("eot"), {"question": "  "})
    with pytest.raises(ConfigError, match="no prompt 'essay'"):
        built_in("essay")
    with pytest.raises(ConfigError, match="no prompt 'essay'"):
        Prompt("essay", "", "")


def test_a_version_is_of_everything_that_is_sent():
    prompt = built_in("one_call")
    first = prompt.demonstrations[0]
    others = [
        replace(prompt, system=prompt.system + " "),
        replace(prompt, user=prompt.user + "."),
        replace(prompt, shown=7),
        replace(
            prompt, demonstrations=(replace(first, cot="1. The answer is 1."), *prompt.demonstrations[1:])
        ),
        replace(prompt, demonstrations=prompt.demonstrations[::-1]),
        Prompt("key_points", prompt.system, prompt.user, prompt.demonstrations),
    ]
    found = {prompt.version, *(other.version for other in others)}
    assert len(found) == 1 + len(others)
    assert all(len(version) == 12 and int(version, 16) >= 0 for version in found)
    assert replace(prompt).version == prompt.version


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_goes_through_plain_data(name):
    prompt = built_in(name)
    assert from_data(name, json.loads(json.dumps(to_data(prompt)))) == prompt
    assert prompt.title
