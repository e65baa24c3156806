"""The tokens that come with a sign-in, and the way out."""

import time
from datetime import timedelta
from http import HTTPStatus

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from globus_sdk import AuthAPIError
from pytest_django import Settings

from dev.fake_globus import PERSONAS, FakeGlobus
from gas.globus import tokens
from gas.models import GlobusToken, User
from tests.globus.visitor import HOST, Visitor, query_of

FREE = PERSONAS[0]
AUTH = "auth.globus.org"
TRANSFER = "transfer.api.globus.org"


@pytest.fixture
def transfer_asked(settings: Settings) -> None:
    """Ask for a second resource server at sign-in."""
    settings.GLOBUS_SCOPES = [*settings.GLOBUS_SCOPES, f"urn:globus:auth:scope:{TRANSFER}:all"]


def test_the_tokens_of_every_resource_server_are_kept(
    globus: FakeGlobus, visitor: Visitor, transfer_asked: None
) -> None:
    visitor.sign_in(FREE)
    kept = {row.resource_server: row.scope for row in GlobusToken.objects.all()}
    assert set(kept) == {AUTH, TRANSFER}
    assert kept[TRANSFER] == f"urn:globus:auth:scope:{TRANSFER}:all"


def test_a_copy_of_the_database_holds_no_token(
    globus: FakeGlobus, visitor: Visitor, transfer_asked: None
) -> None:
    visitor.sign_in(FREE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM gas_globustoken")
        stored = b"".join(bytes(value) for row in cursor.fetchall() for value in row)
    assert len(globus.ledger.tokens) == 4
    assert len(stored) > 4 * 40
    assert not [value for value in globus.ledger.tokens if value.encode() in stored]


def test_a_kept_token_signs_requests(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    header = tokens.authorizer(user=User.objects.get(), resource_server=AUTH)
    value = header.get_authorization_header().removeprefix("Bearer ")
    assert globus.ledger.living(value, kind="access")
    assert len(globus.ledger.tokens) == 2


def test_an_expired_token_is_refreshed_and_stored(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    user = User.objects.get()
    GlobusToken.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    before = GlobusToken.objects.get()
    value = tokens.authorizer(user=user, resource_server=AUTH).get_authorization_header()
    after = GlobusToken.objects.get()
    assert after.expires_at.timestamp() > time.time() + 3600
    assert bytes(after.access_token) != bytes(before.access_token)
    assert bytes(after.refresh_token) == bytes(before.refresh_token)
    again = tokens.authorizer(user=user, resource_server=AUTH).get_authorization_header()
    assert again == value


def test_a_grant_withdrawn_at_globus_is_an_error_of_its_own(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    visitor.sign_in(FREE)
    globus.revoked.update(globus.ledger.tokens)
    GlobusToken.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    header = tokens.authorizer(user=User.objects.get(), resource_server=AUTH)
    with pytest.raises(AuthAPIError):
        header.get_authorization_header()


def test_signing_out_revokes_everything_and_goes_on_to_globus(
    globus: FakeGlobus, visitor: Visitor, transfer_asked: None
) -> None:
    visitor.sign_in(FREE)
    answer = visitor.client.post("/logout/")
    assert globus.revoked == set(globus.ledger.tokens)
    assert len(globus.revoked) == 4
    assert not GlobusToken.objects.exists()
    assert not visitor.is_signed_in
    assert answer["Location"].startswith(f"{globus.url}/v2/web/logout?")
    assert query_of(answer["Location"])["redirect_uri"] == f"http://{HOST}/"


def test_signing_out_leaves_the_tokens_of_others_alone(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    Visitor().sign_in(PERSONAS[1])
    visitor.sign_in(FREE)
    visitor.client.post("/logout/")
    assert GlobusToken.objects.get().user.username == PERSONAS[1].sub


def test_a_dead_globus_keeps_nobody_from_signing_out(
    globus: FakeGlobus, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.sign_in(FREE)
    globus.stop()
    assert visitor.client.post("/logout/").status_code == 302
    assert not visitor.is_signed_in
    assert not GlobusToken.objects.exists()
    assert "cannot be reached to revoke" in caplog.text


def test_a_silent_globus_holds_the_sign_out_for_one_time_out_only(
    globus: FakeGlobus,
    visitor: Visitor,
    transfer_asked: None,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    visitor.sign_in(FREE)
    settings.GLOBUS_TIMEOUT = timedelta(seconds=0.5)
    globus.stall()
    visitor.client.post("/logout/")
    assert caplog.text.count("cannot be reached to revoke") == 1  # of four tokens
    assert not visitor.is_signed_in


def test_trouble_at_globus_keeps_nobody_from_signing_out(
    globus: FakeGlobus, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.sign_in(FREE)
    globus.failing = HTTPStatus.SERVICE_UNAVAILABLE
    visitor.client.post("/logout/")
    assert not visitor.is_signed_in
    assert not GlobusToken.objects.exists()
    assert "status 503" in caplog.text


def test_a_changed_site_key_keeps_nobody_from_signing_out(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    visitor.sign_in(FREE)
    settings.TOKEN_KEYS = [b"A" * 43 + b"="]
    assert visitor.client.post("/logout/").status_code == 302
    assert not GlobusToken.objects.exists()


def test_opening_the_sign_out_address_changes_nothing(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    assert visitor.client.get("/logout/").status_code == 405
    assert visitor.client.get("/admin/logout/").status_code == 405
    assert visitor.is_signed_in
    assert not globus.revoked


def test_who_is_not_signed_in_can_still_end_the_session_at_globus(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    assert visitor.client.post("/logout/")["Location"].startswith(globus.url)
    assert not Session.objects.exists()


def test_an_older_key_opens_while_it_is_kept_and_the_newest_seals(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    visitor.sign_in(FREE)
    older, newer = settings.TOKEN_KEYS[0], Fernet.generate_key()
    settings.TOKEN_KEYS = [newer, older]
    user = User.objects.get()
    assert tokens.authorizer(user=user, resource_server=AUTH).get_authorization_header()
    visitor.sign_in(FREE)
    settings.TOKEN_KEYS = [newer]
    assert tokens.authorizer(user=user, resource_server=AUTH).get_authorization_header()
    settings.TOKEN_KEYS = [older]
    with pytest.raises(InvalidToken):
        tokens.authorizer(user=user, resource_server=AUTH)
