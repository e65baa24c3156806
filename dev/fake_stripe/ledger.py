"""What the fake knows: checkouts, customers, subscriptions, invoices, in memory or in one file."""

import json
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Form = dict[str, str]

GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"

#: The parameters of a checkout that the fake understands; Stripe, too, refuses unknown ones.
_CHECKOUT = re.compile(
    r"mode|success_url|cancel_url|client_reference_id|customer_email"
    r"|line_items\[0\]\[(price|quantity)\]|subscription_data\[metadata\]\[\w+\]"
)
_METADATA = re.compile(r"subscription_data\[metadata\]\[(\w+)\]")
_TABLES = ("sessions", "portals", "customers", "subscriptions", "invoices", "answers")


@dataclass(eq=False)
class Refused(Exception):
    """An answer in Stripe's form of an error, https://docs.stripe.com/api/errors."""

    status: int
    code: str
    message: str
    param: str = ""
    type: str = "invalid_request_error"

    def body(self) -> Json:
        """Return the error object."""
        names = ("type", "code", "message", "param")
        return {name: value for name in names if (value := getattr(self, name))}


@dataclass
class Ledger:
    """The objects by their ids; every verb that changes them returns the events it caused."""

    file: Path | None = None
    sessions: dict[str, Json] = field(default_factory=dict)
    portals: dict[str, Json] = field(default_factory=dict)
    customers: dict[str, Json] = field(default_factory=dict)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    invoices: dict[str, Json] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        if self.file and self.file.exists():
            for table, rows in json.loads(self.file.read_text()).items():
                getattr(self, table).update(rows)

    def once(self, key: str, form: Form, make: Callable[[], Json]) -> Json:
        """Answer a repeated idempotency key with the first answer, and refuse another request."""
        with self.lock:
            if key not in self.answers:
                self.answers[key] = {"form": form, "answer": make()}
                self._save()
            if self.answers[key]["form"] != form:
                text = "Keys for idempotent requests can only be used with the same parameters."
                raise Refused(400, "", text, type="idempotency_error")
            answer: Json = self.answers[key]["answer"]
            return answer

    def open_checkout(self, form: Form, site: str) -> Json:
        """Make a checkout session for one subscription."""
        _check_checkout(form)
        metadata = {m[1]: value for name, value in form.items() if (m := _METADATA.fullmatch(name))}
        session_id = _new("cs_test")
        return self._put(
            self.sessions,
            _object(session_id, "checkout.session")
            | {
                "mode": "subscription",
                "status": "open",
                "payment_status": "unpaid",
                "url": f"{site}/c/pay/{session_id}",
                "success_url": form["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id),
                "cancel_url": form.get("cancel_url"),
                "client_reference_id": form.get("client_reference_id"),
                "customer_email": form.get("customer_email"),
                "customer": None,
                "subscription": None,
                "metadata": {},
                "order": {"price": form["line_items[0][price]"], "metadata": metadata},
            },
        )

    def open_portal(self, form: Form, site: str) -> Json:
        """Make a session of the billing portal for a known customer."""
        customer = self.find("customers", form.get("customer", ""))
        portal_id = _new("bps")
        return self._put(
            self.portals,
            _object(portal_id, "billing_portal.session")
            | {
                "customer": customer["id"],
                "return_url": form.get("return_url"),
                "url": f"{site}/p/session/{portal_id}",
            },
        )

    def find(self, table: str, key: str) -> Json:
        """Return an object, or refuse as Stripe does when there is none."""
        rows: dict[str, Json] = getattr(self, table)
        if key not in rows:
            raise Refused(404, "resource_missing", f"No such {table.rstrip('s')}: '{key}'", "id")
        return rows[key]

    def of_customer(self, table: str, customer_id: str) -> list[Json]:
        """Return the customer's objects of one kind, oldest first."""
        rows: dict[str, Json] = getattr(self, table)
        with self.lock:
            return [row for row in rows.values() if row["customer"] == customer_id]

    def pay(self, session_id: str, card: str) -> list[Json]:
        """Charge the card of an open checkout; one that is paid already causes nothing more."""
        with self.lock:
            session = self.find("sessions", session_id)
            if session["status"] == "complete":
                return []
            _check_card(card)
            customer = _object(_new("cus"), "customer") | {"email": session["customer_email"]}
            self.customers[customer["id"]] = customer
            subscription = self._subscribe(customer["id"], session["order"])
            invoice = self._invoice(subscription)
            session |= {
                "status": "complete",
                "payment_status": "paid",
                "customer": customer["id"],
                "subscription": subscription["id"],
            }
            self._save()
            return [
                _event("customer.subscription.created", subscription),
                _event("checkout.session.completed", session),
                _event("invoice.paid", invoice),
            ]

    def cancel(self, subscription_id: str) -> list[Json]:
        """End a subscription at once; an ended one is refused, as Stripe does."""
        with self.lock:
            subscription = self.find("subscriptions", subscription_id)
            if subscription["status"] == "canceled":
                text = f"No such subscription: '{subscription_id}'"
                raise Refused(404, "resource_missing", text, "id")
            subscription |= {
                "status": "canceled",
                "canceled_at": int(time.time()),
                "ended_at": int(time.time()),
            }
            self._save()
            return [_event("customer.subscription.deleted", subscription)]

    def turn(self, subscription_id: str, status: str) -> list[Json]:
        """Put a subscription into any status of Stripe's, such as `past_due` or `unpaid`."""
        with self.lock:
            subscription = self.find("subscriptions", subscription_id)
            subscription["status"] = status
            self._save()
            return [_event("customer.subscription.updated", subscription)]

    def _subscribe(self, customer_id: str, order: Json) -> Json:
        return self._put(
            self.subscriptions,
            _object(_new("sub"), "subscription")
            | {
                "customer": customer_id,
                "status": "active",
                "metadata": order["metadata"],
                "cancel_at_period_end": False,
                "canceled_at": None,
                "ended_at": None,
                "items": {"object": "list", "data": [{"price": {"id": order["price"]}}]},
            },
        )

    def _invoice(self, subscription: Json) -> Json:
        return self._put(
            self.invoices,
            _object(_new("in"), "invoice")
            | {
                "customer": subscription["customer"],
                "status": "paid",
                "parent": {
                    "type": "subscription_details",
                    "subscription_details": {"subscription": subscription["id"]},
                },
            },
        )

    def _put(self, table: dict[str, Json], row: Json) -> Json:
        with self.lock:
            table[row["id"]] = row
            self._save()
        return row

    def _save(self) -> None:
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            draft = self.file.with_name(f"{self.file.name}.draft")
            draft.write_text(json.dumps({table: getattr(self, table) for table in _TABLES}))
            draft.replace(self.file)


def _new(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def _object(key: str, kind: str) -> Json:
    return {"id": key, "object": kind, "created": int(time.time()), "livemode": False}


def _event(kind: str, subject: Json) -> Json:
    """Wrap a copy of an object as it is now, https://docs.stripe.com/api/events/object."""
    snapshot = json.loads(json.dumps(subject))
    return _object(_new("evt"), "event") | {"type": kind, "data": {"object": snapshot}}


def _check_checkout(form: Form) -> None:
    for name in form:
        if not _CHECKOUT.fullmatch(name):
            raise Refused(400, "parameter_unknown", f"Received unknown parameter: {name}", name)
    for name in ("success_url", "line_items[0][price]"):
        if not form.get(name):
            raise Refused(400, "parameter_missing", f"Missing required param: {name}.", name)
    if form.get("mode") != "subscription":
        raise Refused(400, "parameter_invalid_string", "Only subscriptions are sold.", "mode")
    for name in ("success_url", "cancel_url"):
        if not form.get(name, "http://").startswith(("http://", "https://")):
            raise Refused(400, "url_invalid", "Not a valid URL", name)
    email = form.get("customer_email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Refused(400, "email_invalid", f"Invalid email address: {email}", "customer_email")


def _check_card(card: str) -> None:
    digits = re.sub(r"[\s-]", "", card)
    if digits == DECLINED_CARD:
        raise Refused(402, "card_declined", "Your card was declined.", "card", "card_error")
    if digits != GOOD_CARD:
        raise Refused(402, "incorrect_number", "Your card number is invalid.", "card", "card_error")
