"""Fetching benchmarks from where their authors publish them, and data sets of the hub; checked by digest.

Environment: HTTPS_PROXY, HTTP_PROXY, NO_PROXY (as urllib reads them), HF_ENDPOINT (a mirror of the hub),
HF_TOKEN, and HF_HUB_OFFLINE, with which nothing is fetched.
"""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError, DatasetError
from training_backend.paths import user_data_dir
from training_backend.project.fetching import Checksum, Fetcher

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter

GITHUB = "https://raw.githubusercontent.com"
HUB = "https://huggingface.co"
_DATA = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".jsonl.gz", ".json.gz", ".csv.gz")
_NO_DATA = {"dataset_infos.json", "dataset_info.json", "config.json", "package.json"}


@dataclass(frozen=True)
class Benchmark:
    """A published file: where it is at one commit, its digest, its licence; `split` as it is imported."""

    name: str
    title: str
    dataset: str
    split: str
    questions: int
    repository: str
    commit: str
    path: str
    bytes: int
    sha256: str
    licence: str

    @property
    def origin(self) -> str:
        """Return where it comes from, for people."""
        return f"github.com/{self.repository}"

    @property
    def url(self) -> str:
        """Return the address of the file."""
        return f"{GITHUB}/{self.repository}/{self.commit}/{urllib.parse.quote(self.path)}"

    @property
    def commercial(self) -> bool:
        """Tell whether the licence lets it be used for any purpose."""
        return "NC" not in self.licence


_OPENAI = ("openai/grade-school-math", "3101c7d5072418e28b9008a6636bde82a006892c")
_PAL = ("reasoning-machines/pal", "f81ca2a9777f002f98a6b4d0f10b61bd5c8feb02")

BENCHMARKS: dict[str, Benchmark] = {
    mark.name: mark
    for mark in (
        Benchmark("gsm8k-train", "GSM8K, training questions", "gsm8k", "train", 7473, *_OPENAI,
                  "grade_school_math/data/train.jsonl", 4166206,
                  "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465", "MIT"),
        Benchmark("gsm8k-test", "GSM8K, test questions", "gsm8k", "test", 1319, *_OPENAI,
                  "grade_school_math/data/test.jsonl", 749738,
                  "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14", "MIT"),
        Benchmark("svamp", "SVAMP", "svamp", "test", 1000, "arkilpatel/SVAMP",
                  "689d7ccac74b9983a2ac7cc3b264f441b99e7c53", "SVAMP.json", 339970,
                  "5be77703a6d891ae476d7c082787ad361392aa02453b132516cdd5f4e7934e3e", "MIT"),
        Benchmark("asdiv", "ASDiv", "asdiv", "test", 2305, "chaochun/nlu-asdiv-dataset",
                  "883f90a9a65bf00304ba8f37423910fe743abc47", "dataset/ASDiv.xml", 947401,
                  "ef8904068482919ac48c8eeaaf6df344b8a308ba66d048c2d4d87eab82dc4929", "CC BY-NC 4.0"),
        Benchmark("multiarith", "MultiArith", "multiarith", "test", 600, "TIGER-AI-Lab/Program-of-Thoughts",
                  "850399c3eff8c37458a9d642c4a98df287f50f3a", "data/multiarith.json", 254012,
                  "dc9db1b6cc68b1ecc2dec830d15aaf8c9a0932aa31d5ffce88ef3628179d36f4", "MIT"),
        Benchmark("addsub", "AddSub", "addsub", "test", 395, *_PAL,
                  "datasets/mawpsaddsub.jsonl", 70911,
                  "2fae2c92530cdf1ac0487db9a90e68d6af84049d755c07c4486411c1d7f43e75", "Apache-2.0"),
        Benchmark("singleeq", "SingleEq", "singleeq", "test", 508, *_PAL,
                  "datasets/mawpssingleeq.jsonl", 86536,
                  "07bec92bae226dd5231a966e907a0f097ba3170a1557c73ceeb135caad8d09f8", "Apache-2.0"),
        Benchmark("singleop", "SingleOp", "singleop", "test", 562, *_PAL,
                  "datasets/mawpssingleop.jsonl", 75278,
                  "feb012e7ed5503cdb96fd127d539692b033000e9134655acaf4f4e0091328e94", "Apache-2.0"),
        Benchmark("gsm-hard", "GSM-Hard", "gsm-hard", "test", 1319, *_PAL,
                  "datasets/gsmhardv2.jsonl", 1138151,
                  "2032b0188a49ac0ec38cbe1e695e7d62d6dddc44bbb64f920728aca710e9ddef", "Apache-2.0"),
    )
}  # fmt: skip

