"""Jobs: what became of each, and what staff may ask for them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince

from gas.admin.acting import Act, ActingAdmin
from gas.admin.filters import AgeFilter, OwnerFilter, TroubleFilter
from gas.admin.forms import RetryForm, ThawForm
from gas.admin.links import account_link, owner_link, row_link
from gas.admin.read_only import MOST_RELATED, Section, accounts_of, moment, start_of
from gas.admin.records import acts_about
from gas.admin.site import staff_site
from gas.models import Job
from gas.models.search import folded
from gas.services.staff import jobs

#: Letters of a word that an index finds.
FEWEST_LETTERS = 3

ACTS = (
    Act(
        "retry",
        "Retry a stage",
        "The stage is tried again at once: its message is sent, trouble is forgotten, and a job "
        "that failed is queued again. Where a living worker is at it, or the job is elsewhere, "
        "nothing happens. A mail that was sent is not sent twice.",
        jobs.retry,
        RetryForm,
    ),
    Act(
        "cancel",
        "Cancel",
        "A job that waits or runs is stopped for good; a worker that is at it lets go. It has no "
        "results, and its input stays. Its owner sees that it was cancelled.",
        jobs.cancel,
        is_final=True,
    ),
    Act(
        "archive_now",
        "Archive now",
        "Results at hand move to the archive at once. Their owner can download them no more until "
        "they are brought back. Results of premium accounts stay.",
        jobs.archive_now,
    ),
    Act(
        "force_thaw",
        "Force a thaw",
        "Archived results are asked back at the tier below, whatever the plan; the archive charges "
        "for it. On the free plan they stay for the grace period and then go back.",
        jobs.force_thaw,
        ThawForm,
    ),
    Act(
        "park",
        "Put aside",
        "A job without results fails, and its owner reads the reason below and is sent a mail. A "
        "job with results that moves in or out of the archive rests where it is. Both until they "
        "are put back.",
        jobs.park,
    ),
    Act(
        "put_back",
        "Put back",
        "A job that was put aside is queued again; one that rests, or is in trouble, goes on where "
        "it is.",
        jobs.put_back,
    ),
    Act(
        "delete",
        "Delete",
        "The job goes with its results, its archived copies and its history, and its input with it "
        "unless another job uses that. Nothing brings it back.",
        jobs.delete,
        is_final=True,
    ),
)


@admin.register(Job, site=staff_site)
class JobAdmin(ActingAdmin):
    """Every job, newest first."""

    list_display = (
        "id",
        owner_link,
        "name",
        "status",
        "failed_because",
        "trouble_start",
        "plan",
        "age",
        "attempt",
        "setbacks",
    )
    list_select_related = ("owner__plan",)
    list_filter = ("status", "failure_kind", AgeFilter, TroubleFilter, OwnerFilter)
    number = "pk"
    search_fields = ("name",)
    search_help_text = (
        "The number of a job, the whole mail address or identity of its owner, or a part of its "
        "name or of its file's."
    )
    fieldsets = (
        (None, {"fields": ("id", "whose", "name", "status", "failure", "failure_kind")}),
        ("To be mended", {"fields": ("trouble", "troubled_at")}),
        (
            "In the pipeline",
            {
                "fields": (
                    ("attempt", "setbacks"),
                    ("wake_at", "sent_at"),
                    ("lease_owner", "lease_until"),
                    ("stage", "percent"),
                    "thaw_tier",
                )
            },
        ),
        ("When", {"fields": ("created_at", "completed_at", "archived_at")}),
        ("From what, to what", {"fields": ("file", "variants", "bundle", "result_prefix")}),
    )
    readonly_fields = ("id", "whose", "file")
    acts = ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Jobs with their owners and files, which each page names."""
        return super().get_queryset(request).select_related("owner__plan", "upload")

    def found(self, request: HttpRequest, rows: QuerySet[Job], term: str) -> QuerySet[Job]:
        """The jobs of this owner, else those with these words in their names."""
        if owners := accounts_of(term):
            return rows.filter(owner__in=owners)
        words = folded(term).split()
        if any(len(word) < FEWEST_LETTERS for word in words):
            told = f"Please look for words of {FEWEST_LETTERS} letters or more."
            self.message_user(request, told, messages.WARNING)
            return rows.none()
        for word in words:
            rows = rows.filter(search_text__contains=word)
        return rows

    def sections(self, row: Job) -> list[Section]:
        """Its timeline, files with their receipts, mails, and what staff did."""
        return [_timeline(row), _files(row), _mails(row), acts_about("job", row.pk)]

    @admin.display(description="owner")
    def whose(self, job: Job) -> Any:
        """The owner, leading to the account."""
        return account_link(job.owner)

    @admin.display(description="input")
    def file(self, job: Job) -> Any:
        """The file's name, leading to the upload."""
        return row_link("upload", job.upload_id, f"{job.upload.filename} ({job.upload.status})")

    @admin.display(description="plan")
    def plan(self, job: Job) -> str:
        """The owner's plan."""
        return job.owner.plan.name

    @admin.display(description="age")
    def age(self, job: Job) -> str:
        """How long ago it was submitted, in its largest unit."""
        return timesince(job.created_at, depth=1)

    @admin.display(description="failed because")
    def failed_because(self, job: Job) -> str:
        """The start of the reason."""
        return start_of(job.failure)

    @admin.display(description="trouble")
    def trouble_start(self, job: Job) -> str:
        """The start of what staff must mend."""
        return start_of(job.trouble)


def _timeline(job: Job) -> Section:
    """Every change, the last first, and every message that staff sent."""
    events = job.events.order_by("-pk")[:MOST_RELATED]
    told = [
        (moment(each.at), each.actor, each.before or "new", each.after, each.reason)
        for each in events
    ]
    return Section("What happened", ("at", "who", "from", "to", "why"), told)


def _files(job: Job) -> Section:
    files = job.files.order_by("kind")
    told = [
        (each.kind, each.key, each.size, each.sha256, each.archive_id, each.retrieval_tier)
        for each in files
    ]
    columns = ("kind", "key", "bytes", "SHA-256", "receipt of the archived copy", "asked back at")
    return Section("Result files", columns, told)


def _mails(job: Job) -> Section:
    mails = job.notices.order_by("-pk")[:MOST_RELATED]
    told = [
        (each.kind, each.attempt, moment(each.created_at), moment(each.sent_at)) for each in mails
    ]
    return Section("Mails", ("kind", "attempt", "owed since", "sent"), told)
