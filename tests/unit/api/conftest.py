"""The API through Django's test client; S3 is a shelf, messages to the pipeline a list."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from gas.models import Scope, User
from gas.services import api_tokens
from tests.unit.views.conftest import sent as sent
from tests.unit.views.conftest import shelf as shelf

DAY = timedelta(days=1)

Caller = Callable[..., Client]


def bearing(secret: str) -> Client:
    """A program that sends a token, and does not fail when the site does."""
    headers = {"Authorization": f"Bearer {secret}"}
    return Client(headers=headers, raise_request_exception=False)


def program_of(user: User, *scopes: Scope) -> Client:
    """A program with a new token of somebody, with all scopes unless some are named."""
    issued = api_tokens.issue(
        user=user, name="a program", scopes=scopes or list(Scope), lifetime=DAY
    )
    return bearing(issued.secret)


@pytest.fixture
def program(owner: User) -> Client:
    """A program of the owner that may do everything."""
    return program_of(owner)


@pytest.fixture
def intruder(stranger: User) -> Client:
    """A program of the stranger that may do everything."""
    return program_of(stranger)
