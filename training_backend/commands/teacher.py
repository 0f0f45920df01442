"""Configure the teachers of a project: list, add, test, remove; see what models they offer.

actions:
  list PROJECT                    the teachers, where their keys are, what is missing
  presets                         what `add --preset` knows
  add PROJECT NAME --preset …     configure one; --set NAME=VALUE changes a setting
  set PROJECT NAME --set …        change settings of one
  key PROJECT NAME                keep its key: typed, or from standard input; never an argument
  price PROJECT NAME              what a million tokens cost; --set prompt=2 --set completion=8 says it
  allow PROJECT NAME              let the environment variable that it names go to its address
  forget-key PROJECT NAME         remove its key from the keyring
  models PROJECT NAME             what its server offers
  test PROJECT NAME               address, key, model and one short reply, each with its result
  ask PROJECT NAME                ask about one question as a run does; nothing is stored
  remove PROJECT NAME             forget the teacher; what it wrote stays
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import ArgumentError, ConfigError, of_arguments
from training_backend.events import Control, Reporter

if TYPE_CHECKING:
    from training_backend.project.store import Project
    from training_backend.teacher.protocol import Teacher
    from training_backend.teacher.teacher_config import TeacherConfig

# a key may be typed here, and a stop is the end of the process
READS_STDIN = True
_ACTIONS = (
    "list",
    "presets",
    "add",
    "set",
    "price",
    "key",
    "allow",
    "forget-key",
    "models",
    "test",
    "ask",
    "remove",
)
_WRITES = {"add", "set", "remove"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `kpdd teacher`."""
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help="see above")
    parser.add_argument("project", type=Path, nargs="?", help="the project file")
    parser.add_argument("name", nargs="?", help="the teacher's name")
    parser.add_argument(
        "--preset", metavar="PRESET", default="other", help="what to begin with (default: other)"
    )
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="settings",
                        help="a setting, as text or JSON; may be given many times: --set model=gpt-x "
                             "--set temperature=0.7 --set key_source=environment:MY_KEY")  # fmt: skip
    parser.add_argument("--number", type=int, default=1, metavar="N", help="ask: which question, from 1")
    parser.add_argument("--kind", default="pot", choices=["cot", "pot", "eot"],
                        help="ask: the kind of rationale")  # fmt: skip
    parser.add_argument("--one-call", action="store_true", help="ask: key points and rationale in one reply")


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run `kpdd teacher`; return 0, or 1 when a test found something wrong."""
    from training_backend.project.store import Project

    if args.action == "presets":
        return _presets(reporter)
    if args.project is None:
        raise ArgumentError("A project file is missing.", f"kpdd teacher {args.action} PROJECT.kpdd …")
    if args.action != "list" and not args.name:
        raise ArgumentError("The teacher's name is missing.", f"kpdd teacher {args.action} PROJECT.kpdd NAME")
    with Project.open(args.project, holder="") as project:
        if args.action == "list":
            return _list(project, reporter)
        if args.action in _WRITES:
            return _change(project, args, reporter)
        return _use(project, args, reporter)


def _change(project: Project, args: argparse.Namespace, reporter: Reporter) -> int:
    from training_backend.teacher.setting_rules import wrong_settings
    from training_backend.teacher.teacher_config import (
        PRESETS,
        TeacherConfig,
        remove_teacher,
        save_teacher,
        teacher_named,
        teachers,
    )

    if args.action == "remove":
        teacher_named(project, args.name)
        remove_teacher(project, args.name)
        reporter.result({"removed": args.name}, f"The project has no teacher '{args.name}' any more.")
        return 0
    if args.action == "add":
        if any(config.name == args.name for config in teachers(project)):
            raise ConfigError(
                f"There is a teacher '{args.name}' already.", "Choose another name, or use `set`."
            )
        begin = PRESETS.get(args.preset)
        if begin is None:
            raise ArgumentError(
                f"There is no preset '{args.preset}'.", f"Choose one of: {', '.join(PRESETS)}."
            )
    else:
        begin = teacher_named(project, args.name)
    config = TeacherConfig(args.name, begin.kind, {**begin.settings, **_settings(args.settings)})
    # what is missing may come later; what is wrong would only fail a run
    if wrong := wrong_settings(config.kind, config.all_settings()):
        raise ArgumentError(wrong[0], "Nothing was changed.")
    with of_arguments():
        kept = save_teacher(project, config)
    reporter.result(_as_data(kept), _as_text(kept))
    return 0


def _use(project: Project, args: argparse.Namespace, reporter: Reporter) -> int:
    from training_backend.teacher.keys import (
        allow_variable,
        forget_key,
        get_key,
        key_to_ask,
        set_key,
        stored_where,
    )
    from training_backend.teacher.teacher_config import teacher_named

    config = teacher_named(project, args.name)
    if args.action == "key":
        place = set_key(config, _typed_key(config))
        if place.kind != "keyring":
            raise ConfigError(
                f"The key was not kept: {place.sentence}",
                "Use an environment variable: --set key_source=environment:NAME.",
            )
        reporter.result({"name": config.name, "key": place.kind}, place.sentence)
        return 0
    if args.action == "price":
        return _price(config, _settings(args.settings), reporter)
    if args.action == "allow":
        allow_variable(config)
        reporter.result({"name": config.name}, stored_where(config).sentence)
        return 0
    if args.action == "forget-key":
        forget_key(config)
        reporter.result({"name": config.name}, "The keyring has no key for this teacher's address.")
        return 0
    if args.action == "models":
        names = asyncio.run(_models(config, key_to_ask(config)))
        reporter.result({"models": names}, "\n".join(names))
        return 0
    if args.action == "ask":
        return _ask(project, config, key_to_ask(config), args, reporter)
    return _test(config, get_key(config), reporter)


def _ask(
    project: Project, config: TeacherConfig, key: str | None, args: argparse.Namespace, reporter: Reporter
) -> int:
    from training_backend.teacher.prompt_store import prompts
    from training_backend.teacher.trying import sample_row, try_recorded, try_teacher

    row = sample_row(project, args.number - 1)
    if row.number != args.number - 1:
        raise ArgumentError(f"There is no question {args.number:,}.", f"Give 1 to {row.total:,}.")
    if config.kind in ("replay", "sample"):
        tried = try_recorded(_recorded(config), row, args.kind)
    else:
        tried = asyncio.run(try_teacher(config, key, prompts(project), row, args.kind, args.one_call))
    lines = [f"── {one.name} ──\n{one.text}" + (f"\n{one.problem} {one.hint}" if one.problem else "")
             for one in tried]  # fmt: skip
    data = {"name": config.name, "question": row.question.text, "number": row.number + 1, "total": row.total,
            "requests": [one.as_data() for one in tried]}  # fmt: skip
    reporter.result(data, "\n".join([row.question.text, *lines]))
    return 1 if any(one.problem for one in tried) else 0


def _price(config: TeacherConfig, given: dict[str, Any], reporter: Reporter) -> int:
    """Keep what was given; tell what is known."""
    from training_backend.teacher.cost import price_of, set_price

    unknown = set(given) - {"prompt", "completion", "cached"}
    numbers = all(type(value) in (int, float) for value in given.values())
    if unknown or not numbers or (given and not {"prompt", "completion"} <= set(given)):
        raise ArgumentError(
            "A price is two or three numbers: money for a million tokens.",
            "Write --set prompt=2 --set completion=8, where it differs --set cached=1.",
        )
    price = set_price(config, **given) if given else price_of(config)
    if price is None:
        text = f"No price is known for {config.get('model')} at this address."
    else:
        text = f"{price.prompt:g} in, {price.completion:g} out, {price.currency} for a million tokens"
        text += f" ({price.date}: {price.source})" if price.date else ""
    reporter.result({"name": config.name, "price": vars(price) if price else None}, text)
    return 0


def _recorded(config: TeacherConfig) -> Teacher:
    from training_backend.commands.generate import choose_teacher

    if config.kind == "sample":
        return choose_teacher("sample")
    recordings = str(config.get("recordings") or "")
    return choose_teacher(f"replay:{config.get('preset')}", Path(recordings) if recordings else None,
                          list(config.get("models") or ()), str(config.get("mapping") or ""))  # fmt: skip


async def _models(config: TeacherConfig, key: str | None) -> list[str]:
    from training_backend.teacher.endpoint import open_asker

    asker = open_asker(config, key)
    try:
        return await asker.models()
    finally:
        await asker.close()


def _test(config: TeacherConfig, key: str | None, reporter: Reporter) -> int:
    from training_backend.teacher.checks import check_teacher

    checks = asyncio.run(check_teacher(config, key))
    lines = [f"{'ok   ' if check.ok else 'WRONG'}  {check.title}: {check.sentence}"
             + (f" {check.hint}" if check.hint else "") for check in checks]  # fmt: skip
    reporter.result({"name": config.name, "checks": [vars(check) for check in checks]}, "\n".join(lines))
    return 0 if all(check.ok for check in checks) else 1


def _list(project: Project, reporter: Reporter) -> int:
    from training_backend.teacher.teacher_config import teachers

    found = teachers(project)
    text = "\n".join(map(_as_text, found)) or "The project has no teacher yet: `kpdd teacher add`."
    reporter.result({"teachers": [_as_data(config) for config in found]}, text)
    return 0


def _presets(reporter: Reporter) -> int:
    from training_backend.teacher.teacher_config import PRESETS

    width = max(map(len, PRESETS))
    lines = [f"{key:<{width}}  {preset.name}  {preset.get('base_url') or ''}".rstrip()
             for key, preset in PRESETS.items()]  # fmt: skip
    reporter.result({"presets": list(PRESETS)}, "\n".join(lines))
    return 0


def _settings(words: list[str]) -> dict[str, Any]:
    """Return the settings of NAME=VALUE; a value that reads as JSON is that, everything else is text."""
    settings: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise ArgumentError(f"'{word}' is no setting.", "Write --set NAME=VALUE.")
        try:
            settings[name.strip()] = json.loads(value)
        except ValueError:
            settings[name.strip()] = value
    return settings


def _typed_key(config: TeacherConfig) -> str:
    """Return a key from the terminal, where it is not shown, or from a pipe."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"Key for {config.get('base_url')}: ")
    return sys.stdin.readline()


def _as_data(config: TeacherConfig) -> dict[str, Any]:
    return {"name": config.name, "kind": config.kind, "settings": dict(config.settings),
            "problems": config.validate()}  # fmt: skip


def _as_text(config: TeacherConfig) -> str:
    where = config.get("base_url") or config.get("recordings") or ""
    parts = [config.name, config.kind, str(config.get("model") or ""), str(where)]
    if config.kind == "endpoint":
        parts.append(f"key: {config.get('key_source')}")
    problems = config.validate()
    return "  ".join(part for part in parts if part) + "".join(f"\n    {problem}" for problem in problems)
