"""Everything that is kept about an account, as one ZIP of JSON that is written while it is sent."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Case, Q, Value, When

from gas.models import AccountEvent, Delivery, JobEvent, Notice, ResultFile, User

Rows = Iterable[Mapping[str, Any]]

#: Rows that are asked of the database at a time, however many there are.
PAGE = 2000

README = """What GAS keeps about your account, one JSON file for each kind of row.

Times are UTC, sizes are bytes, checksums are SHA-256. Result files are listed, not contained:
download those you want from the pages of their jobs. Secrets are left out: of your Globus
tokens, API tokens and webhooks you find that they exist and what they are for.
"""

ACCOUNT = (
    "id",
    "username",
    "first_name",
    "last_name",
    "email",
    "plan",
    *User.OWN.values(),
    "date_joined",
    "last_login",
)
JOB = (
    *("id", "name", "notes", "status", "bundle", "upload", "failure", "variants"),
    *("created_at", "completed_at", "archived_at", "wake_at"),
)
UPLOAD = ("id", "filename", "status", "size", "assembly", "refusal", "created_at", "removed_at")
TOKEN = ("id", "name", "scopes", "created_at", "expires_at", "used_at", "revoked_at")
WEBHOOK = (
    *("id", "url", "events", "is_active", "created_at", "delivered_at"),
    *("failures", "failing_since", "disabled_at", "disabled_reason"),
)
CALL = (
    *("webhook", "message_id", "event", "job_number", "created_at"),
    *("tries", "tried_at", "delivered_at", "answered", "said"),
)
EVENT = ("job", "at", "before", "after", "reason")
FILE = ("job", "kind", "key", "size", "sha256", "archive_id")


class _Pipe:
    """A file that cannot be sought, and hands on what is written into it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, content: bytes) -> int:
        """Take some bytes."""
        self._written.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: what was written is there."""

    def close(self) -> None:
        """Do nothing: nobody waits for an end."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        content = b"".join(self._written)
        self._written.clear()
        return content


def export(*, user: User) -> Iterator[bytes]:
    """Yield the pieces of the ZIP; its size in memory does not grow with the account."""
    AccountEvent.objects.create(account=user, actor="owner", what="exported what is kept")
    return _pieces(user)


def _pieces(user: User) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for name, rows in _kinds(user).items():
            with archive.open(f"{name}.json", "w", force_zip64=True) as entry:
                for line in _lines(rows):
                    entry.write(line)
                    yield pipe.take()
    yield pipe.take()


def _lines(rows: Rows) -> Iterator[bytes]:
    """Write an array with one object a line."""
    before = "[\n"
    for row in rows:
        yield (before + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)).encode()
        before = ",\n"
    yield b"\n]\n" if before == ",\n" else b"[]\n"


def _by(user: User) -> Case:
    """Who moved a job: its owner, or the service, without the names of its staff and machines."""
    return Case(When(actor=user.username, then=Value("owner")), default=Value("service"))


def _kinds(user: User) -> dict[str, Rows]:
    """What is kept, by kind."""
    events = JobEvent.objects.filter(job__owner=user).order_by("pk")
    files = ResultFile.objects.filter(job__owner=user).order_by("pk")
    theirs = Q(job__owner=user) | Q(subscription__user=user) | Q(webhook__owner=user)
    calls = Delivery.objects.filter(webhook__owner=user).order_by("pk")
    identities = SocialAccount.objects.filter(user=user)
    return {
        "account": User.objects.filter(pk=user.pk).values(*ACCOUNT),
        "identities": identities.values("provider", "uid", "extra_data", "date_joined"),
        "browsers": user.sign_ins.values("browser", "at"),
        "globus_tokens": user.globus_tokens.values("resource_server", "scope", "expires_at"),
        "api_tokens": user.api_tokens.values(*TOKEN),
        "requests": user.idempotency_keys.values("key", "job", "created_at"),
        "declined_mails": user.declined_topics.values("topic"),
        "subscriptions": user.subscriptions.values(
            "status", "customer_id", "provider_id", "started_at", "ended_at", "unpaid_since"
        ),
        "premium_given": user.grants.values("given_at", "until", "ended_at", "reason"),
        "jobs": user.jobs.order_by("pk").values(*JOB).iterator(PAGE),
        "uploads": user.uploads.order_by("created_at").values(*UPLOAD).iterator(PAGE),
        "files": files.values(*FILE).iterator(PAGE),
        "webhooks": user.webhooks.order_by("pk").values(*WEBHOOK),
        "webhook_calls": calls.values(*CALL).iterator(PAGE),
        "mails": Notice.objects.filter(theirs)
        .order_by("pk")
        .values("job", "subscription", "webhook", "kind", "created_at", "sent_at", "told")
        .iterator(PAGE),
        "job_history": events.values(*EVENT, by=_by(user)).iterator(PAGE),
        "account_history": user.events.values("at", "actor", "what"),
    }
