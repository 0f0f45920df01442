"""The table of methods describes every method that the family of papers names, as data."""

from __future__ import annotations

import pytest

from training_backend import methods
from training_backend.errors import ConfigError


def test_every_method_is_there():
    wanted = {
        "cotd",
        "potd",
        "eotd",
        "etd",
        "kpdd-cot",
        "kpdd-pot",
        "kpdd-eot",
        "kpdd3-cot",
        "kpdd3-pot",
        "fdd",
    }
    assert wanted <= set(methods.METHODS)


@pytest.mark.parametrize("method", methods.METHODS.values(), ids=lambda method: method.key)
def test_each_row_is_consistent(method):
    # what a later student reads is the question or was written before it
    known = {"question"}
    for role in method.roles:
        for task in role.tasks:
            assert set(task.reads) <= known, (method.key, role.name)
        for task in role.tasks:
            known.add(task.writes)
            if task.writes == "key_points":
                known |= {"core_question", "information"}
    # what students write to get an answer, the teacher has written for training
    assert set(method.kinds) <= set(method.teacher_writes)
    assert method.kinds
    assert ("key_points" in method.teacher_writes) == (len(method.roles) > 1)
    assert method.source
    if method.how != "combine":
        assert [methods.HOW_OF_KIND[kind] for kind in method.kinds] == [method.how]
    prefixes = [task.prefix for role in method.roles for task in role.tasks]
    assert len(prefixes) == len(set(prefixes))


def test_an_unknown_method_is_refused_with_the_list():
    with pytest.raises(ConfigError, match="kpdd-pot"):
        methods.get("kpddpot")
    with pytest.raises(ConfigError, match="key, solve"):
        methods.get("KPDD-PoT").role("core")
