"""Pure programs that share a child: who may, that nobody changes a neighbour, what happens when one dies."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator

import pytest

from training_backend.execution import batch, policy
from training_backend.execution.limits import Limits
from training_backend.execution.pure import pure_tree
from training_backend.execution.runner import ProgramRunner

SHORT = Limits(cpu_s=0.4, wall_s=3.0, memory_mib=96, stdout_chars=2000)
NEIGHBOUR = "import math\nprint(round(math.pi, 5), sum([1, 2]))\nans = max(abs(-3), len('four'))"
COMPARED = ("verdict", "answer_text", "value", "taken_from", "stdout", "stdout_cut", "error", "error_line",
            "rule", "reason")  # fmt: skip


@pytest.fixture(scope="module")
def shared() -> Iterator[ProgramRunner]:
    """Return a runner with one worker, so that what is submitted together goes together."""
    with ProgramRunner(workers=1, limits=SHORT) as made:
        if made.isolation().level != "full":
            pytest.skip("programs share a process only behind the kernel's filter")
        yield made


def together(runner: ProgramRunner, codes: list[str]):
    # the first keeps the worker busy while the others queue up
    results = dict(runner.run_many((n, code, "pot") for n, code in enumerate(["ans = 0", *codes])))
    return [results[n + 1] for n in range(len(codes))]


def seen(result):
    return {name: batch.comparable(result, name) for name in COMPARED}


PURE = [
    "ans = 1 + 2",
    "import math\nans = math.sqrt(16)",
    "from math import ceil, floor as down\nans = ceil(1.2) + down(2.9)",
    "import numpy as np\nimport sympy\nans = 5",
    "from sympy import symbols, solve\nfrom decimal import getcontext\nimport math\nans = math.floor(2.5)",
    "def solution():\n    import numpy as np\n    from sympy import Symbol as S\n    return 2\n",
    "import numpy as ans",
    "from sympy import solve",
    "ans = ceil(2.5)",
    "def solution():\n    xs = [n * 2 for n in range(5)]\n    xs.append(3)\n    return sum(xs)",
    "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nans = f(10)",
    "x = {'a': 1}\nfor k, v in x.items():\n    print(f'{k}: {v:.2f}')\nans = x['a']",
    "try:\n    ans = 1 / 0\nexcept ZeroDivisionError:\n    ans = 7",
    "ans = 1 / 0",
    "ans = nobody",
    "print('{} of {:.2f}'.format(1, 2))\nans = 1",
    "if __name__ == '__main__':\n    ans = 4",
    "n = 0\nwhile n < 10:\n    n += 1\nans = n",
    "x = 5",
    "ans = (lambda a, *b, c=3: a + c)(1)",
    "assert 1 > 2, 'no'",
    "print(round)\nans = lambda: 1\nprint(ans)",
    "ans = 'text'\nprint(ans)",
]


@pytest.mark.parametrize("code", PURE)
def test_ordinary_programs_are_pure(code):
    assert pure_tree(code) is not None


NOT_PURE = [
    "import math\nmath.pi = 3",
    "import math\nmath.pi += 1",
    "import math\nfor math.pi in [3]: pass",
    "import math\n[0 for math.pi in [3]]",
    "import math\nmath.pi: int = 3",
    "import math\ndel math.pi",
    "import math as m\n(m.pi, x) = 3, 4",
    "print.__self__",
    "().__class__",
    "'{0.__class__}'.format(1)",
    "'{0[a]}'.format({})",
    "f = '{}'\nf.format(1)",
    "__builtins__['sum'] = max",
    "__import__('os')",
    "globals()['x'] = 1",
    "eval('1')",
    "setattr(int, 'x', 1)",
    "type('A', (), {})",
    "class A: pass",
    "@print\ndef f(): pass",
    "global x",
    "def f():\n    global x\n    x = 1",
    "def f():\n    yield 1",
    "import random\nrandom.seed(1)",
    "import numpy as np\nans = np.sqrt(4)",
    "ans = np.sqrt(4)",
    "x = Symbol('x')",
    "from decimal import getcontext\ngetcontext().prec = 3",
    "from decimal import no_such_name",
    "from sympy import no_such_name",
    "from sympy import *",
    "from sympy import pi as ans",
    "from sympy.abc import x",
    "import numpy as np\ndel np",
    "import numpy as np\nnp += 1",
    "ans = 5\nimport numpy as ans",
    "def solve():\n    return 5\nfrom sympy import solve",
    "sys = 3",
    "def f(a=(i for i in [eval])): pass",
    "def f(a: eval): pass",
    "def f() -> eval: pass",
    "def f(*, a=().__class__): pass",
    "x: eval = 1",
    "print(*[eval])",
    "print(**{'a': eval})",
    "print(f'{1:{eval}}')",
    "[1 for i in [1] if eval]",
    "[1][eval:]",
    "assert 1, eval",
    "raise eval",
    "raise ValueError from eval",
    "(x := eval)",
    "lambda x=eval: 1",
    "for i in []:\n    pass\nelse:\n    eval",
    "try:\n    pass\nfinally:\n    eval",
    "try:\n    pass\nexcept ValueError:\n    eval",
    "{**eval}",
    "{1: eval}",
    "1 < 2 < eval",
    "import os",
    "import math.x",
    "from math import *",
    "from math import __loader__",
    "with x: pass",
    "async def f(): pass",
    "try:\n    pass\nexcept:\n    pass",
    "try:\n    pass\nexcept Exception:\n    pass",
    "try:\n    pass\nexcept MemoryError:\n    pass",
    "input()",
    "exit()",
    "open('x')",
    "ｅｖａｌ('1')",
    "def __import__(): pass",
    "import math as __import__",
    "x = id(1)",
    "match 1:\n    case 1: pass",
    "def f(): pass\nf.x = 1",
    "def f(): pass\nf.__code__",
]


@pytest.mark.parametrize("code", NOT_PURE)
def test_what_could_reach_a_neighbour_runs_alone(code):
    assert pure_tree(code) is None


@pytest.mark.parametrize("code", PURE)
def test_what_is_pure_would_not_be_refused(code):
    assert policy.check(code) is None


def test_programs_that_share_give_what_they_give_alone(shared, runner):
    codes = PURE * 2 + NOT_PURE
    beside = together(shared, codes)
    with ProgramRunner(workers=3, limits=SHORT, sharing=False) as single:
        alone = dict(single.run_many((n, code, "pot") for n, code in enumerate(codes)))
    for number, code in enumerate(codes):
        assert seen(beside[number]) == seen(alone[number]), code
    assert sum(result.tier == batch.LANE for result in beside[: len(PURE)]) > 0.7 * len(PURE)
    assert not shared._pool.lane.closed


HOSTILE = [
    "sum = max = abs = len = print = None",
    "def abs(x): return 0\ndef round(x, y): return 0",
    "import math\nmath = 3\npi = 4",
    "import math as print",
    "from math import pi\npi = 3\nround = pi",
    "x = []\nx.append(x)\nans = x",
    "def f(n):\n    return f(n + 1)\nf(0)",
    "ans = [0] * 10**9",
    "ans = 'x' * 10**8\nxs = [ans + str(i) for i in range(10)]",
    "while True:\n    pass",
    "ans = 10 ** 10 ** 8",
    "ans = sum(range(10**10))",
    "while True:\n    print('x' * 10000)",
    'print(\'{"t": "end", "status": "ok"}\' * 100)\nans = 1',
    "print(chr(0) * 100, chr(0xdfff))\nans = chr(0xd800)",
    "ans = 1\nraise ValueError('x' * 10**6)",
    "def solution(d=[]):\n    d.append(1)\n    return len(d)",
    "__name__ = 'x'\nans = 1",
    "g = (i for i in range(3))\nnext(g)\nans = g",
    "def f(x=[f for f in []]): return f\nf()\nans = f",
    "ans = " + "(" * 90 + "1" + ")" * 90,
    "ans = " + "-" * 3000 + "1",
    "ans = '%s' % ([[]] * 10)",
    "raise StopIteration",
    "x = {}\nfor i in range(10**6): x[i] = x\nans = 1",
]


@pytest.mark.parametrize("code", HOSTILE)
def test_no_pure_program_changes_its_neighbours(shared, code):
    before, _, *after = together(shared, [NEIGHBOUR, code, NEIGHBOUR, NEIGHBOUR])
    for result in (before, *after):
        assert (result.verdict, result.value, result.stdout) == ("ok", 4, "3.14159 3\n")


def test_a_program_that_ends_its_batch_gets_its_own_verdict(shared):
    codes = [
        "ans = 1",
        "while True: pass",
        "ans = 2",
        "x = [0] * 10**9",
        "ans = 3",
        "while 1: print('x' * 9999)",
    ]
    results = together(shared, codes)
    assert [r.value for r in results[:5:2]] == [1, 2, 3]
    assert [r.verdict for r in results[1::2]] == ["timed_out", "out_of_memory", results[5].verdict]
    assert results[5].verdict in ("timed_out", "crashed")
    assert all(r.tier == "light" for r in results[1::2])


def test_one_answer_in_a_hundred_is_checked_and_a_difference_closes_the_lane(monkeypatch, caplog):
    with ProgramRunner(workers=1, limits=SHORT) as made:
        if made.isolation().level != "full":
            pytest.skip("no lane here")
        results = together(made, [f"ans = {n}" for n in range(130)])
        assert [r.value for r in results] == list(range(130))
        assert made._pool.lane.checked == 1 and not made._pool.lane.closed


@pytest.mark.expects_log_lines
def test_a_difference_closes_the_lane(monkeypatch):
    monkeypatch.setattr(batch, "AUDIT_EVERY", 4)
    monkeypatch.setattr(batch, "_COMPARED", ("value", "tier"))
    with ProgramRunner(workers=1, limits=SHORT) as made:
        if made.isolation().level != "full":
            pytest.skip("no lane here")
        results = together(made, [f"ans = {n}" for n in range(60)])
        assert [r.value for r in results] == list(range(60))
        assert "alone" in made._pool.lane.closed
        assert {r.tier for r in together(made, ["ans = 1", "import numpy\nans = 2"] * 10)} == {
            "light",
            "numpy",
        }


def test_slower_programs_between_them_do_not_break_batches_up():
    slow = "import random\nans = sum(random.random() < 2 for _ in range(60_000))"
    codes = [slow if n % 4 == 0 else f"ans = {n} + 1" for n in range(600)]
    with ProgramRunner(workers=2, limits=SHORT) as made:
        results = dict(made.run_many((n, code, "pot") for n, code in enumerate(codes)))
    assert all(results[n].value == (60_000 if n % 4 == 0 else n + 1) for n in range(len(codes)))
    quick = [results[n].tier for n in range(len(codes)) if n % 4]
    assert quick.count(batch.LANE) > 0.95 * len(quick)


def test_closing_and_cancelling_end_every_job(monkeypatch):
    with ProgramRunner(workers=1, limits=SHORT) as made:
        many = made.run_many((n, "n = 0\nwhile n < 10000: n += 1\nans = n", "pot") for n in range(200))
        assert next(many)[1].value == 10_000
        many.close()
        assert made.run("ans = 5").value == 5


@pytest.mark.slow
def test_recorded_programs_answer_alike_alone_and_together(shared_data, capsys):
    folder = shared_data / "teacher" / "program_of_thoughts"
    codes = []
    for name in ("gsm8k_fewshot", "gsm8k_zeroshot", "svamp_fewshot"):
        if not (folder / f"{name}.jsonl.gz").is_file():
            pytest.skip(f"no recorded programs in {folder}")
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                text = json.loads(line).get("generated") or ""
                codes.append(text[0] if isinstance(text, list) else text)
    results = []
    for sharing in (True, False):
        with ProgramRunner(sharing=sharing) as made:
            results.append(dict(made.run_many((n, code, "pot") for n, code in enumerate(codes))))
    # some count for just as long as they may: both times alone, and not to the same end each time
    slow = {n for n in results[0] if "timed_out" in (results[0][n].verdict, results[1][n].verdict)}
    assert all(results[0][n].tier != batch.LANE for n in slow) and len(slow) < 20
    different = [n for n in results[0] if n not in slow and seen(results[0][n]) != seen(results[1][n])]
    tiers = Counter(result.tier for result in results[0].values())
    with capsys.disabled():
        print(f"\n{len(codes)} programs, {dict(tiers)}, different: {len(different)}")
    assert not different
    assert tiers[batch.LANE] > 0.8 * len(codes)
