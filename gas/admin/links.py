"""Ways from one staff page to another, for columns."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gas.models import (
    Alarm,
    ApiToken,
    Grant,
    Job,
    JobEvent,
    Notice,
    SignIn,
    Subscription,
    Upload,
    User,
)


def row_link(table: str, key: Any, words: str) -> SafeString:
    """Some words that lead to a row."""
    page = reverse(f"admin:gas_{table}_change", args=[key])
    return format_html('<a href="{}">{}</a>', page, words)


def account_link(user: User) -> SafeString:
    """The name of somebody, leading to the account."""
    return row_link("user", user.pk, user.display_name)


@admin.display(description="owner")
def owner_link(row: Job | Upload) -> SafeString:
    """The owner's name, leading to the account."""
    return account_link(row.owner)


@admin.display(description="user")
def user_link(row: Subscription | Grant | SignIn | ApiToken) -> SafeString:
    """The name of whom it belongs to, leading to the account."""
    return account_link(row.user)


@admin.display(description="job")
def job_link(row: Alarm | JobEvent | Notice) -> SafeString | str:
    """The job's number, leading to the job; nothing of what is about none."""
    return "" if row.job_id is None else row_link("job", row.job_id, str(row.job_id))
