"""A mail server on loopback that keeps what it is given, or refuses as the test wants."""

import socketserver
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Delivered:
    """One mail as it came over the wire."""

    sender: str
    receivers: list[str] = field(default_factory=list)
    content: bytes = b""


class Conversation(socketserver.StreamRequestHandler):
    """One connection: the part of RFC 5321 that Python's client speaks."""

    def handle(self) -> None:
        """Answer line by line until the client leaves."""
        office = cast("PostOffice", self.server)
        mail = Delivered("")
        self._say(220, "post office")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "MAIL":
                    mail = Delivered(_address(rest))
                case "RCPT":
                    mail.receivers.append(_address(rest))
                case "DATA":
                    self._say(354, "go on")
                    mail.content = self._content()
            if self._say(office.refusals.get(verb.upper(), 221 if verb == "quit" else 250)):
                office.take(verb, mail)
            if verb == "quit":
                return

    def _content(self) -> bytes:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(line.removeprefix(b".") for line in lines)

    def _say(self, code: int, words: str = "so be it") -> bool:
        self.wfile.write(f"{code} {words}\r\n".encode())
        return code < 400


class PostOffice(socketserver.ThreadingTCPServer):
    """Listens on a free port; `refusals` maps a verb such as RCPT to the code it is refused by."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.refusals: dict[str, int] = {}
        self.delivered: list[Delivered] = []

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def take(self, verb: str, mail: Delivered) -> None:
        """Keep a mail once its content was accepted."""
        if verb.upper() == "DATA":
            self.delivered.append(mail)


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
