"""What the demo tells at its end: the table, one solved question with its trace, and the students' limits."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.events import Control, Event, Trace
from training_backend.paths import demo_students_dir
from training_backend.rationale.answers import format_number

if TYPE_CHECKING:
    from training_backend.evaluation.scoring import Score
    from training_backend.students.run_folder import RunFolder
    from training_backend.students.solving import Solver
    from training_backend.teacher.problem_grammar import Problem

# a question that no demo student can read
_STRANGE = "Anna rents 3 bicycles for 5 euros each."


@dataclass
class Figures:
    """What the demo found; `shipped` is None where the program came without students."""

    folder: Path
    templates: int
    asked: int
    parsed: int
    by_state: Mapping[str, int]
    trained: RunFolder
    in_time: bool
    fresh: Score
    shipped: Score | None
    solution: Mapping[str, Any]
    elapsed_s: float
    quick: bool = False

    def as_data(self) -> dict[str, Any]:
        """Return the figures as JSON data."""
        return {
            "folder": str(self.folder),
            "project": str(self.folder / "demo.kpdd"),
            "run_folder": str(self.trained.path),
            "quick": self.quick,
            "templates": self.templates,
            "rows": {"asked": self.asked, "parsed": self.parsed, "equal": self.by_state.get("equal", 0)},
            "by_state": dict(self.by_state),
            "steps": self.steps(),
            "training_ended_by_itself": self.in_time,
            "fresh": _score_data(self.fresh),
            "shipped": _score_data(self.shipped) if self.shipped else None,
            "limits": limits(),
            "solved": dict(self.solution),
            "elapsed_s": round(self.elapsed_s, 1),
        }

    def steps(self) -> dict[str, str]:
        """Return the steps done and planned of each student."""
        statuses = {role.name: self.trained.role_status(role.name) for role in self.trained.method.roles}
        return {name: f"{status.step} of {status.total_steps}" for name, status in statuses.items()}


def _score_data(score: Score) -> dict[str, Any]:
    return {
        "right": score.right,
        "total": score.total,
        "accuracy": score.accuracy,
        "unscored": score.unscored,
    }


def limits() -> dict[str, Any]:
    """Return what the shipped students cannot do, as measured when they were made, and cannot read."""
    from training_backend.commands.make_demo_students import read_results
    from training_backend.students.base_names import demo_tokenizer_dir
    from training_backend.students.text import StudentText

    text = StudentText.for_folder(demo_tokenizer_dir())
    sets = read_results(demo_students_dir()).get("sets", {})
    return {"measured": sets, "example": _STRANGE, "unknown_words": list(text.unknown_words(_STRANGE))}


def shown_solution(solver: Solver, problem: Problem, control: Control) -> dict[str, Any]:
    """Let `solver` answer one problem and return all that there is to show of it."""
    from training_backend.execution.runner import ProgramRunner

    records: list[dict[str, Any]] = []

    def take(event: Event) -> None:
        if isinstance(event, Trace):
            records.extend(event.records)

    with ProgramRunner(workers=1) as runner:
        solution = solver.solve_live(problem.question, runner, take, float(problem.answer))
    return {
        "question": solution.question,
        "core_question": solution.core_question,
        "information": list(solution.information),
        "program": solution.rationale,
        "trace": trace_lines(solution.rationale, records),
        "verdict": solution.judgement.verdict,
        "answer": solution.judgement.value,
        "gold": problem.answer,
        "equal": solution.judgement.state == "equal",
        "error": solution.judgement.error,
    }


def trace_lines(program: str, records: list[dict[str, Any]]) -> list[str]:
    """Return one line for each step of a trace: the line's number, its text, and what changed."""
    source = program.splitlines()
    width = max((len(line) for line in source), default=0)
    lines = []
    for record in records:
        number = record.get("ln") or 0
        if record.get("ev") not in ("line", "exc") or not 0 < number <= len(source):
            continue
        changes = [
            f"{name} = {value[0]}" if value else f"{name} is gone"
            for name, value in (record.get("ch") or {}).items()
        ]
        if record.get("ev") == "exc":
            changes.append(": ".join(map(str, record.get("ex") or ())))
        lines.append(f"{number:>3}  {source[number - 1]:<{width}}  {', '.join(changes)}".rstrip())
    return lines


