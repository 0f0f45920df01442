"""The built-in sample teacher, and the sample project it fills: nothing to download, no key, no network.

The teacher knows the sample problems and answers like a real one: well, but not always. A stated share of
its replies is wrong (SLIPS), chosen by a hash of question, kind and path: the same question, the same reply.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from training_backend.errors import StoreError
from training_backend.events import Control, Reporter
from training_backend.execution.judge import judge_many
from training_backend.execution.limits import Limits
from training_backend.execution.runner import ProgramRunner
from training_backend.methods import KINDS
from training_backend.project.history import edit_field, set_flagged, set_review
from training_backend.project.judgements import store_judgements, to_judge
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.questions import NewQuestion, Question, add_questions, questions
from training_backend.project.replies import Origin
from training_backend.project.store import Project
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher import problem_templates
from training_backend.teacher.generation import GenerationReport, generate
from training_backend.teacher.problem_grammar import Problem
from training_backend.teacher.problem_grammar import generate as generate_problems
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE, TeacherReply

DATASET = "sample"
SEED = 2407
TRAIN_PER_TEMPLATE, TEST_PER_TEMPLATE = 3, 1
PATHS = 4

# what goes wrong, and in which share of the replies of a kind
SLIPS: Mapping[str, float] = {
    "wrong sum": 0.030,
    "raises": 0.015,
    "no answer": 0.008,
    "not readable": 0.010,
}
# what goes wrong in key points
KEY_POINT_SLIPS: Mapping[str, float] = {"leak": 0.020, "item missing": 0.010}

# single rows of the sample project that show what the sandbox and the filter do, by number of the question
_SHOWPIECES: Mapping[int, str] = {5: "endless", 11: "reads a file", 23: "takes all memory", 31: "leak"}
_REFUSAL = "This is a nice problem! Let me think about it. I would first look at what is asked, and then"


class SampleTeacher:
    """Answers the sample questions from the problems they were made of; a `teacher.protocol.Teacher`."""

    name = "Sample teacher"

    def __init__(
        self, problems: Iterable[Problem] | None = None, slips: bool = True, showpieces: bool | None = None
    ) -> None:
        """Know `problems`, by default those of the sample project; without `slips` every reply is right.

        `showpieces` (by default only for the sample project) adds single rows that need the sandbox.
        """
        known = sample_problems() if problems is None else tuple(problems)
        self._slips = slips
        self._problems = {problem.question: problem for problem in known}
        self._showpieces: dict[str, str] = {}
        if slips and (problems is None if showpieces is None else showpieces):
            self._showpieces = {known[number].question: what for number, what in _SHOWPIECES.items()}

    def origins(self, path: int = 0) -> dict[str, Origin]:
        """Return the one origin of both parts."""
        details = {"slips": {**SLIPS, **KEY_POINT_SLIPS}} if self._slips else {}
        origin = Origin("sample", "built-in problem grammar", "built in", "1", details)
        return {KEY_POINTS: origin, RATIONALE: origin}

    def paths(self, kind: str) -> int:
        """Return how many independent replies there are; odd ones write programs with the numbers put in."""
        return PATHS if kind in KINDS else 0

    def answer(
        self, questions: Sequence[Question], kinds: Sequence[str], path: int
    ) -> Iterator[TeacherReply]:
        """Yield one reply for each question and kind; questions that are no sample get a reason."""
        for question in questions:
            problem = self._problems.get(question.text)
            for kind in kinds:
                if problem is None:
                    reason = "The sample teacher knows only the sample questions."
                    yield TeacherReply(question.id, kind, path, None, None, {}, reason)
                else:
                    yield self._reply(question.id, problem, kind, path)

    def _reply(self, question_id: int, problem: Problem, kind: str, path: int) -> TeacherReply:
        showpiece = self._showpieces.get(problem.question, "") if path == 0 else ""
        points = self._key_points(problem, path, showpiece)
        text = self._rationale(problem, kind, path, showpiece)
        raw_points = _points_as_told(points)
        raw = {KEY_POINTS: raw_points, RATIONALE: text if kind == "cot" else _fenced(text, kind)}
        if text == _REFUSAL:
            raw[RATIONALE] = _REFUSAL
            reason = f"The reply holds no {KINDS[kind]}."
            return TeacherReply(question_id, kind, path, points, None, raw, reason)
        return TeacherReply(question_id, kind, path, points, text, raw)

    def _key_points(self, problem: Problem, path: int, showpiece: str) -> KeyPoints:
        points = problem.key_points
        # key points belong to the question and path: every kind gets the same ones
        random = _random(problem.question, KEY_POINTS, path)
        slip = showpiece if showpiece == "leak" else self._slip(KEY_POINT_SLIPS, random)
        if slip == "leak":
            last = f"The answer is {problem.answer}."
            return KeyPoints(points.core_question, (*points.information, last))
        if slip == "item missing":
            left_out = random.randrange(len(points.information))
            items = points.information[:left_out] + points.information[left_out + 1 :]
            return KeyPoints(points.core_question, items)
        return points

    def _rationale(self, problem: Problem, kind: str, path: int, showpiece: str) -> str:
        text = {"cot": problem.cot, "pot": problem.pot, "eot": problem.eot}[kind]
        if kind == "pot" and path % 2:
            text = _with_numbers_put_in(problem.eot)
        if kind == "pot" and showpiece in _SHOWPIECE_LINES:
            return _SHOWPIECE_LINES[showpiece] + "\n" + text
        random = _random(problem.question, kind, path)
        slip = self._slip(SLIPS, random)
        if slip == "not readable":
            return _REFUSAL
        return _SLIPS_OF_KIND[kind][slip](text, random) if slip else text

    def _slip(self, shares: Mapping[str, float], random: random.Random) -> str:
        if not self._slips:
            return ""
        place = random.random()
        for slip, share in shares.items():
            place -= share
            if place < 0:
                return slip
        return ""


_SHOWPIECE_LINES = {
    "endless": "waiting = 1\nwhile waiting > 0:\n    waiting = waiting + 1",
    "reads a file": 'notes = open("/etc/hostname").read()',
    "takes all memory": "numbers = [1] * 10 ** 10",
}


@cache
def sample_problems() -> tuple[Problem, ...]:
    """Return the sample project's problems: the train split, then the test split with held-out numbers."""
    templates = problem_templates.known()
    train = generate_problems(len(templates) * TRAIN_PER_TEMPLATE, SEED)
    test = generate_problems(len(templates) * TEST_PER_TEMPLATE, SEED, numbers="held_out")
    return (*train, *test)


