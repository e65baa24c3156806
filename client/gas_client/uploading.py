"""One file on its way to storage, part by part, of which those that arrived are not sent again."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from gas_client.errors import GasError, Stopped
from gas_client.lanes import in_lanes
from gas_client.progress import Bar
from gas_client.records import Link
from gas_client.source import Source
from gas_client.wire import Wire

#: Parts on their way at once.
LANES = 4


@dataclass(frozen=True)
class Ticket:
    """An upload that the service knows: bytes of a part, and the SHA-256 of those that arrived."""

    upload: str
    part_bytes: int
    arrived: Mapping[int, str]


#: Asks for the link of a part, by its number and its SHA-256 (hexadecimal).
Sign = Callable[[int, str], Link]


class Upload:
    """Sends what has not arrived yet of a file; the service decides what that is."""

    def __init__(self, wire: Wire, source: Source, ticket: Ticket, sign: Sign) -> None:
        self._wire, self._source, self._ticket, self._sign = wire, source, ticket, sign
        self._stop = threading.Event()
        self._bar: Bar | None = None

    def send(self) -> None:
        """Send it; FileTrouble when the file changes meanwhile, and nothing is lost by a break."""
        count = math.ceil(self._source.size / self._ticket.part_bytes)
        bar = self._wire.progress.bar(self._source.path.name, total=self._source.size)
        with closing(bar) as self._bar:
            in_lanes(range(1, count + 1), self._part, lanes=LANES, stop=self._stop)
        self._source.check()

    def _part(self, number: int) -> None:
        start = (number - 1) * self._ticket.part_bytes
        size = min(self._ticket.part_bytes, self._source.size - start)
        sha256 = self._source.sha256(start, size)
        if self._ticket.arrived.get(number) == sha256:
            self._advance(size)
        else:
            long = self._wire.patience.long
            self._wire.patiently(lambda: self._send(number, start, size, sha256), long)

    def _send(self, number: int, start: int, size: int, sha256: str) -> None:
        """Send a part by a new link, since the last one may be over."""
        link = self._sign(number, sha256)
        sent = 0

        def content() -> Iterator[bytes]:
            nonlocal sent
            for chunk in self._source.chunks(start, size):
                if self._stop.is_set():
                    raise Stopped("Stopped.")
                yield chunk
                sent += len(chunk)
                self._advance(len(chunk))

        try:
            self._wire.put(link.url, {**link.headers, "Content-Length": str(size)}, content())
        except GasError:
            self._advance(-sent)
            raise

    def _advance(self, count: int) -> None:
        if self._bar:
            self._bar.advance(count)
