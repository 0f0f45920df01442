"""A run that asks a teacher over a network or a model on this machine: plan, ask, judge, report, go on later.

The thread `teacher` asks and stores (`asking.py`); the caller's thread judges what was stored. The project
alone says what is left, so a run that was stopped or killed goes on with the same settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from training_backend.errors import ConfigError
from training_backend.events import Control, Reporter, RowsChanged, Started
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS
from training_backend.paths import runs_dir
from training_backend.project.replies import Origin, add_origin
from training_backend.teacher import requests
from training_backend.teacher.another_path import plan_another, scope_of
from training_backend.teacher.asking import Asking, OutOfBudget, Tally
from training_backend.teacher.budget import Budget, Money
from training_backend.teacher.judging import Judging
from training_backend.teacher.prompt_store import prompts as project_prompts
from training_backend.teacher.prompt_store import save_prompt
from training_backend.teacher.rate import Rate, Retry
from training_backend.teacher.run_spec import RunSpec, prompt_versions, run_identity, runs_alike
from training_backend.teacher.run_states import run_states

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project
    from training_backend.teacher.asker import Asker
    from training_backend.teacher.prompts import Prompt

_STAGE = "generate"
_LOOK_EVERY_S = 0.05
_REPORT_EVERY_S = 0.25
_JUDGE_EVERY_S = 0.25
_MILLION = 1_000_000
_TURN_S = 0.0001


@dataclass(frozen=True)
class RunReport:
    """How a run stands after asking: `status` is done, stopped, budget or failed.

    `counts` and `by_state` are those of the whole run, however often it was stopped. `existing` rows were
    there without being asked.
    """

    run_id: int
    status: str
    problem: str
    counts: requests.Counts
    existing: int = 0
    by_state: Mapping[str, int] = field(default_factory=dict)

    @property
    def stopped(self) -> bool:
        """Tell whether something waits that was to be asked now."""
        return self.status in ("stopped", "budget")


def run_teacher(
    project: Project,
    asker: Asker,
    spec: RunSpec,
    questions: Sequence[Question],
    reporter: Reporter,
    control: Control,
    runner: ProgramRunner | None = None,
    money: Money | None = None,
    retry: Retry | None = None,
    rows: Sequence[int] = (),
) -> RunReport:
    """Ask `asker` what `spec` says about `questions`; store and judge every reply.

    `rows` are those that a run of other answers (`spec.another`) is about, none when it goes on.
    `money` gives the price of a reply, None where it is not known; a budget needs it. ConfigError for wishes
    that cannot be met; TeacherError when the teacher can answer nothing more, StoreError when nothing can be
    written: what came before is kept, and the rest waits.
    """
    _check(spec, questions, money)
    prompts = project_prompts(project)
    prepared = _Prepared.of(project, spec, prompts, questions, rows)
    if money is not None:
        # a budget counts what a run has cost, also before its price was known
        requests.price_replies(project, prepared.run_id, money)
    folder = _run_folder(project, prepared.run_id)
    reporter.attach(folder)
    control.attach(folder)
    reporter.emit(Started(command="generate", pid=os.getpid(), run_folder=str(folder)))
    with _quick_turns(), runner or ProgramRunner() as programs:
        judging = Judging(project, programs, control)
        run = _Run(project, asker, spec, prepared, prompts, questions, reporter, control, judging)
        return run.go(money, retry or Retry())


@contextlib.contextmanager
def _quick_turns() -> Iterator[None]:
    """Let the interpreter's threads take turns quickly.

    The thread that writes lets go of the interpreter at each of its many short statements and would wait the
    usual 5 ms for the asking one to give it back: measured, 50 against 60 to 68 % of the possible requests.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _check(spec: RunSpec, questions: Sequence[Question], money: Money | None) -> None:
    unknown = [kind for kind in spec.kinds if kind not in KINDS]
    if unknown:
        raise ConfigError(f"'{unknown[0]}' is no kind.", f"Choose among {', '.join(KINDS)}.")
    if not spec.kinds or spec.paths < 1 or not questions:
        raise ConfigError("There is nothing to ask.", "Give questions, at least one kind and one path.")
    if spec.budget is not None and money is None:
        raise ConfigError(
            f"A budget needs a price, and none is known for {spec.ask.model}.",
            "Enter it: on the Teacher page or with `kpdd teacher price`. Or leave the budget out.",
        )


