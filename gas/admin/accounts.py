"""Who uses the service, what they may do, and what they pay for."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gas.admin.acting import Act, ActingAdmin
from gas.admin.forms import LABELS, GrantForm, LimitsForm
from gas.admin.links import row_link, user_link
from gas.admin.read_only import MOST_RELATED, ReadOnlyAdmin, Section, moment, start_of
from gas.admin.records import acts_about
from gas.admin.site import staff_site
from gas.models import BillingEvent, Grant, Plan, Subscription, User
from gas.services.staff import accounts

ACTS = (
    Act(
        "grant",
        "Give premium",
        "The account is on premium until the end of the day below: results stay at hand, and "
        "everything archived is asked back. It ends by itself, with the grace period of a "
        "subscription that ends. A paid subscription goes on beside it, untouched.",
        accounts.grant,
        GrantForm,
    ),
    Act(
        "end_grant",
        "Take premium back",
        "What staff gave ends now; results stay at hand for the grace period. What is paid for "
        "stays: only its owner ends that.",
        accounts.end_grant,
    ),
    Act(
        "set_limits",
        "Set limits",
        "The numbers below hold for the account instead of those of its plan, from its next file "
        "or job on. An empty field is what the plan says.",
        accounts.set_limits,
        LimitsForm,
    ),
    Act(
        "lock",
        "Lock",
        "Nobody gets in: browsers are signed out, API tokens are revoked for good, and whoever "
        "signs in reads that the account is locked. Jobs that wait or run go on, results and a "
        "paid subscription stay; cancel jobs from their list.",
        accounts.lock,
    ),
    Act(
        "unlock",
        "Unlock",
        "Its owner may sign in again. Revoked tokens stay revoked.",
        accounts.unlock,
    ),
    Act(
        "sign_out",
        "Sign out everywhere",
        "Every browser of the account is signed out; its owner may sign in again.",
        accounts.sign_out,
    ),
)


@admin.register(User, site=staff_site)
class UserAdmin(ActingAdmin):
    """Every account, newest first."""

    list_display = (
        "display_name",
        "email",
        "plan",
        "is_active",
        "is_staff",
        "date_joined",
        "last_login",
        "jobs",
    )
    list_filter = ("plan", "is_active", "is_staff")
    list_select_related = ("plan",)
    number = "pk"
    search_fields = ("username",)
    search_help_text = (
        "The number of an account, or a part of the name, mail address or Globus identity."
    )
    fieldsets = (
        (None, {"fields": ("id", "username", "first_name", "last_name", "email", "jobs", "files")}),
        ("May", {"fields": ("plan", "limits", "today", "is_active", "is_staff", "is_superuser")}),
        ("When", {"fields": ("date_joined", "last_login", "turn_at", "left_at")}),
    )
    readonly_fields = ("id", "plan", "jobs", "files", "limits", "today", "turn_at", "left_at")
    acts = ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Accounts with their plans."""
        return super().get_queryset(request).select_related("plan")

    def found(self, request: HttpRequest, rows: QuerySet[User], term: str) -> QuerySet[User]:
        """The accounts that each word is a part of."""
        for word in term.split():
            columns = ("username", "email", "first_name", "last_name")
            parts = [Q(**{f"{column}__icontains": word}) for column in columns]
            rows = rows.filter(parts[0] | parts[1] | parts[2] | parts[3])
        return rows

    def sections(self, row: User) -> list[Section]:
        """What it was given and pays, who is signed in, which programs, and what happened."""
        return [
            _grants(row),
            _subscriptions(row),
            _sign_ins(row),
            _tokens(row),
            acts_about("user", row.pk),
            _history(row),
        ]

    @admin.display(description="jobs")
    def jobs(self, user: User) -> SafeString:
        """A way to the account's jobs."""
        page = reverse("admin:gas_job_changelist")
        return format_html('<a href="{}?owner__id__exact={}">Jobs</a>', page, user.pk)

    @admin.display(description="files")
    def files(self, user: User) -> SafeString:
        """A way to the account's uploads."""
        page = reverse("admin:gas_upload_changelist")
        return format_html('<a href="{}?q={}">Uploads</a>', page, user.username)

    @admin.display(description="limits")
    def limits(self, user: User) -> str:
        """What holds, and which of it is the account's own."""
        own = {name for name, column in User.OWN.items() if getattr(user, column) is not None}
        return "; ".join(
            f"{LABELS[name]}: {_number(getattr(user.limits, name))}{' (its own)' * (name in own)}"
            for name in LABELS
        )

    @admin.display(description="submitted today")
    def today(self, user: User) -> int:
        """Jobs of this day (UTC)."""
        return user.jobs_today


def _number(limit: int | None) -> str:
    return "any number" if limit is None else f"{limit:,}"


def _grants(user: User) -> Section:
    given = user.grants.order_by("-pk")[:MOST_RELATED]
    told = [
        (
            moment(each.given_at),
            moment(each.until),
            moment(each.ended_at),
            each.given_by,
            each.reason,
        )
        for each in given
    ]
    return Section("Premium that staff gave", ("given", "until", "ended", "by", "why"), told)


def _subscriptions(user: User) -> Section:
    bought = user.subscriptions.order_by("-pk")[:MOST_RELATED]
    told = [
        (
            row_link("subscription", each.pk, each.provider_id),
            each.status,
            moment(each.started_at),
            moment(each.ended_at),
        )
        for each in bought
    ]
    return Section("Subscriptions", ("id", "status", "started", "ended"), told)


def _sign_ins(user: User) -> Section:
    browsers = user.sign_ins.order_by("-pk")[:MOST_RELATED]
    told = [
        (row_link("signin", each.pk, each.browser or "a browser"), moment(each.at))
        for each in browsers
    ]
    return Section("Browsers that are signed in", ("browser", "since"), told)


def _tokens(user: User) -> Section:
    tokens = user.api_tokens.order_by("-pk")[:MOST_RELATED]
    told = [
        (
            row_link("apitoken", each.pk, each.name),
            ", ".join(each.scopes),
            moment(each.expires_at),
            moment(each.used_at),
            moment(each.revoked_at),
        )
        for each in tokens
    ]
    return Section("API tokens", ("name", "may", "ends", "last used", "revoked"), told)


def _history(user: User) -> Section:
    events = user.events.order_by("-pk")[:MOST_RELATED]
    told = [(moment(each.at), each.actor, each.what) for each in events]
    return Section("What happened", ("at", "who", "what"), told)


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