# names that stand for several files
GROUPS = {"gsm8k": ("gsm8k-train", "gsm8k-test")}


@dataclass(frozen=True)
class Fetched:
    """A file that is here now; the data set and split it is to be imported as ("": told by the file)."""

    path: Path
    dataset: str = ""
    split: str = ""


def downloads_dir() -> Path:
    """Return the folder where fetched files stay, so that none is fetched twice. It is created."""
    folder = user_data_dir() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch(
    name: str,
    folder: Path | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> Iterator[Fetched]:
    """Fetch a benchmark of BENCHMARKS or GROUPS, or OWNER/NAME[@REVISION][:FOLDER] of the hub.

    Yields each file when it is here, checked against its digest; the licence is said before. What is here
    already is not fetched again, what was cut off goes on where it ended. A stop ends it quietly.
    ConfigError for an unknown name; DatasetError when the source does not give the file.
    """
    fetcher = Fetcher(reporter, control)
    folder = folder or downloads_dir()
    if name in GROUPS or name in BENCHMARKS:
        for mark in (BENCHMARKS[part] for part in GROUPS.get(name, (name,))):
            if reporter is not None:
                reporter.log(f"{mark.title}: {mark.origin}, licence {mark.licence}")
            target = folder / mark.name / PurePosixPath(mark.path).name
            if fetcher.get(mark.url, target, mark.bytes, Checksum("sha256", mark.sha256)):
                yield Fetched(target, mark.dataset, mark.split)
        return
    hub = re.fullmatch(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?(?::([\w./-]+))?", name)
    if hub is None:
        raise ConfigError(
            f"There is no benchmark '{name}'.",
            f"Use one of: {', '.join([*GROUPS, *BENCHMARKS])}, or OWNER/NAME of a data set of the hub.",
        )
    owner_name, revision, part = hub.groups()
    yield from _from_hub(fetcher, owner_name, revision, part, folder, reporter)


def _from_hub(
    fetcher: Fetcher, owner_name: str, revision: str | None, part: str | None, folder: Path,
    reporter: Reporter | None,
) -> Iterator[Fetched]:  # fmt: skip
    """Fetch the data files of one data set at the commit that its revision stands for."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    where = f"{endpoint}/api/datasets/{owner_name}/revision/{urllib.parse.quote(revision or 'main', safe='')}"
    try:
        info = json.loads(fetcher.text(where + "?blobs=true"))
        commit, siblings = str(info["sha"]), list(info["siblings"])
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError("The hub's answer cannot be read.", "Check HF_ENDPOINT.", where=where) from error
    files = [entry for entry in siblings if _is_data(str(entry.get("rfilename", "")), part)]
    if not files:
        names = ", ".join(str(entry.get("rfilename")) for entry in siblings[:20])
        raise DatasetError("The data set has no file that can be read.", f"It has: {names}", where=owner_name)
    if reporter is not None:
        licence = (info.get("cardData") or {}).get("license") or "not stated"
        reporter.log(f"{owner_name} at {commit[:8]}: licence {licence}, {len(files)} files")
    for entry in files:
        name = str(entry["rfilename"])
        target = folder / "hub" / owner_name.replace("/", "--") / commit[:12] / name
        url = f"{endpoint}/datasets/{owner_name}/resolve/{commit}/{urllib.parse.quote(name)}"
        if fetcher.get(url, target, int(entry.get("size") or 0), _digest(entry)):
            yield Fetched(target, owner_name.split("/")[1], _split(name))


def _is_data(name: str, part: str | None) -> bool:
    path = PurePosixPath(name)
    if ".." in path.parts or path.is_absolute() or path.name in _NO_DATA or not name.endswith(_DATA):
        return False
    return part is None or name == part or name.startswith(part.rstrip("/") + "/")


def _digest(entry: dict) -> Checksum | None:
    """Return what the hub says of a file: SHA-256 for large ones, the id of the git blob for others."""
    large = entry.get("lfs") or {}
    if large.get("sha256"):
        return Checksum("sha256", str(large["sha256"]))
    return Checksum("git", str(entry["blobId"])) if entry.get("blobId") else None


def _split(name: str) -> str:
    """Return the split that a file of the hub is; further pieces of one split are numbered."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    split = next((word for word in words if word in ("train", "test", "validation", "dev")), "")
    piece = re.search(r"-(\d{5})-of-\d{5}", name)
    return f"{split}-{piece.group(1)}" if split and piece and int(piece.group(1)) else split
