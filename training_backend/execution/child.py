"""Run one job in the process that is there for it: read, check, run, find the answer, encode, send the end.

Bulk and trace take the same way, so that their answers cannot drift apart.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import gc
import io
import json
import os
import re
import sys
import time
import types
import warnings
from collections.abc import Callable
from typing import Any

from training_backend.execution import policy
from training_backend.execution.channel import Channel, frame
from training_backend.execution.encoder import MAX_MESSAGE, Encoder, message_of, type_name
from training_backend.execution.given import given_names, given_of
from training_backend.execution.limits import MAX_SOURCE_BYTES
from training_backend.execution.output import Output, safe
from training_backend.execution.pure import fresh_names, pure_tree
from training_backend.execution.trace import FILE_NAME, Recorder

ANSWER_NAMES = ("ans", "answer", "result")
ANSWER_FUNCTIONS = ("solution", "solver", "solve", "main")
_NO_SOURCE = re.compile("[\\0\ud800-\udfff]")
_NOT_VALUES = (types.FunctionType, types.ModuleType, types.BuiltinFunctionType, type)


# container objects between two searches for garbage in cycles; the usual 700 search while a child starts
_GARBAGE_AFTER = 5000
# given back when memory has run out, so that there is room to say so
_reserve: list[bytes] = []
_REHEARSALS = 10
_REHEARSED = [
    'import math\ndef solution():\n    """Words."""\n    total = 0.5\n    for i in range(3):\n'
    "        total += math.ceil(i / 2)\n    return total\n",
    "import math as m\na = 3\nb = round(a * 2.5, 2)\nprint(f'{b}')\nans = b",
]
_REHEARSED_HEAVY = [
    "x = Symbol('x')\nans = solve_it([Eq(2 * x, 7)], [x])[x]",
    "from sympy import symbols, solve\nx, y = symbols('x y')\nans = solve([x + y - 3, x - y - 1], [x, y])[x]",
]


def furnish() -> None:
    """Give this process what every program finds: no import path, no arguments, no input, no warnings."""
    sys.path.clear()
    sys.argv = [FILE_NAME]
    sys.stdin = io.StringIO("")
    warnings.simplefilter("ignore")
    gc.set_threshold(_GARBAGE_AFTER, *gc.get_threshold()[1:])
    _reserve.append(bytes(1 << 20))


def rehearse(tier: str) -> None:
    """Do some jobs of our own, so that children find done what Python prepares on first use."""
    kept = sys.modules["__main__"], sys.stdout, sys.stderr
    codes = [code.encode() for code in _REHEARSED + (_REHEARSED_HEAVY if tier == "heavy" else [])]
    common = {"seed": 0, "stdout_chars": 1024}
    alone = frame(json.dumps({"kind": "pot", "trace": False, "reading": "strict", **common}).encode())
    together = frame(json.dumps({"batch": len(codes), **common}).encode())
    reading, writing = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        channel = Channel(reading, nowhere)
        for _ in range(_REHEARSALS):
            for code in codes:
                os.write(writing, alone + frame(code))
                serve(channel)
            os.write(writing, together + b"".join(map(frame, codes)))
            serve(channel)
    finally:
        for descriptor in (reading, writing, nowhere):
            os.close(descriptor)
        sys.modules["__main__"], sys.stdout, sys.stderr = kept


def serve(channel: Channel) -> None:
    """Read one job from the channel, do it, send its end frame."""
    job = json.loads(channel.receive())
    if "batch" in job:
        _serve_batch(channel, job)
        return
    source = channel.receive()
    output = Output(channel, int(job["stdout_chars"]))
    sys.stdout = sys.stderr = output
    output.at_limit = lambda: _send_end(channel, output, {"status": "output_limit"})
    _seed(int(job["seed"]))
    recorder = Recorder(channel, output) if job["trace"] else None
    end = _run(source, job, recorder)
    _send_end(channel, output, end)


def _serve_batch(channel: Channel, job: dict[str, Any]) -> None:
    """Read, run and answer one pure program after the other."""
    for _ in range(int(job["batch"])):
        source = channel.receive()
        output = Output(channel, int(job["stdout_chars"]))
        # goes with the end; one that prints too much ends the process, and runs again alone
        output.held = True
        sys.stdout = sys.stderr = output
        began = time.perf_counter()
        end = _run_shared(source)
        end["ms"] = round(1000 * (time.perf_counter() - began), 3)
        _send_end(channel, output, end)


def _run_shared(source: bytes) -> dict[str, Any]:
    """Return the end frame's content of a program that leaves nothing behind, else `skip`."""
    names: dict[str, Any] = {}
    try:
        text = source.decode("utf-8", "surrogatepass")
        pure = pure_tree(text)
        if pure is None:
            return {"status": "skip"}
        tree, free = pure
        code = compile(tree, FILE_NAME, "exec", dont_inherit=True)
    except Exception:
        # said alone, with line and column
        return {"status": "skip"}
    try:
        given = given_of(free, code)
        names = {**fresh_names(), **given}
        # our own call: running the text is what this process is for
        exec(code, names)
        taken_from, value = find_answer(names)
        if value is None:
            return {"status": "no_answer", "taken_from": taken_from}
        encoder = Encoder()
        return {
            "status": "ok",
            "taken_from": taken_from,
            "given": list(given),
            "answer": encoder.encode(value),
        }
    except (MemoryError, RecursionError):
        # how much there is left depends on what ran before
        return {"status": "skip"}
    except BaseException as error:
        return describe(error)
    finally:
        names.clear()


