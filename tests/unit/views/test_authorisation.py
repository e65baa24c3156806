"""Who may reach what, for every address of the site; a new one without a row fails."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from gas.models import (
    ApiToken,
    Delivery,
    Job,
    Plan,
    Scope,
    Status,
    Upload,
    User,
    Webhook,
    WebhookEvent,
)
from gas.services import api_tokens, uploads, webhooks
from tests.stage import Shelf, job_in
from tests.unit.mail.letters import declining_signature
from tests.unit.views.conftest import signed_in

pytestmark = pytest.mark.django_db


class Reach(Enum):
    """Who an address answers."""

    EVERYBODY = auto()
    SIGNED_IN = auto()
    OWNER = auto()
    STAFF = auto()


@dataclass(frozen=True)
class Row:
    """One address: who it answers, the only methods it takes, whose row its path names."""

    reach: Reach
    methods: tuple[str, ...]
    names: str = ""


DAY = timedelta(days=1)

READ, SEND = ("get", "head"), ("post",)

TABLE = {
    "home": Row(Reach.EVERYBODY, READ),
    "help": Row(Reach.EVERYBODY, READ),
    "api_reference": Row(Reach.EVERYBODY, READ),
    "help_topic": Row(Reach.EVERYBODY, READ, "topic"),
    "terms": Row(Reach.EVERYBODY, READ),
    "left": Row(Reach.EVERYBODY, READ),
    "decline_mails": Row(Reach.EVERYBODY, READ + SEND, "signed"),
    "account": Row(Reach.SIGNED_IN, READ),
    "choose_mails": Row(Reach.SIGNED_IN, SEND),
    "end_sign_ins": Row(Reach.SIGNED_IN, SEND),
    "export": Row(Reach.SIGNED_IN, SEND),
    "leave": Row(Reach.SIGNED_IN, READ + SEND),
    "tokens": Row(Reach.SIGNED_IN, READ + SEND),
    "revoke_token": Row(Reach.OWNER, SEND, "token"),
    "webhooks": Row(Reach.SIGNED_IN, READ + SEND),
    "webhook": Row(Reach.OWNER, READ, "webhook"),
    "pause_webhook": Row(Reach.OWNER, SEND, "webhook"),
    "resume_webhook": Row(Reach.OWNER, SEND, "webhook"),
    "rotate_webhook": Row(Reach.OWNER, SEND, "webhook"),
    "test_webhook": Row(Reach.OWNER, SEND, "webhook"),
    "delete_webhook": Row(Reach.OWNER, SEND, "webhook"),
    "redeliver": Row(Reach.OWNER, SEND, "delivery"),
    "robots": Row(Reach.EVERYBODY, READ),
    "provenance_key": Row(Reach.EVERYBODY, READ),
    "login": Row(Reach.EVERYBODY, READ),
    "globus_login": Row(Reach.EVERYBODY, SEND),
    "globus_callback": Row(Reach.EVERYBODY, READ),
    "logout": Row(Reach.EVERYBODY, SEND),
    "billing_webhook": Row(Reach.EVERYBODY, SEND),
    "jobs": Row(Reach.SIGNED_IN, READ),
    "chosen_jobs": Row(Reach.SIGNED_IN, READ + SEND),
    "new_job": Row(Reach.SIGNED_IN, READ),
    "submit_example": Row(Reach.SIGNED_IN, SEND),
    "begin_upload": Row(Reach.SIGNED_IN, SEND),
    "subscription": Row(Reach.SIGNED_IN, READ),
    "checkout": Row(Reach.SIGNED_IN, SEND),
    "portal": Row(Reach.SIGNED_IN, SEND),
    "upload": Row(Reach.OWNER, READ, "upload"),
    "sign_part": Row(Reach.OWNER, SEND, "upload"),
    "submit_upload": Row(Reach.OWNER, SEND, "upload"),
    "cancel_upload": Row(Reach.OWNER, SEND, "upload"),
    "job": Row(Reach.OWNER, READ, "job"),
    "job_live": Row(Reach.OWNER, READ, "job"),
    "job_log": Row(Reach.OWNER, READ, "job"),
    "cancel_job": Row(Reach.OWNER, SEND, "job"),
    "run_again": Row(Reach.OWNER, SEND, "job"),
    "delete_job": Row(Reach.OWNER, SEND, "job"),
    "download": Row(Reach.OWNER, READ, "file"),
    "results": Row(Reach.OWNER, READ, "job"),
    "variants": Row(Reach.OWNER, READ, "job"),
    "transcripts": Row(Reach.OWNER, READ, "variant"),
    "filtered_file": Row(Reach.OWNER, READ, "file"),
    "operations": Row(Reach.STAFF, READ),
    "operations_live": Row(Reach.STAFF, READ),
    "operations_act": Row(Reach.STAFF, READ + SEND),
    "operations_maintenance": Row(Reach.STAFF, READ + SEND),
    "account_costs": Row(Reach.STAFF, READ, "account"),
    "job_costs": Row(Reach.STAFF, READ, "job"),
}

#: Addresses without a name; each leads staff to the one way in, and is tested where it is made.
UNNAMED = {"admin/login/", "admin/logout/"}

#: Addresses with tables of their own: tests/unit/admin, and tests/unit/api/test_authorisation.py.
ELSEWHERE = {"admin", "api"}

#: What is posted here without our form: a signature tells who may.
SIGNED = {"billing_webhook", "decline_mails"}

METHODS = ("get", "head", "post", "put", "patch", "delete")


@pytest.fixture
def addresses(owner: User, shelf: Shelf) -> dict[str, str]:
    """Every address of the table, naming a job, a file and an upload of the owner."""
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    made = webhooks.add(
        user=owner, url="https://hooks.example.org", events=[WebhookEvent.FAILED]
    ).webhook
    upload = uploads.begin(owner=owner, filename="trio7.vcf").upload
    arguments: dict[str, list[object]] = {
        "": [],
        "job": [job.pk],
        "file": [job.pk, "vcf"],
        "variant": [job.pk, 0],
        "upload": [upload.pk],
        "topic": ["consequences"],
        "account": [owner.pk],
        "token": [
            api_tokens.issue(user=owner, name="a", scopes=[Scope.READ], lifetime=DAY).token.pk
        ],
        "webhook": [made.pk],
        "delivery": [made.owe(WebhookEvent.TEST).message_id],
        "signed": [declining_signature(owner)],
    }
    return {name: reverse(name, args=arguments[row.names]) for name, row in TABLE.items()}


def test_every_address_has_a_row() -> None:
    found = set()
    for entry in get_resolver().url_patterns:
        for pattern in getattr(entry, "url_patterns", [entry]):
            if getattr(entry, "namespace", None) in ELSEWHERE:
                continue
            assert isinstance(pattern, URLPattern)
            found.add(pattern.name or str(pattern.pattern))
    assert found == set(TABLE) | UNNAMED


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.reach.value > 1])
def test_nobody_gets_in_without_signing_in(
    client: Client, addresses: dict[str, str], name: str
) -> None:
    for method in METHODS:
        answer = getattr(client, method)(addresses[name])
        assert answer.status_code == HTTPStatus.FOUND
        assert answer["Location"] == f"/login/?next={addresses[name]}"


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.reach is Reach.OWNER])
def test_another_users_row_does_not_exist(
    outsider: Client, addresses: dict[str, str], name: str
) -> None:
    for method in TABLE[name].methods:
        assert getattr(outsider, method)(addresses[name]).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.reach is Reach.OWNER])
def test_staff_have_no_way_in_by_the_pages(addresses: dict[str, str], name: str) -> None:
    staff = User.objects.create_user("staff", is_staff=True, is_superuser=True)
    for method in TABLE[name].methods:
        answer = getattr(signed_in(staff), method)(addresses[name])
        assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.reach is Reach.STAFF])
def test_a_page_of_staff_does_not_exist_for_others_not_even_for_the_owner_of_what_it_shows(
    researcher: Client, addresses: dict[str, str], name: str
) -> None:
    for method in METHODS:
        answer = getattr(researcher, method)(addresses[name])
        assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.reach is Reach.STAFF])
def test_a_page_of_staff_asks_for_the_second_factor(addresses: dict[str, str], name: str) -> None:
    staff = User.objects.create_user("staff", is_staff=True, is_superuser=True)
    for method in TABLE[name].methods:
        answer = getattr(signed_in(staff), method)(addresses[name])
        assert answer.status_code == HTTPStatus.FOUND
        assert answer["Location"].startswith("/admin/login/?next=")


@pytest.mark.parametrize(
    "name", [name for name, row in TABLE.items() if row.reach is not Reach.STAFF]
)
def test_no_other_method_is_taken(researcher: Client, addresses: dict[str, str], name: str) -> None:
    for method in set(METHODS) - set(TABLE[name].methods):
        answer = getattr(researcher, method)(addresses[name])
        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    "name",
    [name for name, row in TABLE.items() if "post" in row.methods and name not in SIGNED],
)
def test_no_other_site_can_send_our_forms(
    owner: User, addresses: dict[str, str], name: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    assert client.post(addresses[name]).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, row in TABLE.items()
        if "get" in row.methods and row.reach in (Reach.SIGNED_IN, Reach.OWNER)
    ],
)
def test_reading_changes_nothing(
    researcher: Client, addresses: dict[str, str], owner: User, name: str
) -> None:
    def everything() -> list[object]:
        return [
            list(User.objects.values().order_by("pk")),
            list(Job.objects.values().order_by("pk")),
            list(Upload.objects.values().order_by("pk")),
            list(Plan.objects.values().order_by("pk")),
            list(ApiToken.objects.values().order_by("pk")),
            list(Webhook.objects.values().order_by("pk")),
            list(Delivery.objects.values().order_by("pk")),
        ]

    before = everything()
    assert researcher.get(addresses[name]).status_code in (HTTPStatus.OK, HTTPStatus.FOUND)
    assert everything() == before


def test_ids_are_guesses(researcher: Client) -> None:
    for path in ("/jobs/999999/", "/jobs/99999999999999999999999/", "/jobs/-1/"):
        assert researcher.get(path).status_code == HTTPStatus.NOT_FOUND
