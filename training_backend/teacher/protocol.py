"""What every teacher is to the generation run: it answers questions, and says where its words come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.replies import Origin
    from training_backend.rationale.key_points import KeyPoints

# The parts of a reply that may come from different teachers; `origins()` has these keys.
KEY_POINTS = "key_points"
RATIONALE = "rationale"


@dataclass(frozen=True)
class TeacherReply:
    """What a teacher answered for one question, one kind and one path.

    `raw` holds the exact text of each request's reply by the name of the request. A field that could not be
    read from it is None, and `parse_error` says why in one sentence. A reply with a `parse_error` counts as
    failed; what could be read of it is kept. With an empty `raw` the teacher gave no answer at all (its
    recording has no such row, the server refused): nothing is stored, and a later run asks again.
    """

    question_id: int
    kind: str
    path: int
    key_points: KeyPoints | None
    rationale: str | None
    raw: Mapping[str, str] = field(default_factory=dict)
    parse_error: str = ""


class Teacher(Protocol):
    """Anything that writes key points and rationales: a recording, a program, an endpoint.

    `answer` yields exactly one reply for each question and kind, in any order, as soon as each is there.
    It raises TeacherError only when no further question can be answered.
    """

    @property
    def name(self) -> str:
        """Return the name a person gave or chose."""
        ...

    def origins(self, path: int = 0) -> dict[str, Origin]:
        """Return who writes the key points and the rationale of a path (keys KEY_POINTS and RATIONALE)."""
        ...

    def paths(self, kind: str) -> int:
        """Return how many different answers to a question there are for this kind; 0 when it has none."""
        ...

    def answer(
        self, questions: Sequence[Question], kinds: Sequence[str], path: int
    ) -> Iterator[TeacherReply]:
        """Yield a reply for each question and kind; `path` counts from 0 and picks the independent try."""
        ...
