"""What each kind of mail says, in text and HTML, the same each time it is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core import signing
from django.template.loader import render_to_string
from django.urls import reverse

from gas.models import DeclinedTopic, Job, Notice, Status, Subscription, Upload, Webhook

LONGEST_NAME = 80

#: Jobs that a mail about several of them names.
MOST_NAMES = 5

Kind = Notice.Kind


@dataclass(frozen=True)
class Wording:
    """How a mail of one kind is marked, what it says first, and what its button says."""

    mark: str
    headline: str
    button: str
    is_bad_news: bool = False


WORDINGS = {
    Kind.COMPLETED: Wording("Completed", "Your results are ready", "Open the results"),
    Kind.FAILED: Wording(
        "Failed", "Your job could not be completed", "Open the job", is_bad_news=True
    ),
    Kind.RESTORED: Wording("Restored", "Your results are back", "Open the results"),
    Kind.LAST_CALL: Wording(
        "Reminder", "Your results move to the archive soon", "Open the results"
    ),
    Kind.SUBSCRIBED: Wording("Subscription", "You are subscribed to Premium", "Open your jobs"),
    Kind.UNPAID: Wording(
        "Payment", "Your payment did not go through", "Look at the payment", is_bad_news=True
    ),
    Kind.ENDED: Wording("Subscription", "Your subscription has ended", "Open your jobs"),
    Kind.UNHOOKED: Wording(
        "Webhook", "A webhook has been switched off", "Open your webhooks", is_bad_news=True
    ),
}


@dataclass(frozen=True)
class Letter:
    """A mail without its headers."""

    subject: str
    text: str
    html: str


def as_it_is(notice: Notice) -> dict[str, Any]:
    """What a mail says of things that change, to be fixed before its first try."""
    if notice.subscription:
        return _state_of(notice.subscription)
    if notice.webhook:
        return _state_of_webhook(notice.webhook)
    return _state_of_job(notice, notice.job) if notice.job else {}


def _state_of_job(notice: Notice, job: Job) -> dict[str, Any]:
    if notice.kind == Kind.LAST_CALL:
        return _soon_archived(notice, job)
    return {
        "at_hand": job.state is Status.COMPLETED,
        "due": _in_words(job.due_at),
        "archives": job.owner.plan.archives,
    }


def _state_of(subscription: Subscription) -> dict[str, Any]:
    jobs = subscription.user.jobs
    dated = jobs.filter(status=Status.COMPLETED, wake_at__isnull=False).order_by("wake_at")
    first = dated.first()
    return {
        "since": _day(subscription.started_at),
        "ended": _day(subscription.ended_at),
        "at_hand": jobs.filter(status=Status.COMPLETED).count(),
        "archived": jobs.filter(status__in=(Status.ARCHIVING, Status.ARCHIVED)).count(),
        "due": _in_words(first.due_at) if first else "",
    }


def _state_of_webhook(webhook: Webhook) -> dict[str, Any]:
    """Of its address the server alone: the rest may hold a secret."""
    return {
        "server": one_line(urlsplit(webhook.url).hostname or "", LONGEST_NAME),
        "since": _in_words(webhook.failing_since),
        "reason": webhook.disabled_reason,
    }


def _soon_archived(notice: Notice, job: Job) -> dict[str, Any]:
    """The jobs that this mail speaks for: of those that go later, another one will."""
    horizon = notice.created_at + 2 * settings.REMIND_BEFORE
    completed = job.owner.jobs.filter(status=Status.COMPLETED, wake_at__lte=horizon)
    jobs = completed.order_by("wake_at", "pk")
    return {
        "due": _in_words(job.due_at),
        "count": jobs.count(),
        "names": [one_line(each.name, LONGEST_NAME) for each in jobs[:MOST_NAMES]],
    }


def compose(notice: Notice) -> Letter:
    """Write the mail of a notice."""
    kind = Kind(notice.kind)
    told = notice.told or as_it_is(notice)
    wording = WORDINGS[kind]
    about = _about_it(notice, kind, told)
    content = {
        **about,
        "kind": kind,
        "wording": wording,
        "subscribe": settings.BASE_URL + reverse("subscription") if _may_lose(kind, told) else "",
        "site": settings.BASE_URL,
        "topic": notice.topic,
        "decline": decline_link(notice),
        "choices": settings.BASE_URL + reverse("account") + "#mails",
    }
    return Letter(
        subject=about["subject"],
        text=render_to_string("mail/base.txt", content).strip() + "\n",
        html=render_to_string("mail/base.html", content),
    )


def _about_it(notice: Notice, kind: Kind, told: dict[str, Any]) -> dict[str, Any]:
    if notice.job:
        return _about(notice.job, kind, told)
    return _of_webhook(kind, told) if notice.webhook else _of_subscription(kind, told)


def decline_link(notice: Notice) -> str:
    """The address by which its receiver declines mails like this one, without signing in."""
    signed = signing.Signer(salt=DeclinedTopic.SALT).sign_object(
        [notice.receiver.pk, notice.topic.value]
    )
    return settings.BASE_URL + reverse("decline_mails", args=[signed])


def _about(job: Job, kind: Kind, told: dict[str, Any]) -> dict[str, Any]:
    name = one_line(job.name, LONGEST_NAME)
    several = told.get("count", 1) > 1
    subject = WORDINGS[kind].headline if several else f"{WORDINGS[kind].headline}: {name}"
    return {
        "subject": subject,
        "paragraphs": _paragraphs(kind, job, name, told),
        "quote": one_line(job.failure) if kind is Kind.FAILED else "",
        "facts": [] if several else _facts(job, name, told),
        "names": told["names"] if several else [],
        "link": settings.BASE_URL + (reverse("jobs") if several else reverse("job", args=[job.pk])),
        "because": f"you submitted job {job.pk}",
    }


def _of_subscription(kind: Kind, told: dict[str, Any]) -> dict[str, Any]:
    page = reverse("subscription" if kind is Kind.UNPAID else "jobs")
    return {
        "subject": WORDINGS[kind].headline,
        "paragraphs": _sentences(kind, {"grace": settings.DOWNGRADE_GRACE, **told}),
        "facts": _subscription_facts(told),
        "link": settings.BASE_URL + page,
        "because": "you have, or had, a subscription",
    }


def _of_webhook(kind: Kind, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject": WORDINGS[kind].headline,
        "paragraphs": _sentences(kind, told),
        "facts": [("Server", told["server"]), ("Failing since", told["since"])],
        "link": settings.BASE_URL + reverse("webhooks"),
        "because": "you have a webhook",
    }


def _may_lose(kind: Kind, told: dict[str, Any]) -> bool:
    """Whether results move to the archive unless their owner subscribes."""
    if kind in (Kind.LAST_CALL, Kind.ENDED):
        return True
    return kind in (Kind.COMPLETED, Kind.RESTORED) and bool(told["archives"])


def one_line(text: str, longest: int | None = None) -> str:
    """Make hostile text harmless in a header or a sentence: printable, on one line, bounded."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"


