"""Branches of one question: what was asked of the students each time, what came of it, and a tab for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QTabBar, QWidget

from kpdd_app import theme
from kpdd_app.recording import Recording, Stage, stage_title
from kpdd_app.student_choices import Choice
from training_backend import methods
from training_backend.events import Token
from training_backend.project.kept_solutions import by_student
from training_backend.project.replies import Origin
from training_backend.rationale.answers import format_number
from training_backend.rationale.key_points import KeyPoints, render, render_information

TITLE_CHARS = 26


@dataclass(frozen=True)
class Way:
    """How tokens are chosen: temperature 0 writes the likeliest; `paths` above 1 are sampled for a vote."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    path: int = 0
    paths: int = 1


@dataclass(frozen=True)
class Ask:
    """One request: the question, whose students, what is given to them, and how tokens are chosen.

    `given` holds core_question and information that are not to be written; `by` says whose they are.
    `forced` is the role that begins with the ids of tokens, and these.
    """

    question: str
    gold: float | None
    choice: Choice
    way: Way = Way()
    given: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    forced: tuple[str, tuple[int, ...]] | None = None
    kind: str = ""
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    """Who wrote "key_points" and "rationale", where no student of `choice` did."""

    def message(self) -> dict[str, Any]:
        """Return the request as the worker takes it."""
        way = self.way
        message: dict[str, Any] = {"command": "solve", "question": self.question}
        if self.gold is not None:
            message["gold"] = self.gold
        if self.given:
            message["given"] = dict(self.given)
        if self.kind:
            message["kind"] = self.kind
        if way.temperature > 0:
            message |= {"temperature": way.temperature, "top_p": way.top_p, "seed": way.seed}
            message |= {"command": "vote", "paths": way.paths} if way.paths > 1 else {"path": way.path}
        if self.forced is not None:
            message |= {"command": "continue", "role": self.forced[0], "tokens": list(self.forced[1])}
        return message


@dataclass
class Branch:
    """One way to solve the question: what was asked, what was recorded, where the time line stood."""

    ask: Ask
    title: str
    recording: Recording
    parent: Branch | None = None
    step: int | None = None
    # the step at which it goes another way than its parent; 0 once the time line went there
    fork: int = 0
    # the older solution of the same request, until something of this one came
    replaced: Branch | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, ask: Ask, title: str, parent: Branch | None = None) -> Branch:
        """Return the branch of a request, with the key points that were given already standing there."""
        recording = Recording(ask.question, ask.gold, ask.kind or ask.choice.kind, ask.choice.roles)
        recording.stages = given_stages(ask)
        return cls(ask, title, recording, parent)

    def continued(self, role: str, place: int, token: int, text: str) -> Branch:
        """Return the branch that has the student of `role` write another token at `place` and go on."""
        recording = self.recording
        before = recording.stages[: [stage.role for stage in recording.stages].index(role)]
        stage = recording.stages[len(before)]
        given = {
            name: value
            for earlier in before
            for name, value in earlier.fields.items()
            if name in ("core_question", "information") and value
        }
        tokens = (*(one.token for one in stage.tokens[:place]), token)
        several = len(methods.get(self.ask.choice.method).kinds) > 1
        ask = replace(
            self.ask,
            given=given,
            forced=(role, tokens),
            kind=recording.kind if several and role == "solve" else self.ask.kind,
            way=replace(self.ask.way, paths=1),
        )
        fresh = Recording(ask.question, ask.gold, recording.kind, recording.expected)
        branch = Branch(ask, place_title(role, recording.kind, text), fresh, self)
        branch.fork = next(phase.start for phase in recording.phases() if phase.key == role) + place
        # what stands before is the same text: it is shown as it was written
        branch.recording.stages = list(before)
        return branch


def given_stages(ask: Ask) -> list[Stage]:
    """Return the stages that need not be written because all their fields are given."""
    points = KeyPoints(
        str(ask.given.get("core_question", "")), tuple(str(item) for item in ask.given.get("information", ()))
    )
    texts = {
        "key": render(points) if points.core_question and points.information else "",
        "core": points.core_question,
        "info": render_information(points.information) if points.information else "",
    }
    stages = []
    for role in ask.choice.roles:
        if texts.get(role):
            stage = Stage(role, text=texts[role], fields=dict(ask.given), by=ask.by)
            stage.add(Token(role=role, index=0, text=texts[role]))
            stages.append(stage)
    return stages


