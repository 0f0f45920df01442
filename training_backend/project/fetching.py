"""One file over HTTP: goes on where it was cut off, tries again, checks the digest, keeps nothing wrong."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING, Literal

from training_backend.errors import DatasetError

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter

_PIECE = 64 * 1024
_TIMEOUT_S = 30.0
_TRIES = 4  # in a row without a byte
# a host that never answered is most likely not to be reached at all: nobody should wait long to hear it
_FIRST_TIMEOUT_S, _FIRST_TRIES = 10.0, 2
_LARGEST_TEXT = 16 * 2**20
_GOES_ON = (
    "Check the network (HTTPS_PROXY names a proxy). What came so far is kept; trying again goes on from "
    "there."
)


@dataclass(frozen=True)
class Checksum:
    """What a file must be: its SHA-256, or the SHA-1 that git gives its blob; in hexadecimal digits."""

    kind: Literal["sha256", "git"]
    value: str

    def fits(self, file: Path) -> bool:
        """Tell whether a file is the one meant."""
        digest = hashlib.sha256() if self.kind == "sha256" else hashlib.sha1(usedforsecurity=False)
        if self.kind == "git":
            digest.update(f"blob {file.stat().st_size}\0".encode())
        with file.open("rb") as content:
            while piece := content.read(2**20):
                digest.update(piece)
        return digest.hexdigest() == self.value.lower()


class Offline(DatasetError):
    """The environment says that nothing is to be downloaded."""


class Unreachable(DatasetError):
    """The host of a file gives no answer; `why` says what happened, `host` is its address."""

    def __init__(self, why: str, host: str, where: str) -> None:
        """Keep why and whose."""
        super().__init__(
            f"{host} cannot be reached: {why}.",
            _GOES_ON,
            where,
        )
        self.why, self.host = why, host


class _Again(Exception):
    """Worth another try; the text says what happened."""


class _StartOver(_Again):
    """What came so far does not fit to what the server has."""


class Fetcher:
    """Fetches files one after the other through the proxy of the environment."""

    wait_s = 1.0  # before the second try; doubled for each further one

    def __init__(self, reporter: Reporter | None, control: Control | None, token: str = "") -> None:
        """Progress goes to `reporter`; a stop asked for by `control` ends what is under way.

        `token` goes with every request (not to where it is redirected); a data set of the hub gets HF_TOKEN.
        """
        self._reporter, self._control, self._token = reporter, control, token
        self._opener = urllib.request.build_opener()
        # the hosts that answered
        self._known: set[str] = set()

    def get(self, url: str, target: Path, size: int, checksum: Checksum | None) -> bool:
        """Have the file of `url` at `target`; False when a stop was asked for before it was whole.

        `size` in bytes, 0 where unknown. What came so far stays in `target`.part for the next time.
        DatasetError: offline, not there, unreachable, or not the file that `checksum` tells.
        """
        if target.is_file() and (checksum is None or checksum.fits(target)):
            return True
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        if size and part.exists() and part.stat().st_size > size:
            part.unlink()
        if not (size and part.exists() and part.stat().st_size == size) and not self._fetch(url, part, size):
            return False
        if checksum is not None and not checksum.fits(part):
            part.unlink()
            raise DatasetError(
                "What was fetched is not the published file (its checksum differs); it was not kept.",
                "Try again; behind a proxy or a mirror, check what it gives.",
                where=url,
            )
        part.replace(target)
        return True

    def text(self, url: str) -> str:
        """Return a short text; DatasetError as `get` does."""
        for number in range(_TRIES):
            try:
                with self._open(url, 0) as response:
                    return response.read(_LARGEST_TEXT).decode("utf-8", "replace")
            except (_Again, OSError, http.client.HTTPException) as problem:
                self._wait(number, url, problem)
        raise AssertionError("the last try returns or raises")

    def _fetch(self, url: str, part: Path, size: int) -> bool:
        failed = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                return self._go_on(url, part, size)
            except (_Again, OSError, http.client.HTTPException) as problem:
                if isinstance(problem, OSError) and problem.filename is not None:
                    raise  # our own disk
                if isinstance(problem, _StartOver):
                    part.unlink(missing_ok=True)
                came = part.stat().st_size if part.exists() else 0
                failed = 0 if came > before else failed
                if self._stopped():
                    return False
                self._wait(failed, url, problem)
                failed += 1

    def _go_on(self, url: str, part: Path, size: int) -> bool:
        """Fetch what is missing; False when a stop was asked for, _Again when the connection ended early."""
        have = part.stat().st_size if part.exists() else 0
        with self._open(url, have) as response:
            if have and response.status != 206:
                have = 0  # the server gives it whole again
            length = response.headers.get("Content-Length")
            total = have + int(length) if length and length.isdigit() else size
            with part.open("ab" if have else "wb") as file:
                if not self._copy(response, file, have, total, url):
                    return False
            if total and part.stat().st_size < total:
                raise _Again("the connection ended early")
        return True

    def _copy(self, response: IO[bytes], file: IO[bytes], done: int, total: int, url: str) -> bool:
        name = url.rsplit("/", 1)[-1]
        while piece := response.read(_PIECE):
            file.write(piece)
            done += len(piece)
            if self._reporter is not None:
                self._reporter.progress("download", done, total, name)
            if self._stopped():
                return False
        return True

    def _open(self, url: str, have: int):
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
            raise Offline("Nothing is downloaded, as HF_HUB_OFFLINE is set.",
                          "Unset it, or import a file that is here.", where=url)  # fmt: skip
        request = urllib.request.Request(url, headers={"User-Agent": "kpdd-studio"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        token = self._token or (os.environ.get("HF_TOKEN", "") if "/datasets/" in url else "")
        if token:
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        host = _host(url)
        try:
            answer = self._opener.open(
                request, timeout=_TIMEOUT_S if host in self._known else _FIRST_TIMEOUT_S
            )
        except urllib.error.HTTPError as error:
            self._known.add(host)
            with error:
                raise _told(error, url) from None
        self._known.add(host)
        return answer

    def _stopped(self) -> bool:
        return self._control is not None and self._control.stop_requested

    def _wait(self, number: int, url: str, problem: Exception) -> None:
        """Wait before the next try; after the last one raise what a person can do."""
        why, host = _why(problem), _host(url)
        if host not in self._known and number + 1 >= _FIRST_TRIES:
            raise Unreachable(why, host, url) from problem
        if number + 1 >= _TRIES:
            raise DatasetError(f"The file could not be fetched: {why}.", _GOES_ON, where=url) from problem
        if self._reporter is not None:
            self._reporter.log(f"{host}: {why}; trying again")
        Event().wait(self.wait_s * 2**number)


def _host(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _why(problem: Exception) -> str:
    """Return in words what a connection failed for."""
    cause = getattr(problem, "reason", None) or problem
    words: dict[type[BaseException], str] = {
        socket.gaierror: "its name cannot be looked up",
        ConnectionRefusedError: "nothing answers there",
        TimeoutError: "it does not answer in time",
        ssl.SSLCertVerificationError: "its certificate is not trusted here",
        ConnectionError: "the connection broke off",
        http.client.HTTPException: "the connection broke off",
    }
    for kind, text in words.items():
        if isinstance(cause, kind):
            return text
    return str(getattr(cause, "strerror", None) or cause)


def _told(error: urllib.error.HTTPError, url: str) -> Exception:
    if error.code == 416:
        return _StartOver("the server has no more of it")
    if error.code in (408, 425, 429) or error.code >= 500:
        return _Again(f"the server answered {error.code}")
    hints = {404: "The name or the revision may be wrong.",
             401: "It may need a token (HF_TOKEN), or not exist.",
             403: "It may need a token (HF_TOKEN) and the consent of its owner.",
             407: "The proxy wants a name and a password: HTTPS_PROXY=http://NAME:PASSWORD@HOST"}  # fmt: skip
    what = "is not there" if error.code == 404 else f"was refused ({error.code} {error.reason})"
    return DatasetError(f"The file {what}.", hints.get(error.code, "Try later."), where=url)
