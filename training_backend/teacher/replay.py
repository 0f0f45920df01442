"""The replay teacher: it answers with what other people's teachers were recorded to say, and asks nobody."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training_backend.errors import ConfigError, TeacherError
from training_backend.project.questions import Question
from training_backend.project.replies import Origin
from training_backend.rationale.key_points import KeyPoints, split_items
from training_backend.teacher.protocol import KEY_POINTS, RATIONALE, TeacherReply
from training_backend.teacher.recordings import (
    DUP_MODELS,
    RecordedRow,
    Recording,
    literal,
    read_dup,
    read_faithful_cot,
)

DUP_SOURCE = "github.com/WHU-ZQH/DUP"
FAITHFUL_COT_SOURCE = "github.com/veronica320/Faithful-COT"
MODELS = ("gpt4", "gpt-3.5-turbo", "code002")


@dataclass(frozen=True)
class Preset:
    """Which recording gives the key points, and which prompt's completions are the rationale of each kind."""

    key: str
    title: str
    key_points: str
    rationale: str
    prompts: Mapping[str, str]
    models: tuple[str, ...]


PRESETS: dict[str, Preset] = {
    preset.key: preset
    for preset in (
        Preset("dup+faithful-cot", "key points by DUP (GPT-4), rationales by Faithful-CoT",
               "dup", "faithful-cot", {"pot": "NL+SL", "cot": "COT"}, MODELS),
        Preset("dup+faithful-cot-nonl", "key points by DUP (GPT-4), bare programs by Faithful-CoT",
               "dup", "faithful-cot", {"pot": "noNL", "cot": "LtM"}, MODELS),
        Preset("faithful-cot", "key points and rationales by Faithful-CoT",
               "faithful-cot", "faithful-cot", {"pot": "NL+SL", "cot": "COT"}, MODELS),
        Preset("dup", "key points and chains of thought by DUP",
               "dup", "dup", {"cot": "DUP"}, tuple(DUP_MODELS)),
    )
}  # fmt: skip


class ReplayTeacher:
    """A teacher that answers from recordings; path i is the i-th of its models."""

    def __init__(self, preset: str, folder: Path, models: Sequence[str] = ()) -> None:
        """Choose a preset and the folder with the recordings; without `models` all of the preset answer.

        Programs stay exactly as recorded.
        """
        if preset not in PRESETS:
            names = ", ".join(PRESETS)
            raise ConfigError(f"There is no recording preset '{preset}'.", f"Choose one of: {names}, jsonl.")
        if not folder.is_dir():
            raise TeacherError("The folder of recordings does not exist.", "Check its name.", str(folder))
        self.preset = PRESETS[preset]
        self.folder = folder
        self.models = tuple(models) or self.preset.models
        self._recordings: dict[tuple[str, ...], Recording] = {}

    @property
    def name(self) -> str:
        """Return the name a person gives on the command line."""
        return f"replay:{self.preset.key}"

    def origins(self, path: int = 0) -> dict[str, Origin]:
        """Return who was recorded: for the key points and for the rationales of `path`."""
        model = self.models[path]
        details = {"prompts": dict(self.preset.prompts), "replayed": True}
        rationale = _origin(self.preset.rationale, model, details)
        key_points = _origin(self.preset.key_points, self._key_points_model(path), {"replayed": True})
        return {KEY_POINTS: key_points, RATIONALE: rationale}

    def paths(self, kind: str) -> int:
        """Return the number of models, or 0 when no recording of this kind exists."""
        return len(self.models) if kind in self.preset.prompts else 0

    def answer(
        self, questions: Sequence[Question], kinds: Sequence[str], path: int
    ) -> Iterator[TeacherReply]:
        """Yield the recorded reply of each question and kind; an unpaired question gets the reason."""
        for question in questions:
            for kind in kinds:
                yield self._reply(question, kind, path)

    def _reply(self, question: Question, kind: str, path: int) -> TeacherReply:
        nothing = TeacherReply(question.id, kind, path, None, None)
        try:
            rationale = self._find(question, self.preset.rationale, kind, self.models[path])
            points = self._find(question, self.preset.key_points, "pot", self._key_points_model(path))
        except TeacherError as error:
            return replace(nothing, parse_error=str(error))
        for found in (rationale, points):
            if isinstance(found, str):
                return replace(nothing, parse_error=found)
        assert isinstance(rationale, RecordedRow) and isinstance(points, RecordedRow)
        return read_reply(nothing, self.preset, rationale.replies, points.replies)

    def _key_points_model(self, path: int) -> str:
        # DUP's key points serve the rationales of every model: they are the question's, not the program's
        shared = self.preset.key_points == "dup" and self.preset.rationale != "dup"
        return "gpt4" if shared else self.models[path]

    def _find(self, question: Question, source: str, kind: str, model: str) -> RecordedRow | str:
        prompt = self.preset.prompts.get(kind, "")
        key = (source, question.dataset, model, prompt if source != "dup" else "")
        if key not in self._recordings:
            self._recordings[key] = (
                read_dup(self.folder, question.dataset, model)
                if source == "dup"
                else read_faithful_cot(self.folder, question.dataset, model, prompt)
            )
        return self._recordings[key].find(question.native_id, question.text)


