"""A generation run: a teacher's replies become rows, the rows are judged as they arrive, all of it resumable.

At every moment asked = done + failed + waiting. A reply is on disk before it is judged; a run that was
stopped or killed goes on where it was, and nothing that was answered is asked again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from training_backend.errors import ConfigError
from training_backend.events import Control, Reporter, RowsChanged
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS
from training_backend.project.questions import Question
from training_backend.project.questions import questions as project_questions
from training_backend.project.replies import Reply, add_origin, add_replies, answered
from training_backend.project.store import Project
from training_backend.teacher.judging import Judging
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE, Teacher, TeacherReply

# Replies stored and judged at a time: a kill loses the judgements of at most so many programs.
BATCH = 128
# Replies that may wait to be stored while programs run.
_WAITING_REPLIES = 2 * BATCH
_STAGE = "generate"


@dataclass(frozen=True)
class Failure:
    """One reply that could not be used, and why; `stored` tells whether its raw text is in the project."""

    question_id: int
    native_id: str
    kind: str
    path: int
    reason: str
    stored: bool


@dataclass(frozen=True)
class GenerationReport:
    """What a run did: `asked` counts question × kind × path, `by_state` the judged rows by their state.

    `existing` were answered by an earlier run and not asked again.
    """

    asked: int
    done: int
    failed: int
    by_state: Mapping[str, int] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    existing: int = 0
    stopped: bool = False

    @property
    def waiting(self) -> int:
        """Return how many requests have neither failed nor been answered and judged."""
        return self.asked - self.done - self.failed


@dataclass(frozen=True)
class _Request:
    """Questions that lack the same kinds of one path."""

    path: int
    kinds: tuple[str, ...]
    questions: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.kinds) * len(self.questions)


def generate(
    project: Project,
    teacher: Teacher,
    kinds: Sequence[str],
    paths: int,
    reporter: Reporter,
    control: Control,
    questions: Iterable[Question] | None = None,
    runner: ProgramRunner | None = None,
) -> GenerationReport:
    """Ask `teacher` for `paths` answers of each kind to each question, store and judge them.

    Without `questions` every question of the project is asked. Raises ConfigError when the teacher has no
    answer of a kind, TeacherError when it can answer nothing more; what came before that is kept.
    """
    _check(teacher, kinds, paths)
    wanted = list(project_questions(project) if questions is None else questions)
    with runner or ProgramRunner() as programs:
        run = _Run(project, teacher, wanted, kinds, paths, reporter, control, programs)
        return run.go()


def _check(teacher: Teacher, kinds: Sequence[str], paths: int) -> None:
    if not kinds or paths < 1:
        raise ConfigError("There is nothing to ask.", "Give at least one kind and one path.")
    for kind in kinds:
        offered = teacher.paths(kind)
        if not offered:
            others = [other for other in KINDS if teacher.paths(other)]
            raise ConfigError(
                f"{teacher.name} has no answers of kind {kind}.",
                f"It has {', '.join(others)}." if others else "Choose another teacher.",
            )
        if offered < paths:
            raise ConfigError(
                f"{teacher.name} has {offered} answers of kind {kind} to a question, and {paths} are wanted.",
                "Choose fewer paths, another kind or, for a recording, more models.",
            )


class _Run:
    """One run: the thread of `_ask` listens to the teacher, the caller's thread stores and judges."""

    def __init__(
        self,
        project: Project,
        teacher: Teacher,
        questions: Sequence[Question],
        kinds: Sequence[str],
        paths: int,
        reporter: Reporter,
        control: Control,
        programs: ProgramRunner,
    ) -> None:
        self.project, self.teacher, self.programs = project, teacher, programs
        self.reporter, self.control = reporter, control
        self.origins = [self._origin_ids(path) for path in range(paths)]
        self.native_ids = {question.id: question.native_id for question in questions}
        self.plan = [request for path in range(paths) for request in self._missing(questions, kinds, path)]
        self.asked = sum(map(len, self.plan))
        self.existing = len(questions) * len(kinds) * paths - self.asked
        self.done = 0
        self.failures: list[Failure] = []
        self.judging = Judging(project, programs, control)
        self.replies: queue.Queue[TeacherReply | Exception | None] = queue.Queue(_WAITING_REPLIES)
        self.abandoned = threading.Event()

    def go(self) -> GenerationReport:
        """Ask, store and judge until everything is asked or a stop is wanted."""
        self.judging.judge_stored()
        self._report()
        listener = threading.Thread(target=self._ask, name="teacher", daemon=True)
        listener.start()
        try:
            for batch in self._batches():
                self._take(batch)
        finally:
            self.abandoned.set()
        listener.join()
        return GenerationReport(
            self.asked, self.done, len(self.failures), dict(self.judging.by_state), tuple(self.failures),
            self.existing, self.control.stop_requested,
        )  # fmt: skip

    def _origin_ids(self, path: int) -> tuple[int, int]:
        origins = self.teacher.origins(path)
        return add_origin(self.project, origins[KEY_POINTS]), add_origin(self.project, origins[RATIONALE])

    def _missing(self, questions: Sequence[Question], kinds: Sequence[str], path: int) -> Iterator[_Request]:
        """Yield what the project does not have of this path, questions grouped by the kinds they lack."""
        rationale_origin = self.origins[path][1]
        have = {kind: answered(self.project, kind, path, rationale_origin) for kind in kinds}
        groups: dict[tuple[str, ...], list[Question]] = {}
        for question in questions:
            lacking = tuple(kind for kind in kinds if question.id not in have[kind])
            if lacking:
                groups.setdefault(lacking, []).append(question)
        for lacking, group in groups.items():
            yield _Request(path, lacking, tuple(group))

    # --- the teacher's thread ---

    def _ask(self) -> None:
        """Pass every reply on as it comes; an exception travels the same way, None is the end."""
        try:
            for request in self.plan:
                for reply in self.teacher.answer(request.questions, request.kinds, request.path):
                    if not self._pass_on(reply):
                        return
                    self.control.wait_while_paused()
                    if self.control.stop_requested:
                        return
        except Exception as error:
            self._pass_on(error)
        finally:
            self._pass_on(None)

    def _pass_on(self, item: TeacherReply | Exception | None) -> bool:
        while not self.abandoned.is_set():
            try:
                self.replies.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    # --- the caller's thread ---

    def _batches(self) -> Iterator[list[TeacherReply]]:
        """Yield what has arrived, at most BATCH at a time; raise what ended the asking."""
        while True:
            batch: list[TeacherReply] = []
            item = self.replies.get()
            while isinstance(item, TeacherReply):
                batch.append(item)
                if len(batch) >= BATCH or self.replies.empty():
                    break
                item = self.replies.get_nowait()
            if batch:
                yield batch
            if isinstance(item, Exception):
                raise item
            if item is None:
                return

    def _take(self, batch: list[TeacherReply]) -> None:
        """Store a batch, judge it, and say how things stand."""
        given = [reply for reply in batch if reply.raw or reply.rationale is not None]
        if given:
            add_replies(self.project, map(self._as_stored, given))
        # after a stop some of the batch wait for the next run
        self.done += min(self.judging.judge_stored(), sum(not reply.parse_error for reply in batch))
        self.failures += [self._failure(reply) for reply in batch if reply.parse_error]
        self._report(len(given))

    def _as_stored(self, reply: TeacherReply) -> Reply:
        key_points_origin, rationale_origin = self.origins[reply.path]
        return Reply(
            reply.question_id, reply.kind, reply.path, reply.key_points, reply.rationale, reply.raw,
            reply.parse_error, key_points_origin, rationale_origin,
        )  # fmt: skip

    def _failure(self, reply: TeacherReply) -> Failure:
        native_id = self.native_ids.get(reply.question_id, "")
        return Failure(
            reply.question_id, native_id, reply.kind, reply.path, reply.parse_error, bool(reply.raw)
        )

    def _report(self, stored: int = 0) -> None:
        done, failed = self.done, len(self.failures)
        counts = {"asked": self.asked, "done": done, "failed": failed, "waiting": self.asked - done - failed}
        text = f"{done:,} done · {failed:,} failed · {counts['waiting']:,} waiting"
        self.reporter.progress(_STAGE, done + failed, self.asked, text, counts)
        if stored:
            self.reporter.emit(RowsChanged(count=stored))