def _paragraphs(kind: Kind, job: Job, name: str, told: dict[str, Any]) -> list[str]:
    content = {
        "name": name,
        "file_is_at_fault": job.upload.status == Upload.Status.REFUSED,
        "job": job,
        **told,
    }
    return _sentences(kind, content)


def _sentences(kind: Kind, content: dict[str, Any]) -> list[str]:
    """The paragraphs of one kind of mail, written once for text and HTML.

    They are joined from lines of a template that escapes nothing, so whoever shows them must.
    """
    blocks = render_to_string(f"mail/{kind.name.lower()}.txt", content).split("\n\n")
    return [line for line in map(one_line, blocks) if line]


def _facts(job: Job, name: str, told: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("Job", f"{job.pk}, {name}"),
        ("File", one_line(job.upload.filename, LONGEST_NAME)),
        ("Variants", "" if job.variants is None else intcomma(job.variants)),
        ("Finished", _in_words(job.completed_at)),
        ("Available until", told["due"]),
    ]
    return [(label, value) for label, value in facts if value]


def _subscription_facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("Subscribed since", told["since"]),
        ("Ended", told["ended"]),
        ("Jobs with results", intcomma(told["at_hand"])),
        ("Jobs in the archive", intcomma(told["archived"])),
        ("Available until", told["due"]),
    ]
    return [(label, value) for label, value in facts if value]


def _in_words(moment: datetime | None) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC" if moment else ""


def _day(moment: datetime | None) -> str:
    return f"{moment:%-d %B %Y}" if moment else ""