def _send_end(channel: Channel, output: Output, end: dict[str, Any]) -> None:
    rest = safe(output.take())
    if "reason" in end:
        # a reason may quote the program
        end["reason"] = safe(end["reason"])[:MAX_MESSAGE]
    channel.send({"t": "end", **end, "stdout": rest, "stdout_cut": output.cut, "printed": output.printed})


def _seed(seed: int) -> None:
    import random

    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed)


def _run(source: bytes, job: dict[str, Any], recorder: Recorder | None) -> dict[str, Any]:
    """Return the end frame's content; whatever the program does, it is no exception here."""
    if len(source) > MAX_SOURCE_BYTES:
        return {"status": "refused", "reason": f"the text is longer than {MAX_SOURCE_BYTES // 1024} KiB"}
    try:
        text = source.decode("utf-8", "surrogatepass")
        if job["kind"] == "eot":
            from training_backend.execution.equation_solver import run_equations

            return run_equations(text, recorder, str(job["reading"]), "sympy" in sys.modules)
        return _run_program(text, recorder)
    except MemoryError:
        _reserve.clear()
        _stop_tracing(recorder)
        return {"status": "memory"}
    except BaseException as error:
        _reserve.clear()
        _stop_tracing(recorder)
        return describe(error)


def _stop_tracing(recorder: Recorder | None) -> None:
    sys.settrace(None)
    if recorder is not None:
        recorder.finish()


def _run_program(text: str, recorder: Recorder | None) -> dict[str, Any]:
    try:
        refusal = policy.check(text)
        if refusal is not None:
            return {"status": "refused", "reason": refusal.reason, "line": refusal.line}
        code = compile(text, FILE_NAME, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _no_program(error, text)
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    given = given_names(text, code)
    module.__dict__.update(given)
    if recorder is not None:
        recorder.start(given)
    with contextlib.suppress(SystemExit):
        # our own call: running the text is what this process is for
        exec(code, module.__dict__)
    taken_from, value = find_answer(module.__dict__)
    _stop_tracing(recorder)
    if value is None:
        return {"status": "no_answer", "taken_from": taken_from}
    encoder = Encoder()
    return {"status": "ok", "taken_from": taken_from, "given": list(given), "answer": encoder.encode(value)}


def _no_program(error: BaseException, text: str) -> dict[str, Any]:
    """Describe a text that the parser does not take."""
    name, line, column = "SyntaxError", None, None
    if isinstance(error, SyntaxError):
        name, message = type(error).__name__, str(error.msg)
        line, column = error.lineno, error.offset
    elif isinstance(error, MemoryError | RecursionError):
        message = "too deeply nested"
    else:
        message = str(error)
    if not line and (odd := _NO_SOURCE.search(text)):
        # the parser does not say where
        before = text[: odd.start()]
        line, column = before.count("\n") + 1, odd.start() - before.rfind("\n")
        message = "a program cannot hold a null byte or half of a surrogate pair"
    where = f" (line {line}, column {column})" if line and column else f" (line {line})" if line else ""
    return {"status": "syntax", "error": {"type": name, "message": safe(message + where)[:MAX_MESSAGE],
                                          "line": line}}  # fmt: skip


def find_answer(names: dict[str, Any]) -> tuple[str, Any]:
    """Return (where it was found, value): the first of `ans answer result` that holds a value, else what the
    first of `solution() solver() solve() main()` without required arguments returns."""
    for name in ANSWER_NAMES:
        value = names.get(name)
        if value is not None and not any(type(value) is kind for kind in _NOT_VALUES):
            return name, value
    for name in ANSWER_FUNCTIONS:
        function = _own_function(names.get(name))
        if function is not None:
            try:
                return f"{name}()", function()
            except SystemExit:
                return f"{name}()", None
    return "", None


def _own_function(value: Any) -> Callable[[], Any] | None:
    """Return `value` if it is a function that the program wrote and that needs no argument."""
    inner = value.__wrapped__ if type(value) is functools._lru_cache_wrapper else value
    if type(inner) is not types.FunctionType or inner.__code__.co_filename != FILE_NAME:
        return None
    required = inner.__code__.co_argcount - len(inner.__defaults__ or ())
    keywords = inner.__code__.co_kwonlyargcount - len(inner.__kwdefaults__ or {})
    return value if required == 0 and keywords == 0 else None


def describe(error: BaseException) -> dict[str, Any]:
    """Return what a raised exception was: its type, its message and the program's last line in it."""
    line = None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE_NAME:
            line = step.tb_lineno
        step = step.tb_next
    if isinstance(error, SyntaxError) and line is None:
        line = error.lineno
    name = type_name(type(error))
    return {"status": "error", "error": {"type": name, "message": message_of(error), "line": line}}


def leave(code: int = 0) -> None:
    """End this process without running anything that a program may have registered."""
    os._exit(code)
