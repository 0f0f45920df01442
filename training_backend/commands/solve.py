"""Solve one question in two stages and show key points, rationale, trace and answer.

kpdd solve --students demo "Anna has 3 boxes with 12 pens each. How many pens does she have?" --gold 36
kpdd solve --students NAME.runs/2026-05-01-kpdd-pot-1 --trace --json "…"
kpdd solve --students demo --paths 8 --temperature 0.7 --seed 1 "…"      # eight sampled paths, and their vote
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ArgumentError, of_arguments
from training_backend.events import Control, Event, Reporter, StageStarted, Token, Trace, Vote
from training_backend.execution.chain_steps import chain_steps
from training_backend.execution.solving_steps import solving_steps
from training_backend.execution.worked_steps import WorkedStep
from training_backend.methods import KINDS, METHODS
from training_backend.rationale.answers import format_number, parse_number
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.voting import candidates_data, path_data, vote, vote_text

if TYPE_CHECKING:
    from training_backend.execution.runner import ProgramRunner
    from training_backend.students.solving import Solution, Solver

# what the papers on self-consistency draw with
PATHS_TEMPERATURE = 0.7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the question and who solves it."""
    parser.add_argument("question", help="the question, or - to read it from standard input")
    parser.add_argument("--students", required=True, metavar="RUN_FOLDER", help="a run folder, or: demo")
    parser.add_argument(
        "--role-folder",
        action="append",
        default=[],
        metavar="ROLE=FOLDER",
        help="take this student for a role instead (may be repeated)",
    )
    parser.add_argument("--method", choices=sorted(METHODS), help="where the folders do not say it")
    parser.add_argument("--kind", choices=sorted(KINDS), help="for students of several kinds")
    parser.add_argument("--gold", help="the right answer, to compare with")
    parser.add_argument(
        "--trace", action="store_true", help="show the program line by line, equations and sums step by step"
    )
    parser.add_argument("--paths", type=int, default=1, metavar="M", help="sample M paths and let them vote")
    parser.add_argument("--temperature", type=float, metavar="T",
                        help="0 writes the likeliest (default; with several paths 0.7)")  # fmt: skip
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P",
                        help="draw from the likeliest tokens of this mass")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same paths")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Load, solve, show; status 0 also when the answer is wrong: it is an answer."""
    question = sys.stdin.read() if args.question == "-" else args.question
    if not question.strip():
        raise ArgumentError("The question is empty.", "Give it as the last argument.")
    gold = _gold(args.gold)
    settings = _settings(args)
    from training_backend.execution.isolation import say_missing
    from training_backend.execution.runner import ProgramRunner
    from training_backend.students.solving import Cancelled, Solver, find_students

    source: Any = args.students
    if args.role_folder:
        folders, method = find_students(args.students, args.method)
        source = {**folders, **dict(_role_folder(text) for text in args.role_folder)}
        args.method = args.method or method
    solver = Solver.load(source, args.method, args.device)
    seen = _Seen(reporter)
    with ProgramRunner(workers=1) as runner:
        say_missing(runner.isolation(), reporter)
        try:
            if args.paths > 1:
                solution, voted = _vote(solver, question, runner, seen, gold, args, settings, control)
            else:
                solution = solver.solve_live(
                    question, runner, seen, gold, kind=args.kind, stop=lambda: control.stop_requested,
                    settings=settings,
                )  # fmt: skip
                voted = {}
        except Cancelled:
            return 1
    judgement = solution.judgement
    data: dict[str, Any] = {
        "question": solution.question,
        "method": solver.method.key,
        "core_question": solution.core_question,
        "information": list(solution.information),
        "kind": solution.kind,
        "rationale": solution.rationale,
        "state": judgement.state,
        "verdict": judgement.verdict,
        "answer": judgement.value,
        "answer_text": judgement.answer_text,
        "gold": gold,
        "equal": None if gold is None else judgement.state == "equal",
        "error": judgement.error,
        "error_line": judgement.error_line,
        "stdout": judgement.stdout,
        "unknown_words": seen.unknown_words,
        "texts": solution.texts,
        **voted,
    }
    if args.trace:
        data["trace"] = seen.records
        data["steps"] = [asdict(step) for step in worked_steps(solution, seen.records)]
    reporter.result(data, as_text(data, args.trace))
    return 0


def _settings(args: argparse.Namespace) -> DecodingSettings:
    if args.paths < 1:
        raise ArgumentError(f"{args.paths} paths are none.", "Give --paths 1 or more.")
    temperature = args.temperature
    if temperature is None:
        temperature = PATHS_TEMPERATURE if args.paths > 1 else 0.0
    if args.paths > 1 and temperature == 0:
        raise ArgumentError(
            f"{args.paths} paths at temperature 0 are all the same, so there is nothing to vote on.",
            "Give a temperature above 0, such as 0.7, or one path.",
        )
    with of_arguments():
        return DecodingSettings(temperature=temperature, top_p=args.top_p, seed=args.seed)


