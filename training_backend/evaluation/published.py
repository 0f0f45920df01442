"""Figures that papers and public repositories report, each with its source; None means not available.

Only what could be read in a source stands here. A cell without a source stays "not available": no figure is
filled in from memory, from a plot, or from another paper's table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# the four sets over which the KPDD paper averages
KPDD_BENCHMARKS = ("gsm8k", "asdiv", "svamp", "multiarith")
AVERAGE = "average"
NOT_AVAILABLE = "not available"


@dataclass(frozen=True)
class Published:
    """One reported accuracy in percent, or None where no source could be read.

    `certainty` is "public" (read in the source's own abstract, code or data) or "summary" (from one summary
    of the paper). `high_percent` ends a range where the source reports one.
    """

    method: str
    student: str
    benchmark: str
    percent: float | None
    source: str
    certainty: Literal["public", "summary", "none"] = "none"
    high_percent: float | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """Return the figure for a table, or "not available"."""
        if self.percent is None:
            return NOT_AVAILABLE
        end = f" to {self.high_percent:.1f}" if self.high_percent is not None else ""
        return f"{self.percent:g}{end}"


_KPDD_SOURCE = "arXiv 2407.10167"

# the papers' methods by FlanT5-Large; a cell that is not here is not available
_PAPERS: tuple[Published, ...] = (
    Published("kpdd-cot", "FlanT5-Large", AVERAGE, 24.71, _KPDD_SOURCE, "summary", note="one source"),
    Published("kpdd-pot", "FlanT5-Large", AVERAGE, 63.83, _KPDD_SOURCE, "summary", note="one source"),
)

# public results of other work on GSM8K test, for orientation: other training data, not comparable in method
NEIGHBOURS: tuple[Published, ...] = (
    Published("SFT with a calculator", "Flan-T5-Base", "gsm8k", 18.1, "arXiv 2407.18248", "public"),
    Published("DPO-ST", "Flan-T5-Base", "gsm8k", 27.2, "arXiv 2407.18248", "public"),
    Published("SFT with a calculator", "Flan-T5-Large", "gsm8k", 30.8, "arXiv 2407.18248", "public"),
    Published("DPO-ST", "Flan-T5-Large", "gsm8k", 37.4, "arXiv 2407.18248", "public"),
    Published("distilled from CodeX", "Flan-T5-Large", "gsm8k", 20.2, "arXiv 2301.12726", "public"),
    Published("TinyGSM", "125M", "gsm8k", 63.1, "arXiv 2312.09241", "public"),
    Published("TinyGSM", "350M", "gsm8k", 65.9, "arXiv 2312.09241", "public"),
    Published("instruct model", "Qwen2.5-0.5B-Instruct", "gsm8k", 36.4, "reports on Qwen2.5", "public",
              high_percent=49.6, note="reports differ"),
)  # fmt: skip


def published(method: str, benchmark: str) -> Published:
    """Return what the papers report for a method of `methods.py` on a benchmark or AVERAGE.

    The result's `percent` is None where nothing could be read.
    """
    for figure in _PAPERS:
        if (figure.method, figure.benchmark) == (method, benchmark):
            return figure
    return Published(method, "FlanT5-Large", benchmark, None, "")


def neighbours(benchmark: str) -> list[Published]:
    """Return the public results of other work on this benchmark, ours not among them."""
    return [figure for figure in NEIGHBOURS if figure.benchmark == benchmark]
