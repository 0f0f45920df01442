"""The reduced path: what it still gives without launchers and without a kernel filter, and what it says."""

from __future__ import annotations

import pytest

from training_backend.execution.isolation import from_ready
from training_backend.execution.limits import Limits
from training_backend.execution.runner import ProgramRunner


@pytest.fixture(scope="module")
def plain():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPDD_SANDBOX", "plain")
        with ProgramRunner(workers=2, limits=Limits(cpu_s=1, wall_s=3, memory_mib=128)) as made:
            yield made


def test_it_says_what_is_missing(plain):
    report = plain.isolation()
    assert report.level == "basic"
    assert any("system call filter" in sentence for sentence in report.missing)


@pytest.mark.parametrize(
    ("code", "kind", "verdict", "value"),
    [
        ("ans = 6 * 7", "pot", "ok", 42),
        ("import sympy\nans = sympy.Rational(1, 2)", "pot", "ok", 0.5),
        ("2x = 7\nans = x", "eot", "ok", 3.5),
        ("1 / 0", "pot", "raised", None),
        ("import os", "pot", "refused", None),
        ("while True: pass", "pot", "timed_out", None),
        ("x = 'x' * 10**10", "pot", "out_of_memory", None),
        ("print('x')", "pot", "no_answer", None),
        ("imp = eval('__imp' + 'ort__')\nimp('o' + 's').listdir('/')", "pot", "raised", None),
        ("imp = eval('__imp' + 'ort__')\nimp('io').open('/etc/passwd')", "pot", "raised", None),
        ("imp = eval('__imp' + 'ort__')\nimp('_socket').socket()", "pot", "raised", None),
        ("imp = eval('__imp' + 'ort__')\nimp('o' + 's').system('true')", "pot", "raised", None),
    ],
)
def test_verdicts_and_answers_are_the_same(plain, code, kind, verdict, value):
    result = plain.run(code, kind)
    assert (result.verdict, result.value) == (verdict, value), result
    assert result.isolation == "basic"


def test_a_program_that_sleeps_is_ended(plain):
    result = plain.run("import time\ntime.sleep(100)", limits=Limits(wall_s=0.3))
    assert result.verdict == "timed_out"


def test_a_trace_streams_here_too(plain):
    with plain.trace("a = 1\nprint('x')\nans = a + 1") as trace:
        records = list(trace)
    assert [record["ln"] for record in records] == [1, 2, 3]
    assert trace.result.value == 2 and trace.result.stdout == "x\n"


def test_run_many_here_too(plain):
    results = dict(plain.run_many((n, f"ans = {n}", "pot") for n in range(4)))
    assert [results[n].value for n in range(4)] == [0, 1, 2, 3]


def test_the_level_is_full_only_when_the_self_test_could_do_nothing():
    assert from_ready({"filter": True, "could": [], "missing": []}).level == "full"
    could = from_ready({"filter": True, "could": ["fork"], "missing": []})
    assert could.level == "basic" and could.missing == ("A program could start other processes.",)
    assert from_ready({"filter": False, "could": [], "missing": ["No filter."]}).missing == ("No filter.",)


def test_a_launcher_that_does_not_start_leads_to_the_reduced_path(monkeypatch):
    from training_backend.execution import launching

    monkeypatch.delenv("KPDD_SANDBOX", raising=False)
    monkeypatch.setattr(launching, "launcher_command", lambda *arguments: ["/bin/false"])
    with ProgramRunner(workers=1) as own:
        result = own.run("ans = 5")
        assert result.value == 5 and result.isolation == "basic"
        report = own.isolation()
        assert report.level == "basic" and "does not start" in report.missing[0]
