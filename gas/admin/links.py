"""Ways from one staff page to another, for columns."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gas.models import Alarm, Job, JobEvent, Notice, Subscription, Upload


@admin.display(description="owner")
def owner_link(row: Job | Upload) -> SafeString:
    """The owner's name, leading to the account."""
    page = reverse("admin:gas_user_change", args=[row.owner_id])
    return format_html('<a href="{}">{}</a>', page, row.owner.display_name)


@admin.display(description="user")
def user_link(row: Subscription) -> SafeString:
    """The subscriber's name, leading to the account."""
    page = reverse("admin:gas_user_change", args=[row.user_id])
    return format_html('<a href="{}">{}</a>', page, row.user.display_name)


@admin.display(description="job")
def job_link(row: Alarm | JobEvent | Notice) -> SafeString | str:
    """The job's number, leading to the job; nothing of what is about none."""
    if row.job_id is None:
        return ""
    page = reverse("admin:gas_job_change", args=[row.job_id])
    return format_html('<a href="{}">{}</a>', page, row.job_id)
