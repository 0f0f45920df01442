"""Solving in stages: the students of a method work one after the other, then the rationale gives the answer.

The order, and what each student reads and writes, come from the table of methods; nothing here names one.
Without torch until students are loaded.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend import methods
from training_backend.errors import CheckpointError, ConfigError
from training_backend.events import Answer, Event, Reporter, StageEnded, StageStarted, Token, Trace
from training_backend.execution.judge import judge, judge_many, judge_result
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS, Method, Role, Task
from training_backend.paths import demo_students_dir
from training_backend.rationale.judgement import Judgement
from training_backend.students.examples import read_target, source_text
from training_backend.students.run_folder import RunFolder

if TYPE_CHECKING:
    from training_backend.students.decoding import DecodingSettings, Student

# a student of several kinds tries them in this order; the next one only where there was no answer
KIND_ORDER = ("pot", "eot", "cot")
TRACE_EVERY_S = 0.03
TRACE_RECORDS = 256


class Cancelled(Exception):
    """The caller gave up the question at work."""


@dataclass(frozen=True)
class Solution:
    """One solved question; `texts` holds what each student wrote, by role."""

    question: str
    gold: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str
    judgement: Judgement
    texts: dict[str, str] = field(default_factory=dict)


class Solver:
    """The students of one method, loaded."""

    def __init__(self, method: Method, students: Mapping[str, Student], name: str = "") -> None:
        """Hold one student for each role of `method`."""
        missing = [role.title for role in method.roles if role.name not in students]
        if missing:
            raise CheckpointError(
                f"{method.title} needs the student {' and '.join(missing)}.",
                "Train it, or choose students of another method.",
                name,
            )
        self.method = method
        self.students = dict(students)
        self.name = name

    @classmethod
    def load(
        cls,
        source: Path | str | Mapping[str, Path | str],
        method: str | None = None,
        device: str = "auto",
        on_progress: Callable[[int, int, str], None] | None = None,
    ) -> Solver:
        """Load students: `demo`, a run folder, the folder of one student, or a folder for each role.

        `method` is needed only where the folders do not say it. CheckpointError names what is missing.
        """
        folders, key = find_students(source, method)
        chosen = methods.get(key)
        from training_backend.students.decoding import Student

        students: dict[str, Student] = {}
        same: dict[Path, Student] = {}
        for n, (role, folder) in enumerate(folders.items()):
            if on_progress is not None:
                on_progress(n, len(folders), role)
            if folder not in same:
                same[folder] = Student.load(folder, device)
            students[role] = same[folder]
        if on_progress is not None:
            on_progress(len(folders), len(folders), "")
        return cls(chosen, students, str(source) if isinstance(source, str | Path) else "")

    def about(self) -> dict[str, Any]:
        """Return what a window shows of the students: method, kinds, roles in order, text and device."""
        return {
            "students": self.name,
            "method": self.method.key,
            "title": self.method.title,
            "kind": self.default_kind(),
            "kinds": list(self.method.kinds),
            "roles": [role.name for role in self.method.roles],
            "role_titles": {role.name: role.title for role in self.method.roles},
            "text": {name: student.text.rule.way for name, student in self.students.items()},
            "device": str(next(iter(self.students.values())).device),
        }

    def default_kind(self) -> str:
        """Return the kind of rationale that is written when none is asked for."""
        return min(self.method.kinds, key=KIND_ORDER.index)

    # ---- many questions ------------------------------------------------------------------------

    def solve_many(
        self,
        questions: Sequence[str],
        runner: ProgramRunner,
        reporter: Reporter,
        kind: str | None = None,
        gold: Sequence[float | None] = (),
        given: Sequence[Mapping[str, Any] | None] = (),
        settings: DecodingSettings | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[Solution]:
        """Solve questions stage by stage, each stage in batches; solutions keep the order of the questions.

        `kind` chooses the rationale of a student of several; without it the next kind is tried where one gave
        no answer. `given` holds fields that are not to be written (a teacher's `core_question` and
        `information`): a stage whose fields are all given is skipped for that question.
        """
        answers = list(gold) or [None] * len(questions)
        works = [
            _Work(question, value, dict(fields or {}))
            for question, value, fields in zip(
                questions, answers, list(given) or [None] * len(questions), strict=True
            )
        ]
        for role in self.method.roles:
            tasks = self._tasks(role, kind)
            waiting = list(range(len(works)))
            for task in tasks:
                self._write_all(role, task, [works[i] for i in waiting], reporter, settings, stop)
                if task.writes in KINDS:
                    self._judge_all([works[i] for i in waiting], runner, reporter)
                    if len(tasks) > 1:
                        waiting = [i for i in waiting if works[i].unanswered]
        return [work.solution() for work in works]

    def _write_all(
        self,
        role: Role,
        task: Task,
        works: list[_Work],
        reporter: Reporter,
        settings: DecodingSettings | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        todo = [work for work in works if not work.has(task)]
        if not todo:
            return
        from training_backend.students.decoding import DecodingSettings

        texts = self.students[role.name].generate(
            [source_text(task, work.fields) for work in todo],
            on_progress=lambda done, total: reporter.progress(f"{role.title}: writing", done, total),
            settings=settings or DecodingSettings(),
            stop=stop,
        )
        for work, text in zip(todo, texts, strict=True):
            work.texts[role.name] = text
            work.fields |= read_target(task, text)

    def _judge_all(self, works: list[_Work], runner: ProgramRunner, reporter: Reporter) -> None:
        items = [
            (n, work.fields["kind"], work.fields["rationale"], work.gold) for n, work in enumerate(works)
        ]
        for done, (n, judgement) in enumerate(judge_many(items, runner), 1):
            works[n].judgement = judgement
            reporter.progress("running answers", done, len(items))

    # ---- one question, live --------------------------------------------------------------------

    def solve_live(
        self,
        question: str,
        runner: ProgramRunner,
        emit: Callable[[Event], None],
        gold: float | None = None,
        request: str = "",
        kind: str | None = None,
        given: Mapping[str, Any] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Solution:
        """Solve one question and say everything while it happens, as events with `request`.

        A stage is StageStarted, a Token for each piece, StageEnded with the fields read from the text; then
        Trace while the program runs, and Answer. Raises Cancelled when `stop` becomes true.
        """
        if not question.strip():
            raise ConfigError("The question is empty.", "Type or pick a question.")
        work = _Work(question, gold, dict(given or {}))
        for role in self.method.roles:
            tasks = self._tasks(role, kind)
            for n, task in enumerate(tasks):
                if work.has(task):
                    continue
                self._write_live(role, task, work, emit, request, stop)
                if task.writes in KINDS:
                    work.judgement = run_live(
                        task.writes, work.fields["rationale"], gold, runner, emit, request, stop
                    )
                    if not work.unanswered or n == len(tasks) - 1:
                        break
        solution = work.solution()
        emit(answer_event(solution.judgement, gold, request))
        return solution

    def _write_live(
        self,
        role: Role,
        task: Task,
        work: _Work,
        emit: Callable[[Event], None],
        request: str,
        stop: Callable[[], bool],
    ) -> None:
        student = self.students[role.name]
        source = source_text(task, work.fields)
        unknown = list(student.text.unknown_words(source))
        emit(StageStarted(role.name, source, request, unknown_words=unknown))
        pieces: list[str] = []
        tokens: list[int] = []
        for index, piece in enumerate(student.stream(source)):
            if stop():
                raise Cancelled
            pieces.append(piece.text)
            if not piece.end:
                tokens.append(piece.token)
            others = [[text, probability] for text, probability in piece.alternatives]
            emit(Token(role.name, index, piece.text, piece.probability, others, request))
        text = student.text.decode(tokens)
        fields = read_target(task, text)
        work.texts[role.name] = text
        work.fields |= fields
        shown = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
        emit(StageEnded(role.name, text, shown, request))

    def _tasks(self, role: Role, kind: str | None) -> list[Task]:
        """Return the tasks of a role in the order in which they are tried."""
        if not any(task.writes in KINDS for task in role.tasks):
            return list(role.tasks)
        if kind is not None:
            found = [task for task in role.tasks if task.writes == kind]
            if not found:
                kinds = ", ".join(KINDS[task.writes] for task in role.tasks)
                raise ConfigError(
                    f"{self.method.title} writes no {KINDS.get(kind, kind)}.", f"It writes: {kinds}."
                )
            return found
        return sorted(role.tasks, key=lambda task: KIND_ORDER.index(task.writes))


@dataclass
class _Work:
    """One question on its way through the stages."""

    question: str
    gold: float | None
    fields: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)
    judgement: Judgement | None = None

    def __post_init__(self) -> None:
        self.fields = {"question": self.question, **self.fields}

    def has(self, task: Task) -> bool:
        """Tell whether everything the task writes was given."""
        if task.writes in KINDS:
            return False
        names = {"key_points": ("core_question", "information")}.get(task.writes, (task.writes,))
        return all(self.fields.get(name) for name in names)

    @property
    def unanswered(self) -> bool:
        """Tell whether no answer was read yet."""
        return self.judgement is None or self.judgement.value is None

    def solution(self) -> Solution:
        """Return what became of it."""
        return Solution(
            question=self.question,
            gold=self.gold,
            core_question=str(self.fields.get("core_question", "")),
            information=tuple(self.fields.get("information", ())),
            kind=str(self.fields.get("kind", "")),
            rationale=str(self.fields.get("rationale", "")),
            judgement=self.judgement or Judgement("not_run", "", "", None),
            texts=self.texts,
        )


def run_live(
    kind: str,
    text: str,
    gold: float | None,
    runner: ProgramRunner,
    emit: Callable[[Event], None],
    request: str = "",
    stop: Callable[[], bool] = lambda: False,
) -> Judgement:
    """Run one rationale, emitting Trace events while it runs; a chain of thought is only read."""
    if kind == "cot":
        return judge(kind, text, gold, runner)
    batch: list[dict[str, Any]] = []
    sent_at = time.monotonic()
    with runner.trace(text, kind) as running:
        for record in running:
            batch.append(record)
            now = time.monotonic()
            if len(batch) >= TRACE_RECORDS or now - sent_at >= TRACE_EVERY_S:
                emit(Trace(batch, request))
                batch, sent_at = [], now
                if stop():
                    raise Cancelled
        if batch:
            emit(Trace(batch, request))
        return judge_result(kind, running.result, gold)


def answer_event(judgement: Judgement, gold: float | None, request: str = "") -> Answer:
    """Return the end of an inference as an event."""
    return Answer(
        verdict=judgement.verdict or ("no_answer" if judgement.value is None else "ok"),
        answer_text=judgement.answer_text,
        value=judgement.value,
        gold=gold,
        equal=None if gold is None else judgement.state == "equal",
        error=judgement.error,
        error_line=judgement.error_line,
        request=request,
    )


def find_students(
    source: Path | str | Mapping[str, Path | str], method: str | None = None
) -> tuple[dict[str, Path], str]:
    """Return (folder of each role, key of the method) of `demo`, a run or student folder, or a mapping.

    A run that is not finished gives the newest checkpoint of each student.
    """
    if isinstance(source, Mapping):
        folders = {role: Path(folder) for role, folder in source.items()}
        key = method or next(
            (_about(folder).get("method") for folder in folders.values() if _about(folder)), None
        )
        if key is None:
            raise ConfigError("It is not known which method the students belong to.", "Name the method.")
        return folders, str(key)
    path = demo_students_dir() if str(source) == "demo" else Path(source)
    if (path / "run.json").is_file():
        run = RunFolder.open(path)
        found = run.usable_students()
        missing = [role.title for role in run.method.roles if role.name not in found]
        if missing:
            raise CheckpointError(
                f"The run has no trained student {' and '.join(missing)} yet.",
                "Wait for its first checkpoint, or train it.",
                str(path),
            )
        return found, method or run.config.method
    about = _about(path)
    if about:
        return {str(about["role"]): path}, method or str(about["method"])
    if str(source) == "demo":
        raise CheckpointError(
            "The demo students are not installed.", "Train them: kpdd make-demo-students.", str(path)
        )
    raise CheckpointError(
        "This is neither a run folder nor a student: it has no run.json and no student.json.",
        "Choose the folder of a run, or: demo.",
        str(path),
    )


def _about(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / "student.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and {"role", "method"} <= data.keys() else {}
