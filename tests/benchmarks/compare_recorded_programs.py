"""Run every recorded program in the sandbox and in a plain interpreter, and compare what came out.

    python tests/benchmarks/compare_recorded_programs.py DATA_FOLDER [--cache FOLDER] [--again sandbox|plain]

The plain side: an interpreter that has loaded what the text names and forks a process per program: no policy,
no filter, no shared process, another hash seed, 20 s of processor time, 4 GiB. The programs are not ours, so
it has no rights (as root it becomes nobody), no environment and an empty folder. The answer is found and read
by the same stated rules; where the value is a number of Python, NumPy or SymPy, Python's own `float` has to
agree with what was read. Compared are the verdict, the type and line of the exception, the answer as text and
as number, where it was found, and what was printed.

Both sides keep their results in the cache, one line each, so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from training_backend.execution.results import RunResult
from training_backend.execution.runner import ProgramRunner

PLAIN_CPU_S = 20
PLAIN_WALL_S = 60.0
PLAIN_BYTES = 4 << 30
COMPARED = ("verdict", "error_type", "error_line", "answer", "value", "taken_from", "printed")
_SHOWN = ("verdict", "detail", "tier", "cpu_ms")
_LIBRARIES: dict[str, tuple[str, ...]] = {
    "light": (),
    "numpy": ("numpy",),
    "heavy": ("numpy", "sympy", "dateutil.relativedelta"),
}
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
# set → (files, the field that holds the program); a first row without it is a prompt
_POT = "teacher/program_of_thoughts"
_SETS = {
    "Faithful-CoT GSM8K": ("teacher/faithful_cot/GSM8K/*.gz", "completion"),
    "Faithful-CoT SVAMP": ("teacher/faithful_cot/SVAMP/*.gz", "completion"),
    "Faithful-CoT MultiArith": ("teacher/faithful_cot/MultiArith/*.gz", "completion"),
    "Faithful-CoT ASDiv": ("restricted/faithful_cot_asdiv/ASDiv/*.gz", "completion"),
    "PAL GSM-Hard": ("pal_datasets/gsmhardv2.jsonl", "code"),
    "Program-of-Thoughts GSM8K, few-shot": (f"{_POT}/gsm8k_fewshot.jsonl.gz", "generated"),
    "Program-of-Thoughts GSM8K, zero-shot": (f"{_POT}/gsm8k_zeroshot.jsonl.gz", "generated"),
    "Program-of-Thoughts SVAMP, few-shot": (f"{_POT}/svamp_fewshot.jsonl.gz", "generated"),
    "XoT GSM8K": ("restricted/xot/gsm8k_test_pot.jsonl.gz", "reason/pot"),
    "mwp_ReFT SVAMP, sdp": ("teacher/mwp_reft/svamp_python_sdp.json.gz", "answer_cot"),
    "mwp_cot_design SVAMP, cdp": ("restricted/mwp_cot_design/svamp_python_cdp.json.gz", "answer_cot"),
    "mwp_cot_design SVAMP, ndp": ("restricted/mwp_cot_design/svamp_python_ndp.json.gz", "answer_cot"),
    "R3 GSM8K": ("restricted/r3/gsm8k_python_train_example.json", "answer_cot"),
}


def recorded_sets(folder: Path) -> dict[str, list[str]]:
    """Return the programs of each set that lies in `folder`, in the order of its files, repetitions too."""
    found: dict[str, list[str]] = {}
    for name, (pattern, field) in _SETS.items():
        # chains of thought stand in the same folders
        paths = [path for path in sorted(folder.glob(pattern)) if not re.search(r"_(COT|LtM)\.", path.name)]
        codes = [code for path in paths for row in _rows(path) if (code := _code(row.get(field)))]
        if codes:
            found[name] = codes
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    if ".jsonl" not in path.name:
        return list(json.loads(text))
    # by line ends only: a program may hold other signs that split lines
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _code(value: Any) -> str:
    return str(value[0] if isinstance(value, list) and value else value or "")


def key_of(code: str) -> str:
    """Return the short name of a program in the cache and in the lists."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:16]


