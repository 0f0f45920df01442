"""Vocabularies, rows and one trained run that the tests of students share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def beside(name: str):
    """Import a helper file of this folder (the tests are no packages)."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


vocabularies = beside("vocabularies")
make_rows = beside("rows").make_rows
Row = sys.modules["rows"].Row
beside("small_runs")


@pytest.fixture(scope="session")
def lossy(tmp_path_factory) -> Path:
    """Return a folder with a vocabulary in T5's manner."""
    return vocabularies.write_lossy(tmp_path_factory.mktemp("lossy vocabulary"))


@pytest.fixture(scope="session")
def byte_level(tmp_path_factory) -> Path:
    """Return a folder with a byte-level vocabulary."""
    return vocabularies.write_byte_level(tmp_path_factory.mktemp("byte vocabulary"))


@pytest.fixture(scope="session")
def qwen(tmp_path_factory) -> Path:
    """Return a folder with a vocabulary in Qwen2's manner."""
    return vocabularies.write_qwen(tmp_path_factory.mktemp("Qwen vocabulary"))


@pytest.fixture(scope="session")
def code_t5(tmp_path_factory) -> Path:
    """Return a folder with a vocabulary in CodeT5+'s manner."""
    return vocabularies.write_code_t5(tmp_path_factory.mktemp("CodeT5 vocabulary"))


@pytest.fixture(scope="session")
def closed(tmp_path_factory) -> Path:
    """Return a folder with a closed vocabulary."""
    return vocabularies.write_closed(tmp_path_factory.mktemp("closed vocabulary"))


@pytest.fixture
def rows_of_students() -> list[Row]:
    """Return eight rows with programs."""
    return make_rows()


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory) -> Path:
    """Return a run whose tiny students know two questions by heart; trained once for all folders of tests."""
    return beside("by_heart").train(tmp_path_factory)
