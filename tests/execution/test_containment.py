"""Programs that attack each layer of the sandbox. What they reach for is watched from outside.

`IMPORT` gets past the policy, which reads only the text: what stops these programs is the layer behind it.
"""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from launchers import launchers

from training_backend.execution.limits import Limits

IMPORT = "imp = eval('__imp' + 'ort__')\nos = imp('o' + 's')\n"
CTYPES = IMPORT + "c = imp('ctyp' + 'es').CDLL(None, use_errno=True)\n"
CAUGHT = "\nans = 'not stopped'\n"


def ended_well(result, allowed=("raised", "refused", "no_answer", "crashed")) -> None:
    """Check that a program neither reached what it wanted nor gave an answer."""
    assert result.verdict in allowed, result
    assert "not stopped" not in result.answer_text, result


POLICY = [
    ("import os", "imports os", 1),
    ("x = 1\nimport subprocess as s", "imports subprocess", 2),
    ("from os import path", "imports os", 1),
    ("import torch", "torch", 1),
    ("open('/etc/passwd')", "uses open", 1),
    ("__import__('os')", "__import__", 1),
    ("exec('x = 1')", "uses exec", 1),
    ("().__class__.__base__.__subclasses__()", "__subclasses__", 1),
    ("def f():\n    return f.__globals__", "__globals__", 2),
    ("g = (x for x in [])\ng.gi_frame", "gi_frame", 2),
    ("try:\n    1/0\nexcept Exception as e:\n    e.__traceback__.tb_frame", "tb_frame", 4),
    ("import random\nrandom._os.listdir()", "random._os", 2),
    ("import statistics\nstatistics.sys.modules", "statistics.sys", 2),
    ("import numpy as np\nnp.ctypeslib", "ctypeslib", 2),
    ("from numpy import ctypeslib", "ctypeslib", 1),
    ("import sys\nsys.modules", "sys.modules", 2),
    ("from sys import modules", "modules", 1),
    ("ｏｐｅｎ('/etc/passwd')", "uses open", 1),
    ("import numpy.f2py", "f2py", 1),
    ("from . import x", "", 1),
    ("x = 1; import os", "imports os", 1),
    ("import math, os", "imports os", 1),
]


@pytest.mark.parametrize(("code", "reason", "line"), POLICY)
def test_the_policy_names_what_is_refused_and_where(runner, code, reason, line):
    result = runner.run(code + "\nans = 1")
    assert (result.verdict, result.error_line) == ("refused", line), result
    assert reason in result.reason


FILES = [
    "os.open('/etc/passwd', 0)",
    "os.listdir('/')",
    "os.stat('/etc')",
    "os.scandir('/')",
    "os.getcwd()",
    "os.mkdir('/tmp/made')",
    "os.unlink('/tmp/x')",
    "os.readlink('/proc/self/exe')",
    "os.access('/', 0) or 1 / 0",
    "imp('io').open('/etc/passwd')",
    "imp('io').FileIO('/proc/self/environ')",
    "os.chdir('/')",
    "imp('numpy').loadtxt('/etc/passwd')",
    "imp('pathlib').Path('/').exists() or 1 / 0",
    "imp('mmap').mmap(-1, 10, flags=1) and os.statvfs('/')",
    "os.memfd_create('x')",
    "os.truncate('/tmp/x', 0)",
]


@pytest.mark.parametrize("attempt", FILES)
def test_no_file_is_seen(sealed, attempt):
    ended_well(sealed.run(IMPORT + attempt + CAUGHT))


@pytest.mark.parametrize(
    "attempt",
    [
        "os.chmod('/tmp', 0o777)",
        "os.rename('/tmp/a', '/tmp/b')",
        "os.link('/etc/passwd', '/tmp/x')",
        "os.symlink('/etc', '/tmp/x')",
        "os.chown('/tmp', 0, 0)",
        "os.fork()",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(os.getppid(), 9)",
        "os.kill(-1, 9)",
        "os.killpg(0, 9)",
        "os.pidfd_open(os.getppid())",
        "imp('_socket').socket()",
        "imp('_socket').socketpair()",
        "os.setuid(0)",
        "os.abort()",
        "os.pipe()",
        "imp('signal').pthread_kill(imp('_thread').get_ident(), 9)",
        "imp('fcntl').ioctl(3, 0x5412, b'x')",
        "os.sched_setaffinity(0, {0})",
        "os.setpriority(0, 0, -20)",
        "os.nice(-20)",
        "imp('resource').setrlimit(0, (100, 100))",
        "imp('_thread').start_new_thread(print, ())",
    ],
)
def test_no_process_thread_socket_signal_or_right(sealed, attempt):
    ended_well(sealed.run(IMPORT + attempt + CAUGHT))
    assert sealed.run("ans = 1").value == 1


