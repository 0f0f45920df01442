"""Show what a student sees of texts, and what comes back: JSON lines in, JSON lines out.

Reads {"id", "text"}, writes {"id", "exact", "tokens", "unknown", "seen", "decoded"} (and "unknown_words").
FOLDER is a student's, a base student's (a hub id that is here, too), or holds a tokenizer only.

With --json everything is one object: the counts, and the lines under "lines".

With --rows it checks instead what students would read and write of the rows of a project, or of a prepared
run: one line a text with its pieces, its length beside the limit, what is lost, and why it does not fit.

kpdd text --student FOLDER < rows.jsonl
kpdd text --student google/flan-t5-small --rows PROJECT.kpdd --method kpdd-pot --unfit
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training_backend import methods
from training_backend.errors import ArgumentError, DatasetError, of_arguments
from training_backend.events import Control, Reporter
from training_backend.methods import Role
from training_backend.students.base_files import TOKENIZER, has_tokenizer, kind_of_folder
from training_backend.students.base_names import resolve_base
from training_backend.students.examples import Example, build_examples
from training_backend.students.lint import check_examples
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RunFolder, read_role_examples
from training_backend.students.text import StudentText


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the student and the file."""
    parser.add_argument("file", nargs="?", type=Path, help="JSON lines; standard input when left out")
    parser.add_argument(
        "--student",
        required=True,
        metavar="FOLDER",
        help="a folder with tokenizer.json (and student_text.json, once trained), or a base student's name",
    )
    parser.add_argument("--split-digits", action="store_true",
                        help="every digit a token of its own, where the folder has no rule yet")  # fmt: skip
    rows = parser.add_argument_group("the texts of rows")
    rows.add_argument(
        "--rows", type=Path, metavar="WHAT", help="a project (NAME.kpdd) or the folder of a run"
    )
    rows.add_argument("--method", default="", help=f"whose students: {', '.join(methods.METHODS)}")
    rows.add_argument("--unfit", action="store_true", help="only texts that do not fit")
    rows.add_argument("--max-source-tokens", type=int, default=RunConfig.max_source_tokens, metavar="N",
                      help="longest text that a student reads (default %(default)s)")  # fmt: skip
    rows.add_argument("--max-target-tokens", type=int, default=RunConfig.max_target_tokens, metavar="N",
                      help="longest text that a student writes (default %(default)s)")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Check every line; what does not come back exactly is said in its line, and counted at the end."""
    if args.rows is not None:
        return _check_rows(args, reporter, control)
    text, _ = _text(args.student, args.split_digits)
    where = str(args.file) if args.file else "standard input"
    if args.file is None:
        lines: Iterable[str] = sys.stdin
    else:
        try:
            # at line feeds only: a JSON line may hold U+2028 and other characters that end a line elsewhere
            lines = args.file.read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise DatasetError(f"The file cannot be read ({error.strerror}).", where=where) from error
        except UnicodeDecodeError as error:
            raise DatasetError("The file is no text (UTF-8).", "Give JSON lines.", where) from error
    out = _Lines(reporter)
    count = tokens = unknown = damaged = 0
    for number, line in enumerate(lines, 1):
        if control.stop_requested:
            return 1
        if not line.strip("\ufeff \t\r\n"):
            continue
        row_id, content = _read(line, f"{where}:{number}")
        report = text.check(content)
        count, tokens, unknown = count + 1, tokens + report.tokens, unknown + report.unknown
        damaged += not report.exact
        out.put({"id": row_id, **asdict(report)})
    summary = {
        "texts": count,
        "tokens": tokens,
        "unknown": unknown,
        "not_exact": damaged,
        "way": text.rule.way,
    }
    out.end(
        summary,
        f"{count} texts, {tokens / max(1, count):.1f} tokens each, {damaged} not exact, "
        f"{unknown} unknown tokens",
    )
    return 0


class _Lines:
    """Where the line of each text goes: printed as it comes, or with --json kept for the one object."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._kept: list[dict[str, Any]] = []

    def put(self, data: dict[str, Any]) -> None:
        """Take the line of one text."""
        if self._reporter.json_result:
            self._kept.append(data)
        elif not self._reporter.events:
            print(_line(data))

    def end(self, summary: dict[str, Any], *told: str) -> None:
        """Give the counts: as the result, or for a person beside the lines."""
        if self._reporter.events:
            self._reporter.result(summary)
            return
        if self._reporter.json_result:
            print(_line({**summary, "lines": self._kept}))
        sys.stdout.flush()
        for text in told:
            self._reporter.log(text)


