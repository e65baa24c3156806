"""Somebody with a browser: our site through Django's client, Globus over real HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from django.contrib.messages import get_messages
from django.test import Client

from dev.fake_globus import Persona

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

HOST = "127.0.0.1:8000"


@dataclass
class Visitor:
    """One browser, with its own cookies."""

    client: Client = field(default_factory=lambda: Client(headers={"host": HOST}))

    def set_out(self, *, query: str = "", **form: str) -> str:
        """Press the sign-in button; return the address at Globus one is sent to."""
        answer = self.client.post(f"/login/globus/{query}", form)
        assert answer.status_code == 302, answer.status_code
        return answer["Location"]

    def choose(self, address: str, **choice: str) -> str:
        """Choose on Globus' page; return the address at our site one is sent back to."""
        status, location = post(address, choice)
        assert status == 303, status
        return location

    def come_back(self, address: str) -> Answer:
        """Arrive at our callback."""
        assert address.startswith(f"http://{HOST}/"), address
        return self.client.get(address.removeprefix(f"http://{HOST}"))

    def sign_in(self, persona: Persona, **form: str) -> Answer:
        """Walk the whole way."""
        return self.come_back(self.choose(self.set_out(**form), identity=persona.sub))

    @property
    def is_signed_in(self) -> bool:
        """Whether the site knows who this is."""
        return "_auth_user_id" in self.client.session


def post(address: str, form: dict[str, str]) -> tuple[int, str]:
    """Post a form without following redirects; return the status and the location."""
    parts = urlsplit(address)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=120)
    target = f"{parts.path}?{parts.query}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", target, urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


def query_of(address: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def sentence(answer: Answer) -> str:
    """Return what a refused visitor is told on the sign-in page."""
    assert answer.status_code == 302, answer.status_code
    assert answer["Location"] == "/login/"
    (message,) = get_messages(answer.wsgi_request)
    return str(message)
