"""Requests that make a job at most once, however often they are sent: by a key of their sender."""

from collections.abc import Callable

from django.db import IntegrityError, transaction

from gas.models import IdempotencyKey, Job, User


class KeyReused(Exception):
    """The key came with another request before; the message is one sentence for its sender."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was sent with another request before.")


class KeySpent(Exception):
    """The job that the key made has gone; the message is one sentence for its sender."""

    def __init__(self) -> None:
        super().__init__("The job that this Idempotency-Key made has been deleted.")


def made_before(*, user: User, key: str, request: str) -> Job | None:
    """The job that this key made, None when it made none; raises KeyReused, KeySpent.

    `request` is the SHA-256 (hexadecimal) of what is asked.
    """
    found = user.idempotency_keys.filter(key=key).first()
    if found is None:
        return None
    if found.request != request:
        raise KeyReused
    job = user.jobs.filter(pk=found.job_id or 0).first()
    if job is None:
        raise KeySpent
    return job


def once(*, user: User, key: str, request: str, make: Callable[[], Job]) -> tuple[Job, bool]:
    """Make a job and remember its key in one transaction; returns it, and whether it is new.

    Of several at once the others wait, and find what the first one made. What is refused is not
    remembered, so that the same may be asked again. Raises KeyReused, KeySpent, and what `make`
    raises.
    """
    try:
        with transaction.atomic():
            row = IdempotencyKey.objects.create(user=user, key=key, request=request)
            job = make()
            IdempotencyKey.objects.filter(pk=row.pk).update(job=job)
    except IntegrityError:
        existing = made_before(user=user, key=key, request=request)
        if existing is None:  # it was no matter of the key
            raise
        return existing, False
    return job, True