# ---- one record per run, the same on both sides


def record_of(result: RunResult) -> dict[str, Any]:
    """Return what is compared of a result of the sandbox."""
    return {
        "verdict": result.verdict,
        "error_type": result.error.partition(":")[0],
        "error_line": result.error_line if result.verdict == "raised" else None,
        "answer": _ADDRESS.sub("0x", result.answer_text),
        "value": result.value,
        "taken_from": result.taken_from,
        "printed": digest_of(result.stdout),
        "detail": result.error or result.reason,
        "given": result.rule.partition("given without an import: ")[2],
        "cpu_ms": result.cpu_ms,
        "tier": result.tier,
    }


def digest_of(printed: str) -> str:
    """Return a digest of the first printed characters without addresses, or '' when nothing was printed."""
    kept = _ADDRESS.sub("0x", printed[:8000])
    return hashlib.sha256(kept.encode("utf-8", "replace")).hexdigest()[:12] if kept else ""


def differences(sandbox: dict[str, Any], plain: dict[str, Any]) -> list[str]:
    """Return the names of the compared fields that differ."""
    if sandbox["verdict"] != plain["verdict"]:
        return ["verdict"]
    if sandbox["verdict"] not in ("ok", "no_answer", "raised"):
        # ended from outside: how far it came is chance
        return []
    return [name for name in COMPARED if sandbox.get(name) != plain.get(name)]


# ---- the plain side


def plain_record(code: str) -> dict[str, Any]:
    """Run a program in this process as it stands and return its record; the process is used up."""
    # the stated rules, and nothing else of the sandbox
    import msgspec

    from training_backend.execution.child import FILE_NAME, describe, find_answer
    from training_backend.execution.encoder import Encoder
    from training_backend.execution.frames import Value
    from training_backend.execution.given import given_names
    from training_backend.execution.reading import read_value

    printed = io.StringIO()
    record: dict[str, Any] = dict.fromkeys(COMPARED, "") | {"value": None, "error_line": None}
    sys.stdin, sys.argv = io.StringIO(""), [FILE_NAME]
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            module = sys.modules["__main__"] = types.ModuleType("__main__")
            compiled = compile(code, FILE_NAME, "exec", dont_inherit=True)
            module.__dict__.update(given_names(code, compiled))
            with contextlib.suppress(SystemExit):
                exec(compiled, module.__dict__)
            record["taken_from"], value = find_answer(module.__dict__)
    except MemoryError:
        return record | {"verdict": "out_of_memory"}
    except BaseException as error:
        told = describe(error)["error"]
        record |= {"verdict": "raised", "error_type": told["type"], "error_line": told["line"]}
        return record | {"detail": told["message"], **_printed(printed.getvalue())}
    record |= _printed(printed.getvalue())
    if value is None:
        return record | {"verdict": "no_answer"}
    read = read_value(msgspec.convert(Encoder().encode(value), Value))
    record |= {"answer": _ADDRESS.sub("0x", read.text), "value": read.value, "by_python": _as_float(value)}
    return record | {"verdict": "ok" if read.value is not None else "no_answer"}


def _printed(text: str) -> dict[str, Any]:
    return {"printed": digest_of(text), "warned": "Warning: " in text}


def _as_float(value: Any) -> float | None:
    """Return what Python itself takes a number for, or None for what is not one number."""
    if isinstance(value, str | bytes) or getattr(value, "shape", None):
        return None
    with contextlib.suppress(Exception):
        return float(value)
    return None


def run_plain(tier: str, jobs: Iterable[tuple[str, str]], out: Path) -> None:
    """Fork a process for each (key, code) and append its record to `out`; called in a fresh interpreter."""
    import msgspec  # noqa: F401

    from training_backend.execution import child, encoder, frames, given, reading  # noqa: F401

    for name in _LIBRARIES[tier]:
        __import__(name)
    # without a buffer: several interpreters append whole lines to one file
    with out.open("ab", buffering=0) as file, tempfile.TemporaryDirectory() as empty:
        Path(empty).chmod(0o755)
        for key, code in jobs:
            file.write((json.dumps({"key": key, **_forked(code, Path(empty))}) + "\n").encode())


