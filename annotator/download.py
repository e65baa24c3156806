"""One file from an HTTP server to disk: resumed where it broke off, believed only by its checksum.

Ranges and If-Range: RFC 9110, sections 13.1.5 and 14. A part on disk has its validator beside it,
so that a file which changed on the server is fetched anew and never stitched together.
"""

import http.client
import io
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from annotator.errors import AnnotatorFailed

READ_BYTES = 1 << 18
TIMEOUT_SECONDS = 60
ATTEMPTS = 6
FIRST_WAIT_SECONDS = 1.0
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_RANGE_PAST_THE_END = 416

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that are there, and how many there will be, if known."""


class _BrokeOffError(Exception):
    """The transfer ended early; what arrived is on disk."""


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https alone, and never from https to http."""

    def redirect_request(
        self,
        request: urllib.request.Request,
        answer: IO[bytes],
        code: int,
        reason: str,
        headers: http.client.HTTPMessage,
        address: str,
    ) -> urllib.request.Request | None:
        """Return the request to make next."""
        scheme = urlsplit(address).scheme
        if scheme != "https" and scheme != request.type:
            answer.close()
            raise AnnotatorFailed(f"{request.full_url} leads to {address}, which is less safe")
        return super().redirect_request(request, answer, code, reason, headers, address)


@dataclass(frozen=True)
class Download:
    """One address and its place on disk."""

    url: str
    target: Path
    progress: Progress

    def run(self) -> None:
        """Fetch the file, or what is missing of it; raise AnnotatorFailed when it cannot be had."""
        if self.target.exists():
            return
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise AnnotatorFailed(f"{self.url} is not an http(s) address")
        vain, most = 0, self._size()  # attempts in a row that brought nothing new
        while True:
            try:
                self._attempt()
            except _BrokeOffError as failure:
                vain = 0 if self._size() > most else vain + 1
                most = max(most, self._size())
                if vain == ATTEMPTS:
                    raise AnnotatorFailed(f"{self.url}: {failure}") from failure
                time.sleep(FIRST_WAIT_SECONDS * 2**vain)
            else:
                self._part.rename(self.target)
                self._validator.unlink(missing_ok=True)
                return

    @property
    def _part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def _validator(self) -> Path:
        return self.target.with_name(self.target.name + ".validator")

    def _attempt(self) -> None:
        request = urllib.request.Request(self.url, headers=self._range())
        try:
            with _opener().open(request, timeout=TIMEOUT_SECONDS) as answer:
                self._receive(answer)
        except urllib.error.HTTPError as error:
            self._refused(error)
        except (OSError, http.client.HTTPException) as error:
            raise _BrokeOffError(str(error) or type(error).__name__) from error

    def _range(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "gas-annotator"}
        if self._size() and self._validator.exists():
            headers["Range"] = f"bytes={self._size()}-"
            headers["If-Range"] = self._validator.read_text()
        return headers

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _receive(self, answer: http.client.HTTPResponse) -> None:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not answer.headers.get("Content-Range", "").startswith(
            f"bytes {self._size()}-"
        ):
            self._forget()
            raise _BrokeOffError("the server sent another range than was asked for")
        if not resumed:
            self._forget()
            self._remember(answer)
        total = self._total(answer)
        with self._part.open("ab", buffering=0) as file:  # what came is kept at once
            while block := answer.read1(READ_BYTES):
                self._keep(file, block)
                self.progress(self.target.name, file.tell(), total)
        if total is not None and self._size() < total:
            raise _BrokeOffError(f"{self._size()} of {total} bytes came")

    def _keep(self, file: io.FileIO, block: bytes) -> None:
        left = memoryview(block)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:  # a full disk, which no second attempt mends
            raise AnnotatorFailed(f"{self._part} cannot be written: {error}") from error

    def _total(self, answer: http.client.HTTPResponse) -> int | None:
        length = answer.headers.get("Content-Length", "")
        return self._size() + int(length) if length.isdigit() else None

    def _remember(self, answer: http.client.HTTPResponse) -> None:
        """Only a strong validator may join two parts."""
        tag = answer.headers.get("ETag", "")
        validator = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")
        if validator:
            self._validator.write_text(validator)

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)

    def _refused(self, error: urllib.error.HTTPError) -> None:
        error.close()
        if error.code == _RANGE_PAST_THE_END:
            if error.headers.get("Content-Range") == f"bytes */{self._size()}":
                return  # it was whole, and only its name was missing
            self._forget()
        elif error.code not in _TRY_AGAIN:
            raise AnnotatorFailed(f"{self.url} answered {error.code}") from error
        raise _BrokeOffError(f"the server answered {error.code}") from error


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_SafeRedirects)