@dataclass(frozen=True)
class _Prepared:
    run_id: int
    origins: Mapping[str, int]
    existing: int

    @classmethod
    def of(
        cls, project: Project, spec: RunSpec, prompts: Mapping[str, Prompt], questions: Sequence[Question],
        rows: Sequence[int] = (),
    ) -> _Prepared:  # fmt: skip
        """Note run, prompts and origins in the project, and plan what is not planned yet."""
        model, origins = spec.ask.model, {}
        for name in spec.names:
            version = save_prompt(project, prompts[name]).version
            details = {"prompt": name, **spec.parameters()}
            origins[name] = add_origin(project, Origin(spec.teacher, model, spec.source, version, details))
        settings = {**asdict(spec), "prompts": prompt_versions(spec, prompts)}
        run_id = requests.open_run(project, run_identity(spec, prompts), spec.teacher, model, settings)
        ids, existing = [question.id for question in questions], 0
        if spec.another:
            alike = [run for run in runs_alike(project, spec, prompts) if run != run_id]
            plan_another(project, run_id, alike, rows, ids, spec.paths, spec.one_call)
        else:
            existing = requests.plan(project, run_id, ids, spec.kinds, spec.paths, origins, spec.one_call)
        if spec.ask_again is not None:
            requests.ask_again(project, run_id, spec.ask_again or None)
        return cls(run_id, origins, existing)


def _run_folder(project: Project, run_id: int):
    folder = runs_dir(project.path) / f"teacher-{run_id}"
    folder.mkdir(parents=True, exist_ok=True)
    requests.set_run_folder(project, run_id, folder.relative_to(project.path.parent).as_posix())
    return folder


class _Run:
    """One run at work."""

    def __init__(
        self,
        project: Project,
        asker: Asker,
        spec: RunSpec,
        prepared: _Prepared,
        prompts: Mapping[str, Prompt],
        questions: Sequence[Question],
        reporter: Reporter,
        control: Control,
        judging: Judging,
    ) -> None:
        self.project, self.asker, self.spec, self.prepared = project, asker, spec, prepared
        self.prompts = {name: prompts[name] for name in spec.names}
        self.questions = {question.id: question for question in questions}
        self.reporter, self.control, self.judging = reporter, control, judging
        before = requests.counts(project, prepared.run_id)
        self.tally = Tally(
            before.asked, before.done, before.failed, Counter(before.reasons), before.replies,
            before.prompt_tokens, before.cached_tokens, before.completion_tokens, before.money,
        )  # fmt: skip
        # of earlier starts; while the run goes on, what is judged now is added
        self.states_before = Counter(run_states(project, prepared.run_id))
        self.asking: Asking | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.problem: Exception | None = None

    def go(self, money: Money | None, retry: Retry) -> RunReport:
        """Ask in a thread of its own, judge in this one."""
        self._report()
        thread = threading.Thread(target=self._ask, args=(money, retry), name="teacher")
        thread.start()
        try:
            while thread.is_alive():
                self.judging.judge_stored()
                thread.join(_JUDGE_EVERY_S)
        except BaseException:
            self._end()
            raise
        finally:
            thread.join()
        self.judging.judge_stored()
        self._report()
        return self._ended()

    def _end(self) -> None:
        if self.loop is not None and self.asking is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.asking.end)

    def _ended(self) -> RunReport:
        run_id, problem = self.prepared.run_id, self.problem
        counts = requests.counts(self.project, run_id)
        if isinstance(problem, OutOfBudget):
            status = "budget"
        elif problem is not None:
            status = "failed"
        else:
            status = "stopped" if self.control.stop_requested and counts.waiting else "done"
        requests.set_run_status(self.project, run_id, status, str(problem or ""))
        if status == "failed":
            assert problem is not None
            raise problem
        return RunReport(run_id, status, str(problem or ""), counts, self.prepared.existing,
                         run_states(self.project, run_id))  # fmt: skip

    # --- the teacher's thread ---

    def _ask(self, money: Money | None, retry: Retry) -> None:
        try:
            asyncio.run(self._ask_all(money, retry))
        except Exception as error:
            self.problem = error

    async def _ask_all(self, money: Money | None, retry: Retry) -> None:
        spec, tally = self.spec, self.tally
        scope = requests.Scope(frozenset(self.questions), spec.kinds, spec.paths)
        if spec.another:
            scope = scope_of(self.project, self.prepared.run_id, self.questions)
        rate = Rate(spec.requests_per_minute, spec.tokens_per_minute)
        self.loop = asyncio.get_running_loop()
        self.asking = Asking(
            self.project, self.asker, self.prepared.run_id,
            requests.chains(self.project, self.prepared.run_id, scope), self.questions, self.prompts,
            self.prepared.origins, spec.ask, tally, rate=rate, retry=retry,
            budget=Budget(spec.budget, money, tally.money or 0.0), money=money, stopped=self._wants_stop,
        )  # fmt: skip
        watch = asyncio.create_task(self._watch(self.asking))
        try:
            await self.asking.go()
        finally:
            watch.cancel()
            await self.asker.close()
        self.problem = self.asking.problem

    def _wants_stop(self) -> bool:
        return self.control.stop_requested

    async def _watch(self, asking: Asking) -> None:
        """Pass pause and stop on, and say how things stand."""
        paused, told = False, 0.0
        while True:
            if self._wants_stop():
                asking.end()
            if self.control.paused != paused:
                paused = not paused
                asking.pause(paused)
                status = "paused" if paused else "running"
                await asyncio.to_thread(requests.set_run_status, self.project, self.prepared.run_id, status)
            told += _LOOK_EVERY_S
            if told >= _REPORT_EVERY_S:
                told = 0.0
                self._report()
            await asyncio.sleep(_LOOK_EVERY_S)

    def _report(self) -> None:
        tally = self.tally
        counts = _counts(tally, self.asking.on_their_way if self.asking is not None else 0)
        states = self.states_before + self.judging.by_state.copy()
        counts |= {f"state:{state}": count for state, count in states.items()}
        text = f"{tally.done:,} done · {tally.failed:,} failed · {counts['waiting']:,} waiting"
        self.reporter.progress(_STAGE, tally.done + tally.failed, tally.asked, text, counts)
        rows, tally.rows = tally.rows, 0
        if rows:
            self.reporter.emit(RowsChanged(count=rows))


