"""What a person can ask of their account."""

from collections.abc import Collection

from django.core import signing
from django.db import transaction
from django.template.defaultfilters import pluralize

from gas.globus import sessions, tokens
from gas.models import AccountEvent, DeclinedTopic, SignIn, Topic, User
from gas.services import subscriptions
from tasks import leaving

#: Jobs and uploads that go while their owner waits for the page; the sweeper removes the rest.
AT_ONCE = 20


def sign_ins(*, user: User) -> list[SignIn]:
    """The browsers that are signed in, newest first."""
    return list(sessions.living(user))


def end_sign_ins(*, user: User, keep: str, which: int | None = None) -> int:
    """Sign out one browser, or all but the one with the session `keep`; returns how many."""
    others = user.sign_ins.exclude(session_key=keep)
    ended = sessions.end(others if which is None else others.filter(pk=which))
    if ended:
        _write_down(user, f"signed out {ended} other browser{pluralize(ended)}")
    return ended


def choose_mails(*, user: User, wanted: Collection[Topic]) -> None:
    """Send mails about these topics and no others."""
    declined = [topic for topic in Topic if topic not in wanted]
    with transaction.atomic():
        user.declined_topics.exclude(topic__in=declined).delete()
        rows = [DeclinedTopic(user=user, topic=topic) for topic in declined]
        DeclinedTopic.objects.bulk_create(rows, ignore_conflicts=True)
        _write_down(user, f"declined mails: {', '.join(sorted(declined)) or 'none'}")


def declining(*, signed: str) -> tuple[User, Topic] | None:
    """Whom a link in a mail would spare which mails; None when it is not ours or they have gone."""
    try:
        number, topic = signing.Signer(salt=DeclinedTopic.SALT).unsign_object(signed)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=number, left_at=None).first()
    return (user, Topic(topic)) if user else None


def decline(*, user: User, topic: Topic) -> None:
    """Send no more mails about this; asking twice is fine."""
    with transaction.atomic():
        _, new = DeclinedTopic.objects.get_or_create(user=user, topic=topic)
        if new:
            _write_down(user, f"declined mails by a link: {topic}")


def leave(*, user: User) -> None:
    """Delete everything: the account is closed and nameless at once, its files go as it empties.

    A paid subscription is ended first; BillingUnavailable when that cannot be, and nothing changes.
    What stays is that an account of this number was deleted, and what is owed to storage.
    """
    subscriptions.give_up(user=user)
    tokens.forget(user=user)
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).filter(pk=user.pk).first()
        subscriptions.give_up(user=user)  # what was paid for meanwhile, in another window
        closed = leaving.close(user)
    if closed:
        leaving.empty(user, most=AT_ONCE)


def _write_down(user: User, what: str) -> None:
    AccountEvent.objects.create(account=user, actor="owner", what=what)
