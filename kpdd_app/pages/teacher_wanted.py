"""What a run is to ask, as data, and as the words of the command that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training_backend.project.listing import RowFilter
from training_backend.teacher.teacher_config import TeacherConfig


@dataclass(frozen=True)
class Again:
    """More answers to rows of the Dataset page; the name goes on with them, without rows too."""

    name: str
    row_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What a run is to ask: a data set and split or a filter of rows; 0 and None are no limits."""

    dataset: str = ""
    split: str = ""
    rows: RowFilter | None = None
    kinds: tuple[str, ...] = ("pot",)
    paths: int = 1
    limit: int = 0
    one_call: bool = False
    concurrency: int = 0
    budget: float | None = None
    again: Again | None = None

    def arguments(self, project: Path, teacher: TeacherConfig, rows_file: Path | None = None) -> list[str]:
        """Return the words of `kpdd generate`; `rows_file` holds the rows of the filter or those chosen."""
        words = ["generate", str(project), "--teacher", teacher.name]
        words += ["--another", self.again.name] if self.again else ["--kinds", ",".join(self.kinds)]
        words += ["--paths", str(self.paths)]
        for option, value in (("--dataset", self.dataset), ("--split", self.split)):
            words += [option, value] if value else []
        words += ["--limit", str(self.limit)] if self.limit else []
        words += ["--rows-file", str(rows_file)] if rows_file is not None else []
        if teacher.kind in ("sample", "replay"):
            return words
        words += ["--one-call"] if self.one_call else []
        words += ["--concurrency", str(self.concurrency)] if self.concurrency else []
        return words + (["--budget", f"{self.budget:g}"] if self.budget is not None else [])
