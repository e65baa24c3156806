"""Jobs: what became of each, and what staff may ask for them."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince

from gas.admin.links import owner_link
from gas.admin.read_only import ReadOnlyAdmin, ReadOnlyInline, start_of
from gas.admin.site import staff_site
from gas.models import IN_FLIGHT, Job, JobEvent, Notice, ResultFile, User
from gas.services import jobs, upkeep

#: Messages that one press of the button may send.
MOST_AT_ONCE = 100


class AgeFilter(admin.SimpleListFilter):
    """How long ago a job was submitted."""

    title = "age"
    parameter_name = "age"
    SPANS = {
        "hour": ("up to an hour", timedelta(hours=1)),
        "day": ("up to a day", timedelta(days=1)),
        "week": ("up to a week", timedelta(weeks=1)),
        "older": ("older than a week", timedelta(weeks=1)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The choices, youngest first."""
        return [(name, label) for name, (label, _) in self.SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs of the chosen age."""
        chosen = self.SPANS.get(self.value() or "")
        if chosen is None:
            return queryset
        since = timezone.now() - chosen[1]
        if self.value() == "older":
            return queryset.filter(created_at__lt=since)
        return queryset.filter(created_at__gte=since)


class TroubleFilter(admin.SimpleListFilter):
    """Whether staff must mend something for a job."""

    title = "trouble"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The choices, the most pressing first."""
        return [("stalled", "stalled until mended"), ("any", "any")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs in this trouble."""
        match self.value():
            case "stalled":
                stalled = queryset.exclude(trouble="").filter(wake_at=None)
                return stalled.filter(status__in=IN_FLIGHT)
            case "any":
                return queryset.exclude(trouble="")
        return queryset


class EventInline(ReadOnlyInline):
    """What happened to the job."""

    model = JobEvent
    fields = ("at", "actor", "before", "after", "reason")
    verbose_name_plural = "what happened"


class FileInline(ReadOnlyInline):
    """Its results, and the receipts of their copies in the archive."""

    model = ResultFile
    fields = ("kind", "key", "size", "archive_id", "retrieval_tier")
    verbose_name_plural = "result files"


class NoticeInline(ReadOnlyInline):
    """The mails that were owed to its owner."""

    model = Notice
    fields = ("kind", "attempt", "created_at", "lease_until", "sent_at")
    verbose_name_plural = "mails"


@admin.register(Job, site=staff_site)
class JobAdmin(ReadOnlyAdmin):
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
    list_filter = (
        "status",
        ("owner__plan", admin.RelatedFieldListFilter),
        AgeFilter,
        TroubleFilter,
    )
    number = "pk"
    search_fields = ("name", "owner__username", "owner__email")
    search_help_text = (
        "The number of a job, or a part of its name or of its owner's identity or mail."
    )
    fieldsets = (
        (None, {"fields": ("id", "owner", "name", "status", "failure", "variants")}),
        ("To be mended", {"fields": ("trouble", "troubled_at")}),
        (
            "In the pipeline",
            {"fields": ("attempt", "setbacks", "wake_at", "sent_at", "lease_owner", "lease_until")},
        ),
        ("When", {"fields": ("created_at", "completed_at", "archived_at")}),
        ("From what, to what", {"fields": ("upload", "bundle", "result_prefix")}),
    )
    readonly_fields = ("id",)
    view_on_site = False  # the page of a job is its owner's alone
    inlines = (EventInline, FileInline, NoticeInline)
    actions = ("send_again", "run_again", "mended")

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

    @admin.action(description="Send again the message that each job waits for")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Send what may have been lost; a message too many is harmless, and each is recorded."""
        self._ask(request, queryset, jobs.send_again, "Sent again", "Nothing to send for")

    @admin.action(description="Run again each job that failed on our side")
    def run_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Queue failed jobs once more, each recorded."""
        self._ask(request, queryset, _run_again, "Queued again", "Not to be run again:")

    @admin.action(description="Mended: go on with each job that was in trouble")
    def mended(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Go on where jobs stalled, each recorded."""
        self._ask(request, queryset, upkeep.mended, "Going on with", "No trouble with")

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[Job],
        service: Callable[..., bool],
        done: str,
        not_done: str,
    ) -> None:
        """Ask a service for each of the chosen jobs and tell what it did."""
        chosen = list(queryset[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            told = f"Please choose at most {MOST_AT_ONCE} jobs."
            self.message_user(request, told, messages.ERROR)
            return
        actor = cast(User, request.user)
        try:
            outcomes = [(job.pk, service(job=job, actor=actor)) for job in chosen]
        except jobs.JobRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        self._tell(request, done, [job for job, was in outcomes if was])
        self._tell(request, not_done, [job for job, was in outcomes if not was], messages.WARNING)

    def _tell(
        self, request: HttpRequest, what: str, numbers: list[int], level: int = messages.SUCCESS
    ) -> None:
        if numbers:
            count = f"{len(numbers)} job{'' if len(numbers) == 1 else 's'}"
            self.message_user(request, f"{what} {count}: {', '.join(map(str, numbers))}.", level)


def _run_again(*, job: Job, actor: User) -> bool:
    try:
        upkeep.run_again(job=job, actor=actor)
    except jobs.JobRefused:
        return False
    return True