def _text(student: str, split_digits: bool, role: str = "solve") -> tuple[StudentText, str]:
    """Return the text and the kind of a student; a folder with a tokenizer is read without torch."""
    _, folder = resolve_base(student, role)
    if folder is not None and ((folder / TOKENIZER).is_file() or not has_tokenizer(folder)):
        return StudentText.for_folder(folder, split_digits), kind_of_folder(folder)
    from training_backend.students.base_student import base_text

    return base_text(student, role, split_digits)


def _check_rows(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Check the texts of rows and say for each student how many do not fit."""
    out = _Lines(reporter)
    counts: dict[str, Counter[str]] = {}
    limits = RunConfig(max_source_tokens=args.max_source_tokens, max_target_tokens=args.max_target_tokens)
    with of_arguments():
        limits.require_valid()
    for role, examples in _examples(args.rows, args.method):
        text, kind = _text(args.student, args.split_digits, role.name)
        count = counts.setdefault(role.title, Counter())
        for checked in check_examples(examples, text, limits, kind):
            if control.stop_requested:
                return 1
            count["texts"] += 1
            count["tokens"] += checked.tokens
            count["longest"] = max(count["longest"], checked.tokens)
            count["too_long"] += checked.too_long
            count["damaged"] += checked.damaged
            unfit = checked.too_long or checked.damaged
            if unfit or not args.unfit:
                out.put(checked.to_json(role.title))
    told = (
        f"{title}: {count['texts']} texts, {count['tokens'] / max(1, count['texts']):.1f} tokens each, "
        f"the longest {count['longest']}; {count['damaged']} damaged, {count['too_long']} too long"
        for title, count in counts.items()
    )
    out.end({"students": {title: dict(count) for title, count in counts.items()}}, *told)
    return 0


def _examples(what: Path, method: str) -> Iterator[tuple[Role, list[Example]]]:
    """Yield the role and the examples of each student of a project's rows or of a prepared run."""
    if what.is_dir():
        run = RunFolder.open(what)
        for role in run.method.roles:
            train, held = read_role_examples(run, role.name)
            yield role, [*train, *held]
        return
    from training_backend.project.store import Project
    from training_backend.project.training_rows import training_rows

    if not method:
        raise ArgumentError("Whose students read these rows?", "Name the method: --method kpdd-pot.")
    with of_arguments():
        chosen = methods.get(method)
    with Project.open(what) as project:
        rows = list(training_rows(project, chosen.kinds))
    for role in chosen.roles:
        yield role, build_examples(role, rows)


def _line(data: dict[str, Any]) -> str:
    """Return one JSON line, in ASCII where it holds half a surrogate pair, which has no bytes of its own."""
    line = json.dumps(data, ensure_ascii=False)
    return line if line.isascii() or not any("\ud800" <= c <= "\udfff" for c in line) else json.dumps(data)


def _read(line: str, where: str) -> tuple[object, str]:
    try:
        data = json.loads(line.removeprefix("\ufeff"))
        content = data["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            'This line is no JSON object with "id" and "text".', "Correct the line.", where
        ) from error
    if not isinstance(content, str):
        raise DatasetError('"text" is no text.', "Correct the line.", where)
    return data.get("id"), content
