"""Pages through Django's test client; S3 is a shelf, messages to the pipeline a list."""

import pytest
from django.test import Client

from gas.models import Job, User
from tasks import pipeline
from tests.stage import Shelf


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    made.use(monkeypatch)
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the jobs whose next message was sent."""
    ids: list[int] = []

    def send(job: Job, *, countdown: float = 0.0) -> None:
        ids.append(job.pk)

    monkeypatch.setattr(pipeline, "send", send)
    return ids


def signed_in(user: User) -> Client:
    """Return a client of somebody signed in, who goes through every check on forms."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def researcher(owner: User) -> Client:
    """The owner, signed in."""
    return signed_in(owner)


@pytest.fixture
def outsider(stranger: User) -> Client:
    """The stranger, signed in."""
    return signed_in(stranger)
