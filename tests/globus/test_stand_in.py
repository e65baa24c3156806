"""The stand-in is as strict as what it stands in for."""

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from globus_sdk import AuthAPIError, ConfidentialAppAuthClient
from globus_sdk.transport import RetryConfig

from dev.fake_globus import CLIENT_ID, CLIENT_SECRET, PERSONAS, FakeGlobus, start
from tests.globus.visitor import post, query_of

FREE = PERSONAS[0]
BACK = "http://127.0.0.1:8000/login/globus/callback/"
VERIFIER = "v" * 64
CHALLENGE = "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM"
ASKED = {
    "client_id": CLIENT_ID,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "s",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "access_type": "offline",
}


@pytest.fixture
def server() -> Iterator[FakeGlobus]:
    """A stand-in of its own."""
    running = start()
    yield running
    running.stop()


def authorize(server: FakeGlobus, **changed: str) -> tuple[int, str]:
    """Choose the first persona on a page asked for with these changes."""
    query = urlencode({name: value for name, value in {**ASKED, **changed}.items() if value})
    return post(f"{server.url}/v2/oauth2/authorize?{query}", {"identity": FREE.sub})


def application(server: FakeGlobus, secret: str = CLIENT_SECRET) -> ConfidentialAppAuthClient:
    """Return the application as Globus' own library talks for it."""
    return ConfidentialAppAuthClient(
        CLIENT_ID, secret, base_url=server.url, retry_config=RetryConfig(max_retries=0)
    )


def redemption(server: FakeGlobus, **changed: str) -> dict[str, str]:
    """Return the form that turns a fresh code into tokens, with these changes."""
    _, location = authorize(server)
    form = {
        "grant_type": "authorization_code",
        "code": query_of(location)["code"],
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    return form | changed


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"client_id": "another"},
        {"redirect_uri": "https://evil.example.org/login/globus/callback/"},
        {"redirect_uri": "http://127.0.0.1:8000/elsewhere/"},
        {"scope": "openid everything"},
        {"scope": ""},
        {"response_type": "token"},
    ],
)
def test_a_request_that_is_amiss_gets_a_page_and_no_redirect(
    server: FakeGlobus, changed: dict[str, str]
) -> None:
    assert authorize(server, **changed) == (400, "")
    assert not server.ledger.codes


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": ""},
        {"code_verifier": "w" * 64},
        {"redirect_uri": "http://localhost:8000/login/globus/callback/"},
        {"code": "forged"},
    ],
)
def test_a_code_needs_its_verifier_and_address(server: FakeGlobus, changed: dict[str, str]) -> None:
    with pytest.raises(AuthAPIError):
        application(server).oauth2_token(redemption(server, **changed))
    assert not server.ledger.tokens


def test_a_code_is_redeemed_once(server: FakeGlobus) -> None:
    form = redemption(server)
    application(server).oauth2_token(form)
    with pytest.raises(AuthAPIError):
        application(server).oauth2_token(form)


def test_a_wrong_secret_gets_nothing(server: FakeGlobus) -> None:
    with pytest.raises(AuthAPIError):
        application(server, "wrong").oauth2_token(redemption(server))


def test_refresh_tokens_are_for_those_who_asked(server: FakeGlobus) -> None:
    _, location = authorize(server, access_type="")
    form = redemption(server, code=query_of(location)["code"])
    assert "refresh_token" not in application(server).oauth2_token(form).data


def test_a_revoked_refresh_token_takes_its_access_tokens_along(server: FakeGlobus) -> None:
    client = application(server)
    issued = client.oauth2_token(redemption(server))
    assert client.post(
        "/v2/oauth2/token/introspect",
        data={"token": issued["access_token"], "include": "identity_set"},
        encoding="form",
    )["identity_set"] == [FREE.sub]
    client.oauth2_revoke_token(issued["refresh_token"])
    answer = client.oauth2_token_introspect(issued["access_token"])
    assert answer.data == {"active": False}


def test_userinfo_takes_the_token_from_the_header_alone(server: FakeGlobus) -> None:
    token = application(server).oauth2_token(redemption(server))["access_token"]
    address = f"{server.url}/v2/oauth2/userinfo"
    with urlopen(Request(address, headers={"Authorization": f"Bearer {token}"})) as answer:
        assert FREE.email.encode() in answer.read()
    with pytest.raises(HTTPError, match="401") as refusal:
        urlopen(f"{address}?access_token={token}")
    refusal.value.close()


@pytest.mark.parametrize(
    ("back_to", "linked"),
    [
        ("http://127.0.0.1:8000/", True),
        ("https://evil.example.org/", False),
        ("javascript:x", False),
    ],
)
def test_web_logout_links_back_to_this_machine_alone(
    server: FakeGlobus, back_to: str, linked: bool
) -> None:
    query = urlencode({"client_id": CLIENT_ID, "redirect_uri": back_to, "redirect_name": "<b>"})
    with urlopen(f"{server.url}/v2/web/logout?{query}") as answer:
        page = answer.read().decode()
    assert (f'href="{back_to}"' in page) is linked
    assert "<b>" not in page
