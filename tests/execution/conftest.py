"""One runner for all tests of the sandbox: starting launchers is what takes time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from training_backend.execution.limits import Limits
from training_backend.execution.runner import ProgramRunner

# where the modules stand that these tests share
sys.path.insert(0, str(Path(__file__).parent))

# short, so that a program that does not end is not waited for
SHORT = Limits(cpu_s=0.5, wall_s=2.0, memory_mib=96, stdout_chars=2000)


@pytest.fixture(scope="session")
def runner() -> Iterator[ProgramRunner]:
    """Return a runner with short limits."""
    with ProgramRunner(workers=3, limits=SHORT) as made:
        yield made


@pytest.fixture(scope="session")
def sealed(runner: ProgramRunner) -> ProgramRunner:
    """Return the runner, or skip where the kernel offers no full isolation."""
    report = runner.isolation()
    if report.level != "full":
        pytest.skip(f"isolation is {report.level}: {' '.join(report.missing)}")
    return runner
