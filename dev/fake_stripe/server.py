"""The HTTP side of the fake: the calls of the API, the pages, and what may be asked of whom."""

import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from dev.fake_stripe import pages
from dev.fake_stripe.ledger import Form, Json, Ledger, Refused
from dev.fake_stripe.webhooks import Postman

# No form-action: a browser applies it to the redirect after a form, and that leads to any site.
POLICY = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'"


class Server(ThreadingHTTPServer):
    """Loopback only: it believes everybody who knows the test key."""

    daemon_threads = True

    def __init__(self, port: int, ledger: Ledger, postman: Postman, key: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.ledger, self.postman, self.key = ledger, postman, key


class Handler(BaseHTTPRequestHandler):
    """One request, routed by the first part of its path."""

    server: Server

    def do_GET(self) -> None:
        """Show a page, or answer a call of the API."""
        self._route()

    def do_POST(self) -> None:
        """Take a form, or answer a call of the API."""
        self._route()

    def do_DELETE(self) -> None:
        """Answer a call of the API."""
        self._route()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well: the site's own log tells what was asked."""

    def _route(self) -> None:
        # Read before any answer: closing a connection with unread bytes resets it.
        self._body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        match [self.command, *urlsplit(self.path).path.strip("/").split("/")]:
            case [_, "v1", *call]:
                self._api(call)
            case [_, "c", "pay", session_id]:
                self._page(lambda: self._checkout(session_id))
            case [_, "p", "session", portal_id]:
                self._page(lambda: self._portal(portal_id))
            case ["GET", "style.css"]:
                self._send(200, "text/css", pages.STYLE)
            case ["GET", ""]:
                self._send(200, "text/plain", "fake Stripe\n")
            case _:
                self._send(404, "text/html", pages.missing())

    def _api(self, call: list[str]) -> None:
        try:
            self._admit()
            status, answer = 200, self._answer(call)
        except Refused as refusal:
            status, answer = refusal.status, {"error": refusal.body()}
        self._send(status, "application/json", json.dumps(answer))

    def _admit(self) -> None:
        if outage := self.server.postman.switches.outage:
            raise Refused(outage, "", "Something went wrong.", type="api_error")
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if key != self.server.key:
            raise Refused(401, "", f"Invalid API Key provided: {key}")

    def _answer(self, call: list[str]) -> Json:
        ledger, site = self.server.ledger, self.server.url
        match [self.command, *call]:
            case ["POST", "checkout", "sessions"]:
                form = self._form()
                return ledger.once(self._key(), form, lambda: ledger.open_checkout(form, site))
            case ["POST", "billing_portal", "sessions"]:
                form = self._form()
                return ledger.once(self._key(), form, lambda: ledger.open_portal(form, site))
            case ["GET", "subscriptions", subscription_id]:
                return ledger.find("subscriptions", subscription_id)
            case ["DELETE", "subscriptions", subscription_id]:
                self.server.postman.send(ledger.cancel(subscription_id))
                return ledger.find("subscriptions", subscription_id)
        raise Refused(404, "", f"Unrecognized request URL ({self.command}: {self.path}).")

    def _checkout(self, session_id: str) -> None:
        ledger = self.server.ledger
        session = ledger.find("sessions", session_id)
        if self.command == "GET":
            self._send(200, "text/html", pages.checkout(session))
            return
        card = self._form().get("card", "")
        try:
            events = ledger.pay(session_id, card)
        except Refused as refusal:
            body = pages.checkout(session, card=card, error=refusal.message)
            self._send(refusal.status, "text/html", body)
            return
        self.server.postman.send(events)
        self._see_other(session["success_url"])

    def _portal(self, portal_id: str) -> None:
        ledger = self.server.ledger
        session = ledger.find("portals", portal_id)
        if self.command == "POST":
            subscription = ledger.find("subscriptions", self._form().get("subscription", ""))
            if subscription["customer"] == session["customer"] and not subscription["ended_at"]:
                self.server.postman.send(ledger.cancel(subscription["id"]))
            self._see_other(session["url"])
            return
        customer = session["customer"]
        self._send(
            200,
            "text/html",
            pages.portal(
                session,
                ledger.of_customer("subscriptions", customer),
                ledger.of_customer("invoices", customer),
            ),
        )

    def _page(self, show: Callable[[], None]) -> None:
        try:
            show()
        except Refused as refusal:
            self._send(refusal.status, "text/html", pages.missing())

    def _form(self) -> Form:
        return dict(parse_qsl(self._body.decode(), keep_blank_values=True))

    def _key(self) -> str:
        return self.headers.get("Idempotency-Key") or secrets.token_hex(12)

    def _see_other(self, address: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, kind: str, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)