def as_question(problem: Problem, split: str, number: int, dataset: str = DATASET) -> NewQuestion:
    """Return a problem as a question of a project; its native id is split and number."""
    return NewQuestion(
        dataset=dataset,
        split=split,
        native_id=f"{split}-{number}",
        text=problem.question,
        gold_text=str(problem.answer),
        gold_value=float(problem.answer),
        extra={"template": problem.template},
    )


def sample_questions() -> Iterator[NewQuestion]:
    """Yield the questions of the sample project."""
    train = len(problem_templates.known()) * TRAIN_PER_TEMPLATE
    for number, problem in enumerate(sample_problems()):
        if number < train:
            yield as_question(problem, "train", number)
        else:
            yield as_question(problem, "test", number - train)


def sample_project(
    path: str | Path, reporter: Reporter | None = None, control: Control | None = None
) -> GenerationReport:
    """Make the sample project: questions and a teacher's replies, judged and partly reviewed.

    The test split stays unasked. The file appears when it is complete; a stop leaves none. StoreError when
    there is a file of this name. Takes a few seconds.
    """
    path = Path(path)
    if path.exists():
        raise StoreError("There is a file of this name.", "Choose another name.", where=str(path))
    making = path.with_name(f".making-{path.name}")
    _remove(making)
    try:
        report = _fill(making, reporter or Reporter(quiet=True), control or Control())
        if not report.stopped:
            making.replace(path)
    finally:
        _remove(making)
    return report


def _fill(path: Path, reporter: Reporter, control: Control) -> GenerationReport:
    with Project.create(path) as project:
        add_questions(project, sample_questions())
        train = list(questions(project, dataset=DATASET, split="train"))
        # one showpiece never ends: it is worth a second, not the usual three
        runner = ProgramRunner(limits=Limits(cpu_s=1.0, wall_s=3.0))
        report = generate(project, SampleTeacher(), ["pot", "cot"], 1, reporter, control, train, runner)
        if not report.stopped:
            _review_some(project)
    return report


