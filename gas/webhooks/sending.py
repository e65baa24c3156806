"""One call to a webhook: to the address that was looked at, within seconds, and no further.

No redirect is followed and no proxy is asked; of the answer a kilobyte is read.
"""

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gas.webhooks import addresses
from gas.webhooks.addresses import BadAddress, Target

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Bytes of an answer that are read, and letters of it that are kept.
MOST_BYTES, MOST_LETTERS = 1024, 200
#: Bytes of an answer with its headers, after which we hang up.
MOST_HEARD = 64 * 1024

GONE = 410


@dataclass(frozen=True)
class Answer:
    """What came of a call: a status and the first words, or why there is none."""

    status: int | None
    said: str

    @property
    def is_yes(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more of them."""
        return self.status == GONE


def post(url: str, *, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
    """Call a webhook, all in all within so many seconds."""
    deadline = time.monotonic() + seconds
    try:
        target = addresses.target_of(url)
        found = addresses.looked_up(target, seconds=seconds)
        return _call(_Connection(target, found, deadline), body, headers)
    except BadAddress as refusal:
        return Answer(None, str(refusal))
    except TimeoutError:
        return Answer(None, f"No answer within {seconds:g} seconds.")
    except ssl.SSLCertVerificationError as error:
        return Answer(None, f"Its certificate was refused: {_printable(error.verify_message)}.")
    except socket.gaierror:
        return Answer(None, "The name of the server is unknown.")
    except ConnectionRefusedError:
        return Answer(None, "The server takes no connection.")
    except (OSError, http.client.HTTPException) as error:
        return Answer(None, f"The connection failed ({type(error).__name__}).")


def _call(connection: "_Connection", body: bytes, headers: dict[str, str]) -> Answer:
    target = connection.target
    try:
        connection.request("POST", target.path, body, {"Host": target.netloc, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, _first_words(answer))
    finally:
        connection.hang_up()


def _first_words(answer: http.client.HTTPResponse) -> str:
    """What an answer begins with, as far as it comes: what matters is its status."""
    try:
        return _printable(answer.read(MOST_BYTES).decode("utf-8", errors="replace"))
    except (OSError, http.client.HTTPException):
        return ""


def _printable(text: str) -> str:
    """Hostile words on one line, bounded; pages escape them besides."""
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(seen.split())[:MOST_LETTERS]


@cache
def tls() -> ssl.SSLContext:
    """Certificates are checked against the authorities of this machine."""
    return ssl.create_default_context()


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses that were looked at, named as its owner named it."""

    def __init__(self, target: Target, found: list[str], deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.target, self._found, self._deadline = target, found, deadline
        self._wire: socket.socket | None = None

    def connect(self) -> None:
        """Reach the first address that answers; the name is for Host and certificate alone."""
        self._wire = self._reached()
        if self.target.is_https:
            self._wire.settimeout(_left(self._deadline))
            self._wire = tls().wrap_socket(self._wire, server_hostname=self.target.host)
        self.sock = _Wire(self._wire, self._deadline)

    def hang_up(self) -> None:
        """Close it; an answer that is still being read ends here."""
        self.close()
        if self._wire is not None:
            self._wire.close()

    def _reached(self) -> socket.socket:
        *others, last = self._found
        for address in others:
            try:
                return self._dialled(address)
            except OSError:
                continue
        return self._dialled(last)

    def _dialled(self, address: str) -> socket.socket:
        return socket.create_connection((address, self.target.port), _left(self._deadline))


class _Wire:
    """A socket, as far as `http.client` needs one, that works until a deadline."""

    def __init__(self, wire: socket.socket, deadline: float) -> None:
        self._wire, self._deadline = wire, deadline

    def sendall(self, content: bytes) -> None:
        """Send it all."""
        self._wire.settimeout(_left(self._deadline))
        self._wire.sendall(content)

    def makefile(self, *_how: object) -> io.BufferedReader:
        """What an answer is read from."""
        return io.BufferedReader(_Heard(self._wire, self._deadline))

    def close(self) -> None:
        """Do nothing: the answer is still to be read."""


class _Heard(io.RawIOBase):
    """What comes out of a socket: so many bytes until a deadline, however slowly they drip."""

    def __init__(self, wire: socket.socket, deadline: float) -> None:
        self._wire, self._deadline, self._room = wire, deadline, MOST_HEARD

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Take what has come."""
        self._wire.settimeout(_left(self._deadline))
        came = self._wire.recv_into(buffer)
        self._room -= came
        if self._room < 0:
            raise ConnectionAbortedError
        return came


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