def key_points_of(recording: Recording) -> tuple[KeyPoints, str]:
    """Return the key points of a recording as they were read, and the text as it was written."""
    core, raw = "", []
    items: tuple[str, ...] = ()
    for stage in recording.stages:
        if stage.role == "solve":
            continue
        raw.append(stage.text if stage.text is not None else stage.written)
        core = str(stage.fields.get("core_question") or core)
        items = tuple(str(item) for item in stage.fields.get("information") or items)
    return KeyPoints(core, items), " ".join(raw)


def outcome(recording: Recording) -> tuple[str, str, str]:
    """Return how a solution ended: sign, meaning colour, and a short word."""
    answer = recording.answer
    if answer is None:
        stopped = ("", "muted", "stopped" if recording.failure is None else "failed")
        return stopped if recording.over else ("", "muted", "…")
    number = answer.answer_text or (format_number(answer.value) if answer.value is not None else "")
    if answer.value is None:
        return "question", "unjudged", answer.verdict.replace("_", " ")
    if answer.equal is None:
        return "ring", "muted", number[:14]
    return ("check", "equal", number[:14]) if answer.equal else ("cross", "wrong", number[:14])


def place_title(role: str, kind: str, text: str) -> str:
    """Return the title of a branch that writes another token: `Program: “* 4”`."""
    shown = text.replace("␣", " ").strip() or text
    return f"{stage_title(role, kind)}: “{shown[:TITLE_CHARS]}”"


def with_points(
    ask: Ask, choice: Choice, points: KeyPoints, by: str, origin: Origin | None = None, way: Way | None = None
) -> Ask:
    """Return a request to solve the same question with these key points, which need not be written.

    Without a `way` tokens are chosen as for `ask`; several paths are several rationales of the same points.
    """
    given = {"core_question": points.core_question, "information": list(points.information)}
    origins = {"key_points": origin} if origin else {}
    return Ask(ask.question, ask.gold, choice, way or ask.way, given, by, origins=origins)


def origins_of(branch: Branch) -> tuple[Origin, Origin]:
    """Return who wrote the key points of a branch, and who its rationale."""
    ask = branch.ask
    first = next((role for role in ask.choice.roles if role != "solve"), "solve")
    points, rationale = ask.origins.get("key_points"), ask.origins.get("rationale")
    return points or _by_student(ask, first), rationale or _by_student(ask, "solve")


def told_origins(branch: Branch) -> dict[str, dict[str, Any]]:
    """Return by role who wrote what stands there, and how, as an exported solution says it."""
    points, rationale = origins_of(branch)
    return {
        stage.role: _told_origin(branch, stage, rationale if stage.role == "solve" else points)
        for stage in branch.recording.stages
    }


def origin_text(branch: Branch) -> str:
    """Return who wrote each stage, in one line for people."""
    parts = []
    for stage in branch.recording.stages:
        told = told_origins(branch)[stage.role]
        way, text = told.get("way", {}), stage.by or told["name"].removeprefix("student: ")
        if way.get("temperature"):
            path = f", path {way['path'] + 1} of {way['paths']}" if way["paths"] > 1 else ""
            text += f" (temperature {way['temperature']:g}, top-p {way['top_p']:g}, seed {way['seed']}{path})"
        if "forced" in told:
            text += ", one token chosen by a person"
        parts.append(f"{stage_title(stage.role, branch.recording.kind)}: {text}")
    return "   ·   ".join(parts)


