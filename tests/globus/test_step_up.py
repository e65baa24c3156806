"""The staff pages open to staff who showed a second factor at Globus, and not long ago."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from pytest_django import Settings

from dev.fake_globus import PERSONAS, FakeGlobus
from gas.globus import step_up
from gas.models import User
from tests.globus.visitor import Visitor, query_of

FREE, _, _, STAFF = PERSONAS


def test_staff_who_come_for_their_pages_are_asked_for_a_second_factor(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    asked = query_of(visitor.set_out(next="/admin/gas/job/"))
    assert (asked["session_required_mfa"], asked["prompt"]) == ("true", "login")
    answer = visitor.sign_in(STAFF, next="/admin/gas/job/")
    assert answer["Location"] == "/admin/gas/job/"
    assert visitor.client.get("/admin/gas/job/").status_code == 200


def test_nobody_else_is_asked_for_one(globus: FakeGlobus, visitor: Visitor) -> None:
    asked = query_of(visitor.set_out(next="/jobs/"))
    assert not {"session_required_mfa", "prompt"} & set(asked)


def test_staff_who_signed_in_without_one_meet_a_door(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(STAFF)
    for method in (visitor.client.get, visitor.client.post):
        answer = method("/admin/gas/job/")
        assert answer["Location"] == "/admin/login/?next=/admin/gas/job/"
    page = visitor.client.get("/admin/login/?next=/admin/gas/job/").content.decode()
    assert '<input type="hidden" name="next" value="/admin/gas/job/">' in page
    visitor.sign_in(STAFF, next="/admin/gas/job/")
    assert visitor.client.get("/admin/gas/job/").status_code == 200


def test_taking_the_demand_out_of_the_address_opens_nothing(
    globus: FakeGlobus, visitor: Visitor
) -> None:
    demanding = visitor.set_out(next="/admin/")
    stripped = demanding.replace("session_required_mfa=true", "x=y")
    answer = visitor.come_back(visitor.choose(stripped, identity=STAFF.sub))
    assert step_up.NOT_SHOWN in [str(each) for each in get_messages(answer.wsgi_request)]
    assert visitor.is_signed_in
    assert visitor.client.get("/admin/").status_code == 302


def test_it_is_asked_again_when_it_was_shown_long_ago(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    visitor.sign_in(STAFF, next="/admin/")
    assert visitor.client.get("/admin/").status_code == 200
    settings.STAFF_SESSION = timedelta(0)
    assert visitor.client.get("/admin/")["Location"].startswith("/admin/login/")


def test_an_old_proof_that_globus_still_remembers_is_none(
    globus: FakeGlobus, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = visitor.choose(visitor.set_out(next="/admin/"), identity=STAFF.sub)
    issue = globus.ledger._remember
    monkeypatch.setattr(
        globus.ledger, "_remember", lambda draft: issue(replace(draft, authenticated_at=1.0))
    )
    visitor.come_back(address)
    assert visitor.client.get("/admin/").status_code == 302


def test_a_second_factor_makes_nobody_staff(globus: FakeGlobus, visitor: Visitor) -> None:
    globus.ledger.personas[FREE.sub] = replace(FREE, second_factor=True)
    visitor.sign_in(FREE, next="/admin/")
    assert not User.objects.get().is_staff
    assert visitor.client.get("/admin/").status_code == 404


def test_signing_out_takes_the_proof_along(globus: FakeGlobus, visitor: Visitor) -> None:
    visitor.sign_in(STAFF, next="/admin/")
    visitor.client.post("/logout/")
    visitor.sign_in(STAFF)
    assert visitor.client.get("/admin/").status_code == 302


def test_where_none_is_told_of_a_fresh_sign_in_can_be_enough(
    globus: FakeGlobus, visitor: Visitor, settings: Settings
) -> None:
    settings.STAFF_MFA = False
    globus.ledger.personas[STAFF.sub] = replace(STAFF, second_factor=True)
    visitor.sign_in(STAFF)
    assert visitor.client.get("/admin/").status_code == 302
    visitor.sign_in(STAFF, next="/admin/")
    assert visitor.client.get("/admin/").status_code == 200


@pytest.mark.parametrize("planted", ["soon", None, True, "9999999999"])
def test_only_a_time_is_a_proof(globus: FakeGlobus, visitor: Visitor, planted: object) -> None:
    visitor.sign_in(STAFF)
    session = visitor.client.session
    session["proven_at"] = planted
    session.save()
    assert visitor.client.get("/admin/").status_code == 302
