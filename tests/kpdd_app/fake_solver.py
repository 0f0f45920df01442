"""A stand-in for `serve-solve` that speaks its protocol: canned students, a small tracer of its own.

What it writes depends on words of the question: raise, refuse, syntax, calls, long, slow, die, unparsed.
Every word has an id; continuing with tokens writes them and what follows. Every third path differs.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

from training_backend.events import (
    Answer,
    Ended,
    Failed,
    Reporter,
    Result,
    StageEnded,
    StageStarted,
    Started,
    Token,
    Trace,
    Vote,
)

KEY = (
    "core question: How many pages does Nora still have to read? information: 1. The book has 240 pages. "
    "2. Nora reads 18 pages a day. 3. She has read for 6 days."
)
PROGRAM = """\
pages = 240
per_day = 18
days = 6
read = per_day * days
ans = pages - read
"""
CALLS = """\
def area(width, height):
    size = width * height
    return size

rooms = [(3, 4), (5, 6)]
total = 0
for width, height in rooms:
    total += area(width, height)
    print("so far", total)
ans = total
"""
COT = "Nora has read 18 * 6 = 108 pages. So 240 - 108 = 133 pages are left. The answer is 133."


def program_for(question: str) -> str:
    if "raise" in question:
        return PROGRAM.replace("pages - read", "pages / (read - 108)")
    if "syntax" in question:
        return PROGRAM.replace("days = 6", "days = = 6")
    if "refuse" in question:
        return "import os\nans = os.listdir('/')\n"
    if "calls" in question:
        return CALLS
    if "long" in question:
        return "total = 0\nfor n in range(2000):\n    total += n\nans = total\n"
    return PROGRAM


WORDS: list[str] = [" other", " more", "\n"]


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\n|[ ]*\w+|[ ]*[^\w\s]", text)


def id_of(word: str) -> int:
    if word not in WORDS:
        WORDS.append(word)
    return WORDS.index(word)


class Solver:
    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.kind = "pot"
        self.roles = ("key", "solve")

    def load(self, students: str, request: str) -> None:
        if "endless" in students:
            time.sleep(60)
        if "broken" in students:
            self.reporter.emit(
                Failed(message="The student Key has no weights.", hint="Train it again.", where=students)
            )
            return
        self.reporter.emit(
            Result(
                data={
                    "students": students,
                    "method": "kpdd-pot",
                    "roles": list(self.roles),
                    "request": request,
                }
            )
        )

    def solve(self, message: dict) -> None:
        question, gold, request = message["question"], message.get("gold"), message["request"]
        self.forced = {message.get("role", ""): message.get("tokens", [])}
        given = message.get("given") or {}
        if "die" in question:
            sys.stderr.write("RuntimeError: the memory is full\n")
            sys.stderr.flush()
            os._exit(1)
        key = "pages 240 day 18" if "unparsed" in question else KEY
        if given.get("core_question") and given.get("information"):
            key = " ".join(given["information"])
        else:
            fields = {} if "unparsed" in question else {
                "core_question": "How many pages does Nora still have to read?",
                "information": ["The book has 240 pages.", "Nora reads 18 a day.", "She read for 6 days."],
            }  # fmt: skip
            self.write("key", f"extract key points: {question}", key, request, question, fields)
        program = COT if "chain" in question else program_for(question)
        if message.get("path", 0) % 3 == 2:
            program = program.replace("days = 6", "days = 5")
        for number in re.findall(r"(\d+) days", key):
            program = program.replace("days = 6", f"days = {number}")
        kind = "cot" if "chain" in question else "pot"
        self.write(
            "solve",
            f"solve by program: question: {question} {key}",
            program,
            request,
            question,
            {"rationale": program, "kind": kind},
        )
        program = self.written
        if kind == "cot":
            self.end(Answer("ok", "133", 133.0, gold, None if gold is None else gold == 133, request=request))
        else:
            self.run(program, gold, request)

    def write(self, role, source, text, request, question, fields=None) -> None:
        self.reporter.emit(StageStarted(role=role, source=source, request=request))
        pieces = tokens_of(text)
        forced = [WORDS[number] for number in self.forced.get(role, [])]
        pieces = forced + pieces[len(forced) :]
        text = "".join(pieces)
        if role == "solve":
            fields = {**(fields or {}), "rationale": text}
        for index, piece in enumerate(pieces):
            sure = 1.0 if index % 7 else 0.62 if index % 3 else 0.31
            others = [[" other", (1 - sure) * 0.6], [" more", (1 - sure) * 0.3], ["\n", (1 - sure) * 0.1]]
            self.reporter.emit(
                Token(
                    role=role,
                    index=index,
                    text=piece,
                    probability=sure,
                    alternatives=[[piece, sure], *others],
                    request=request,
                    token=id_of(piece),
                    alternative_tokens=[id_of(piece), *(id_of(other[0]) for other in others)],
                )
            )
            if "slow" in question:
                time.sleep(0.03)
        self.written = text
        self.reporter.emit(StageEnded(role=role, text=text, fields=fields or {}, request=request))

    def vote(self, message: dict) -> None:
        count = message["paths"]
        odd = [path for path in range(count) if path % 3 == 2]
        even = [path for path in range(count) if path % 3 != 2]
        self.reporter.progress("Solve: writing", count, count)
        self.reporter.emit(
            Vote([{}] * count, [[132.0, even], [150.0, odd]], even[0], request=message["request"])
        )
        self.end(Answer("ok", "132", 132.0, message.get("gold"), True, request=message["request"]))

    def run(self, code: str, gold: float | None, request: str) -> None:
        if "os.listdir" in code:
            self.end(
                Answer(
                    "refused", gold=gold, error="import of os is not allowed", error_line=1, request=request
                )
            )
            return
        try:
            compiled = compile(code, "<program>", "exec")
        except SyntaxError as error:
            self.end(
                Answer(
                    "raised",
                    gold=gold,
                    error=f"SyntaxError: {error.msg}",
                    error_line=error.lineno,
                    request=request,
                )
            )
            return
        tracer = Tracer()
        names: dict = {"print": tracer.print}
        error, line = "", None
        sys.settrace(tracer.on_call)
        try:
            exec(compiled, names)
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
            line = tracer.records[-1]["ln"] if tracer.records else None
        finally:
            sys.settrace(None)
        for start in range(0, len(tracer.records), 64):
            self.reporter.emit(Trace(records=tracer.records[start : start + 64], request=request))
        value = None if error else float(names["ans"])
        equal = None if gold is None else value is not None and abs(value - gold) < 1e-3
        self.end(
            Answer(
                "raised" if error else "ok",
                "" if value is None else f"{value:g}",
                value,
                gold,
                equal,
                error,
                line,
                request=request,
            )
        )

    def end(self, answer: Answer) -> None:
        self.reporter.emit(answer)


class Tracer:
    """Records in the form of `training_backend/execution/trace.py`."""

    def __init__(self) -> None:
        self.records: list[dict] = []
        self.frames: dict = {}
        self.printed = ""
        self.count = 0

    def print(self, *what) -> None:
        self.printed += " ".join(map(str, what)) + "\n"

    def on_call(self, frame, event, arg):
        if frame.f_code.co_filename != "<program>":
            return None
        state = self.frames[frame] = {"f": self.count, "depth": len(self.frames), "line": None, "known": {}}
        self.count += 1
        if frame.f_code.co_name != "<module>":
            self.add(frame, ev="call", ln=frame.f_code.co_firstlineno, nx=None, fn=frame.f_code.co_name)
        state["line"] = None
        return self.on_event

    def on_event(self, frame, event, arg):
        state = self.frames[frame]
        if event == "exception":
            self.add(frame, ev="exc", ln=frame.f_lineno, nx=None, ex=[arg[0].__name__, str(arg[1])])
            state["line"] = None
            return self.on_event
        if state["line"] is not None:
            self.add(frame, ev="line", ln=state["line"], nx=frame.f_lineno if event == "line" else None)
        state["line"] = frame.f_lineno
        if event == "return":
            if state["depth"]:
                self.add(frame, ev="return", ln=frame.f_lineno, nx=None, rv=repr(arg))
            self.frames.pop(frame)
        return self.on_event

    def add(self, frame, **record) -> None:
        state = self.frames[frame]
        now = {
            name: [repr(value)[:80] if not callable(value) else f"function {name}", type(value).__name__]
            for name, value in frame.f_locals.items()
            if not name.startswith("__") and name != "print"
        }
        changed = {name: value for name, value in now.items() if state["known"].get(name) != value}
        state["known"] = now
        record = {
            "n": len(self.records) + 1,
            "f": state["f"],
            "depth": state["depth"],
            "ch": changed,
            **record,
        }
        if self.printed:
            record["o"], self.printed = self.printed, ""
        self.records.append(record)


def main() -> int:
    reporter = Reporter(events=True)
    reporter.emit(Started(command="serve-solve", pid=os.getpid()))
    solver = Solver(reporter)
    for line in sys.stdin:
        message = json.loads(line)
        if message["command"] == "load":
            solver.load(str(message["students"]), message["request"])
        elif message["command"] == "solve" or message["command"] == "continue":
            solver.solve(message)
        elif message["command"] == "vote":
            solver.vote(message)
        elif message["command"] in ("quit", "stop"):
            break
    reporter.emit(Ended(status="done"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