def _told_origin(branch: Branch, stage: Stage, origin: Origin) -> dict[str, Any]:
    ask, vote = branch.ask, branch.recording.vote
    part = "rationale" if stage.role == "solve" else "key_points"
    own = part not in ask.origins and not stage.by
    if own:
        origin = _by_student(ask, stage.role)
    # key points that were given without a name are a teacher's
    writer = "person" if origin.teacher == "person" else "teacher"
    if origin.teacher.startswith("student: ") and (own or part in ask.origins):
        writer = "student"
    told = {
        "writer": writer, "name": origin.teacher, "model": origin.model, "source": origin.source,
        "details": dict(origin.details),
    }  # fmt: skip
    if own:
        told["way"] = {**asdict(ask.way), "paths": len(vote.paths) if vote is not None else ask.way.paths}
        if ask.forced is not None and ask.forced[0] == stage.role:
            told["forced"] = {"tokens": list(ask.forced[1])}
    return told


def _by_student(ask: Ask, role: str) -> Origin:
    details: dict[str, Any] = {"role": role}
    if role in ask.choice.folders:
        details["folder"] = str(ask.choice.folders[role])
    if ask.way.temperature > 0:
        way = ask.way
        details |= {"temperature": way.temperature, "top_p": way.top_p, "seed": way.seed, "path": way.path}
    if ask.forced is not None and ask.forced[0] == role:
        details["token_chosen_by_a_person"] = len(ask.forced[1])
    return by_student(ask.choice.writer(role), **details)


class BranchBar(QWidget):
    """Tabs of the branches with their outcomes, and the button that lays two of them side by side."""

    chosen = Signal(int)
    closed = Signal(int)
    compare_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Build the bar; it shows itself when there are two branches."""
        super().__init__(parent)
        self._looks: list[tuple] = []
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(self.tr("Branches"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setTabsClosable(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        # many branches scroll; they do not widen the window
        self.tabs.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.tabs.currentChanged.connect(self._changed)
        self.tabs.tabCloseRequested.connect(self.closed)
        self.compare = QPushButton(self.tr("Side by side"))
        self.compare.setCheckable(True)
        self.compare.setToolTip(self.tr("Lay this branch beside the one it came from"))
        self.compare.toggled.connect(self._toggled)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(2))
        row.addWidget(self.tabs, 1)
        row.addWidget(self.compare)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_branches(self, branches: list[Branch], current: int) -> None:
        """Show the branches; only tabs that differ are touched."""
        blocked = self.tabs.blockSignals(True)
        while self.tabs.count() > len(branches):
            self.tabs.removeTab(self.tabs.count() - 1)
        while self.tabs.count() < len(branches):
            self.tabs.addTab("")
        self._looks = [(branch.title, *outcome(branch.recording)) for branch in branches]
        for number in range(len(branches)):
            self._dress(number)
        self.tabs.setCurrentIndex(current)
        self.tabs.blockSignals(blocked)
        self.setVisible(len(branches) > 1)

    def _dress(self, number: int) -> None:
        title, sign, colour, word = self._looks[number]
        text = f"{title}  {word}".replace("&", "&&")
        if self.tabs.tabText(number) != text or self.tabs.tabData(number) != (sign, colour):
            self.tabs.setTabText(number, text)
            self.tabs.setTabData(number, (sign, colour))
            self.tabs.setTabToolTip(number, text.replace("&&", "&"))
            self.tabs.setTabIcon(number, theme.icon(sign, colour) if sign else theme.icon("ring", "faint"))

    def _toggled(self, on: bool) -> None:
        self.compare.setText(self.tr("Back to one") if on else self.tr("Side by side"))
        self.compare_toggled.emit(on)

    def _changed(self, number: int) -> None:
        if number >= 0:
            self.chosen.emit(number)

    def _restyle(self) -> None:
        cross, there = (theme.glyph_file("cross", colour) for colour in ("muted", "text"))
        size = round(theme.icon_size() * 0.7)
        self.tabs.setStyleSheet(
            f"QTabBar::close-button {{ image: url({cross}); width: {size}px; height: {size}px; }}"
            f"QTabBar::close-button:hover {{ image: url({there}); }}"
            f"QTabBar::tear {{ width: 0; }}"
            f"QTabBar QToolButton::left-arrow {{ image: url({theme.glyph_file('chevron-left', 'text')}); }}"
            f"QTabBar QToolButton::right-arrow {{ image: url({theme.glyph_file('chevron-right', 'text')}); }}"
        )
        for number in range(self.tabs.count()):
            self.tabs.setTabData(number, None)
            self._dress(number)