def _remove(project_file: Path) -> None:
    """Remove an unfinished project file and what belongs to it."""
    for file in project_file.parent.glob(project_file.name + "*"):
        file.unlink(missing_ok=True)


def _review_some(project: Project) -> None:
    """Leave the traces of a person: a corrected program, accepted, rejected and flagged rows, a note."""
    listing = Listing(project.path)
    try:
        right = _rows(listing, "pot", "equal")
        wrong = _rows(listing, "pot", "not_equal")
        page = listing.page(wrong[:1])
    finally:
        listing.close()
    set_review(project, right[:12], "accepted")
    if not page:
        return
    row = page[0]
    question = next(iter(questions(project, ids=[row.question_id])))
    problem = next(p for p in sample_problems() if p.question == question.text)
    edit_field(project, row.id, "rationale", problem.pot)
    edit_field(project, row.id, "note", "The teacher took the wrong operation; corrected by hand.")
    with ProgramRunner(workers=1) as runner:
        store_judgements(project, list(judge_many(list(to_judge(project, row_ids=[row.id])), runner)))
    set_flagged(project, [row.id, *right[12:14]], True)
    set_review(project, wrong[1:3], "rejected")


def _rows(listing: Listing, kind: str, verdict: str) -> list[int]:
    chosen = RowFilter(facets={"kind": frozenset([kind]), "verdict": frozenset([verdict])})
    return [int(row_id) for row_id in listing.ids(chosen)]


# ---- replies as a teacher writes them, and how they go wrong -------------------------------------


def _points_as_told(points: KeyPoints) -> str:
    items = "\n".join(f"{number}. {item}" for number, item in enumerate(points.information, 1))
    return f"Core question: {points.core_question}\nInformation:\n{items}"


def _fenced(text: str, kind: str) -> str:
    return f"```{'python' if kind == 'pot' else ''}\n{text}\n```"


def _random(question: str, what: str, path: int) -> random.Random:
    digest = hashlib.sha256(f"{question}|{what}|{path}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def _with_numbers_put_in(equations: str) -> str:
    """Return the straight program of equations, its given numbers written where they are used."""
    given: dict[str, str] = {}
    lines = []
    for line in equations.splitlines():
        name, expression = line.split(" = ")
        if expression.isdigit():
            given[name] = expression
            continue
        expression = re.sub(r"floor\(([^()]*)\)", r"\1", expression).replace(" / ", " // ")
        lines.append(f"{name} = " + re.sub(r"[a-z_]+", lambda m: given.get(m.group(), m.group()), expression))
    return "\n".join(lines)


def _wrong_operation(text: str, random: random.Random) -> str:
    """Return the program with one operation taken for another."""
    places = list(re.finditer(r" ([+*-]) ", text))
    if not places:
        return text
    place = random.choice(places)
    other = {"+": "-", "-": "+", "*": "+"}[place.group(1)]
    return text[: place.start(1)] + other + text[place.end(1) :]


def _misspelled(text: str, random: random.Random) -> str:
    """Return the program with a name that was never set."""
    return re.sub(r"ans = (\w+)", r"ans = \1_total", text)


def _without_answer(text: str, random: random.Random) -> str:
    """Return the program without its last line."""
    return "\n".join(text.splitlines()[:-1])


def _wrong_sum(text: str, random: random.Random) -> str:
    """Return the chain of thought with its last sum, and so its answer, wrong."""
    answer = re.findall(r"\d+", text)[-1]
    wrong = str(int(answer) + random.choice((-1, 1, 2, 10)))
    head, _, tail = text.rpartition(f"= {answer}")
    return f"{head}= {wrong}{tail}".replace(f"The answer is {answer}.", f"The answer is {wrong}.")


def _breaks_off(text: str, random: random.Random) -> str:
    """Return the chain of thought without its last sentences."""
    return text.split(". ")[0] + "."


def _no_numbers(text: str, random: random.Random) -> str:
    """Return a chain of thought that states no number."""
    return "We look at what is given and work out the answer step by step."


_SLIPS_OF_KIND = {
    "pot": {"wrong sum": _wrong_operation, "raises": _misspelled, "no answer": _without_answer},
    "eot": {"wrong sum": _wrong_operation, "raises": _misspelled, "no answer": _without_answer},
    "cot": {"wrong sum": _wrong_sum, "raises": _breaks_off, "no answer": _no_numbers},
}
