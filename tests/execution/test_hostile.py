"""The table of `hostile_programs.py`, run and watched from outside, in each way programs are run.

Whatever a program does: its verdict is one of the closed set, it reached nothing, took no more than it was
given, left nothing running, and the next program gives the right answer. The first way is in the usual run;
the others are marked slow.
"""

from __future__ import annotations

import json
import runpy
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from launchers import launchers

from training_backend.execution.limits import Limits
from training_backend.execution.results import VERDICTS, RunResult
from training_backend.execution.runner import ProgramRunner

TABLE = runpy.run_path(str(Path(__file__).with_name("hostile_programs.py")))
HEAD, FAMILIES = TABLE["HEAD"], TABLE["FAMILIES"]
PROBE, PROBED = TABLE["PROBE"]
LIMITS = Limits(cpu_s=0.2, wall_s=0.6, memory_mib=64, stdout_chars=2000)
# programs of these families are legal to look at; without the head some of them share a process
_BARE = frozenset(["memory", "time", "values", "poisons"])


@dataclass
class Outside:
    """What the programs could reach, and how it was before."""

    folder: Path
    secret: str = field(default_factory=lambda: secrets.token_hex(12))
    name: str = field(default_factory=lambda: "kpdd-test-" + secrets.token_hex(6))
    listeners: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Lay out the canary and listen: TCP, UDP, UNIX streams and UNIX datagrams."""
        self.canary = self.folder / f"canary-{secrets.token_hex(6)}"
        self.canary.write_text(self.secret)
        self.folder.chmod(0o777)
        self.canary.chmod(0o666)
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", self.port))
        self.listeners += [tcp, udp]
        if sys.platform == "linux":
            stream, datagram = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            stream.bind("\0" + self.name)
            stream.listen()
            datagram.bind("\0" + self.name + "d")
            self.listeners += [stream, datagram]
        for listener in self.listeners:
            listener.setblocking(False)

    def place(self, code: str) -> str:
        """Return a program with what it reaches for."""
        for word, value in (("CANARY", self.canary), ("PORT", self.port), ("NAME", self.name)):
            code = code.replace(word, str(value))
        return code.replace("HOSTILE_" + str(self.canary), "HOSTILE_CANARY")

    def check(self) -> None:
        """Check that nobody called and that the canary is as it was, alone in its folder."""
        for listener in self.listeners:
            with pytest.raises(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()
                else:
                    listener.recv(1)
        assert [path.name for path in self.folder.iterdir()] == [self.canary.name]
        assert self.canary.read_text() == self.secret
        assert self.canary.stat().st_mode & 0o777 == 0o666


@pytest.fixture
def outside(tmp_path, monkeypatch) -> Iterator[Outside]:
    made = Outside(tmp_path)
    monkeypatch.setenv("HOSTILE_CANARY", made.secret)
    yield made
    for listener in made.listeners:
        listener.close()


def program(family: str, code: str) -> str:
    """Return a program of the table with the head it needs."""
    bare = family in _BARE and not any(word in code for word in ("imp(", "HIT", "os_."))
    return code if bare else HEAD + code


def past_the_policy(code: str) -> str:
    """Return a program that does the same and in whose text the policy finds nothing."""
    return (
        "run = eval('ex' + 'ec')\n"
        f"run(eval('com' + 'pile')({code!r}, '<program>', 'ex' + 'ec'), globals())"
    )  # fmt: skip


def programs(outside: Outside) -> dict[tuple[str, int], str]:
    """Return the whole table by (family, number)."""
    return {
        (family, number): outside.place(program(family, code))
        for family, codes in FAMILIES.items()
        for number, code in enumerate(codes)
    }


def check_result(key: tuple[str, int], result: RunResult, outside: Outside) -> None:
    """Check that one program ended as it may."""
    told = result.answer_text + result.stdout + result.error + result.reason
    assert result.verdict in VERDICTS, (key, result)
    assert outside.secret not in told and "REACHED" not in result.answer_text, (key, result)
    # by its own clock: how long it waited for a processor is the machine's affair
    assert result.cpu_ms < 1000 * (LIMITS.cpu_s + 1), (key, result)
    assert len(result.stdout) <= LIMITS.stdout_chars and len(told) < 30_000, key
    assert result.peak_mib < 400, (key, result)
    assert result.verdict == "ok" or result.value is None, (key, result)


def check_afterwards(runner: ProgramRunner, outside: Outside, before: int) -> None:
    """Check that nothing runs on, nobody was reached, and the service is as good as before."""
    running = launchers()
    assert running and all(not launcher.children() for launcher in running)
    outside.check()
    result = runner.run(PROBE)
    assert result.value == pytest.approx(PROBED), result
    assert psutil.Process().memory_info().rss - before < 100 << 20


def test_the_whole_table(sealed, outside):
    before = psutil.Process().memory_info().rss
    jobs = [(key, code, "pot") for key, code in programs(outside).items()]
    results = {}
    for key, result in sealed.run_many(jobs, limits=LIMITS):
        results[key] = result
        check_result(key, result, outside)
    assert results.keys() == {key for key, _, _ in jobs}
    check_afterwards(sealed, outside, before)


@pytest.mark.slow
@pytest.mark.parametrize("sharing", [True, False])
def test_the_whole_table_without_the_policy(sealed, outside, sharing):
    before = psutil.Process().memory_info().rss
    jobs = [(key, past_the_policy(code), "pot") for key, code in programs(outside).items()]
    with ProgramRunner(workers=3, limits=LIMITS, sharing=sharing) as runner:
        for key, result in runner.run_many(jobs):
            check_result(key, result, outside)
        check_afterwards(runner, outside, before)


@pytest.mark.slow
@pytest.mark.parametrize("look", [program, lambda family, code: past_the_policy(program(family, code))])
def test_the_whole_table_traced(sealed, outside, look):
    before = psutil.Process().memory_info().rss
    for family, codes in FAMILIES.items():
        for number, code in enumerate(codes):
            with sealed.trace(outside.place(look(family, code)), limits=LIMITS) as trace:
                shown = json.dumps(list(trace))
            # a name that holds the secret would be shown
            assert outside.secret not in shown, (family, number)
            check_result((family, number), trace.result, outside)
    check_afterwards(sealed, outside, before)


@pytest.mark.slow
def test_the_whole_table_from_the_command_line(sealed, outside):
    table = programs(outside)
    lines = "".join(json.dumps({"id": key, "code": code}) + "\n" for key, code in table.items())
    done = subprocess.run(
        [sys.executable, "-m", "training_backend", "execute", "--timeout", "0.3", "--memory", "64"],
        input=lines.encode(), capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [tuple(result["id"]) for result in results] == list(table)
    assert {result["verdict"] for result in results} <= set(VERDICTS)
    assert outside.secret.encode() not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    outside.check()


@pytest.mark.parametrize("poison", TABLE["POISONS"])
def test_a_poisoned_neighbour_changes_nothing(sealed, poison):
    codes = [PROBE, poison if "imp(" not in poison else HEAD + poison, PROBE, PROBE]
    with_others = dict(sealed.run_many(((n, code, "pot") for n, code in enumerate(codes)), limits=LIMITS))
    for place in (0, 2, 3):
        assert with_others[place].value == pytest.approx(PROBED), with_others[place]
