"""The way in."""

import logging
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus

import pytest
from allauth.socialaccount.models import SocialToken
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from dev.fake_globus import PERSONAS, FakeGlobus
from gas.models import User
from tests.globus.visitor import HOST, Visitor, query_of, sentence

FREE, _, SECOND, _ = PERSONAS


def test_the_journey_asks_for_a_fixed_set_of_scopes_with_pkce_and_refresh(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    asked = query_of(visitor.set_out())
    (stashed,) = visitor.client.session["socialaccount_states"].values()
    digest = sha256(stashed[0]["verifier"].encode()).digest()
    assert asked["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == " ".join(settings.GLOBUS_SCOPES)
    assert asked["access_type"] == "offline"
    assert asked["redirect_uri"] == f"http://{HOST}/login/globus/callback/"


def test_nothing_in_the_query_or_the_form_changes_what_globus_is_asked(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    injected = "scope=urn:evil&auth_params=scope%3Devil%26prompt%3Dnone&process=connect"
    plain, other = query_of(visitor.set_out()), query_of(visitor.set_out(query=f"?{injected}"))
    posted = query_of(visitor.set_out(scope="evil", auth_params="prompt=none", process="redirect"))
    for each in (plain, other, posted):
        del each["state"], each["code_challenge"]
    assert plain == other == posted
    states = visitor.client.session["socialaccount_states"].values()
    assert {stashed[0]["process"] for stashed in states} == {"login"}


def test_opening_the_sign_in_address_changes_nothing(globus: FakeGlobus, visitor: Visitor) -> None:
    assert visitor.client.get("/login/globus/").status_code == 405
    assert not Session.objects.exists()


def test_the_sign_in_button_needs_the_pages_own_form(globus: FakeGlobus) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": HOST})
    assert strict.post("/login/globus/").status_code == 403


def test_the_sign_in_page_is_for_those_who_are_not_signed_in(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    page = visitor.client.get("/login/")
    assert page.status_code == 200
    assert "pages/login.html" in [template.name for template in page.templates]
    visitor.sign_in(FREE)
    assert visitor.client.get("/login/")["Location"] == reverse("jobs")


def test_who_denies_is_told_so_and_stays_outside(globus: FakeGlobus, visitor: Visitor) -> None:
    answer = visitor.come_back(visitor.choose(visitor.set_out(), deny="yes"))
    assert "did not allow" in sentence(answer)
    assert not visitor.is_signed_in
    assert not User.objects.exists()


def test_a_forged_state_is_refused(globus: FakeGlobus, visitor: Visitor) -> None:
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    forged = back.replace(f"state={query_of(back)['state']}", "state=forged")
    assert "expired" in sentence(visitor.come_back(forged))
    assert not visitor.is_signed_in


def test_a_missing_state_is_refused(globus: FakeGlobus, visitor: Visitor) -> None:
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    answer = visitor.come_back(f"{back.partition('?')[0]}?code={query_of(back)['code']}")
    assert "expired" in sentence(answer)
    assert not visitor.is_signed_in


def test_a_journey_ends_in_the_browser_it_began_in(globus: FakeGlobus, visitor: Visitor) -> None:
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    victim = Visitor()
    assert "expired" in sentence(victim.come_back(back))
    assert not victim.is_signed_in


def test_a_state_serves_once(globus: FakeGlobus, visitor: Visitor) -> None:
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    visitor.come_back(back)
    visitor.client.post("/logout/")
    assert "expired" in sentence(visitor.come_back(back))
    assert not visitor.is_signed_in


def test_a_code_serves_once(globus: FakeGlobus, visitor: Visitor) -> None:
    first = visitor.choose(visitor.set_out(), identity=FREE.sub)
    visitor.come_back(first)
    other = Visitor()
    second = query_of(other.choose(other.set_out(), identity=FREE.sub))
    replayed = f"/login/globus/callback/?state={second['state']}&code={query_of(first)['code']}"
    assert "did not accept" in sentence(other.come_back(f"http://{HOST}{replayed}"))
    assert not other.is_signed_in


def test_a_code_of_another_journey_fails_on_its_verifier(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    stolen = query_of(visitor.choose(visitor.set_out(), identity=FREE.sub))["code"]
    thief = Visitor()
    own = query_of(thief.choose(thief.set_out(), identity=SECOND.sub))["state"]
    answer = thief.come_back(f"http://{HOST}/login/globus/callback/?state={own}&code={stolen}")
    assert "did not accept" in sentence(answer)
    assert not thief.is_signed_in


def test_a_callback_without_a_code_is_refused(globus: FakeGlobus, visitor: Visitor) -> None:
    state = query_of(visitor.set_out())["state"]
    answer = visitor.come_back(f"http://{HOST}/login/globus/callback/?state={state}&error=broken")
    assert "did not accept" in sentence(answer)


@pytest.mark.parametrize("status", [HTTPStatus.BAD_GATEWAY, HTTPStatus.INTERNAL_SERVER_ERROR])
def test_trouble_at_globus_is_said_in_one_sentence(
    globus: FakeGlobus, visitor: Visitor, status: HTTPStatus
) -> None:
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    globus.failing = status
    assert "in trouble" in sentence(visitor.come_back(back))
    assert not visitor.is_signed_in


def test_a_silent_globus_is_given_up(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    settings.GLOBUS_TIMEOUT = timedelta(seconds=0.2)
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    globus.stall()
    assert "did not answer" in sentence(visitor.come_back(back))


def test_a_dead_globus_is_given_up(globus: FakeGlobus, visitor: Visitor) -> None:
    back = visitor.choose(visitor.set_out(), identity=FREE.sub)
    globus.stop()
    assert "did not answer" in sentence(visitor.come_back(back))


def test_a_site_without_a_client_says_so(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    settings.GLOBUS_CLIENT_ID = ""
    assert "not set up" in sentence(visitor.client.post("/login/globus/"))


def test_a_production_site_never_sends_anybody_to_a_stand_in(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    settings.PRODUCTION = True
    assert "not set up" in sentence(visitor.client.post("/login/globus/"))


def test_the_page_one_came_for_is_shown_after_sign_in(globus: FakeGlobus, visitor: Visitor) -> None:
    assert visitor.sign_in(FREE, next="/subscription/?x=1")["Location"] == "/subscription/?x=1"
    other = Visitor()
    back = other.choose(other.set_out(query="?next=/subscription/"), identity=FREE.sub)
    assert other.come_back(back)["Location"] == "/subscription/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example.org/", "//evil.example.org", "/\\evil.example.org", "javascript:x"],
)
def test_no_other_site_is_shown_after_sign_in(
    globus: FakeGlobus, visitor: Visitor, elsewhere: str
) -> None:
    assert visitor.sign_in(FREE, next=elsewhere)["Location"] == reverse("jobs")


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/globus/login/",
    ],
)
def test_there_is_no_second_way_in(visitor: Visitor, db: None, path: str) -> None:
    assert visitor.client.post(path).status_code in {302, 404}
    assert not visitor.is_signed_in


def test_no_token_and_no_mail_address_reaches_the_log(
    globus: FakeGlobus, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    visitor.sign_in(FREE)
    visitor.client.post("/logout/")
    secrets = {*globus.ledger.tokens, *globus.ledger.codes, FREE.email}
    assert caplog.text
    assert not [secret for secret in secrets if secret in caplog.text]


def test_allauth_itself_keeps_no_tokens(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(FREE)
    assert not SocialToken.objects.exists()
    assert not [
        value for value in globus.ledger.tokens if value in str(dict(visitor.client.session))
    ]
