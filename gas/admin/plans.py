"""The plans, what staff gave of them, and what is paid for."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from gas.admin.acting import Act, ActingAdmin
from gas.admin.forms import LABELS, LimitsForm
from gas.admin.links import row_link, user_link
from gas.admin.read_only import MOST_RELATED, ReadOnlyAdmin, Section, moment, start_of
from gas.admin.records import acts_about
from gas.admin.site import staff_site
from gas.models import BillingEvent, Grant, Plan, Subscription
from gas.services.staff import accounts


@admin.register(Plan, site=staff_site)
class PlanAdmin(ActingAdmin):
    """The plans, and what each allows."""

    list_display = ("name", *LABELS, "archives")
    ordering = ("name",)
    acts = (
        Act(
            "set_plan_limits",
            "Set limits",
            "The numbers below hold for every account on the plan that has none of its own, from "
            "its next file or job on. An empty last field is any number.",
            accounts.set_plan_limits,
            LimitsForm,
        ),
    )

    def sections(self, row: Plan) -> list[Section]:
        """What staff set."""
        return [acts_about("plan", row.pk)]


@admin.register(Grant, site=staff_site)
class GrantAdmin(ReadOnlyAdmin):
    """Premium that staff gave, newest first."""

    list_display = ("id", user_link, "given_at", "until", "ended_at", "given_by", "why")
    list_select_related = ("user",)
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    account = "user"
    exact = ("given_by",)
    search_fields = ("user",)
    search_help_text = "The whole mail address or identity of an account, or of who gave it."
    fields = ("user", "given_at", "until", "ended_at", "given_by", "reason")

    @admin.display(description="why")
    def why(self, grant: Grant) -> str:
        """The start of the reason."""
        return start_of(grant.reason)


@admin.register(Subscription, site=staff_site)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Every paid period, newest first."""

    list_display = (
        "id",
        user_link,
        "status",
        "customer_id",
        "provider_id",
        "started_at",
        "ended_at",
        "unpaid_since",
    )
    list_select_related = ("user",)
    list_filter = ("status",)
    account = "user"
    exact = ("customer_id", "provider_id")
    search_fields = ("provider_id",)
    search_help_text = (
        "An id of the payment provider, or the whole mail address or identity of an account."
    )
    fields = (
        *("account_page", "status", "customer_id", "provider_id"),
        *("started_at", "ended_at", "unpaid_since", "changes"),
    )
    readonly_fields = ("account_page",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """Subscriptions with their accounts."""
        return super().get_queryset(request).select_related("user")

    @admin.display(description="account")
    def account_page(self, subscription: Subscription) -> Any:
        """The account, leading there."""
        return user_link(subscription)

    def sections(self, row: Subscription) -> list[Section]:
        """What the payment provider told, and the mails about it."""
        events = BillingEvent.objects.filter(subscription=row.provider_id).order_by("-received_at")
        told = [
            (row_link("billingevent", each.pk, each.event_id), each.kind, moment(each.received_at))
            for each in events[:MOST_RELATED]
        ]
        mails = [
            (each.kind, moment(each.created_at), moment(each.sent_at))
            for each in row.notices.order_by("-pk")[:MOST_RELATED]
        ]
        return [
            Section("What the payment provider told", ("event", "kind", "received"), told),
            Section("Mails", ("kind", "owed since", "sent"), mails),
        ]


@admin.register(BillingEvent, site=staff_site)
class BillingEventAdmin(ReadOnlyAdmin):
    """What the payment provider told, newest first."""

    list_display = ("event_id", "kind", "subscription", "received_at")
    exact = ("event_id", "subscription")
    search_fields = ("event_id",)
    search_help_text = "The payment provider's id of an event or of a subscription."
    ordering = ("-received_at",)
    fields = ("event_id", "kind", "subscription", "received_at")
    readonly_fields = ("received_at",)
