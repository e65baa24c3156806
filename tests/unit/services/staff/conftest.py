"""Somebody of the staff, and how they ask for something to be done to a job."""

from collections.abc import Callable
from functools import partial

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from gas.models import Job, User
from gas.services.staff import acts, jobs
from gas.services.staff.acts import Outcome
from gas.services.staff.jobs import Stage
from gas.storage.archive import Tier

VERBS: dict[str, Callable[..., str]] = {
    **{f"retry {stage}": partial(jobs.retry, stage=stage) for stage in Stage},
    "force_thaw": partial(jobs.force_thaw, tier=Tier.BULK),
    **{name: getattr(jobs, name) for name in ("cancel", "archive_now", "park", "put_back")},
    "delete": jobs.delete,
}

Asked = Callable[..., Outcome]


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator", is_staff=True, is_superuser=True)


@pytest.fixture
def ask(
    operator: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Asked:
    """Let the operator do something to a job, and all that follows its commit."""

    def asked(act: str, job: Job, reason: str = "they asked", **choices: object) -> Outcome:
        verb = partial(VERBS[act], actor=operator, reason=reason, **choices)
        with django_capture_on_commit_callbacks(execute=True):
            [outcome] = acts.perform(act, verb, [job], actor=operator, reason=reason)
        return outcome

    return asked
