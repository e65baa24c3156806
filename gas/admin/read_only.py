"""Tables that staff look at and nobody edits here, fast however long they are."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import BigIntegerField, Model, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _Permissions = admin.options.BaseModelAdmin[Any]
    _Paginator = Paginator[Any]
else:  # at run time Django's classes take no type
    _ModelAdmin, _TabularInline, _Permissions = admin.ModelAdmin, admin.TabularInline, object
    _Paginator = Paginator

#: Rows that staff can page through; further back they come by filter and search.
MOST_ROWS = 2_000


class NearPages(_Paginator):
    """Pages of the first rows: counts no more of them, and skips no more to reach a page."""

    @cached_property
    def count(self) -> int:
        """The rows there are, up to the most that are shown."""
        return cast("QuerySet[Any]", self.object_list)[:MOST_ROWS].count()


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


class ReadOnlyAdmin(LookOnly, _ModelAdmin):
    """One table, newest rows first."""

    paginator = NearPages
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    sortable_by = ()
    #: The column that a number in the search box is looked for in.
    number = ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a number by its index; look for anything else in the texts."""
        if self.number and search_term.strip().isdecimal():
            number = min(int(search_term), BigIntegerField.MAX_BIGINT)  # larger ones no row has
            return queryset.filter(**{self.number: number}), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnlyInline(LookOnly, _TabularInline):
    """The rows of another table that belong to the one shown."""

    extra = 0
    can_delete = False


def start_of(text: str) -> str:
    """The first words of a long text, for a column."""
    return Truncator(text).chars(80)