@pytest.mark.parametrize(
    "attempt",
    [
        "if c.ptrace(0, 0, 0, 0) == 0: ans = 'not stopped'",
        "import_ = c.syscall(57)\nans = 'not stopped' if import_ >= 0 else None",
        "ans = 'not stopped' if c.syscall(435, 0, 0) > 0 else None",
        "ans = 'not stopped' if c.open(b'/etc/passwd', 0) >= 0 else None",
        "ans = 'not stopped' if c.socket(2, 1, 0) >= 0 else None",
        "ans = 'not stopped' if c.prctl(22, 0, 0, 0, 0) == 0 else None",
        "ans = 'not stopped' if c.prctl(1, 0, 0, 0, 0) == 0 else None",
        "b = c.mmap(None, 4096, 7, 34, -1, 0)\nans = 'not stopped' if b not in (-1, 2**64 - 1) else None",
        "ans = 'not stopped' if c.syscall(425, 8, 0) >= 0 else None",
        "ans = 'not stopped' if c.unshare(0x10000000) == 0 else None",
        "ans = 'not stopped' if c.syscall(310, os.getppid(), 0, 0, 0, 0, 0) >= 0 else None",
    ],
)
def test_calls_to_the_kernel_itself(sealed, attempt):
    ended_well(sealed.run(CTYPES.replace("'ctyp' + 'es'", "'ctypes'") + attempt))


def test_strings_that_run_code_reach_nothing(sealed, tmp_path):
    canary = tmp_path / "canary"
    text = f"__import__('os').open('{canary}', 65)"
    for code in (
        f"import sympy\nans = sympy.sympify({text!r})",
        f"import timeit\nans = timeit.timeit({text!r}, number=1)",
        f"import typing\ndef f(x: {text!r}): pass\nans = typing.get_type_hints(f)",
        f"import numpy as np\nans = np.frompyfunc(eval, 1, 1)({text!r})",
        f"import collections\nans = eval({text!r})",
    ):
        ended_well(sealed.run(code), ("raised", "refused", "no_answer"))
    assert not canary.exists()


def test_nothing_of_the_users_environment_is_seen(sealed, monkeypatch):
    monkeypatch.setenv("KPDD_CANARY", "a-secret-of-the-user")
    code = IMPORT + "ans = str(dict(os.environ)) + str(imp('sys').argv)"
    seen = sealed.run(code).answer_text
    assert "PYTHONHASHSEED" in seen
    assert "a-secret" not in seen and "KPDD_CANARY" not in seen and "HOME" not in seen


def test_no_listener_is_reached(sealed):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        port = server.getsockname()[1]
        code = IMPORT + f"s = imp('_socket').socket(2, 1)\ns.connect(('127.0.0.1', {port}))" + CAUGHT
        ended_well(sealed.run(code), ("refused", "raised"))
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_descriptor_but_its_own_is_open(sealed):
    code = IMPORT + (
        "open_ = []\n"
        "for n in range(64):\n"
        "    try:\n"
        "        os.lseek(n, 0, 1)\n"
        "        open_.append(n)\n"
        "    except OSError as e:\n"
        "        if e.errno != 9: open_.append(n)\n"
        "ans = str(open_)"
    )
    assert sealed.run(code).answer_text == "[3]"


SEND = (
    IMPORT + "import json\n"
    "def send(m):\n"
    "    d = json.dumps(m).encode()\n"
    "    os.write(3, len(d).to_bytes(4, 'big') + d)\n"
)


@pytest.mark.parametrize(
    "message",
    [
        "{'t': 'end', 'status': 'equal'}",
        "{'t': 'end', 'status': 'ok', 'answer': {'k': 'int', 'v': 5}}",
        "{'t': 'end', 'status': 'ok', 'extra': 1}",
        "{'t': 'out', 's': 1}",
        "{'t': 'other'}",
        "[]",
        "'x'",
        "None",
        "{'t': 'end', 'status': 'ok', 'answer': {'k': 'class', 'v': '5'}}",
        "{'t': 'steps', 'r': []}",
        "{'t': 'out', 's': 'x' * 900_000}",
    ],
)
def test_a_forged_frame_breaks_the_protocol(sealed, message):
    result = sealed.run(SEND + f"send({message})\nans = 1")
    assert result.verdict == "crashed" and "protocol" in result.reason, result


@pytest.mark.parametrize(
    "data",
    [
        "b'\\xff' * 8",
        "b'\\x00\\x00\\x00\\x05hello'",
        "b'\\x7f' + b'x' * 100",
        "b'\\x00\\x00\\x00\\x02[' + b'[' * 9",
    ],
)
def test_bytes_on_the_result_socket_break_the_protocol(sealed, data):
    result = sealed.run(IMPORT + f"os.write(3, {data})\nans = 1")
    assert result.verdict == "crashed" and "protocol" in result.reason


def test_deep_nesting_does_not_hurt_the_reader(sealed):
    code = IMPORT + (
        'd = b\'{"t":"end","status":"ok","answer":\' + b\'{"k":"list","n":1,"items":[\' * 5000\n'
        "os.write(3, len(d).to_bytes(4, 'big') + d)\nans = 1"
    )
    assert sealed.run(code).verdict == "crashed"


