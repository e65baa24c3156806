"""Who gets to the staff pages, and that nobody writes there."""

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import URLResolver, reverse

from gas.admin import staff_site
from gas.models import (
    AccountEvent,
    Alarm,
    ApiToken,
    BillingEvent,
    Discard,
    Grant,
    Job,
    JobEvent,
    Notice,
    Plan,
    Reconciliation,
    SignIn,
    StaffAct,
    Subscription,
    Upload,
    User,
    Webhook,
)

TABLES = [
    AccountEvent,
    Alarm,
    ApiToken,
    BillingEvent,
    Discard,
    Grant,
    Job,
    JobEvent,
    Notice,
    Plan,
    Reconciliation,
    SignIn,
    StaffAct,
    Subscription,
    Upload,
    User,
    Webhook,
]

#: Where people come in and leave; these belong to the sign-in.
DOORS = ("login/", "logout/")

EVERY_TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)


def page(table: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:gas_{table.__name__.lower()}_{name}", args=args)


def any_row(table: type[Model]) -> Model:
    row = table._default_manager.first()
    assert row is not None
    return row


def every_address() -> list[str]:
    """Return every address of the staff pages, with the first row where one is asked for."""
    addresses = []
    for pattern in staff_site.get_urls():
        prefix = f"/admin/{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            table = next(each for each in TABLES if f"/{each.__name__.lower()}/" in prefix)
            key = str(any_row(table).pk)
            rows = [f"{prefix}{row.pattern}" for row in pattern.url_patterns]
            addresses += [row.replace("<path:object_id>", key) for row in rows]
        elif "<" not in prefix and not prefix.endswith(DOORS):
            addresses.append(prefix)
    return addresses


def test_the_site_knows_these_tables_and_no_others() -> None:
    assert set(staff_site._registry) == set(TABLES)


@EVERY_TABLE
def test_staff_see_every_table_and_row(staff: Client, one_of_each: Job, table: type[Model]) -> None:
    row = any_row(table)
    assert staff.get(page(table, "changelist")).status_code == 200
    assert staff.get(page(table, "change", row.pk)).status_code == 200


@EVERY_TABLE
def test_nobody_adds_changes_or_deletes_a_row(
    staff: Client, operator: User, one_of_each: Job, table: type[Model]
) -> None:
    User.objects.filter(pk=operator.pk).update(is_superuser=True)
    rows = list(table._default_manager.values())
    pk = any_row(table).pk
    for method in (staff.get, staff.post):
        assert method(page(table, "add")).status_code == 403
        assert method(page(table, "delete", pk)).status_code == 403
    assert staff.post(page(table, "change", pk), {"name": "x", "email": "x"}).status_code == 403
    assert list(table._default_manager.values()) == rows


@EVERY_TABLE
def test_no_table_offers_to_delete_what_is_chosen(
    staff: Client, one_of_each: Job, table: type[Model]
) -> None:
    form = {"action": "delete_selected", "_selected_action": any_row(table).pk, "post": "yes"}
    staff.post(page(table, "changelist"), form)
    assert table._default_manager.exists()
    assert b"delete_selected" not in staff.get(page(table, "changelist")).content


def test_every_page_is_missing_for_whoever_is_not_staff(
    client: Client, one_of_each: Job, owner: User
) -> None:
    client.force_login(owner)
    addresses = every_address()
    assert len(addresses) > 5 * len(TABLES)
    for address in addresses:
        assert client.get(address).status_code == 404, address
        assert client.post(address).status_code == 404, address


def test_every_page_asks_a_visitor_to_sign_in(client: Client, one_of_each: Job) -> None:
    for address in every_address():
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].partition("?")[0] in {"/login/", "/admin/login/"}


def test_a_former_member_of_the_staff_sees_nothing(staff: Client, operator: User) -> None:
    assert staff.get("/admin/").status_code == 200
    User.objects.filter(pk=operator.pk).update(is_staff=False)
    assert staff.get("/admin/").status_code == 404


def test_there_is_no_password_to_change(staff: Client) -> None:
    assert staff.get("/admin/password_change/").status_code == 404
    assert staff.post("/admin/password_change/done/").status_code == 404
    assert b"password" not in staff.get("/admin/").content.lower()


def test_no_page_shows_the_hash_of_a_password_or_a_token(staff: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(password="planted-hash")
    assert b"planted-hash" not in staff.get(page(User, "change", owner.pk)).content
    assert b"planted-hash" not in staff.get(page(User, "changelist")).content


@pytest.mark.parametrize("table", [SignIn, ApiToken, Webhook], ids=lambda table: table.__name__)
def test_no_page_shows_what_opens_an_account(
    staff: Client, one_of_each: Job, table: type[Model]
) -> None:
    row = any_row(table).pk
    for shown in (page(table, "changelist"), page(table, "change", row), page(User, "changelist")):
        assert b"planted" not in staff.get(shown).content
    assert b"planted" not in staff.get(page(User, "change", one_of_each.owner_id)).content


def test_the_index_leads_to_what_staff_did_and_shows_no_other_log(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert 'href="/admin/gas/staffact/"' in page
    assert "Recent actions" not in page
