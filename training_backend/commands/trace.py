"""Show what each line of a program or of equations does; check the arithmetic of a chain of thought.

examples:
  kpdd trace program.py
  kpdd trace equations.txt --kind eot
  kpdd trace rationale.txt --kind cot
  kpdd trace program.py --question "Ida has 12 plums and eats 2." --json
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training_backend.errors import DatasetError
from training_backend.events import Answer, Control, Reporter, TraceBatches
from training_backend.execution.number_origins import NumberOrigins, number_origins
from training_backend.execution.results import RunResult
from training_backend.execution.runner import ProgramRunner, TraceRun
from training_backend.rationale.answers import equal, format_number, read_answer
from training_backend.rationale.arithmetic import claims

READS_STDIN = True
LOOK_S = 0.05
_TEXT_COLUMNS = 50
_RED, _GREEN, _PLAIN_COLOUR = "\x1b[31m", "\x1b[32m", "\x1b[0m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="the rationale; - is standard input")
    parser.add_argument("--kind", choices=("pot", "eot", "cot"), default="pot",
                        help="pot: a program (default), eot: equations, cot: a chain of thought")  # fmt: skip
    parser.add_argument("--question", default="", metavar="TEXT",
                        help="also say which of its numbers a program used")  # fmt: skip
    parser.add_argument("--information", action="append", default=[], metavar="ITEM",
                        help="an item of the information, for --question; once for each")  # fmt: skip
    parser.add_argument("--gold", type=float, help="the right answer, to compare with")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Show the trace; the status is 1 when there is no answer."""
    text = _read(args.file)
    if args.events and args.file != "-":
        control.listen()
    shows = not (args.json or args.events)
    if args.kind == "cot":
        return _check_arithmetic(text, args, reporter, shows)
    with ProgramRunner(workers=1) as runner:
        for sentence in runner.isolation().missing:
            reporter.log(sentence, "warning")
        lines = text.splitlines()
        records: list[dict[str, Any]] = []
        batches = TraceBatches(reporter.emit)
        with runner.trace(text, args.kind) as trace, _watched(trace, control, batches):
            for record in trace:
                if args.events:
                    batches.add(record)
                elif shows:
                    _print(as_lines(record, lines))
                records.append(record)
            if args.events:
                batches.send()
            result, cut = trace.result, trace.cut
    same = equal(result.value, args.gold) if args.gold is not None else None
    error = result.error or result.reason
    reporter.emit(
        Answer(
            result.verdict, result.answer_text, result.value, args.gold, same, error, result.error_line
        )
    )  # fmt: skip
    data: dict[str, Any] = {
        "verdict": result.verdict, "answer": result.value, "answer_text": result.answer_text,
        "rule": result.rule, "error": error, "error_line": result.error_line, "cut": cut, "equal": same,
        "stdout": result.stdout, "python": result.python, "isolation": result.isolation,
        "records": records if not args.events else [],
    }  # fmt: skip
    ending = _ending(result, cut, same)
    if args.kind == "pot" and (args.question or args.information):
        origins = number_origins(args.question, args.information, text, records,
                                 result.verdict == "ok")  # fmt: skip
        data["origins"] = _origins_data(origins)
        ending = "\n".join([*map(_plain, _origins_text(origins, args.question)), ending])
    reporter.result(data, ending)
    return 0 if result.verdict == "ok" else 1


