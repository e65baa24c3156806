"""What follows a commit and may fail: what it was to do is owed by rows, so the sweeper does it."""

from collections.abc import Callable
from typing import Any

from django.db import transaction


def after_commit(step: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """Do something when the transaction has been committed; a failure is logged, no more."""

    def follow() -> None:  # Django asks what fails for its name, which a partial has not
        step(*args, **kwargs)

    transaction.on_commit(follow, robust=True)
