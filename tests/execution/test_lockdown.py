"""Each layer of `lockdown.py` alone, in an ordinary process: it stops what its line says it stops."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")
REPOSITORY = Path(__file__).resolve().parents[2]
HEAD = """
import errno, mmap, os, signal, socket, sys
from training_backend.execution import lockdown
def outcome(attempt):
    try:
        attempt()
        return 'done'
    except MemoryError:
        return 'MemoryError'
    except OSError as error:
        return errno.errorcode.get(error.errno, 'OSError')
"""


def alone(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter in which only that code puts layers on."""
    return subprocess.run([sys.executable, "-c", HEAD + code], capture_output=True, text=True, cwd=REPOSITORY,
                          timeout=60, check=False)  # fmt: skip


FILTER = """
locks = lockdown.compile_filters()
if not locks.child_filter:
    print(*locks.missing); sys.exit(5)
lockdown.prctl(38, 1)
lockdown.load_filter(locks.child_filter)
"""


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        ("os.open('/etc/passwd', os.O_RDONLY)", "EACCES"),
        ("os.stat('/')", "EACCES"),
        ("os.mkdir('/tmp/made')", "EACCES"),
        ("mmap.mmap(-1, 4096, prot=7)", "EPERM"),
        ("socket.socket()", -31),
        ("os.fork()", -31),
        ("os.kill(os.getppid(), 0)", -31),
        ("os.execv('/bin/true', ['true'])", -31),
    ],
)
def test_the_filter_alone(attempt, expected):
    done = alone(f"{FILTER}print(outcome(lambda: {attempt}), flush=True)")
    if done.returncode == 5:
        pytest.skip(done.stdout)
    assert (done.stdout.strip() or done.returncode) == expected, done


def test_landlock_alone_stops_files():
    done = alone("missing = lockdown.landlock()\nif missing: print(missing); sys.exit(5)\n"
                 "print(outcome(lambda: os.open('/etc/passwd', 0)), outcome(lambda: os.listdir('/')), "
                 "outcome(lambda: os.mkdir('/tmp/made')), outcome(lambda: os.stat('/')))")  # fmt: skip
    if done.returncode == 5:
        pytest.skip(done.stdout)
    # what the line says it does not cover is not covered
    assert done.stdout.split() == ["EACCES", "EACCES", "EACCES", "done"], done


def test_rlimits_alone():
    done = alone("size = int(open('/proc/self/statm').read().split()[0]) * os.sysconf('SC_PAGESIZE')\n"
                 "out = os.dup(1)\nlockdown.limit_child(20.0, size + (64 << 20), out + 1)\n"
                 "print(outcome(lambda: bytearray(200 << 20)), outcome(lambda: os.dup(1)), "
                 "outcome(lambda: bytearray(8 << 20)))")  # fmt: skip
    assert done.stdout.split() == ["MemoryError", "EMFILE", "done"], done


def test_the_processor_limit_alone():
    done = alone("lockdown.limit_child(0.3, 1 << 40, 64)\nsignal.pthread_sigmask(signal.SIG_BLOCK, [27])\n"
                 "while True: pass")  # fmt: skip
    # the timer is blocked here, the limit behind it is not
    assert done.returncode in (-9, -24), done


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
def test_root_becomes_nobody_and_cannot_come_back():
    done = alone("lockdown.drop_root()\nprint(os.getresuid(), os.getresgid(), os.getgroups(), "
                 "outcome(lambda: os.setuid(0)))")  # fmt: skip
    nobody = "(65534, 65534, 65534)"
    assert done.stdout.strip() == f"{nobody} {nobody} [] EPERM", done


def test_a_child_ends_with_its_parent():
    done = alone("pid = os.fork()\nif pid == 0:\n    lockdown.die_with_parent(1)\n    print('alive')\n"
                 "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))")  # fmt: skip
    assert done.stdout.split() == ["71"], done
