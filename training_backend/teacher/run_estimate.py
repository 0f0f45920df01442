"""What a run will still take: from the replies that it has, else from the length of what it would send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from training_backend.project.lines import ID_LIST
from training_backend.teacher import requests
from training_backend.teacher.another_path import questions_of_run, waiting_chains
from training_backend.teacher.cost import Estimate, estimate, estimate_by_length, price_of, spent_by
from training_backend.teacher.prompt_store import prompts as project_prompts
from training_backend.teacher.prompts import messages
from training_backend.teacher.run_spec import run_identity, runs_alike

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project
    from training_backend.teacher.prompts import Prompt
    from training_backend.teacher.run_spec import RunSpec
    from training_backend.teacher.teacher_config import TeacherConfig

# questions whose messages are measured before there is any reply
_MEASURED = 20


def estimate_run(
    project: Project, config: TeacherConfig, spec: RunSpec, questions: Sequence[Question]
) -> Estimate:
    """Return what asking the rest of `questions` takes: tokens, money and seconds, each with a range.

    It reads only. Before any reply of this run the lengths of the texts have to do.
    """
    prompts = project_prompts(project)
    price = price_of(config)
    run_id = requests.find_run(project, run_identity(spec, prompts))
    left = len(questions) * spec.paths
    if run_id is not None:
        ids = [question.id for question in questions]
        if spec.another:
            not_planned = len(set(ids) - questions_of_run(project, run_id))
            left = waiting_chains(project, run_id) + not_planned * spec.paths
        else:
            left -= _settled(project, run_id, spec, ids)
    like_this = runs_alike(project, spec, prompts) if spec.another else [run_id] if run_id is not None else []
    for like in like_this:
        if seen := spent_by(project, like, spec.kinds):
            return estimate(seen, left, price, spec.ask.concurrency, spec.requests_per_minute,
                            spec.tokens_per_minute)  # fmt: skip
    sent, said = _lengths(prompts, spec, questions)
    return estimate_by_length(sent, said, left, price)


def _settled(project: Project, run_id: int, spec: RunSpec, question_ids: Sequence[int]) -> int:
    """Return how many questions and paths have nothing left to ask."""
    with project.reading() as connection:
        return connection.execute(
            f"""SELECT count(*) FROM (SELECT 1 FROM request WHERE run_id = ? AND path < ?
                AND status <> 'waiting' AND kind IN {ID_LIST} AND question_id IN {ID_LIST}
                GROUP BY question_id, path HAVING count(*) = ?)""",
            (run_id, spec.paths, json.dumps(spec.kinds), json.dumps(list(question_ids)), len(spec.kinds)),
        ).fetchone()[0]


def _lengths(
    prompts: Mapping[str, Prompt], spec: RunSpec, questions: Sequence[Question]
) -> tuple[float, float]:
    """Return the mean characters sent for a question and path, and those of the worked examples' replies."""
    step = max(1, len(questions) // _MEASURED)
    measured = questions[::step][:_MEASURED]
    sent = said = 0.0
    names = [(requests.ONE_CALL, kind) for kind in spec.kinds] if spec.one_call else [
        (requests.KEY_POINTS, ""), *((kind, kind) for kind in spec.kinds)]  # fmt: skip
    for name, kind in names:
        examples = prompts[name].demonstrations
        for question in measured:
            turns = messages(prompts[name], _fields(question, kind, examples), spec.ask.structured)
            sent += sum(len(turn["content"]) for turn in turns) / len(measured)
        replies = [
            turn["content"] for turn in turns if turn["role"] == "assistant"
        ]  # the replies that the worked examples show
        said += sum(map(len, replies)) / len(replies) if replies else 400.0
    return sent, said


def _fields(question: Question, kind: str, examples: Sequence[Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {"question": question.text, "kind": kind}
    if kind and examples:
        fields |= {"core_question": examples[0].core_question, "information": examples[0].information}
    return fields


def as_text(found: Estimate, budget: float | None = None) -> str:
    """Return an estimate in a few lines; a range holds nine of ten cases."""
    said = f"from {found.seen:,} that were answered" if found.seen else "by the length of the texts only"
    lines = [f"estimate for {found.chains:,} questions and paths ({said}):"]
    for title, part in (("tokens sent", found.prompt_tokens), ("tokens answered", found.completion_tokens)):
        lines.append(f"  {title:<16} {part.middle:,.0f} ({part.low:,.0f} to {part.high:,.0f})")
    if found.money is None:
        lines.append("  money            not known: no price for this model and address")
    else:
        part = found.money
        lines.append(f"  money            {part.middle:,.4f} {found.currency} "
                     f"({part.low:,.4f} to {part.high:,.4f})")  # fmt: skip
        if budget is not None and part.high > budget:
            lines.append(
                f"  the budget of {budget:,.4f} may end it before its end; it then goes on with more"
            )
    if found.seconds is None:
        lines.append("  time             not known before the first replies")
    else:
        part = found.seconds
        lines.append(
            f"  minutes          {part.middle / 60:,.1f} ({part.low / 60:,.1f} to {part.high / 60:,.1f})"
        )
    return "\n".join(lines)
