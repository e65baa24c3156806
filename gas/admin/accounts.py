"""Who uses the service, and what they pay for."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gas.admin.links import user_link
from gas.admin.read_only import ReadOnlyAdmin
from gas.admin.site import staff_site
from gas.models import AccountEvent, Subscription, User


@admin.register(User, site=staff_site)
class UserAdmin(ReadOnlyAdmin):
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
    search_fields = ("username", "email", "first_name", "last_name")
    search_help_text = "A part of the name, the mail address or the Globus identity."
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "plan", "jobs")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("When", {"fields": ("date_joined", "last_login")}),
    )
    readonly_fields = ("jobs",)

    @admin.display(description="jobs")
    def jobs(self, user: User) -> SafeString:
        """A way to the account's jobs."""
        page = reverse("admin:gas_job_changelist")
        return format_html('<a href="{}?owner__id__exact={}">Jobs</a>', page, user.pk)


@admin.register(AccountEvent, site=staff_site)
class AccountEventAdmin(ReadOnlyAdmin):
    """What owners did with their accounts, newest first; accounts that are gone by number."""

    list_display = ("id", "account_id", "at", "actor", "what")
    fields = ("account_id", "at", "actor", "what")
    readonly_fields = ("account_id",)
    number = "account_id"
    search_fields = ("what",)
    search_help_text = "The number of an account, or a part of what was done."


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
    )
    list_select_related = ("user",)
    list_filter = ("status",)
    search_fields = ("customer_id", "provider_id", "user__username", "user__email")
    search_help_text = (
        "A part of an id of the payment provider, or of the account's identity or mail."
    )
