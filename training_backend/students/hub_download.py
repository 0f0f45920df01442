"""A base student of the hub: found where it was downloaded before, else fetched, resumable and checked.

What is here is used without asking the hub: our own downloads, then the cache that transformers shares.
huggingface_hub begins a cut-off file anew (its #4228), so files come by our own fetcher, which goes on.
Environment: HF_ENDPOINT (a mirror), HF_TOKEN or a login of `hf auth login`, HF_HUB_OFFLINE, HTTPS_PROXY.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from huggingface_hub import get_token, snapshot_download

from training_backend.errors import CheckpointError, DatasetError, KpddError
from training_backend.project.downloads import HUB, downloads_dir
from training_backend.project.fetching import Checksum, Fetcher, Offline, Unreachable
from training_backend.students.base_files import WEIGHTS, WEIGHTS_INDEX, check_folder

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter

_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(?:@[\w./-]+)?")
_WANTED = re.compile(
    r"(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json"
    r"|merges\.txt|spiece\.model|model\.safetensors(?:\.index\.json)?|model-\d+-of-\d+\.safetensors|LICENSE.*"
)
# the hub's own converter of pickles; nobody else's proposal is taken
_CONVERTER, _CONVERSION = "SFconvertbot", "Adding `safetensors` variant of this model"


@dataclass(frozen=True)
class _Listing:
    """One revision of a base student on the hub: its commit and its files as the hub describes them."""

    commit: str
    files: Mapping[str, Mapping[str, Any]]


def is_hub_id(name: str) -> bool:
    """Tell whether a name has the form OWNER/NAME or OWNER/NAME@REVISION."""
    return _ID.fullmatch(name) is not None


def find_base(hub_id: str) -> Path | None:
    """Return the folder of a base student that is completely here, or None; asks no network."""
    name, revision = _parts(hub_id)
    return _downloaded(name, revision) or _in_shared_cache(name, revision)


def fetch_base(hub_id: str, reporter: Reporter | None = None, control: Control | None = None) -> Path:
    """Return the folder of OWNER/NAME[@REVISION]; what is not here is downloaded, from where it was cut off.

    Raises CheckpointError when the hub cannot be reached or has no such student, when it has no safetensors,
    when the disk is too small, and when a stop was asked for.
    """
    here = find_base(hub_id)
    if here is not None:
        return here
    name, revision = _parts(hub_id)
    _store(name).mkdir(parents=True, exist_ok=True)
    # of several processes that start together (torchrun) one downloads
    with FileLock(_store(name) / ".lock"):
        return find_base(hub_id) or _fetch(hub_id, name, revision, reporter, control)


def _fetch(hub_id: str, name: str, revision: str, reporter: Reporter | None, control: Control | None) -> Path:
    fetcher = Fetcher(reporter, control, get_token() or "")
    try:
        listing = _with_safetensors(fetcher, name, revision, reporter)
        folder = _store(name) / listing.commit
        done = _fetch_files(fetcher, name, listing, folder, reporter)
    except DatasetError as error:
        raise _refused(hub_id, error) from error
    if not done:
        raise CheckpointError(
            "The download of the base student was stopped.", "Start again; it goes on where it ended.", hub_id
        )
    check_folder(folder)
    (_store(name) / f"{_file_name(revision)}.commit").write_text(listing.commit, encoding="utf-8")
    return folder


def _with_safetensors(fetcher: Fetcher, name: str, revision: str, reporter: Reporter | None) -> _Listing:
    listing = _listing(fetcher, name, revision)
    if {WEIGHTS, WEIGHTS_INDEX} & set(listing.files):
        return listing
    converted = _conversion(fetcher, name) if revision == "main" else None
    if converted is None:
        raise CheckpointError(
            "The base student has no safetensors, and pickled weights can run code and are not read.",
            "Convert it with transformers (save_pretrained) and name the folder, or name a revision that has "
            "them: OWNER/NAME@refs/pr/NUMBER.",
            name,
        )
    if reporter is not None:
        reporter.log(f"{name}: the weights are taken as the hub's converter proposes them ({converted}).")
    # such a proposal holds all files of the revision it was made for
    return _listing(fetcher, name, converted)


def _listing(fetcher: Fetcher, name: str, revision: str) -> _Listing:
    where = f"{_endpoint()}/api/models/{name}/revision/{urllib.parse.quote(revision, safe='')}"
    try:
        info = json.loads(fetcher.text(where + "?blobs=true"))
        files = {str(entry["rfilename"]): entry for entry in info["siblings"]}
        commit = str(info["sha"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError("The hub's answer cannot be read.", "Check HF_ENDPOINT.", where) from error
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        raise CheckpointError("The hub's answer names no commit.", "Check HF_ENDPOINT.", where)
    return _Listing(commit, {each: entry for each, entry in files.items() if _WANTED.fullmatch(each)})


def _conversion(fetcher: Fetcher, name: str) -> str | None:
    """Return the revision in which the hub's own converter offers safetensors, or None."""
    try:
        data = json.loads(fetcher.text(f"{_endpoint()}/api/models/{name}/discussions"))
        found = [
            int(each["num"])
            for each in data["discussions"]
            if each.get("isPullRequest") and each.get("status") in ("open", "merged")
            and each.get("title") == _CONVERSION and (each.get("author") or {}).get("name") == _CONVERTER
        ]  # fmt: skip
    except (DatasetError, ValueError, KeyError, TypeError):
        return None
    return f"refs/pr/{max(found)}" if found else None


