"""Keep students loaded and solve questions from standard input; events come on standard output.

One JSON object a line:

    {"command": "load", "request": "1", "students": "demo" | RUN_FOLDER | {"key": FOLDER, "solve": FOLDER},
     "method": …}
    {"command": "solve", "request": "7", "question": "…", "gold": 36, "kind": "pot",
     "given": {"core_question": "…", "information": ["…"]},
     "temperature": 0.7, "top_p": 1.0, "seed": 1, "path": 0}
    {"command": "continue", "request": "9", "role": "solve", "tokens": [17, 4], …}     (the rest as solve)
    {"command": "vote", "request": "10", "question": "…", "paths": 8, "temperature": 0.7, "seed": 1, …}
    {"command": "run", "request": "8", "code": "…", "kind": "pot", "gold": 36}
    {"command": "cancel", "request": "7"}
    {"command": "quit"}

`load` is answered by a result that describes the students and carries the request, or by `failed`; then each
student writes a first token, while nothing else is asked: the first question is as quick as others. A `load`
that is cancelled ends between two students, and leaves none. `solve` is answered by stage, token and trace
events and then `answer`, or by `failed` with the request. Without `temperature` the likeliest is written.
`continue` has the student of `role` begin with `tokens` (ids that token events carry) and go on: what it had
written up to a token, and one of its alternatives; earlier stages are written again unless `given`. `vote`
samples paths and is answered by `vote` and the winner's `answer`; `solve` with `path` n writes path n.
At the end of standard input what was asked is still answered, unless `--stop-at-eof` is given; `quit` gives
up what is at work.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
import traceback
from typing import Any, TypeVar

from training_backend.errors import ConfigError, KpddError
from training_backend.events import Control, Failed, Reporter, Started, Vote
from training_backend.execution.runner import ProgramRunner
from training_backend.rationale.answers import parse_number
from training_backend.students.decoding_settings import DecodingSettings

N = TypeVar("N", int, float)

READS_STDIN = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where students are put."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Serve until quit, the end of standard input, or a stop."""
    reporter.events = True
    reporter.emit(Started("serve-solve", os.getpid()))
    server = _Server(args.device, reporter, control, args.stop_at_eof)
    threading.Thread(target=server.read, args=(sys.stdin,), name="requests", daemon=True).start()
    with server.runner:
        # the first program would wait for its launcher: it gets ready beside the imports
        server.runner.warm_up("light")
        # the slow imports happen while the window is idle; a request that comes meanwhile waits for them
        from training_backend.students import decoding  # noqa: F401

        server.serve()
    return 0


