"""Servers on loopback that webhooks are sent to, each with one thing to say."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BODY = b'{"a":1}'
NAME = "hooks.example.org"

Conversation = Callable[[socket.socket], None]


class Server:
    """Answers each connection with one conversation; what it was sent is kept."""

    def __init__(self, talk: Conversation, context: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self.names: list[str | None] = []
        self._talk, self._context = talk, context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            try:
                if self._context:
                    line = self._context.wrap_socket(line, server_side=True)
                self.heard.append(_request(line))
                self._talk(line)
            except OSError:
                pass
            finally:
                line.close()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(timeout=10)


def _request(line: socket.socket) -> bytes:
    heard = b""
    while not heard.endswith(BODY):
        heard += line.recv(65536)
    return heard


def says(text: bytes) -> Conversation:
    return lambda line: line.sendall(text)


def make_certificate(folder: Path) -> Path:
    """Make a certificate of the name, signed by itself, in one file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