def _counts(tally: Tally, on_their_way: int) -> dict[str, int]:
    """Return what a Progress event says: the parts of `asked`, tokens, money in millionths, reasons.

    `money_millionths` is left out where a price is not known; `failed:REASON` divides `failed`, and
    `state:STATE` counts judged rows.
    """
    counts = {
        "asked": tally.asked, "done": tally.done, "failed": tally.failed,
        "waiting": tally.asked - tally.done - tally.failed, "on_their_way": on_their_way,
        "replies": tally.replies, "prompt_tokens": tally.prompt_tokens,
        "cached_tokens": tally.cached_tokens, "completion_tokens": tally.completion_tokens,
    }  # fmt: skip
    if tally.money is not None:
        counts["money_millionths"] = round(tally.money * _MILLION)
    return counts | {f"failed:{reason}": count for reason, count in tally.reasons.items()}


def as_data(report: RunReport) -> dict[str, Any]:
    """Return a report as the command's JSON."""
    counts = asdict(report.counts)
    return {"run": report.run_id, "status": report.status, "problem": report.problem, **counts,
            "existing": report.existing, "by_state": dict(report.by_state),
            "stopped": report.stopped}  # fmt: skip


def as_text(report: RunReport, teacher: str) -> str:
    """Return a report for people."""
    counts = report.counts
    lines = [
        f"{teacher}: {counts.asked:,} asked = {counts.done:,} done + {counts.failed:,} failed"
        f" + {counts.waiting:,} waiting"
    ]
    paid = f"  {counts.replies:,} replies, {counts.prompt_tokens:,} + {counts.completion_tokens:,} tokens"
    lines.append(paid + (f", {counts.money:,.4f} paid" if counts.money else ""))
    if report.existing:
        lines.append(f"  {report.existing:,} rows were there before")
    lines += [f"  {count:>7,}  {state.replace('_', ' ')}"
              for state, count in sorted(report.by_state.items(), key=lambda item: -item[1])]  # fmt: skip
    lines += [f"  failed: {count:,} {reason} (ask again with --ask-again {reason})"
              for reason, count in sorted(counts.reasons.items(), key=lambda item: -item[1])]  # fmt: skip
    if report.problem:
        lines.append(f"  {report.problem}")
    return "\n".join(lines)