class _Server:
    """Reads requests in one thread, serves them in another; a cancel reaches the one at work."""

    def __init__(self, device: str, reporter: Reporter, control: Control, stop_at_eof: bool) -> None:
        self.stop_at_eof = stop_at_eof
        self.device, self.reporter, self.control = device, reporter, control
        self.runner = ProgramRunner(workers=1)
        self.requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.cancelled: set[str] = set()
        self.begun: set[str] = set()
        # a request that is given up at the moment of its turn ends once
        self._turn = threading.Lock()
        self.quitting = False
        self.solver: Any = None

    def read(self, lines: Any) -> None:
        """Take lines until quit or the end."""
        for line in lines:
            if not line.strip():
                continue
            try:
                message = json.loads(line)
                command = message["command"]
            except (ValueError, KeyError, TypeError):
                self.reporter.emit(Failed("This line is no request.", "Send one JSON object with a command.",
                                          line.strip()[:200]))  # fmt: skip
                continue
            if command == "cancel":
                self._cancel(str(message.get("request", "")))
            elif command in ("quit", "stop"):
                self.quitting = True
                break
            else:
                self.requests.put(message)
        self.quitting = self.quitting or self.stop_at_eof
        self.requests.put(None)

    def _cancel(self, request: str) -> None:
        """Give up a request; one that still waits its turn ends at once."""
        if not request:
            return
        with self._turn:
            self.cancelled.add(request)
            waits = request not in self.begun
            self.begun.add(request)
        if waits:
            self.reporter.emit(Failed("Cancelled.", request=request))

    def serve(self) -> None:
        """Work through the requests."""
        while not self.control.stop_requested:
            try:
                message = self.requests.get(timeout=0.5)
            except queue.Empty:
                continue
            if message is None or self.quitting:
                return
            self._handle(message)

    def _handle(self, message: dict[str, Any]) -> None:
        from training_backend.students.solving import Cancelled

        request = str(message.get("request", ""))
        with self._turn:
            if request in self.cancelled:
                return
            self.begun.add(request)
        try:
            handler = {
                "load": self._load, "solve": self._solve, "continue": self._continue, "vote": self._vote,
                "run": self._run,
            }.get(message["command"])  # fmt: skip
            if handler is None:
                raise ConfigError(
                    f"There is no command '{message['command']}'.",
                    "Send load, solve, continue, vote, run or quit.",
                )
            handler(message, request)
        except Cancelled:
            self.reporter.emit(Failed("Cancelled.", request=request))
        except KpddError as error:
            self.reporter.emit(Failed(error.message, error.hint, error.where, request=request))
        except Exception as error:
            # one request must not end the worker; the window shows the report
            text = traceback.format_exc()
            self.reporter.emit(Failed(f"{type(error).__name__}: {error}", traceback=text, request=request))

    def _load(self, message: dict[str, Any], request: str) -> None:
        from training_backend.students.solving import Cancelled, Solver

        def progress(done: int, total: int, text: str) -> None:
            if self._given_up(request):
                raise Cancelled
            self.reporter.progress("loading students", done, total, text)

        # the old students make room first
        self.solver = None
        source = message.get("students", "demo")
        self.solver = Solver.load(source, message.get("method"), message.get("device", self.device), progress)
        about = {**self.solver.about(), "students": source, "request": request}
        self.reporter.result(about, f"loaded {self.solver.method.title}")
        if "eot" in self.solver.method.kinds:
            self.runner.warm_up("heavy")
        self.solver.warm_up(lambda: not self.requests.empty() or self._given_up(request))

    def _solve(
        self, message: dict[str, Any], request: str, forced: tuple[str, list[int]] | None = None
    ) -> None:
        self._loaded().solve_live(
            str(message.get("question", "")),
            self.runner,
            self.reporter.emit,
            _gold(message),
            request,
            message.get("kind"),
            message.get("given"),
            lambda: self._given_up(request),
            _settings(message),
            _number(message, "path", 0, int),
            forced,
        )

    def _continue(self, message: dict[str, Any], request: str) -> None:
        tokens = message.get("tokens")
        if not isinstance(tokens, list) or not all(type(token) is int for token in tokens):
            raise ConfigError("There are no tokens to continue from.", "Send the ids of tokens as a list.")
        self._solve(message, request, (str(message.get("role", "")), tokens))

    def _vote(self, message: dict[str, Any], request: str) -> None:
        from training_backend.students.solving import answer_event
        from training_backend.students.voting import candidates_data, path_data, vote

        gold, question = _gold(message), str(message.get("question", ""))
        if not question.strip():
            raise ConfigError("The question is empty.", "Type or pick a question.")
        (paths,) = self._loaded().solve_paths(
            [question], self.runner, self.reporter, _number(message, "paths", 8, int), message.get("kind"),
            [gold], [message.get("given")], _settings({"temperature": 0.7, **message}),
            lambda: self._given_up(request),
        )  # fmt: skip
        counted = vote(paths)
        self.reporter.emit(
            Vote([path_data(path) for path in paths], candidates_data(counted), counted.winner, request)
        )
        self.reporter.emit(answer_event(paths[counted.winner].judgement, gold, request))

    def _loaded(self) -> Any:
        if self.solver is None:
            raise ConfigError("No students are loaded.", "Load students first.")
        return self.solver

    def _run(self, message: dict[str, Any], request: str) -> None:
        from training_backend.students.solving import answer_event, run_live

        kind, gold = str(message.get("kind", "pot")), _gold(message)
        judgement = run_live(
            kind, str(message.get("code", "")), gold, self.runner, self.reporter.emit, request,
            lambda: self._given_up(request),
        )  # fmt: skip
        self.reporter.emit(answer_event(judgement, gold, request))

    def _given_up(self, request: str) -> bool:
        return request in self.cancelled or self.quitting or self.control.stop_requested


def _settings(message: dict[str, Any]) -> DecodingSettings:
    return DecodingSettings(
        temperature=_number(message, "temperature", 0.0, float),
        top_p=_number(message, "top_p", 1.0, float),
        seed=_number(message, "seed", 0, int),
    )


def _number(message: dict[str, Any], name: str, default: N, kind: type[N]) -> N:
    try:
        return kind(message.get(name, default))
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(
            f"'{message[name]}' is no number for {name}.", f"Send {name} as a number."
        ) from None


def _gold(message: dict[str, Any]) -> float | None:
    gold = message.get("gold")
    if gold is None or gold == "":
        return None
    value = parse_number(str(gold))
    if value is None:
        raise ConfigError(f"'{gold}' is no number.", "Give the gold answer as a number.")
    return value