def _fetch_files(
    fetcher: Fetcher, name: str, listing: _Listing, folder: Path, reporter: Reporter | None
) -> bool:
    sizes = {each: int(entry.get("size") or 0) for each, entry in listing.files.items()}
    missing = sum(size - _have(folder / each) for each, size in sizes.items())
    _check_room(folder, missing, name)
    if reporter is not None and missing:
        reporter.log(f"{name} at {listing.commit[:8]}: {missing / 2**20:,.1f} MiB to download into {folder}")
    # the small files first: what is wrong with them is found before the weights come
    for each in sorted(listing.files, key=lambda file: sizes[file]):
        url = f"{_endpoint()}/{name}/resolve/{listing.commit}/{urllib.parse.quote(each)}"
        if not fetcher.get(url, folder / each, sizes[each], _checksum(listing.files[each])):
            return False
    return True


def _have(file: Path) -> int:
    part = file.with_name(file.name + ".part")
    return next((each.stat().st_size for each in (file, part) if each.is_file()), 0)


def _check_room(folder: Path, wanted: int, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise CheckpointError(
            f"The base student needs {wanted / 2**30:.1f} GiB more, the disk has {free / 2**30:.1f} GiB.",
            "Free some space, or set KPDD_HOME to a larger disk.",
            f"{name} in {folder}",
        )


def _checksum(entry: Mapping[str, Any]) -> Checksum | None:
    large = entry.get("lfs") or {}
    if large.get("sha256"):
        return Checksum("sha256", str(large["sha256"]))
    return Checksum("git", str(entry["blobId"])) if entry.get("blobId") else None


def _downloaded(name: str, revision: str) -> Path | None:
    file = _store(name) / f"{_file_name(revision)}.commit"
    commit = file.read_text(encoding="utf-8").strip() if file.is_file() else revision
    return _complete(_store(name) / commit) if re.fullmatch(r"[0-9a-f]{7,64}", commit) else None


def _in_shared_cache(name: str, revision: str) -> Path | None:
    try:
        return _complete(Path(snapshot_download(name, revision=revision, local_files_only=True)))
    except Exception:
        # nothing of it is there, or another program left it unfinished
        return None


def _complete(folder: Path) -> Path | None:
    try:
        check_folder(folder)
    except KpddError:
        return None
    return folder


def _store(name: str) -> Path:
    return downloads_dir() / "students" / name.replace("/", "--")


def _file_name(revision: str) -> str:
    return urllib.parse.quote(revision, safe="")


def _parts(hub_id: str) -> tuple[str, str]:
    name, _, revision = hub_id.partition("@")
    return name, revision or "main"


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB


def _refused(hub_id: str, error: DatasetError) -> CheckpointError:
    """Return why a base student did not come, in one sentence, with what to do."""
    if isinstance(error, Unreachable):
        return CheckpointError(
            f"The base student could not be downloaded: {error.host} cannot be reached, {error.why}.",
            "Check the network, name a mirror (HF_ENDPOINT) or a proxy (HTTPS_PROXY), or name a folder that "
            "holds the student; with HF_HUB_OFFLINE=1 only what is here is used. What came so far is kept.",
            hub_id,
        )
    if isinstance(error, Offline):
        return CheckpointError(
            "The base student is not here, and nothing is downloaded, as HF_HUB_OFFLINE is set.",
            "Unset it, or name a folder that holds the student.",
            hub_id,
        )
    hint = error.hint + " Or name a local folder."
    if "is not there" in error.message:
        hint = "Check its name (OWNER/NAME, with @REVISION where it is not main), or name a local folder."
    message = error.message[:1].lower() + error.message[1:]
    return CheckpointError(
        f"The base student could not be downloaded: {message}", hint, error.where or hub_id
    )
