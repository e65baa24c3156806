"""What was uploaded, what happened to jobs, and which mails were owed."""

from django.contrib import admin

from gas.admin.links import job_link, owner_link
from gas.admin.read_only import ReadOnlyAdmin, start_of
from gas.admin.site import staff_site
from gas.models import JobEvent, Notice, Upload


@admin.register(Upload, site=staff_site)
class UploadAdmin(ReadOnlyAdmin):
    """Every input file, newest first."""

    list_display = ("id", "filename", owner_link, "status", "size", "created_at", "refused_because")
    list_select_related = ("owner",)
    list_filter = ("status",)
    search_fields = ("filename", "owner__username", "owner__email")
    search_help_text = "A part of the file's name, or of its owner's identity or mail."
    ordering = ("-created_at",)
    fields = ("id", "owner", "filename", "status", "size", "etag", "refusal", "created_at")
    readonly_fields = ("id", "created_at")

    @admin.display(description="refused because")
    def refused_because(self, upload: Upload) -> str:
        """The start of the reason."""
        return start_of(upload.refusal)


@admin.register(JobEvent, site=staff_site)
class JobEventAdmin(ReadOnlyAdmin):
    """Everything that happened to jobs, newest first."""

    list_display = ("id", job_link, "at", "actor", "before", "after", "reason_start")
    list_filter = ("after",)
    number = "job_id"
    search_fields = ("actor",)
    search_help_text = "The number of a job, or a part of who did it."
    ordering = ("-id",)

    @admin.display(description="reason")
    def reason_start(self, event: JobEvent) -> str:
        """The start of the reason."""
        return start_of(event.reason)


@admin.register(Notice, site=staff_site)
class NoticeAdmin(ReadOnlyAdmin):
    """Every mail that was owed, newest first."""

    list_display = (
        "id",
        job_link,
        "subscription_id",
        "kind",
        "attempt",
        "created_at",
        "lease_until",
        "sent_at",
    )
    list_filter = ("kind", ("sent_at", admin.EmptyFieldListFilter))
    number = "job_id"
    search_fields = ("job__name",)
    search_help_text = "The number of a job, or a part of its name."
    ordering = ("-id",)
