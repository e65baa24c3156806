"""After the database was put back to an earlier moment: what must be so before anything starts."""

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.functions import Now

from gas.models import AccountEvent, ApiToken, SignIn
from gas.models.numbers import leap
from gas.services import subscriptions
from tasks import put_back

WHY = "revoked, as the database was put back to an earlier moment"


def recover() -> dict[str, int]:
    """Make a restored database safe to work with, while nothing else runs; again is harmless.

    Returns what was done, by its name. Raises StorageError, or BillingUnavailable, when storage or
    the provider of payments does not answer; what was done before that stays done.
    """
    return {
        "tables whose next number is far from any that was given": leap(),
        "jobs whose next attempt is one that has no results": put_back.raise_attempts(),
        "browsers signed out": end_sign_ins(),
        "API tokens revoked": revoke_tokens(),
        "subscriptions that have ended since": subscriptions.ask_again(),
    }


@transaction.atomic
def end_sign_ins() -> int:
    """Sign everybody out: a browser that was signed out since would be signed in again."""
    SignIn.objects.all().delete()
    ended, _ = Session.objects.all().delete()
    return ended


@transaction.atomic
def revoke_tokens() -> int:
    """Revoke every token: one that was revoked since, perhaps leaked, would open doors again."""
    living = ApiToken.objects.select_for_update().filter(revoked_at=None)
    AccountEvent.objects.bulk_create(
        AccountEvent(
            account_id=token.user_id, actor="recovery", what=f"API token {token.pk}: {WHY}"
        )
        for token in living
    )
    return ApiToken.objects.filter(revoked_at=None).update(revoked_at=Now())
