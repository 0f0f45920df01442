"""One solution as a document to give away: JSON, and a web page that steps through it without a network.

The page holds the document as data and a script of its own. Nothing of a question, student or program ever
becomes markup: the script sets text only, and the page's policy forbids all that it does not bring along.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from training_backend.execution.worked_steps import WorkedStep
from training_backend.paths import resources_dir

FORMAT = "kpdd-solution"
VERSION = 1


@dataclass(frozen=True)
class WrittenStage:
    """What stands in one stage: its role, its title for people, and its tokens as (text, probability).

    `by` names its writer in words; `origin` has `writer` (student, teacher or person), `name`, `model`,
    `source` and `details`, of the solution's own students also `way` (temperature, top_p, seed, path, paths)
    and, where a person chose a token, `forced` with the ids of the tokens that it began with: the last one is
    that token.
    """

    role: str
    title: str
    text: str
    tokens: Sequence[tuple[str, float]] = ()
    by: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SolutionDocument:
    """A solved question with every step of it.

    `records` are those of the trace (`execution/trace.py`), `checks` the worked steps of a chain of thought
    or of equations (`step_data`), `answer` has verdict, answer_text, value, equal, error and error_line;
    `unused` are spans (start, end) of the question whose numbers the answer does not use.
    """

    question: str
    gold: float | None
    kind: str
    stages: Sequence[WrittenStage]
    rationale: str
    answer: Mapping[str, Any]
    students: str = ""
    information: Sequence[str] = ()
    core_question: str = ""
    records: Sequence[Mapping[str, Any]] = ()
    checks: Sequence[Mapping[str, Any]] = ()
    unused: Sequence[tuple[int, int]] = ()
    written_with: str = field(default="KPDD Studio")


def as_data(document: SolutionDocument) -> dict[str, Any]:
    """Return the document as plain data; `format` and `version` say what it is."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "written_with": document.written_with,
        "students": document.students,
        "question": document.question,
        "gold": document.gold,
        "core_question": document.core_question,
        "information": list(document.information),
        "stages": [
            {
                "role": one.role,
                "title": one.title,
                "by": one.by,
                "origin": dict(one.origin),
                "text": one.text,
                "tokens": [list(token) for token in one.tokens],
            }
            for one in document.stages
        ],
        "kind": document.kind,
        "rationale": document.rationale,
        "records": [dict(record) for record in document.records],
        "checks": [dict(check) for check in document.checks],
        "unused": [list(span) for span in document.unused],
        "answer": dict(document.answer),
    }


def as_json(document: SolutionDocument) -> str:
    """Return the document as JSON text."""
    return json.dumps(as_data(document), ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"


def as_web_page(document: SolutionDocument) -> str:
    """Return a page that steps through the solution in a browser; it loads nothing."""
    data = json.dumps(as_data(document), ensure_ascii=True, allow_nan=False, default=str)
    # inside a script element only `<` could end it or begin a comment
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    title = html.escape(" ".join(document.question.split())[:80] or "A solution")
    before, rest = _template().split("$TITLE$")
    between, rest = rest.split("$STATIC$")
    middle, after = rest.split("$DATA$")
    return "".join((before, title, between, _static(document), middle, data, after))


def step_data(step: WorkedStep, why: str, origin: str, line: int | None) -> dict[str, Any]:
    """Return a worked step as data; `why` and `origin` say in words how it came and what it reads.

    `line` is that of the equations it belongs to, `span` its place in a chain of thought, `steps` are earlier
    ones (from 1) and `question` the spans of the question that it reads.
    """
    return {
        "text": step.text,
        "holds": step.holds,
        "why": why,
        "origin": origin,
        "span": list(step.span) if step.span else None,
        "line": line,
        "name": step.name,
        "value": step.value,
        "steps": [source.step for source in step.sources if source.step],
        "question": [list(source.question) for source in step.sources if source.question],
    }


def _static(document: SolutionDocument) -> str:
    """Return the solution as plain paragraphs for a browser that runs no script."""
    told = document.answer
    answer = told.get("answer_text") or told.get("error") or told.get("verdict")
    parts = [("Question", document.question), *((stage.title, stage.text) for stage in document.stages),
             ("Answer", str(answer or "none"))]  # fmt: skip
    return "".join(f"<h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>" for title, text in parts)


@lru_cache(maxsize=1)
def _template() -> str:
    return (resources_dir() / "solution_page.html").read_text(encoding="utf-8")