def read_reply(
    blank: TeacherReply, preset: Preset, rationale: Mapping[str, str], points: Mapping[str, str]
) -> TeacherReply:
    """Parse the recorded replies of one row; what cannot be read stays raw, with the reason."""
    raw: dict[str, str] = {}
    reasons = []
    key_points, text = None, None
    try:
        if preset.key_points == "dup":
            raw |= {key: _spelled(points[key]) for key in ("core_question", "information")}
            key_points = read_dup_key_points(points["core_question"], points["information"])
        else:
            raw["key_points"] = points["completion"]
            key_points = read_comments(points["completion"])
    except ValueError as error:
        reasons.append(f"key points: {error}")
    try:
        if preset.rationale == "dup":
            raw[blank.kind] = _spelled(rationale["cot"])
            text = _written(literal(rationale["cot"]))
        else:
            raw[blank.kind] = rationale["completion"]
            text = _written(rationale["completion"])
    except ValueError as error:
        reasons.append(f"rationale: {error}")
    return replace(blank, key_points=key_points, rationale=text, raw=raw, parse_error="; ".join(reasons))


def read_dup_key_points(core_line: str, information_line: str) -> KeyPoints:
    """Read a line of DUP's core questions and one of its information; ValueError says what is missing."""
    core = " ".join(literal(core_line).split())
    items = split_items(literal(information_line))
    if not core:
        raise ValueError("no core question")
    if not items:
        raise ValueError("no information")
    return KeyPoints(core, items)


def read_comments(program: str) -> KeyPoints:
    """Read the key points that an NL+SL program carries in its comments.

    The core question stands after `Final Answer:`, the information in the `support` quotes of the steps,
    each once, in their order. ValueError says what is missing.
    """
    core, items = "", []
    for line in program.splitlines():
        if not line.lstrip().startswith("#"):
            continue
        final = re.search(r"Final Answer:\s*(.*?)\s*(?:\((?:depends on|independent)\b.*)?$", line)
        core = final.group(1) if final else core
        support = re.search(r"\bsupport:\s*(\[.*\])", line)
        items += _quotes(support.group(1)) if support else []
    if not core:
        raise ValueError("no comment 'Final Answer:'")
    if not items:
        raise ValueError("no support quote")
    return KeyPoints(core, tuple(dict.fromkeys(items)))


def _quotes(listed: str) -> list[str]:
    """Return the quotes of a `support` list; a list that is no literal is cut at its double quotes."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(listed)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, list):
            return [" ".join(str(item).split()) for item in value if str(item).strip()]
    return [" ".join(part.split()) for part in re.findall(r'"([^"]+)"', listed) if part.strip()]


def _written(text: str) -> str:
    """Return the text unchanged; ValueError when nothing is written in it."""
    if not text.strip():
        raise ValueError("the recorded text is empty")
    return text


def _spelled(line: str) -> str:
    """Return what a line spells as a Python string, or the line itself when it spells none."""
    try:
        return literal(line)
    except ValueError:
        return line


def _origin(source: str, model: str, details: dict) -> Origin:
    """Return the origin of a recorded author."""
    if source == "dup":
        return Origin("DUP", model, DUP_SOURCE, details=details)
    return Origin("Faithful-CoT", model, FAITHFUL_COT_SOURCE, details=details)
