"""What staff were told, what the daily comparison found, and what is still to be destroyed."""

from django.contrib import admin

from gas.admin.links import job_link
from gas.admin.read_only import ReadOnlyAdmin, start_of
from gas.admin.site import staff_site
from gas.models import Alarm, Discard, Reconciliation


@admin.register(Alarm, site=staff_site)
class AlarmAdmin(ReadOnlyAdmin):
    """Every alarm, newest first."""

    list_display = ("id", "raised_at", "start", job_link, "told_at")
    number = "job_id"
    search_fields = ("text",)
    search_help_text = "The number of a job, or a part of what is said."
    fields = ("raised_at", "told_at", "about", "text", "job")

    @admin.display(description="what")
    def start(self, alarm: Alarm) -> str:
        """The start of what is said."""
        return start_of(alarm.text)


@admin.register(Reconciliation, site=staff_site)
class ReconciliationAdmin(ReadOnlyAdmin):
    """Every comparison of rows with storage, newest first."""

    list_display = ("id", "started_at", "ended_at", "dry_run", "counts")
    fields = ("started_at", "ended_at", "dry_run", "counts", "report")


@admin.register(Discard, site=staff_site)
class DiscardAdmin(ReadOnlyAdmin):
    """Everything that is still to be destroyed, newest first."""

    list_display = ("id", "kind", "place", "created_at", "tries", "try_at")
    list_filter = ("kind",)
    number = "job_id"
    search_fields = ("place",)
    search_help_text = "The number of a job, or a part of the place."
    fields = ("kind", "place", "job_id", "created_at", "tries", "try_at")
    readonly_fields = ("job_id",)
