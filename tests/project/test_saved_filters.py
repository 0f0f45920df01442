"""Filters that a person kept come back as they were."""

from __future__ import annotations

import pytest

from training_backend.errors import ConfigError
from training_backend.project.listing import RowFilter
from training_backend.project.saved_filters import (
    delete_filter,
    rename_filter,
    save_filter,
    saved_filters,
)
from training_backend.project.store import Project

WRONG = RowFilter(
    {"verdict": frozenset({"raised", "not_equal"}), "flagged": frozenset({1})}, "eggs «0»", "suspicion", True
)


def test_a_filter_comes_back_whole_also_after_a_restart(filled):
    save_filter(filled, "  wrong   ones ", WRONG)
    save_filter(filled, "All", RowFilter())
    with Project.open(filled.path, read_only=True) as again:
        assert [(kept.name, kept.filter) for kept in saved_filters(again)] == [
            ("All", RowFilter()), ("wrong ones", WRONG),
        ]  # fmt: skip


def test_names_are_unique_and_never_empty(filled):
    save_filter(filled, "a", WRONG)
    save_filter(filled, "a", RowFilter(search="x"))
    assert saved_filters(filled)[0].filter.search == "x"
    save_filter(filled, "b", WRONG)
    with pytest.raises(ConfigError, match="'a' already"):
        rename_filter(filled, "b", "a")
    rename_filter(filled, "b", "c")
    with pytest.raises(ConfigError, match="no filter 'b'"):
        rename_filter(filled, "b", "d")
    for name in (" \n ", "x" * 81):
        with pytest.raises(ConfigError):
            save_filter(filled, name, WRONG)
    delete_filter(filled, "a")
    delete_filter(filled, "not there")
    assert [kept.name for kept in saved_filters(filled)] == ["c"]


@pytest.mark.parametrize(
    "text", ["no json", "[1]", '{"facets": {"weather": ["good"]}, "sort": "mood"}', '{"facets": 3}']
)
def test_what_another_program_wrote_there_does_no_harm(filled, text):
    with filled.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO saved_filter (name, filter, created_at) VALUES ('x', ?, '')", (text,)
        )
    assert saved_filters(filled)[0].filter == RowFilter()
