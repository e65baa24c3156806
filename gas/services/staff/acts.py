"""How staff act: each act is done and written down in one transaction, or refused in writing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model

from gas.models import ApiToken, SignIn, StaffAct, User
from gas.services.jobs import JobRefused
from gas.services.uploads import UploadRefused

#: Rows that one act takes at once.
MOST_AT_ONCE = 100

LONGEST_REASON = 500

#: The permission without which staff may look and not act.
PERMISSION = "gas.act_as_staff"

#: Who acts, as the owner of an account is told.
STAFF = "staff"


class ActRefused(Exception):
    """It cannot be done to this row; the message is one sentence for staff."""


REFUSALS = (ActRefused, JobRefused, UploadRefused)


@dataclass(frozen=True)
class Outcome:
    """What came of an act on one row."""

    row_id: str
    done: bool
    sentence: str


def may_act(user: User) -> bool:
    """Whether somebody of the staff may do more than look."""
    return user.is_active and user.is_staff and user.has_perm(PERMISSION)


def refuse_onlooker(actor: User) -> None:
    """Raise PermissionDenied to who may look and not act."""
    if not may_act(actor):
        raise PermissionDenied("You may look here and not act.")


def perform(
    act: str, verb: Callable[[Any], str], rows: Sequence[Model], *, actor: User, reason: str
) -> list[Outcome]:
    """Do something to each row in turn; `verb` returns one sentence on what it did.

    Each row is one transaction with its record, so that what was done stays done and written down
    whatever becomes of the next. PermissionDenied to who may only look, ActRefused for too many.
    """
    refuse_onlooker(actor)
    if len(rows) > MOST_AT_ONCE:
        raise ActRefused(f"Please choose at most {MOST_AT_ONCE} rows.")
    return [_one(act, verb, row, actor, reason) for row in rows]


def _one(act: str, verb: Callable[[Any], str], row: Model, actor: User, reason: str) -> Outcome:
    kind, number = subject_of(row)
    row_id = str(row.pk)
    record = partial(
        StaffAct.record, act, kind, number, actor=actor.username, reason=reason[:LONGEST_REASON]
    )
    try:
        with transaction.atomic():
            done = verb(row)
            record(outcome=done)
    except REFUSALS as refusal:
        record(outcome=str(refusal), done=False)
        return Outcome(row_id, done=False, sentence=str(refusal))
    return Outcome(row_id, done=True, sentence=done)


def subject_of(row: Model) -> tuple[str, str]:
    """What an act on a row is about: its account where it is a way into one, else itself."""
    about = row.user if isinstance(row, ApiToken | SignIn) else row
    return type(about).__name__.lower(), str(about.pk)
