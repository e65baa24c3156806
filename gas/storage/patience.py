"""What botocore 1.43 lacks to leave an answer that drips; to be deleted when botocore has it.

Its time-out begins anew with every byte, so that an answer of which a byte comes now and then holds
whoever asked for hours: a worker as well as a page. Here every piece of a body that is asked for,
and an answer as a whole, must come within `LONGEST`. That is minutes, since S3 itself sends a space
now and then while it copies an object or joins its parts.

`tests/faults/test_patience.py` shows it, and fails when botocore waits no more by itself.
"""

import time
from collections.abc import Iterator
from typing import Any

from botocore import awsrequest
from botocore.awsrequest import AWSResponse
from urllib3.exceptions import ProtocolError

#: Seconds for a piece of a body.
LONGEST = 300.0

#: The most that is taken from a connection at once, in bytes.
GULP = 256 * 1024

ANSWERS = "AWSResponse"  # where botocore looks for the class of its answers


class Body:
    """The body of an answer as urllib3 reads it, but for its patience."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def read(self, amt: int | None = None) -> bytes:
        """Return so many bytes, and fewer at the end only; ProtocolError when they drip."""
        until = time.monotonic() + LONGEST
        pieces, left = [], amt
        while left != 0 and (piece := self._raw.read1(min(left or GULP, GULP))):
            pieces.append(piece)
            left = None if left is None else left - len(piece)
            if time.monotonic() > until:
                self._raw.close()
                raise ProtocolError(f"The answer did not come within {LONGEST:g} s.")
        return b"".join(pieces)

    def stream(self) -> Iterator[bytes]:
        """Yield all of it at once."""
        yield self.read()


class Answer(AWSResponse):
    """An answer that ends."""

    def __init__(self, url: str, status_code: int, headers: Any, raw: Any) -> None:
        super().__init__(url, status_code, headers, Body(raw))
        if status_code >= 300:
            _ = self.content  # while whoever asked still hears of the wire in botocore's ways


def install() -> None:
    """Give every client of this process, kombu's among them, answers that end."""
    setattr(awsrequest, ANSWERS, Answer)
