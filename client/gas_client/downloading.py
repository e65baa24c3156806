"""One file on its way from storage, piece by piece; those that are here do not come again."""

import threading
from collections.abc import Iterator
from contextlib import closing

import httpx

from gas_client.errors import GasError, Stopped, TryLater, Unavailable
from gas_client.lanes import in_lanes
from gas_client.links import Links
from gas_client.pieces import CHUNK, Partial, digest_of, on_disk
from gas_client.progress import Bar
from gas_client.wire import Wire

#: Pieces on their way at once.
LANES = 4


class _Replaced(GasError):
    """The storage has a newer copy, which the pieces here are not of."""


class Download:
    """Fetches what is not here yet of a file, and gives it its name once its bytes are proven."""

    def __init__(self, wire: Wire, partial: Partial, links: Links, *, tries: int = 2) -> None:
        self._wire, self._partial, self._links, self._tries = wire, partial, links, tries
        self._stop = threading.Event()
        self._bar: Bar | None = None

    def fetch(self) -> None:
        """Fetch it; FileTrouble when it cannot be written, and nothing is lost by a break."""
        if self._is_here():
            return
        self._partial.open()
        try:
            self._fetch_missing()
        except _Replaced:
            if self._tries == 1:
                raise
            self._partial.begin_again("")
            Download(self._wire, self._partial, self._links, tries=self._tries - 1).fetch()
        else:
            self._partial.finish()

    def _is_here(self) -> bool:
        target = self._partial.target
        if not target.is_file() or target.stat().st_size != self._partial.size:
            return False
        return digest_of(target) == self._partial.sha256

    def _fetch_missing(self) -> None:
        missing = [piece for piece in self._partial.pieces if piece not in self._partial.done]
        bar = self._wire.progress.bar(self._partial.target.name, total=self._partial.size)
        with closing(bar) as self._bar:
            self._advance(sum(self._partial.bounds(piece)[1] for piece in self._partial.done))
            if missing and not self._partial.etag:  # the first tells what all are of
                self._piece(missing.pop(0))
            in_lanes(missing, self._piece, lanes=LANES, stop=self._stop)

    def _piece(self, piece: int) -> None:
        self._wire.patiently(lambda: self._fetch(piece), self._wire.patience.long)
        self._partial.add(piece)

    def _fetch(self, piece: int) -> None:
        start, size = self._partial.bounds(piece)
        link, got = self._links.current(), 0
        try:
            with self._wire.fetch(link, self._headers(start, size)) as answer:
                self._check(answer, whole=size == self._partial.size)
                for chunk in self._written(answer, start, size):
                    got += chunk
                    self._advance(chunk)
            if got < size:
                raise Unavailable("The storage hung up.")
        except GasError as problem:
            self._advance(-got)
            if isinstance(problem, TryLater):
                self._links.drop(link)
            raise

    def _headers(self, start: int, size: int) -> dict[str, str]:
        asked = {"Range": f"bytes={start}-{start + size - 1}"}
        return asked | ({"If-Range": self._partial.etag} if self._partial.etag else {})

    def _check(self, answer: httpx.Response, *, whole: bool) -> None:
        """Make sure that these bytes belong to those that are here."""
        etag = answer.headers.get("ETag", "")
        if self._partial.etag and etag != self._partial.etag:
            raise _Replaced(f"{self._partial.target.name} was replaced while it was fetched.")
        if answer.status_code != httpx.codes.PARTIAL_CONTENT and not whole:
            raise Unavailable("The storage gives no part of a file.")
        self._partial.etag = etag

    def _written(self, answer: httpx.Response, start: int, size: int) -> Iterator[int]:
        """Write bytes as they come, no more than were asked for; yield how many."""
        with on_disk(self._partial.target), self._partial.content.open("r+b") as file:
            file.seek(start)
            for chunk in answer.iter_raw(CHUNK):
                if self._stop.is_set():
                    raise Stopped("Stopped.")
                kept = chunk[:size]
                file.write(kept)
                size -= len(kept)
                yield len(kept)

    def _advance(self, count: int) -> None:
        if self._bar:
            self._bar.advance(count)