def _forked(code: str, empty: Path) -> dict[str, Any]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            _give_up_rights(empty)
            data = json.dumps(plain_record(code)).encode("utf-8", "replace")
            while data:
                data = data[os.write(writing, data) :]
        finally:
            os._exit(0)
    os.close(writing)
    data, late = _read_all(reading, pid)
    _, status, usage = os.wait4(pid, 0)
    os.close(reading)
    used = {"cpu_ms": round(1000 * (usage.ru_utime + usage.ru_stime), 1)}
    if data:
        return json.loads(data) | used
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    verdict = "timed_out" if late or number in (signal.SIGXCPU, signal.SIGKILL) else "crashed"
    return {"verdict": verdict, "detail": f"signal {number}", **used}


def _give_up_rights(empty: Path) -> None:
    import resource

    for name, value in (("RLIMIT_CPU", PLAIN_CPU_S), ("RLIMIT_AS", PLAIN_BYTES), ("RLIMIT_CORE", 0)):
        resource.setrlimit(getattr(resource, name), (value, value))
    os.chdir(empty)
    os.environ.clear()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def _read_all(descriptor: int, pid: int) -> tuple[bytes, bool]:
    data, deadline = b"", time.monotonic() + PLAIN_WALL_S
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            return b"", True
        part = os.read(descriptor, 1 << 16)
        if not part:
            return data, False
        data += part


def in_plain_interpreters(codes: dict[str, str], out: Path, workers: int = 2) -> None:
    """Run the programs in `workers` plain interpreters at a time, by what libraries they name."""
    from training_backend.execution.jobs import tier_of

    waiting: list[tuple[str, list[tuple[str, str]]]] = []
    for tier in _LIBRARIES:
        chosen = [(key, code) for key, code in codes.items() if tier_of(code, "pot") == tier]
        waiting += [(tier, chosen[place::workers]) for place in range(workers) if chosen[place::workers]]
    running: list[tuple[subprocess.Popen, Path]] = []
    for number, (tier, jobs) in enumerate(waiting):
        job_file = out.with_name(f"{out.name}.jobs-{number}")
        job_file.write_text(json.dumps(jobs), encoding="utf-8")
        command = [sys.executable, __file__, "--plain-worker", tier, str(job_file), str(out)]
        here = str(Path(__file__).resolve().parents[2])
        process = subprocess.Popen(command, env={"PYTHONPATH": here, "OMP_NUM_THREADS": "1"})
        running.append((process, job_file))
        if len(running) == workers:
            _wait(running)
    _wait(running)


def _wait(running: list[tuple[subprocess.Popen, Path]]) -> None:
    while running:
        process, job_file = running.pop()
        if process.wait() != 0:
            raise RuntimeError(f"a plain interpreter ended with {process.returncode}")
        job_file.unlink()


# ---- the sandbox's side, the cache, the table


def in_sandbox(codes: dict[str, str], out: Path) -> None:
    """Run the programs through a runner with its default limits and lanes; append the records."""
    with ProgramRunner() as runner, out.open("a", encoding="utf-8") as file:
        print("isolation:", runner.isolation().level, flush=True)
        for key, result in runner.run_many((key, code, "pot") for key, code in codes.items()):
            file.write(json.dumps({"key": key, **record_of(result)}) + "\n")


