"""Each layer of `lockdown.py` alone, in an ordinary process: it stops what its line says it stops."""

from __future__ import annotations

import json
import os
import re
import socket
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


def test_the_filters_names_are_known_here():
    """Every call that is to be allowed or deadly is one: a slip of the pen would be left out in silence."""
    import platform

    seccomp = pytest.importorskip("pyseccomp")
    from training_backend.execution import lockdown

    if platform.machine() != "x86_64":
        pytest.skip("other processors lack some of the calls")
    names = lockdown._ALLOWED + lockdown._PATHS + lockdown._DEADLY + lockdown._LAUNCHER
    unknown = [name for name in names if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) < 0]
    assert unknown == []


def test_a_clean_start_leaves_one_descriptor_and_five_words(monkeypatch):
    from training_backend.execution import launching

    shown = ("import json, os, socket, sys\n"
             "found = [dict(os.environ), sorted(map(int, os.listdir('/proc/self/fd'))), os.getcwd()]\n"
             "socket.socket(fileno=int(sys.argv[1])).send(json.dumps(found).encode())")  # fmt: skip
    monkeypatch.setattr(
        launching, "launcher_command", lambda tier, fd, niceness: [sys.executable, "-S", "-c", shown, str(fd)]
    )
    monkeypatch.setenv("KPDD_CANARY", "secret")
    with open(os.devnull) as kept:  # noqa: PTH123
        os.set_inheritable(kept.fileno(), True)
        started = launching.start("light", 0)
        started.control.setblocking(True)
        environment, descriptors, folder = json.loads(started.control.recv(8192))
        started.process.wait(10)
        started.control.close()
    words = {"PYTHONHASHSEED", "LC_ALL", "TZ", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
    assert set(environment) == words and folder == "/"
    # nothing on 0 to 2, its socket, and the one that lists them
    assert len(descriptors) == 5, descriptors


def test_the_base_filter_of_a_launcher_alone():
    done = alone("locks = lockdown.compile_filters()\n"
                 "if not locks.launcher_filter: print(*locks.missing); sys.exit(5)\n"
                 "lockdown.prctl(38, 1)\nlockdown.load_filter(locks.launcher_filter)\n"
                 "print(outcome(lambda: os.open('/etc/passwd', 0)), outcome(lambda: os.listdir('/')), "
                 "outcome(socket.socket), outcome(lambda: os.execv('/bin/true', ['true'])), "
                 "outcome(lambda: os.kill(os.getppid(), 0)), outcome(lambda: mmap.mmap(-1, 4096, prot=7)), "
                 "outcome(lambda: os.chmod('/tmp', 0o777)), outcome(lambda: os.mkdir('/tmp/made')))\n"
                 "pid = os.fork()\nif pid == 0: os._exit(7)\n"
                 "print(os.waitstatus_to_exitcode(os.wait4(pid, 0)[1]))")  # fmt: skip
    if done.returncode == 5:
        pytest.skip(done.stdout)
    *denied, forked = done.stdout.split()
    assert set(denied) == {"EACCES", "EPERM"} and len(denied) == 8, done
    # what a launcher is for still works
    assert forked == "7", done


def test_landlock_alone_stops_tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        done = alone("missing = lockdown.landlock()\nif missing: print(missing); sys.exit(5)\n"
                     "s = socket.socket()\n"
                     f"print(outcome(lambda: s.connect(('127.0.0.1', {port}))))")  # fmt: skip
        if done.returncode == 5:
            pytest.skip(done.stdout)
        if done.stdout.strip() == "done":
            pytest.skip("this kernel's Landlock has no rule for TCP")
        assert done.stdout.strip() == "EACCES", done
        with pytest.raises(TimeoutError):
            server.accept()


def test_closing_a_launcher_alone_hides_its_memory():
    done = alone("lockdown.close_launcher()\n"
                 "text = open('/proc/self/status').read()\n"
                 "print(text.split('NoNewPrivs:')[1].split()[0], "
                 "os.stat('/proc/self/environ').st_uid)")  # fmt: skip
    # what cannot be looked into belongs to root in /proc, whoever runs it
    assert done.stdout.split() == ["1", "0"], done


def test_every_layer_of_the_list_names_the_test_that_attacks_it_alone():
    from training_backend.execution import lockdown

    text = lockdown.__doc__ or ""
    layers = re.findall(r"^- \*\*", text, re.MULTILINE)
    named = re.findall(r"`(test_\w+)\.(test_\w+)`", text)
    assert len(layers) >= 7 and len(named) >= len(layers)
    for file, test in named:
        source = Path(__file__).with_name(f"{file}.py").read_text(encoding="utf-8")
        assert f"def {test}(" in source, (file, test)
