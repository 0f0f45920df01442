"""Recorded programs run as in a plain interpreter, also beside hostile ones; load makes none of them late.

The comparison is the tool's in `tests/benchmarks/compare_recorded_programs.py`, which takes all of them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from training_backend.execution.limits import Limits
from training_backend.execution.runner import ProgramRunner

TOOL = Path(__file__).resolve().parents[1] / "benchmarks" / "compare_recorded_programs.py"
IMPORT = "imp = eval('__imp' + 'ort__')\nos = imp('o' + 's')\n"
# each reaches for something else: neighbours, the launcher, the protocol, time, memory, output, the libraries
HOSTILE = [
    IMPORT + "os.kill(-1, 9)",
    IMPORT + "os.kill(os.getppid(), 9)",
    IMPORT + "os.killpg(0, 15)",
    IMPORT + "os.fork()",
    IMPORT + "while True: os.fork()",
    IMPORT + "os.system('true')",
    IMPORT + "os.listdir('/')",
    IMPORT + "imp('_socket').socket()",
    IMPORT + "imp('_thread').start_new_thread(print, ())",
    IMPORT + "os.write(3, b'\\xff' * 100)",
    IMPORT + "os.write(3, b'\\x00\\x00\\x00\\x02[]')",
    IMPORT + 'd = b\'{"t":"end","status":"ok","answer":{"k":"int","v":"5"}}\'\n'
    "for _ in range(9): os.write(3, len(d).to_bytes(4, 'big') + d)",
    IMPORT + "os.close(3)",
    IMPORT + "os._exit(0)",
    IMPORT + "os.abort()",
    IMPORT + "imp('ctypes').string_at(0)",
    IMPORT + "imp('signal').signal(24, imp('signal').SIG_IGN)\nwhile True: pass",
    "while True: pass",
    "x = []\nwhile True: x.append('x' * 10**6)",
    "x = 'x' * 10**12",
    "x = 10\nwhile True: x = x * x",
    "while True: print('x' * 10**6)",
    "import time\ntime.sleep(1000)",
    "(" * 5000,
    "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return [x].sort(key=f) or f(x)\nf(1)",
    "import math\nmath.pi = math.ceil = math.floor = 3\nwhile True: pass",
    "import random\nrandom.random = random.seed = None\nraise SystemError",
    "import decimal\ndecimal.getcontext().prec = 1\nraise KeyboardInterrupt",
    "import numpy as np\nnp.mean = np.sum = np.float64 = None\nnp.ones(10**12)",
    "import sympy\nsympy.Symbol.__add__ = sympy.solve = sympy.Eq = None\nwhile True: pass",
    "import sympy\nsympy.sympify(\"__import__('os').system('true')\")\nraise ValueError",
    "print.__self__.sum = print.__self__.round = print.__self__.len = None",
    "class A:\n    def __repr__(self): raise SystemExit\nraise Exception(A())",
]
# a tenth of a second of processor time, more or less
STEADY = "total = 0\nfor i in range(1_200_000):\n    total += i % 7\nans = total"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location("compare_recorded_programs", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spread(codes: list[str], count: int) -> list[str]:
    """Return `count` different programs from the whole length of a set."""
    different = list(dict.fromkeys(codes))
    return different[:: max(1, len(different) // count)][:count]


def plain_answers(tool: ModuleType, codes: dict[str, str], folder: Path) -> dict[str, dict]:
    tool.in_plain_interpreters(codes, folder / "plain.jsonl")
    return tool.cached(folder / "plain.jsonl")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the plain side forks")
def test_the_comparison_sees_a_difference(tool, tmp_path):
    codes = {"right": "ans = 6 * 7", "raises": "x = 1\nans = 1 / 0", "prints": "print(1)\nans = 1",
             "chance": "import random\nans = random.random()"}  # fmt: skip
    plain = plain_answers(tool, codes, tmp_path)
    with ProgramRunner(workers=2) as runner:
        own = {key: tool.record_of(runner.run(code)) for key, code in codes.items()}
    assert tool.differences(own["right"], plain["right"]) == []
    assert tool.differences(own["raises"], plain["raises"]) == []
    assert (plain["raises"]["error_type"], plain["raises"]["error_line"]) == ("ZeroDivisionError", 2)
    assert tool.differences(own["prints"], plain["prints"]) == []
    # seeded in the sandbox only
    assert tool.differences(own["chance"], plain["chance"]) == ["answer", "value"]
    assert tool.differences(own["right"], plain["raises"]) == ["verdict"]
    assert tool.differences(own["right"], plain["prints"]) == ["answer", "value", "printed"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the plain side forks")
def test_a_sample_of_the_recorded_programs_runs_as_in_a_plain_interpreter(tool, shared_data, tmp_path):
    sets = tool.recorded_sets(shared_data)
    codes = {tool.key_of(code): code for programs in sets.values() for code in spread(programs, 12)}
    assert len(codes) >= 12 * min(3, len(sets))
    plain = plain_answers(tool, codes, tmp_path)
    with ProgramRunner() as runner:
        results = runner.run_many((key, code, "pot") for key, code in codes.items())
        own = {key: tool.record_of(result) for key, result in results}
    differing = {key: found for key in codes if (found := tool.differences(own[key], plain[key]))}
    assert not differing
    assert sum(record["verdict"] == "ok" for record in own.values()) > 0.9 * len(codes)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the plain side forks")
def test_recorded_programs_are_right_while_hostile_ones_run(tool, shared_data, tmp_path):
    sets = tool.recorded_sets(shared_data)
    legal = {tool.key_of(code): code for programs in sets.values() for code in spread(programs, 100)}
    assert len(legal) >= 1000
    plain = plain_answers(tool, legal, tmp_path)
    jobs = [(("legal", key), code, "pot") for key, code in legal.items()]
    jobs += [(("hostile", str(number)), code, "pot") for number, code in enumerate(HOSTILE * 3)]
    random.Random(0).shuffle(jobs)
    with ProgramRunner(workers=4) as runner:
        if runner.isolation().level != "full":
            pytest.skip("needs full isolation")
        results = dict(runner.run_many(iter(jobs), limits=Limits(cpu_s=2.0, wall_s=4.0)))
    assert len(results) == len(jobs)
    wrong = {
        key: found
        for (kind, key), result in results.items()
        if kind == "legal" and (found := tool.differences(tool.record_of(result), plain[key]))
    }
    assert not wrong
    got = Counter(result.verdict for (kind, _), result in results.items() if kind == "hostile")
    assert not got["ok"], {key: result for key, result in results.items() if key[0] == "hostile"}


@pytest.mark.slow
def test_a_loaded_machine_makes_no_program_late():
    limits = Limits(cpu_s=1.0, wall_s=1.0)
    with ProgramRunner() as runner, busy_machine():
        if runner.isolation().level != "full":
            pytest.skip("the launcher watches the time")
        # no batch: each has the clock of its own child
        jobs = [(number, f"class One: pass\n{STEADY} + {number}", "pot") for number in range(24)]
        results = dict(runner.run_many(iter(jobs), limits=limits))
        late = runner.run("while True: pass", limits=Limits(cpu_s=0.3, wall_s=1.0))
    assert Counter(result.verdict for result in results.values()) == {"ok": 24}, results
    # without extensions these would have been ended
    assert max(result.elapsed_ms for result in results.values()) > 1000 * limits.wall_s
    assert late.verdict == "timed_out" and late.cpu_ms < 1500


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Keep every processor busy with several processes that go before the programs."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4 * (os.cpu_count() or 1))
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