def cached(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a cache file by key; a line that was cut off is left out."""
    found: dict[str, dict[str, Any]] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                found[record["key"]] = record
    return found


def reason_of(sandbox: dict[str, Any], plain: dict[str, Any], again: dict[str, Any]) -> str:
    """Name why the two sides differ; '' when it is not known and somebody has to look."""
    if differences(plain, again):
        return "differs from run to run in a plain interpreter too (chance, clock or order of a set)"
    if again.get("warned") and differences(sandbox, plain) == ["printed"]:
        return "a warning of the interpreter (SyntaxWarning and its like), which the sandbox does not print"
    if sandbox["verdict"] == "timed_out":
        return f"time limit: needs {plain['cpu_ms'] / 1000:.0f} s"
    if sandbox["verdict"] == "out_of_memory":
        return "memory limit"
    if sandbox["verdict"] == "refused":
        return f"policy: {sandbox['detail']}"
    return ""


def main(arguments: list[str]) -> int:
    """Compare; return 1 when a difference has no known reason."""
    parser = argparse.ArgumentParser(description="compare recorded programs in the sandbox and outside")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "recorded-programs")
    parser.add_argument("--again", action="append", choices=["sandbox", "plain"], default=[])
    parser.add_argument("--show", action="store_true", help="print the differing programs")
    chosen = parser.parse_args(arguments)
    chosen.cache.mkdir(parents=True, exist_ok=True)
    sets = recorded_sets(chosen.folder)
    codes = {key_of(code): code for programs in sets.values() for code in programs}
    records: dict[str, dict[str, dict[str, Any]]] = {}
    for side, run in (("sandbox", in_sandbox), ("plain", in_plain_interpreters)):
        path = chosen.cache / f"{side}.jsonl"
        if side in chosen.again:
            path.unlink(missing_ok=True)
        known = cached(path)
        missing = {key: code for key, code in codes.items() if key not in known}
        print(f"{side}: {len(codes) - len(missing):,} known, {len(missing):,} to run", flush=True)
        if missing:
            run(missing, path)
        records[side] = cached(path)
    return _report(sets, codes, records["sandbox"], records["plain"], chosen)


def _report(
    sets: dict[str, list[str]],
    codes: dict[str, str],
    sandbox: dict[str, dict[str, Any]],
    plain: dict[str, dict[str, Any]],
    chosen: argparse.Namespace,
) -> int:
    differing = {key: found for key in codes if (found := differences(sandbox[key], plain[key]))}
    second = chosen.cache / "plain-again.jsonl"
    second.unlink(missing_ok=True)
    if differing:
        in_plain_interpreters({key: codes[key] for key in differing}, second)
    again = cached(second)
    reasons = {key: reason_of(sandbox[key], plain[key], again[key]) for key in differing}
    print(f"{'set':<40}{'programs':>10}{'distinct':>10}{'equal':>10}{'differing':>10}")
    for name, programs in sets.items():
        _print_row(name, len(programs), {key_of(code) for code in programs}, differing)
    _print_row("all", sum(map(len, sets.values())), set(codes), differing)
    verdicts = Counter(sandbox[key]["verdict"] for key in codes)
    print("verdicts in the sandbox:", dict(verdicts.most_common()))
    print("given a name without an import:", sum(bool(sandbox[key].get("given")) for key in codes))
    misread = [key for key in codes if _misread(plain[key])]
    print("read otherwise than by float():", len(misread), misread[:10])
    print("reasons:", dict(Counter(reasons.values()).most_common()))
    for key, fields in differing.items():
        print(f"{key} {reasons[key] or 'UNEXPLAINED'} [{', '.join(fields)}]")
        for side in (sandbox, plain):
            print(
                "    ",
                {name: side[key].get(name) for name in (*fields, "verdict", "detail", "tier", "cpu_ms")},
            )
        if chosen.show:
            print("\n".join(f"    | {line}" for line in codes[key].splitlines()[:60]))
    return 1 if misread or not all(reasons.values()) else 0


def _print_row(name: str, rows: int, keys: set[str], differing: dict[str, list[str]]) -> None:
    apart = len(keys & differing.keys())
    print(f"{name:<40}{rows:>10,}{len(keys):>10,}{len(keys) - apart:>10,}{apart:>10,}")


def _misread(plain: dict[str, Any]) -> bool:
    own, value = plain.get("by_python"), plain.get("value")
    return own is not None and value is not None and own != value


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain-worker"]:
        tier_name, job_path, out_path = sys.argv[2:5]
        run_plain(tier_name, json.loads(Path(job_path).read_text(encoding="utf-8")), Path(out_path))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