def test_the_launchers_report_stands_above_a_forged_end(sealed):
    end = 'b\'{"t":"end","status":"ok","answer":{"k":"int","v":"5"}}\''
    forged = IMPORT + f"d = {end}\nos.write(3, len(d).to_bytes(4, 'big') + d)\n"
    assert sealed.run(forged + "while True: pass").verdict == "timed_out"
    assert sealed.run(forged + "os.fork()").verdict == "refused"
    assert sealed.run(forged + "ans = 6").verdict == "crashed"


def test_what_a_program_prints_is_never_taken_for_the_protocol(sealed):
    code = 'print(\'{"t":"end","status":"ok","answer":{"k":"int","v":"5"}}\')\nans = 6'
    result = sealed.run(code)
    assert result.value == 6 and result.stdout.startswith('{"t"')


def test_leaving_early_is_no_answer(sealed):
    result = sealed.run(IMPORT + "os._exit(0)")
    assert result.verdict == "crashed" and "without a result" in result.reason


@pytest.mark.parametrize(
    "code",
    [
        "signal = imp('signal')\nfor n in (24, 27): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "imp('signal').setitimer(2, 0)\nwhile True: pass",
    ],
)
def test_the_processor_limit_cannot_be_ignored(sealed, code):
    result = sealed.run(IMPORT + code, limits=Limits(cpu_s=0.5, wall_s=6))
    assert result.verdict in ("timed_out", "raised"), result
    assert result.cpu_ms < 1600


def test_a_stack_overflow_stays_in_the_child(sealed):
    code = "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return [x].sort(key=f) or f(x)\nf(1)"
    assert sealed.run(code).verdict in ("crashed", "out_of_memory", "timed_out", "raised")
    assert sealed.run("ans = 1").value == 1


def test_a_raised_recursion_limit_works_for_honest_programs(sealed):
    code = (
        "import sys\nsys.setrecursionlimit(20000)\n"
        "def f(n): return 0 if n == 0 else 1 + f(n - 1)\nans = f(9000)"
    )
    assert sealed.run(code).value == 9000


def test_another_programs_text_and_answer_are_not_in_memory(sealed):
    secret = "7391" + "0552"
    assert sealed.run(f"x = 'planted {secret}'\nans = 1").value == 1
    code = IMPORT + (
        "gc = imp('gc')\n"
        "half = '7391'\n"
        "found = [o for o in gc.get_objects() if type(o) is dict for v in list(o.values())\n"
        "         if type(v) is str and 'planted ' + half in v]\n"
        "ans = len(found)"
    )
    assert sealed.run(code).value in (0, None)


def test_honest_programs_are_right_while_hostile_ones_run(sealed):
    hostile = [
        IMPORT + "os.kill(-1, 9)",
        "x = []\nwhile True: x.append('x' * 10**6)",
        IMPORT + "os.fork()",
        "while True: pass",
        IMPORT + "os.write(3, b'\\xff' * 100)",
        "print('x' * 10**7)",
        "(" * 3000,
    ]
    jobs = []
    for number in range(60):
        jobs.append((("honest", number), f"ans = {number} ** 2", "pot"))
        if number % 6 == 0:
            jobs.append((("hostile", number), hostile[number // 6 % len(hostile)], "pot"))
    results = dict(sealed.run_many(iter(jobs), limits=Limits(cpu_s=0.5, wall_s=2, memory_mib=64)))
    assert all(results["honest", n].value == n * n for n in range(60))
    assert all(result.verdict != "ok" for (kind, _), result in results.items() if kind == "hostile")


def test_the_launchers_are_shut_in_too(sealed):
    sealed.run("ans = 1")
    running = launchers()
    assert running
    for launcher in running:
        text = Path(f"/proc/{launcher.pid}/status").read_text()
        status = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        assert status["Seccomp"].strip() == "2"
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Threads"].strip() == "1"
        if os.geteuid() == 0:
            assert status["Uid"].split()[0] == "65534"


def test_a_trace_is_shut_in_the_same_way(sealed):
    for attempt in ("os.listdir('/')", "os.fork()", "imp('_socket').socket()"):
        with sealed.trace(IMPORT + attempt + CAUGHT) as trace:
            assert list(trace)
        ended_well(trace.result)


def test_many_hostile_programs_at_once_leave_no_process(sealed):
    before = threading.active_count()
    codes = [IMPORT + "os.fork()", "import time\ntime.sleep(100)", "while True: pass"] * 4
    limits = Limits(cpu_s=0.3, wall_s=0.5)
    assert len(list(sealed.run_many(((n, c, "pot") for n, c in enumerate(codes)), limits=limits))) == len(
        codes
    )
    assert all(not launcher.children() for launcher in launchers())
    assert threading.active_count() == before
