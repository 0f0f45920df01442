"""The schema of a reply keeps to what strict structured output allows."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.teacher.reply_parts import KINDS, NAMES, parts, schema


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_strict(name, kind):
    made = schema(name, kind)
    assert made["additionalProperties"] is False
    assert made["required"] == list(made["properties"]) == [part.key for part in parts(name, kind)]
    assert {found["type"] for found in made["properties"].values()} <= {"string", "array"}
    for found in made["properties"].values():
        assert set(found) <= {"type", "items", "description"}
        assert found["type"] == "string" or found["items"] == {"type": "string"}


def test_a_prompt_of_a_kind_needs_no_other_word_for_it():
    assert [part.key for part in parts("pot")] == ["program"]
    assert [part.key for part in parts("one_call", "eot")] == ["core_question", "information", "equations"]
    with pytest.raises(ConfigError, match="one_call"):
        parts("one_call")
    with pytest.raises(ConfigError, match="no prompt 'essay'"):
        parts("essay", "cot")
