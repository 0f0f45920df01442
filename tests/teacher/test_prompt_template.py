"""Templates: what they may hold, that each of them ends, and where they say that something is wrong."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.teacher.prompt_template import MAX_TEXT_CHARS, names_in, render

VALUES = {"question": "How many?", "information": ("4 boxes", "6 pens"), "kind": "pot"}


def refused(template, values=VALUES):
    with pytest.raises(ConfigError) as told:
        render(template, values, "prompt x, user text")
    return str(told.value)


def test_variables_conditions_and_loops():
    template = (
        "Q: {{ question }}\n{% if kind == 'pot' %}\nProgram\n{% elif kind %}\nText\n{% endif %}\n"
        "{% for item in information %}\n{{ loop.index }}. {{ item }}\n{% endfor %}\n"
    )
    assert render(template, VALUES, "x") == "Q: How many?\nProgram\n1. 4 boxes\n2. 6 pens"
    assert render("{{ information|join('; ') }} {{ information|length + 1 }}", VALUES, "x") == (
        "4 boxes; 6 pens 3"
    )


def test_a_value_is_never_a_template():
    assert render("{{ question }}", {"question": "{{ 1 + 1 }} {% for %}"}, "x") == "{{ 1 + 1 }} {% for %}"


def test_names_are_known_before_anything_is_filled_in():
    assert names_in("{% if kind %}{{ question }}{% endif %}", VALUES, "x") == {"kind", "question"}


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("{{ answer }}", 1, "no variable 'answer'"),
        # also where it is never reached
        ("one\n{% if kind == 'cot' %}\n{{ core }}\n{% endif %}", 3, "no variable 'core'"),
        ("one\ntwo {{ gold_answer }}", 2, "never sent"),
        ("one\n{{ information[7] }}", 2, "no element 7"),
        ("{% for a in information %}", 1, "endfor"),
        ("one\n{{ question < 3 }}", 2, "not supported"),
        ("{{ self }}", 1, "no variable 'self'"),
        ("{{ range }}", 1, "no variable 'range'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(template, line, words):
    said = refused(template)
    assert f"prompt x, user text, line {line}:" in said
    assert words in said


@pytest.mark.parametrize(
    "template",
    [
        "{{ question.__class__ }}", "{{ question['__class__'] }}", "{{ ''.__class__.__mro__ }}",
        "{{ question.upper() }}", "{% include 'x' %}", "{% import 'os' as os %}", "{% set x = 1 %}",
        "{% macro a() %}{{ a() }}{% endmacro %}", "{{ question|attr('__class__') }}",
        "{% for a in information recursive %}{{ loop(information) }}{% endfor %}",
    ],
)  # fmt: skip
def test_there_is_no_way_out_of_a_template(template):
    assert "line 1" in refused(template)


@pytest.mark.parametrize(
    "template",
    [
        # nothing here may be tried: it would take years or all memory
        "{{ 'a' * 10**10 }}", "{{ 9 ** 9 ** 9 ** 9 }}", "{% for a in range(10**12) %}{% endfor %}",
        "{{ question|center(10000000000) }}", "{{ '%99999999999d' % 3 }}",
        "{% set x = question %}" + "{% set x = x ~ x %}" * 60,
        "{% with x = question ~ question %}{{ x }}{% endwith %}",
        "{{ question" + "|join('0123456789')" * 30 + " }}", "{{ question + question }}",
        "{% for a in question %}" * 12 + "{% endfor %}" * 12,
        "{% for a in question %}" * 60 + "{% endfor %}" * 60,
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ " + "not " * 10_000 + "1 }}",
        "{{ " + "9" * 6000 + " }}", "a" * 60_000,
    ],
)  # fmt: skip
def test_every_template_ends(template):
    assert "template" in refused(template)


def test_what_comes_out_is_bounded():
    long = {"question": "x" * (MAX_TEXT_CHARS // 10)}
    assert "longer than" in refused("{{ question }}" * 20, long)
    assert "longer than" in refused("{{ [" + "question, " * 20 + "]|join }}", long)
    assert len(render("{{ question }}" * 9, long, "x")) == 9 * len(long["question"])
