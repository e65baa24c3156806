"""The HTTP side of the stand-in."""

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qsl, urlsplit

from dev.fake_globus import pages, protocol
from dev.fake_globus.ledger import Ledger, Refused, Request
from dev.fake_globus.personas import CLIENT_ID, PERSONAS, Persona

_MAX_BODY = 65_536


class FakeGlobus(ThreadingHTTPServer):
    """A Globus Auth that knows a handful of personas and one application on loopback."""

    daemon_threads = True

    def __init__(self, port: int, host: str, personas: tuple[Persona, ...]) -> None:
        super().__init__((host, port), _Handler)
        self.ledger = Ledger({persona.sub: persona for persona in personas})
        self.url = f"http://{host}:{self.server_port}"
        self.failing: HTTPStatus | None = None
        self._answering = Event()
        self._answering.set()

    @property
    def revoked(self) -> set[str]:
        """The values of all tokens that were revoked."""
        return self.ledger.revoked

    def link(self, *subs: str) -> None:
        """Make these identities one Globus account."""
        self.ledger.linked.append(set(subs))

    def stall(self) -> None:
        """Take the requests of applications from now on, but answer none until `recover`."""
        self._answering.clear()

    def recover(self) -> None:
        """End `stall` and `failing`."""
        self.failing = None
        self._answering.set()

    def wait_while_stalled(self) -> None:
        """Hold the calling request, a minute at the longest."""
        self._answering.wait(60)

    def stop(self) -> None:
        """Close the port; what was issued can still be looked at."""
        self.recover()
        self.shutdown()
        self.server_close()


def start(
    port: int = 0, host: str = "127.0.0.1", personas: tuple[Persona, ...] = PERSONAS
) -> FakeGlobus:
    """Serve in a thread; port 0 takes a free one, told by `.url`."""
    server = FakeGlobus(port, host, personas)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    server: FakeGlobus
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Serve pages to people, and who somebody is to applications."""
        match urlsplit(self.path).path:
            case "/v2/oauth2/authorize":
                self._authorize()
            case "/v2/web/logout":
                self._sign_out()
            case "/v2/oauth2/userinfo":
                self._answer(lambda: protocol.userinfo(self.server.ledger, self._credentials))
            case "/.well-known/openid-configuration":
                self._answer(lambda: protocol.discovery(self.server.url))
            case _:
                self._page(pages.refused("There is no such page."), HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Take a person's choice, or what an application wants done with a token."""
        form = self._form()
        path = urlsplit(self.path).path
        endpoints = {
            "/v2/oauth2/token": protocol.token,
            "/v2/oauth2/token/revoke": protocol.revoke,
            "/v2/oauth2/token/introspect": protocol.introspect,
        }
        if path == "/v2/oauth2/authorize":
            self._authorize(form)
        elif path in endpoints:
            self._answer(lambda: endpoints[path](self.server.ledger, form, self._credentials))
        else:
            self._page(pages.refused("There is no such page."), HTTPStatus.NOT_FOUND)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: request lines carry codes."""

    @property
    def _credentials(self) -> str:
        return self.headers.get("Authorization", "")

    def _authorize(self, choice: protocol.Form | None = None) -> None:
        query = self._query()
        fault = protocol.fault_in(query)
        if fault:
            self._page(pages.refused(fault), HTTPStatus.BAD_REQUEST)
            return
        request = Request(
            redirect_uri=query["redirect_uri"],
            scopes=tuple(query["scope"].split()),
            challenge=query["code_challenge"],
            offline=query.get("access_type") == "offline",
            second_factor=query.get("session_required_mfa") == "true",
        )
        if choice is None:
            self._page(pages.choose(self.server.ledger.personas.values(), request))
        else:
            self._decide(request, choice, query.get("state", ""))

    def _decide(self, request: Request, choice: protocol.Form, state: str) -> None:
        sub = choice.get("identity", "")
        if "deny" in choice:
            answer = {"error": "access_denied"}
        elif request.second_factor and not self._has_second_factor(sub):
            self._page(pages.refused("This identity has no second factor."), HTTPStatus.FORBIDDEN)
            return
        elif sub in self.server.ledger.personas:
            answer = {"code": self.server.ledger.issue_code(sub, request)}
        else:
            self._page(pages.refused("There is no such identity."), HTTPStatus.BAD_REQUEST)
            return
        self._send(
            HTTPStatus.SEE_OTHER,
            {"Location": pages.back(request.redirect_uri, state=state, **answer)},
        )

    def _has_second_factor(self, sub: str) -> bool:
        persona = self.server.ledger.personas.get(sub)
        return persona is not None and persona.second_factor

    def _sign_out(self) -> None:
        query = self._query()
        target = query.get("redirect_uri", "")
        allowed = query.get("client_id") == CLIENT_ID and protocol.is_ours(target)
        name = query.get("redirect_name", "the application")
        self._page(pages.signed_out(target if allowed else None, name))

    def _answer(self, endpoint: Callable[[], protocol.Answer]) -> None:
        self.server.wait_while_stalled()
        if self.server.failing:
            self._json({"errors": [{"code": "UNAVAILABLE"}]}, self.server.failing)
            return
        try:
            self._json(endpoint())
        except Refused as refusal:
            self._json({"error": str(refusal)}, HTTPStatus.UNAUTHORIZED)

    def _query(self) -> protocol.Form:
        return dict(parse_qsl(urlsplit(self.path).query))

    def _form(self) -> protocol.Form:
        length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
        return dict(parse_qsl(self.rfile.read(length).decode(errors="replace")))

    def _page(self, html: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, {"Content-Type": "text/html; charset=utf-8"}, html.encode())

    def _json(self, answer: protocol.Answer, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _send(self, status: HTTPStatus, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
