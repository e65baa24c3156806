"""Who uses the service, and what they may do."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gas.admin.acting import Act, ActingAdmin
from gas.admin.forms import LABELS, GrantForm, LimitsForm
from gas.admin.links import row_link
from gas.admin.read_only import MOST_RELATED, Section, moment
from gas.admin.records import acts_about
from gas.admin.site import staff_site
from gas.models import User
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
