"""Mails can be declined by kind, from the mail itself and from the account."""

import re

import pytest
from django.core import mail as outbox
from django.test import Client

from gas.mail import send
from gas.models import AccountEvent, DeclinedTopic, Notice, Topic, User
from gas.services import accounts
from tasks.notify import notify
from tests.unit.mail.letters import (
    ABOUT_JOBS,
    Letter,
    Owe,
    declining_signature,
    html_of,
    text_of,
)


def link_in(letter: str) -> str:
    found = re.search(r"https://gas\.example\.org(/mails/decline/[^\s\"<>]+)", letter)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", ABOUT_JOBS)
def test_every_mail_offers_to_decline_its_kind_in_its_header_and_both_its_parts(
    owe: Owe, letter: Letter, kind: Notice.Kind
) -> None:
    arrived = letter(owe(kind))
    link = link_in(arrived["List-Unsubscribe"])
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link == link_in(text_of(arrived)) == link_in(html_of(arrived))


def test_a_mail_program_declines_without_our_page_cookie_or_form(
    owe: Owe, letter: Letter, owner: User
) -> None:
    link = link_in(letter(owe(Notice.Kind.FAILED))["List-Unsubscribe"])
    program = Client(enforce_csrf_checks=True)
    answer = program.post(link, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert list(owner.declined_topics.values_list("topic", flat=True)) == ["failed"]


def test_opening_the_link_declines_nothing_and_shows_a_button(
    client: Client, owe: Owe, letter: Letter, owner: User
) -> None:
    page = client.get(link_in(text_of(letter(owe(Notice.Kind.FAILED))))).content.decode()
    assert not owner.declined_topics.exists()
    assert "<form" in page
    assert "A job failed" in page


def test_declining_twice_is_one_decision(client: Client, owner: User) -> None:
    for _ in range(2):
        assert client.post(f"/mails/decline/{declining_signature(owner)}/").status_code == 200
    assert owner.declined_topics.count() == AccountEvent.objects.count() == 1


@pytest.mark.parametrize("spoil", [str.upper, lambda s: s[:-1], lambda s: "x" + s, lambda _: "a:b"])
def test_a_link_that_we_did_not_sign_does_not_exist(
    client: Client, owner: User, spoil: type[str]
) -> None:
    forged = spoil(declining_signature(owner))
    assert client.post(f"/mails/decline/{forged}/").status_code == 404
    assert not DeclinedTopic.objects.exists()


def test_the_link_of_one_account_declines_nothing_for_another(
    client: Client, owner: User, stranger: User
) -> None:
    client.post(f"/mails/decline/{declining_signature(stranger)}/")
    assert set(DeclinedTopic.objects.values_list("user", flat=True)) == {stranger.pk}


def test_what_is_declined_is_not_sent_and_owed_no_more(
    owe: Owe, owner: User, mailoutbox: list[outbox.EmailMessage]
) -> None:
    accounts.decline(user=owner, topic=Topic.COMPLETED)
    completed, failed = owe(Notice.Kind.COMPLETED), owe(Notice.Kind.FAILED)
    notify(completed.job_id)
    notify(failed.job_id)
    assert [mail.subject for mail in mailoutbox] == ["Your job could not be completed: Cohort 7"]
    assert not Notice.objects.unsent().exists()


def test_what_is_wanted_again_is_sent_again(
    owe: Owe, owner: User, mailoutbox: list[outbox.EmailMessage]
) -> None:
    accounts.choose_mails(user=owner, wanted=[])
    send(owe(Notice.Kind.RESTORED))
    assert mailoutbox == []
    accounts.choose_mails(user=owner, wanted=[Topic.RESTORED])
    send(owe(Notice.Kind.RESTORED))
    assert len(mailoutbox) == 1


def test_every_kind_of_mail_can_be_declined() -> None:
    assert set(Notice.TOPICS) == set(Notice.Kind)
    assert set(Notice.TOPICS.values()) == set(Topic)
