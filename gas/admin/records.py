"""What was uploaded, what happened to jobs and accounts, what staff did, and the mails owed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from gas.admin.acting import Act, ActingAdmin
from gas.admin.links import job_link, owner_link, row_link
from gas.admin.read_only import (
    MOST_RELATED,
    ReadOnlyAdmin,
    Section,
    accounts_of,
    as_uuid,
    moment,
    start_of,
)
from gas.admin.site import staff_site
from gas.models import AccountEvent, JobEvent, Notice, StaffAct, Upload
from gas.services.staff import uploads

#: What staff acts are about that has a page.
PAGES = ("job", "user", "upload", "plan", "webhook")


def came_of(act: StaffAct) -> str:
    """What came of an act, or why nothing did."""
    return act.outcome if act.done else f"Refused: {act.outcome}"


def acts_about(kind: str, number: Any) -> Section:
    """What staff did to something, the last first."""
    done = StaffAct.objects.filter(kind=kind, number=str(number)).order_by("-pk")[:MOST_RELATED]
    told = [(moment(each.at), each.actor, each.words, each.reason, came_of(each)) for each in done]
    return Section("What staff did", ("at", "who", "what", "why", "what came of it"), told)


@admin.register(Upload, site=staff_site)
class UploadAdmin(ActingAdmin):
    """Every input file, newest first."""

    list_display = ("id", "filename", owner_link, "status", "size", "created_at", "refused_because")
    list_select_related = ("owner",)
    list_filter = ("status",)
    account = "owner"
    search_fields = ("owner",)
    search_help_text = (
        "The id of an upload, or the whole mail address or identity of its owner. A file that was "
        "submitted is found among the jobs, by a part of its name."
    )
    ordering = ("-created_at",)
    fields = (
        *("id", "owner", "filename", "status", "size", "announced", "etag", "assembly"),
        *("refusal", "created_at", "give_up_at", "removed_at"),
    )
    readonly_fields = ("id", "created_at")
    acts = (
        Act(
            "remove",
            "Remove",
            "The file goes with its bytes, whether it has arrived or is on its way. One that a job "
            "uses stays: delete the job.",
            uploads.remove,
            is_final=True,
        ),
    )

    def found(self, request: HttpRequest, rows: QuerySet[Upload], term: str) -> QuerySet[Upload]:
        """The upload of this id, or those of an account."""
        if (identity := as_uuid(term)) and (one := rows.filter(pk=identity)).exists():
            return one
        return rows.filter(owner__in=accounts_of(term))

    def sections(self, row: Upload) -> list[Section]:
        """The jobs that use it."""
        jobs = [
            (row_link("job", job.pk, str(job.pk)), job.name, job.status, moment(job.created_at))
            for job in row.jobs.order_by("-pk")[:MOST_RELATED]
        ]
        columns = ("number", "name", "status", "submitted")
        return [Section("Jobs of this file", columns, jobs), acts_about("upload", row.pk)]

    @admin.display(description="refused because")
    def refused_because(self, upload: Upload) -> str:
        """The start of the reason."""
        return start_of(upload.refusal)


@admin.register(JobEvent, site=staff_site)
class JobEventAdmin(ReadOnlyAdmin):
    """Everything that happened to jobs, newest first."""

    list_display = ("id", job_link, "at", "actor", "before", "after", "reason_start")
    number = "job_id"
    search_fields = ("job",)
    search_help_text = "The number of a job."
    ordering = ("-id",)
    fields = ("number_of_job", "at", "actor", "before", "after", "reason")
    readonly_fields = ("number_of_job",)

    @admin.display(description="job")
    def number_of_job(self, event: JobEvent) -> SafeString | str:
        """The job's number, leading to it."""
        return job_link(event)

    @admin.display(description="reason")
    def reason_start(self, event: JobEvent) -> str:
        """The start of the reason."""
        return start_of(event.reason)


@admin.register(AccountEvent, site=staff_site)
class AccountEventAdmin(ReadOnlyAdmin):
    """What owners and staff did with accounts, newest first; accounts that are gone by number."""

    list_display = ("id", "account_id", "at", "actor", "what")
    fields = ("account_id", "at", "actor", "what")
    readonly_fields = ("account_id",)
    number = "account_id"
    search_fields = ("account",)
    search_help_text = "The number of an account."
    ordering = ("-id",)


@admin.register(StaffAct, site=staff_site)
class StaffActAdmin(ReadOnlyAdmin):
    """What staff did or tried, newest first."""

    list_display = ("id", "at", "actor", "what", "about", "done", "why", "came")
    list_filter = ("done",)
    number = "number"
    exact = ("actor", "act", "number")
    search_fields = ("number",)
    search_help_text = (
        "The number of what it was done to, the whole identity of who did it, or the act."
    )
    ordering = ("-id",)
    fields = ("at", "actor", "what", "about", "reason", "done", "outcome")
    readonly_fields = ("what", "about")

    def found(
        self, request: HttpRequest, rows: QuerySet[StaffAct], term: str
    ) -> QuerySet[StaffAct]:
        """The acts with this in one of their columns; an act by its words or the name kept."""
        return super().found(request, rows, term) | rows.filter(act=term.lower().replace(" ", "_"))

    @admin.display(description="act")
    def what(self, act: StaffAct) -> str:
        """What was done, in words."""
        return act.words

    @admin.display(description="to")
    def about(self, act: StaffAct) -> SafeString | str:
        """What it was done to, leading there; what has gone leads nowhere."""
        words = f"{act.kind} {act.number}"
        return row_link(act.kind, act.number, words) if act.kind in PAGES else words

    @admin.display(description="why")
    def why(self, act: StaffAct) -> str:
        """The start of the reason."""
        return start_of(act.reason)

    @admin.display(description="what came of it")
    def came(self, act: StaffAct) -> str:
        """The start of the outcome."""
        return start_of(came_of(act))


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
    list_filter = (("sent_at", admin.EmptyFieldListFilter),)
    number = "job_id"
    search_fields = ("job",)
    search_help_text = "The number of a job."
    ordering = ("-id",)
