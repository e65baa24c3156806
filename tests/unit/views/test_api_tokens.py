"""API tokens: shown once, kept as digests, scoped, ending, revocable, their use noted."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from gas.models import ApiToken, Scope, User
from gas.services import api_tokens
from gas.services.api_tokens import MOST_LIVING, TokenRefused

DAY = timedelta(days=1)
NEW = {"name": "notebook", "scopes": ["account:read"], "days": "30"}
Ask = Callable[[str], int]


@pytest.fixture
def secret(owner: User) -> str:
    return api_tokens.issue(
        user=owner, name="notebook", scopes=[Scope.ACCOUNT], lifetime=DAY
    ).secret


@pytest.fixture
def ask(client: Client) -> Ask:
    """Ask for the account with a token; the status of the answer."""

    def get(secret: str, scheme: str = "Bearer") -> int:
        headers = {"Authorization": f"{scheme} {secret}"}
        return client.get("/api/v1/me", headers=headers).status_code

    return get


def test_a_new_token_is_shown_once_and_kept_as_a_digest(researcher: Client, ask: Ask) -> None:
    answer = researcher.post("/account/tokens/", NEW)
    page = answer.content.decode()
    secret = page.partition('id="secret">')[2].partition("<")[0]
    assert secret.startswith("gas_")
    assert len(secret) > 40
    assert ask(secret) == HTTPStatus.OK
    assert secret not in researcher.get("/account/tokens/").content.decode()
    assert secret not in str(list(ApiToken.objects.values()))
    assert answer["Cache-Control"] == "private, no-store"


def test_a_bearer_learns_the_account_its_plan_and_what_the_token_may(
    client: Client, owner: User, secret: str
) -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    told = answer.json()
    assert (told["account"], told["plan"]["name"]) == (owner.username, "free")
    assert told["plan"]["max_upload_bytes"] == owner.plan.max_upload_bytes
    assert told["token"]["scopes"] == ["account:read"]


@pytest.mark.parametrize("forge", [str.lower, lambda s: s[:-1], lambda s: s + "x", lambda _: ""])
def test_every_other_string_is_refused(ask: Ask, secret: str, forge: Callable[[str], str]) -> None:
    assert ask(forge(secret)) == HTTPStatus.UNAUTHORIZED


def test_a_digest_opens_nothing(ask: Ask, secret: str) -> None:
    assert ask(ApiToken.objects.get().digest) == HTTPStatus.UNAUTHORIZED


def test_a_session_opens_no_api(researcher: Client) -> None:
    answer = researcher.get("/api/v1/me")
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_opens_no_page(client: Client, secret: str) -> None:
    answer = client.get("/account/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == HTTPStatus.FOUND


def test_a_token_without_the_scope_is_refused(client: Client, owner: User, ask: Ask) -> None:
    others = [scope for scope in Scope if scope is not Scope.ACCOUNT]
    issued = api_tokens.issue(user=owner, name="a", scopes=others, lifetime=DAY)
    assert ask(issued.secret) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "change",
    [{"revoked_at": Now()}, {"expires_at": Now() - DAY, "created_at": Now() - 2 * DAY}],
)
def test_a_token_that_was_revoked_or_is_over_is_refused(
    ask: Ask, secret: str, change: dict[str, object]
) -> None:
    ApiToken.objects.update(**change)
    assert ask(secret) == HTTPStatus.UNAUTHORIZED


def test_a_token_of_a_closed_account_is_refused(ask: Ask, secret: str) -> None:
    User.objects.update(is_active=False)
    assert ask(secret) == HTTPStatus.UNAUTHORIZED


def test_revoking_ends_it_at_once_and_others_cannot(
    researcher: Client, outsider: Client, ask: Ask, secret: str
) -> None:
    address = f"/account/tokens/{ApiToken.objects.get().pk}/revoke/"
    assert outsider.post(address).status_code == HTTPStatus.NOT_FOUND
    assert ask(secret) == HTTPStatus.OK
    researcher.post(address)
    assert ask(secret) == HTTPStatus.UNAUTHORIZED


def test_the_last_use_is_noted_to_the_minute(ask: Ask, secret: str) -> None:
    ask(secret)
    first = ApiToken.objects.get().used_at
    assert first
    ask(secret)
    assert ApiToken.objects.get().used_at == first
    ApiToken.objects.update(used_at=F("used_at") - timedelta(minutes=2))
    ask(secret)
    used_at = ApiToken.objects.get().used_at
    assert used_at
    assert used_at >= first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "give the token a name"),
        ({"name": "x" * 101}, "at most 100"),
        ({"name": "a\x07b"}, "give the token a name"),
        ({"scopes": []}, "choose what it may do"),
        ({"scopes": ["jobs:everything"]}, "not one of the available choices"),
        ({"days": "9999"}, "not one of the available choices"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    researcher: Client, change: dict[str, object], said: str
) -> None:
    answer = researcher.post("/account/tokens/", NEW | change)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_an_account_has_only_so_many(owner: User) -> None:
    for _ in range(MOST_LIVING):
        api_tokens.issue(user=owner, name="a", scopes=[Scope.READ], lifetime=DAY)
    with pytest.raises(TokenRefused, match="revoke one first"):
        api_tokens.issue(user=owner, name="a", scopes=[Scope.READ], lifetime=DAY)


def test_no_token_reaches_the_log(
    researcher: Client, ask: Ask, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ask(secret)
    ask(secret + "x")
    assert secret not in caplog.text
