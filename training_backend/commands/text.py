"""Show what a student sees of texts, and what comes back: JSON lines in, JSON lines out.

Reads {"id", "text"}, writes {"id", "exact", "tokens", "unknown", "seen", "decoded"} (and "unknown_words").
FOLDER is a student's, a base student's, or holds a tokenizer only.

kpdd text --student FOLDER < rows.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from training_backend.errors import DatasetError
from training_backend.events import Control, Reporter
from training_backend.students.text import StudentText


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the student and the file."""
    parser.add_argument("file", nargs="?", type=Path, help="JSON lines; standard input when left out")
    parser.add_argument(
        "--student",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="a folder with tokenizer.json (and student_text.json, once trained)",
    )
    parser.add_argument("--split-digits", action="store_true",
                        help="every digit a token of its own, where the folder has no rule yet")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Check every line; what does not come back exactly is said in its line, and counted at the end."""
    text = StudentText.for_folder(args.student, args.split_digits)
    where = str(args.file) if args.file else "standard input"
    if args.file is None:
        lines: Iterable[str] = sys.stdin
    else:
        try:
            lines = args.file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise DatasetError(f"The file cannot be read ({error.strerror}).", where=where) from error
        except UnicodeDecodeError as error:
            raise DatasetError("The file is no text (UTF-8).", "Give JSON lines.", where) from error
    count = tokens = unknown = damaged = 0
    for number, line in enumerate(lines, 1):
        if control.stop_requested:
            return 1
        if not line.strip():
            continue
        row_id, content = _read(line, f"{where}:{number}")
        report = text.check(content)
        count, tokens, unknown = count + 1, tokens + report.tokens, unknown + report.unknown
        damaged += not report.exact
        if not reporter.events:
            print(json.dumps({"id": row_id, **asdict(report)}, ensure_ascii=False))
    summary = {
        "texts": count,
        "tokens": tokens,
        "unknown": unknown,
        "not_exact": damaged,
        "way": text.rule.way,
    }
    if reporter.events:
        reporter.result(summary)
    else:
        sys.stdout.flush()
        reporter.log(
            f"{count} texts, {tokens / max(1, count):.1f} tokens each, {damaged} not exact, "
            f"{unknown} unknown tokens ({text.rule.way})"
        )
    return 0


def _read(line: str, where: str) -> tuple[object, str]:
    try:
        data = json.loads(line)
        content = data["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            'This line is no JSON object with "id" and "text".', "Correct the line.", where
        ) from error
    if not isinstance(content, str):
        raise DatasetError('"text" is no text.', "Correct the line.", where)
    return data.get("id"), content
