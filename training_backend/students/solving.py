"""Solving in stages: the students of a method work one after the other, then the rationale gives the answer.

The order, and what each student reads and writes, come from the table of methods; nothing here names one.
Without torch until students are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend import methods
from training_backend.errors import CheckpointError, ConfigError
from training_backend.events import Answer, Event, Reporter, StageEnded, StageStarted, Token, TraceBatches
from training_backend.execution.judge import judge, judge_many, judge_result
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS, Method, Role, Task
from training_backend.rationale.judgement import Judgement
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.examples import read_target, source_text
from training_backend.students.finding import find_students
from training_backend.students.solution import Cancelled, Solution, Work

if TYPE_CHECKING:
    from training_backend.students.decoding import Piece, Student

# a student of several kinds tries them in this order; the next one only where there was no answer
KIND_ORDER = ("pot", "eot", "cot")


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

    def warm_up(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Have each student write a first token that nobody sees: its first pass is slower than all others.

        A device makes its kernels ready, and weights come from disk, when they are first used. Between two
        students it ends when `stop` becomes true.
        """
        for student in dict.fromkeys(self.students.values()):
            if stop():
                return
            next(iter(student.stream("2 + 3")), None)

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

    def engines(self, count: int, settings: DecodingSettings | None = None) -> dict[str, str]:
        """Return what each student writes with for `count` questions; it is made ready."""
        chosen = settings or DecodingSettings()
        return {name: student.engine_name(count, chosen) for name, student in self.students.items()}

    def unknown_words(self, question: str) -> list[str]:
        """Return the words of a question that some student's vocabulary cannot spell, each once."""
        found = (word for s in self.students.values() for word in s.text.unknown_words(question))
        return list(dict.fromkeys(found))

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
        `information`): a stage whose fields are all given is skipped for that question. Answers are run while
        others are still written. Raises Cancelled when `stop` becomes true.
        """
        return [paths[0] for paths in self.solve_paths(questions, runner, reporter, 1, kind, gold, given,
                                                       settings, stop)]  # fmt: skip

    def solve_paths(
        self,
        questions: Sequence[str],
        runner: ProgramRunner,
        reporter: Reporter,
        paths: int,
        kind: str | None = None,
        gold: Sequence[float | None] = (),
        given: Sequence[Mapping[str, Any] | None] = (),
        settings: DecodingSettings | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[list[Solution]]:
        """Solve each question `paths` times, as solve_many does; path n is sample n of every stage.

        With a temperature the paths differ, and each is the same again for the same seed.
        """
        if paths < 1:
            raise ConfigError(f"{paths} paths are none.", "Ask for one path at least.")
        answers = list(gold) or [None] * len(questions)
        works = [
            Work(question, value, dict(fields or {}), path=path)
            for question, value, fields in zip(
                questions, answers, list(given) or [None] * len(questions), strict=True
            )
            for path in range(paths)
        ]
        for role in self.method.roles:
            tasks = self._tasks(role, kind)
            waiting = works
            for task in tasks:
                writing = self._write_all(role, task, waiting, reporter, settings or DecodingSettings(), stop)
                if task.writes in KINDS:
                    self._judge_all(writing, len(waiting), runner, reporter)
                    if len(tasks) > 1:
                        waiting = [work for work in waiting if work.unanswered]
                else:
                    for _ in writing:
                        pass
                if stop is not None and stop():
                    raise Cancelled
        solutions = [work.solution() for work in works]
        return [solutions[start : start + paths] for start in range(0, len(solutions), paths)]

    def _write_all(
        self,
        role: Role,
        task: Task,
        works: list[Work],
        reporter: Reporter,
        settings: DecodingSettings,
        stop: Callable[[], bool] | None,
    ) -> Iterator[Work]:
        """Let the student write what was not given; yield each work as it is written."""
        todo = [work for work in works if not work.has(task)]
        wanted = [(source_text(task, work.fields), work.path) for work in todo]
        written = self.students[role.name].write(wanted, settings, stop)
        for done, (i, text) in enumerate(written, 1):
            todo[i].take(role.name, text, read_target(task, text))
            reporter.progress(f"{role.title}: writing", done, len(todo))
            yield todo[i]

    def _judge_all(
        self, writing: Iterator[Work], total: int, runner: ProgramRunner, reporter: Reporter
    ) -> None:
        """Run answers as they come; the student writes on whenever the sandbox has work enough."""
        written: list[Work] = []

        def items() -> Iterator[tuple[int, str, str, float | None]]:
            for work in writing:
                written.append(work)
                yield len(written) - 1, work.fields["kind"], work.fields["rationale"], work.gold

        for done, (n, judgement) in enumerate(judge_many(items(), runner), 1):
            written[n].judgement = judgement
            if len(written) == total:
                reporter.progress("running answers", done, total)

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
        settings: DecodingSettings | None = None,
        sample: int = 0,
        forced: tuple[str, Sequence[int]] | None = None,
    ) -> Solution:
        """Solve one question and say everything while it happens, as events with `request`.

        A stage is StageStarted, a Token for each piece, StageEnded with the fields read from the text; then
        Trace while the program runs, and Answer. With a temperature in `settings` it is path `sample` of
        solve_paths. `forced` (role, ids of tokens) has a student begin with these tokens and go on.
        Raises Cancelled when `stop` becomes true.
        """
        if not question.strip():
            raise ConfigError("The question is empty.", "Type or pick a question.")
        if forced is not None:
            self.method.role(forced[0])
        work = Work(question, gold, dict(given or {}), path=sample)
        begin = dict([forced] if forced else [])
        for role in self.method.roles:
            tasks = self._tasks(role, kind)
            for n, task in enumerate(tasks):
                if work.has(task):
                    continue
                # only what is written first can be begun for the student: another kind is another text
                tokens = begin.pop(role.name, ())
                pieces = self._pieces(role, task, work, settings, tokens)
                self._write_live(role, task, work, pieces, emit, request, stop)
                if task.writes in KINDS:
                    work.judgement = run_live(
                        task.writes, work.fields["rationale"], gold, runner, emit, request, stop
                    )
                    if not work.unanswered or n == len(tasks) - 1:
                        break
        solution = work.solution()
        emit(answer_event(solution.judgement, gold, request))
        return solution

    def _pieces(
        self, role: Role, task: Task, work: Work, settings: DecodingSettings | None, forced: Sequence[int]
    ) -> Iterator[Piece]:
        source = source_text(task, work.fields)
        return self.students[role.name].stream(source, settings or DecodingSettings(), forced, work.path)

    def _write_live(
        self,
        role: Role,
        task: Task,
        work: Work,
        writing: Iterator[Piece],
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
        for index, piece in enumerate(writing):
            if stop():
                raise Cancelled
            pieces.append(piece.text)
            if not piece.end:
                tokens.append(piece.token)
            others = [[text, probability] for text, probability in piece.alternatives]
            emit(Token(role.name, index, piece.text, piece.probability, others, request, piece.token,
                       list(piece.alternative_tokens)))  # fmt: skip
        text = student.text.decode(tokens)
        fields = read_target(task, text)
        work.take(role.name, text, fields)
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
    batches = TraceBatches(emit, request)
    with runner.trace(text, kind) as running:
        for record in running:
            if batches.add(record) and stop():
                raise Cancelled
        batches.send()
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