def as_text(figures: Figures) -> str:
    """Return the end of the demo for people."""
    parts = ["", *_rows(figures), "", *_students(figures), "", *_solved(figures.solution), ""]
    parts += [*_limits(figures), "", *_where(figures)]
    return "\n".join(parts)


def _rows(figures: Figures) -> list[str]:
    wrong = [
        f"{count} {state.replace('_', ' ')}"
        for state, count in sorted(figures.by_state.items(), key=lambda item: -item[1])
        if state != "equal"
    ]
    equal = figures.by_state.get("equal", 0)
    return [
        "Rows of the teacher",
        f"  asked        {figures.asked:>6,}",
        f"  parsed       {figures.parsed:>6,}",
        f"  equal gold   {equal:>6,}   ({', '.join(wrong)}: kept, marked, not used for training)",
    ]


def _students(figures: Figures) -> list[str]:
    steps = ", ".join(f"{role} {steps}" for role, steps in figures.steps().items())
    lines = [
        f"Fresh problems of {figures.templates} kinds, numbers as in training, answered in two stages",
        f"  students trained just now     {_share(figures.fresh)}   steps: {steps}",
    ]
    if figures.shipped is not None:
        lines.append(
            f"  students that came with it    {_share(figures.shipped)}   trained longer, on all kinds"
        )
    if figures.quick:
        lines.append(
            "  --quick: a few steps only, so the students trained just now cannot answer anything yet."
        )
    elif not figures.in_time:
        lines.append("  The time was up before the last step: this machine was slow or busy. See --minutes.")
    return lines


def _share(score: Score) -> str:
    low, high = score.interval or (0.0, 1.0)
    return f"{score.right:>4} of {score.total:<4} {(score.accuracy or 0):6.1%}  [{low:.0%}, {high:.0%}]"


def _solved(solution: Mapping[str, Any]) -> list[str]:
    lines = ["One question, solved", *_wrapped(solution["question"], "  "), "  Key points"]
    lines.append(f"    {_cut(solution['core_question'])}")
    lines += [f"    {number}. {_cut(item)}" for number, item in enumerate(solution["information"], 1)]
    lines += ["  Program", *(f"    {_cut(line)}" for line in solution["program"].splitlines())]
    lines += ["  Line by line", *(f"    {line}" for line in solution["trace"])]
    if solution["answer"] is None:
        return [*lines, f"  No answer ({solution['verdict']}). {solution['error']}".rstrip()]
    equal = "equal" if solution["equal"] else "not equal"
    return [*lines, f"  Answer {format_number(solution['answer'])}, gold {solution['gold']}: {equal}"]


def _limits(figures: Figures) -> list[str]:
    found = limits()
    new = found["measured"].get("new_templates")
    lines = ["What these students cannot do"]
    if new:
        lines.append(
            f"  New kinds of problems: {new['right']} of {new['questions']} right ({new['accuracy']:.1%}) on "
            f"{new['templates']} kinds kept out of training. They learn patterns."
        )
    else:
        lines.append("  New kinds of problems: they learn patterns, and answer only the kinds they know.")
    words = ", ".join(found["unknown_words"])
    lines.append(f"  Other words: “{found['example']}” has words that they cannot read: {words}.")
    return lines


def _where(figures: Figures) -> list[str]:
    minutes, seconds = divmod(round(figures.elapsed_s), 60)
    return [
        f"Took {minutes} min {seconds:02d} s. Project: {figures.folder / 'demo.kpdd'}",
        f"Run: {figures.trained.path}",
    ]


def _cut(text: str) -> str:
    """Return what a student wrote, shortened where it never came to an end."""
    return text if len(text) <= 120 else text[:119] + "…"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=indent)
