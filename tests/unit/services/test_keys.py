"""Keys are changed without losing what they sealed."""

import base64
import io

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import BinaryField
from django.utils import timezone
from pytest_django import Settings

from gas.models import GlobusToken, User, Webhook
from gas.sealing import InvalidToken, seal, unseal
from gas.services import keys

OLD, NEW = (base64.urlsafe_b64encode(letter * 32) for letter in (b"o", b"n"))


@pytest.fixture
def kept(owner: User, settings: Settings) -> tuple[GlobusToken, Webhook]:
    """A token and a secret that the old key sealed."""
    settings.TOKEN_KEYS = [OLD]
    token = GlobusToken.objects.create(
        user=owner,
        resource_server="auth.globus.org",
        scope="openid",
        access_token=seal("access"),
        expires_at=timezone.now(),
    )
    return token, Webhook.objects.create(
        owner=owner,
        url="https://example.org/hook",
        secret=seal("shared"),
        old_secret=seal("before"),
        old_secret_until=timezone.now(),
        events=[],
    )


def test_what_the_old_key_sealed_is_opened_by_the_new_one_alone(
    kept: tuple[GlobusToken, Webhook], settings: Settings
) -> None:
    settings.TOKEN_KEYS = [NEW, OLD]
    out = io.StringIO()
    call_command("reseal", stdout=out)
    assert out.getvalue() == "3 sealed with the newest key\n"
    settings.TOKEN_KEYS = [NEW]
    for row in kept:
        row.refresh_from_db()
    opened = [unseal(sealed) for sealed in (kept[0].access_token, kept[1].secret)]
    assert opened == ["access", "shared"]
    assert kept[1].old_secret is not None
    assert unseal(kept[1].old_secret) == "before"


def test_a_key_that_went_too_early_is_told_and_nothing_is_touched(
    kept: tuple[GlobusToken, Webhook], settings: Settings
) -> None:
    settings.TOKEN_KEYS = [NEW]
    with pytest.raises(CommandError, match="3 cannot be opened"):
        call_command("reseal", stdout=io.StringIO())
    kept[1].refresh_from_db()
    with pytest.raises(InvalidToken):
        unseal(kept[1].secret)
    settings.TOKEN_KEYS = [NEW, OLD]
    assert unseal(kept[1].secret) == "shared"


def test_every_column_of_bytes_is_known_to_the_change_of_keys() -> None:
    columns = {
        (model, field.name)
        for model in apps.get_app_config("gas").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, BinaryField)
    }
    assert columns == {(rows.model, column) for rows, column in keys.sealed()}