def _vote(
    solver: Solver,
    question: str,
    runner: ProgramRunner,
    seen: _Seen,
    gold: float | None,
    args: argparse.Namespace,
    settings: DecodingSettings,
    control: Control,
) -> tuple[Solution, dict[str, Any]]:
    """Solve along several paths; return the winner's first path, and the vote as data."""
    from training_backend.students.solving import run_live

    def stop() -> bool:
        return control.stop_requested

    seen.unknown_words = solver.unknown_words(question)
    (paths,) = solver.solve_paths([question], runner, seen.reporter, args.paths, args.kind, [gold],
                                  settings=settings, stop=stop)  # fmt: skip
    counted = vote(paths)
    winner = paths[counted.winner]
    seen(Vote([path_data(path) for path in paths], candidates_data(counted), counted.winner))
    if args.trace:
        run_live(winner.kind, winner.rationale, gold, runner, seen, stop=stop)
    data = {
        "paths": [path_data(path) for path in paths],
        "candidates": candidates_data(counted),
        "vote": vote_text(counted),
    }
    return winner, data


class _Seen:
    """Takes the events of a solution: passes them on and keeps what the result needs."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.records: list[dict[str, Any]] = []
        self.unknown_words: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, StageStarted):
            self.unknown_words += [word for word in event.unknown_words if word not in self.unknown_words]
        elif isinstance(event, Trace):
            self.records += event.records
        elif isinstance(event, Token) and not self.reporter.events:
            self.reporter.progress(f"{event.role}: writing", event.index + 1)
        self.reporter.emit(event)


def as_text(data: dict[str, Any], with_trace: bool) -> str:
    """Return a solution for people."""
    lines: list[str] = []
    if data["unknown_words"]:
        lines.append(f"These students do not know the words: {', '.join(data['unknown_words'])}.")
    if data["core_question"] or data["information"]:
        lines += ["Key points", f"  {data['core_question']}"]
        lines += [f"  {n}. {item}" for n, item in enumerate(data["information"], 1)]
    title = KINDS.get(data["kind"], "text")
    lines += [title[:1].upper() + title[1:], *("  " + line for line in data["rationale"].splitlines())]
    if with_trace and data.get("steps"):
        lines += ["Steps", *(_step_line(number, step) for number, step in enumerate(data["steps"], 1))]
    elif with_trace and data.get("trace"):
        lines += ["Trace", *(_trace_line(record) for record in data["trace"])]
    if data.get("vote"):
        lines.append(f"Vote    {data['vote']}")
    if data["answer"] is not None:
        answer = f"Answer  {format_number(data['answer'])}"
        if data["gold"] is not None:
            answer += f"   gold {format_number(data['gold'])}: {'equal' if data['equal'] else 'not equal'}"
        lines.append(answer)
    else:
        where = f" in line {data['error_line']}" if data["error_line"] else ""
        lines.append(f"No answer ({data['verdict'] or data['state']}{where}). {data['error']}".rstrip())
    return "\n".join(lines)


def worked_steps(solution: Solution, records: Sequence[Mapping[str, Any]]) -> list[WorkedStep]:
    """Return the checked steps of a chain of thought, or those of solving equations; a program has none."""
    question, items = solution.question, solution.information
    if solution.kind == "cot":
        return chain_steps(solution.rationale, question, items)
    if solution.kind == "eot":
        judgement = solution.judgement
        reason = judgement.error if judgement.verdict == "no_answer" else ""
        return solving_steps(solution.rationale, records, reason, question, items)
    return []


def _step_line(number: int, step: Mapping[str, Any]) -> str:
    sign = {True: "✓", False: "✗", None: "?"}[step["holds"]]
    return f"  {number:>3} {sign} {step['text']}   {step['detail']}".rstrip()


def _trace_line(record: dict[str, Any]) -> str:
    changes = record.get("ch") or {}
    shown = ", ".join(f"{name} = {value[0]}" if value else f"{name} gone" for name, value in changes.items())
    where = f"  line {record.get('ln', '?'):>3}  "
    if record.get("ev") == "exc":
        shown = ": ".join(map(str, record.get("ex") or ())) or shown
    return where + "  " * int(record.get("depth", 0)) + (shown or str(record.get("ev", "")))


def _gold(text: str | None) -> float | None:
    if text is None:
        return None
    value = parse_number(text)
    if value is None:
        raise ArgumentError(f"'{text}' is no number.", "Give the gold answer as a number: --gold 36.")
    return value


def _role_folder(text: str) -> tuple[str, Path]:
    role, sign, folder = text.partition("=")
    if not sign or not role or not folder:
        raise ArgumentError(f"'{text}' names no student.", "Write --role-folder solve=FOLDER.")
    return role, Path(folder)
