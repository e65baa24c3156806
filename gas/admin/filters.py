"""What a list of a million jobs is narrowed by, each along an index."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from gas.admin.read_only import whole
from gas.models import IN_FLIGHT, Job, User

#: How far the order of numbers and that of dates may be apart: as long as a transaction may take.
ADRIFT = timedelta(minutes=10)


class AgeFilter(admin.SimpleListFilter):
    """How long ago a job was submitted.

    Dates become numbers, so that the list stays a walk along the index that it is ordered by.
    """

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
            last = _number_at(since + ADRIFT)
            young = {} if last is None else {"pk__lte": last}
            return queryset.filter(created_at__lt=since, **young)
        first = _number_at(since - ADRIFT)
        if first is None:
            return queryset.none()
        return queryset.filter(created_at__gte=since, pk__gte=first)


def _number_at(moment: datetime) -> int | None:
    """The number of the first job since a moment."""
    since = Job.objects.filter(created_at__gte=moment).order_by("created_at")
    return since.values_list("pk", flat=True).first()


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


class OwnerFilter(admin.SimpleListFilter):
    """Whose jobs; it shows itself when a link from an account has chosen them."""

    title = "owner"
    parameter_name = "owner__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The one who was chosen."""
        chosen = request.GET.get(self.parameter_name)
        if chosen is None:
            return []
        owner = User.objects.filter(pk=whole(chosen)).first() if chosen.isdecimal() else None
        return [(chosen, owner.display_name if owner else "nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs of the chosen account."""
        chosen = self.value()
        if chosen is None:
            return queryset
        return queryset.filter(owner_id=whole(chosen)) if chosen.isdecimal() else queryset.none()