@contextlib.contextmanager
def _watched(trace: TraceRun, control: Control, batches: TraceBatches) -> Iterator[None]:
    """While a program may say nothing for long: send the records that wait, and end it when told to stop."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            batches.send()
            if control.stop_requested:
                trace.cancel()
                return

    watcher = threading.Thread(target=watch, name="watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _origins_data(found: NumberOrigins) -> dict[str, Any]:
    """Return the origins as data; `literals` of a value are places in the list of literals."""
    values = [
        {"n": value.n, "frame": value.frame, "name": value.name, "line": value.line, "text": value.text,
         "literals": value.literals, "question": found.question_spans(value),
         "decided_by": found.deciding_spans(value),
         "items": [asdict(span) for span in found.item_spans(value)]}
        for value in found.values
    ]  # fmt: skip
    return {"literals": [asdict(literal) for literal in found.literals], "values": values,
            "unused": found.unused, "aside": found.aside}  # fmt: skip


def _origins_text(found: NumberOrigins, question: str) -> list[str]:
    """Return one line for each name with the numbers of the question behind its last value."""
    last = {value.name: value for value in found.values}
    lines = []
    for name, value in last.items():
        parts = []
        if spans := found.question_spans(value):
            parts.append(f"comes from: {_named(spans, question)}")
        if spans := found.deciding_spans(value):
            parts.append(f"is decided by: {_named(spans, question)}")
        if parts:
            lines.append(f"{name} = {value.text} {'; '.join(parts)}")
    if unused := sorted({*found.unused, *found.aside}):
        lines.append(f"not used: {_named(unused, question)}")
    return lines


def _named(spans: Iterable[tuple[int, int]], question: str) -> str:
    return ", ".join(question[start:end] for start, end in spans)


def as_lines(record: dict[str, Any], source: list[str]) -> list[str]:
    """Return one trace record as lines for a terminal."""
    number = record["ln"] or 0
    text = source[number - 1] if 0 < number <= len(source) else ""
    indent = "    " * record["depth"]
    shown = []
    if record["ev"] == "line":
        changes = ", ".join(_change(name, value) for name, value in record["ch"].items())
        line = text.strip()
        shown.append(f"{number:>4}  {indent}{line}{_blanks(line)}  {changes}".rstrip())
    elif record["ev"] == "call":
        given = ", ".join(f"{name}={value[0]}" for name, value in record["ch"].items() if value)
        shown.append(f"{number:>4}  {indent}→ {record.get('fn', '')}({given})")
    elif record["ev"] == "return":
        shown.append(f"{number:>4}  {indent}← {record.get('rv', '')}")
    else:
        shown.append(f"{number:>4}  {indent}✗ {': '.join(record.get('ex', []))}")
    for line in record.get("o", "").splitlines():
        shown.append(f"      {indent}│ {line}")
    return [_plain(line) for line in shown]


def _blanks(text: str) -> str:
    """Return the blanks that fill a column: East Asian letters take two places, combining ones none."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    none = sum(unicodedata.combining(letter) > 0 for letter in text)
    return " " * max(0, _TEXT_COLUMNS - len(text) - wide + none)


def _change(name: str, value: list[str] | None) -> str:
    return f"{name} is gone" if value is None else f"{name} = {value[0]}"


def _plain(text: str) -> str:
    """Return `text` with control characters escaped: a program must not drive the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)


def _print(lines: list[str]) -> None:
    colours = sys.stdout.isatty()
    for line in lines:
        colour = _RED if "✗" in line else _GREEN if "✓" in line else ""
        print(f"{colour}{line}{_PLAIN_COLOUR}" if colours and colour else line, flush=True)


def _ending(result: RunResult, cut: str, same: bool | None) -> str:
    parts = [cut] if cut else []
    if result.verdict == "ok":
        verdict = {True: ", equal to gold", False: ", not equal to gold", None: ""}[same]
        value = format_number(result.value) if result.value is not None else ""
        parts.append(f"answer: {value}{verdict}   ({result.rule}, from {result.taken_from})")
    else:
        why = result.error or result.reason
        # a text that cannot be read says its line and column itself
        where = f" (line {result.error_line})" if result.error_line and "(line " not in why else ""
        parts.append(_plain(f"{result.verdict.replace('_', ' ')}: {why}{where}"))
    return "\n".join(parts)


def _check_arithmetic(text: str, args: argparse.Namespace, reporter: Reporter, shows: bool) -> int:
    """Show each arithmetic statement of a chain of thought with what it really is."""
    found = claims(text)
    read = read_answer(text)
    same = equal(read.value, args.gold) if read and args.gold is not None else None
    for claim in found if shows else ():
        truth = "✓" if claim.holds else f"✗ it is {format_number(claim.computed)}"
        _print([_plain(f"  {claim.left} = {claim.right}   {truth}")])
    data = {"answer": read.value if read else None, "answer_text": read.text if read else "", "equal": same,
            "claims": [vars(claim) for claim in found]}  # fmt: skip
    wrong = sum(not claim.holds for claim in found)
    answer = f"answer: {format_number(read.value)} ({read.rule})" if read else "no number to read"
    reporter.result(data, f"{len(found)} statements, {wrong} wrong; {answer}")
    return 0 if read else 1


def _read(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise DatasetError(f"The file cannot be read: {error.strerror}.", "Check the path.", name) from None
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        where = f"{'standard input' if name == '-' else name}, line {line}"
        raise DatasetError("This is no text (UTF-8).", "Give a program as text.", where) from None
