"""Tables that staff look at and nobody edits here, fast however long they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import BigIntegerField, Model, Q, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator

from gas.models import User

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Permissions = admin.options.BaseModelAdmin[Any]
    _Paginator = Paginator[Any]
else:  # at run time Django's classes take no type
    _ModelAdmin, _Permissions = admin.ModelAdmin, object
    _Paginator = Paginator

#: Rows that staff can page through; further back they come by filter and search.
MOST_ROWS = 2_000

#: Rows of another table that the page of a row shows, the newest.
MOST_RELATED = 100

#: Digits of the largest number of a row, and of longer ones that no row has.
LONGEST_NUMBER = len(str(BigIntegerField.MAX_BIGINT))


class NearPages(_Paginator):
    """Pages of the first rows: counts one more of them, and skips no more to reach a page."""

    @cached_property
    def found(self) -> int:
        """The rows there are, up to one more than are shown."""
        return cast("QuerySet[Any]", self.object_list)[: MOST_ROWS + 1].count()

    @property
    def count(self) -> int:
        """The rows that there are pages for."""
        return min(self.found, MOST_ROWS)

    @property
    def goes_on(self) -> bool:
        """Whether there are rows behind the last page, how many nobody has counted."""
        return self.found > MOST_ROWS


class LookOnly(_Permissions):
    """Staff may look; nobody may add, change or delete."""

    admin_site: admin.AdminSite

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Staff see that the table exists."""
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Staff see its rows."""
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds a row."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes a row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes a row."""
        return False


@dataclass(frozen=True)
class Section:
    """What the page of a row shows of another table."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


class ReadOnlyAdmin(LookOnly, _ModelAdmin):
    """One table, newest rows first; its search box finds by index alone."""

    paginator = NearPages
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    sortable_by = ()
    change_form_template = "admin/row.html"
    view_on_site = False  # the pages of the site are their owners' alone
    #: The column that a number in the search box is looked for in.
    number = ""
    #: The columns that hold what is typed, to the letter.
    exact: tuple[str, ...] = ()
    #: The account that a row belongs to, found by its identity or mail address.
    account = ""

    @property
    def media(self) -> Media:
        """What ticks boxes; the rest of Django's scripts are for pages that edit."""
        return Media(js=["admin/js/core.js", "admin/js/actions.js"])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a number by its index, and all else by that of its own column."""
        term = search_term.strip()
        if term and self.number and term.isdecimal():
            return queryset.filter(**{self.number: whole(term)}), False
        return (self.found(request, queryset, term) if term else queryset), False

    def found(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """The rows that a search finds which is for no number."""
        matches = Q(pk__in=[])
        for column in self.exact:
            matches |= Q(**{column: term})
        if self.account and (accounts := accounts_of(term)):
            matches |= Q(**{f"{self.account}__in": accounts})
        return rows.filter(matches)

    def sections(self, row: Any) -> list[Section]:
        """What belongs to a row, by table."""
        return []

    def row_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows besides its columns."""
        return {"sections": self.sections(row)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show a row with what belongs to it."""
        context |= self.row_context(request, context["original"])
        return super().render_change_form(request, context, *args, **kwargs)


def whole(digits: str) -> int:
    """The number that was typed; the largest there is for all that no row has."""
    return min(int(digits[:LONGEST_NUMBER]), BigIntegerField.MAX_BIGINT)


def accounts_of(term: str) -> list[int]:
    """The accounts with exactly this identity or mail address, the newest few."""
    found = User.objects.filter(Q(username=term) | Q(email__iexact=term))
    return list(found.order_by("-pk").values_list("pk", flat=True)[:20])


def as_uuid(text: str) -> UUID | None:
    """The UUID that was typed, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def start_of(text: str) -> str:
    """The first words of a long text, for a column."""
    return Truncator(text).chars(80)


def moment(at: datetime | None) -> str:
    """A time to the second (UTC); nothing of what never was."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""
