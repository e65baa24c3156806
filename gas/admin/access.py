"""Ways into accounts, and out of the service: browsers, programs and webhooks."""

from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from gas.admin.acting import Act, ActingAdmin
from gas.admin.links import account_link, user_link
from gas.admin.read_only import MOST_RELATED, ReadOnlyAdmin, Section, moment
from gas.admin.site import staff_site
from gas.models import ApiToken, SignIn, Webhook
from gas.services.staff import accounts


@admin.register(SignIn, site=staff_site)
class SignInAdmin(ActingAdmin):
    """Browsers that are signed in, newest first."""

    list_display = ("id", user_link, "browser", "at")
    list_select_related = ("user",)
    account = "user"
    search_fields = ("user",)
    search_help_text = "The whole mail address or identity of an account."
    fields = ("user", "browser", "at")  # the key of a session opens it
    acts = (
        Act(
            "end_sign_in",
            "Sign out",
            "The browser is signed out; whoever sits at it may sign in again.",
            accounts.end_sign_in,
        ),
    )


@admin.register(ApiToken, site=staff_site)
class ApiTokenAdmin(ActingAdmin):
    """Tokens of programs, newest first."""

    list_display = (
        *("id", user_link, "name", "may", "created_at", "expires_at", "used_at", "revoked_at"),
    )
    list_select_related = ("user",)
    account = "user"
    number = "pk"
    search_fields = ("user",)
    search_help_text = "The number of a token, or the whole mail address or identity of an account."
    fields = ("user", "name", "may", "created_at", "expires_at", "used_at", "revoked_at")
    readonly_fields = ("may",)
    acts = (
        Act(
            "revoke",
            "Revoke",
            "Whatever program bears the token is refused from now on. Its owner may make another.",
            accounts.revoke_token,
            is_final=True,
        ),
    )

    @admin.display(description="may")
    def may(self, token: ApiToken) -> str:
        """What its bearer may do."""
        return ", ".join(token.scopes)


@admin.register(Webhook, site=staff_site)
class WebhookAdmin(ReadOnlyAdmin):
    """Addresses that are called when jobs move, newest first; their paths may hold secrets."""

    list_display = (
        *("id", "whose", "host", "is_active", "failures", "failing_since", "delivered_at"),
        "disabled_at",
    )
    list_select_related = ("owner",)
    account = "owner"
    number = "pk"
    search_fields = ("owner",)
    search_help_text = (
        "The number of a webhook, or the whole mail address or identity of an account."
    )
    fields = (
        *("whose", "host", "events", "is_active", "created_at", "failures", "failing_since"),
        *("rests_until", "delivered_at", "disabled_at", "disabled_reason"),
    )
    readonly_fields = ("whose", "host")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        """Webhooks with their owners."""
        return super().get_queryset(request).select_related("owner")

    def sections(self, row: Webhook) -> list[Section]:
        """The last calls."""
        calls = [
            (
                each.event,
                each.job_number or "",
                moment(each.created_at),
                each.tries,
                moment(each.delivered_at),
                each.answered or "",
                moment(each.wake_at),
            )
            for each in row.deliveries.order_by("-pk")[:MOST_RELATED]
        ]
        columns = ("event", "job", "owed since", "tries", "taken", "answered", "next try")
        return [Section("Calls", columns, calls)]

    @admin.display(description="owner")
    def whose(self, webhook: Webhook) -> SafeString:
        """The owner, leading to the account."""
        return account_link(webhook.owner)

    @admin.display(description="host")
    def host(self, webhook: Webhook) -> str:
        """Where it is called, without the path."""
        return urlsplit(webhook.url).hostname or ""
