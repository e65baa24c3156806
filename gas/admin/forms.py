"""What staff are asked before an act: always why, and what the act needs to know."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from gas.models import Limits, Plan, User
from gas.services.staff.acts import LONGEST_REASON
from gas.services.staff.jobs import Stage
from gas.storage.archive import Tier, get_archive

#: How long each tier takes, as Amazon says.
TIERS = {
    Tier.EXPEDITED: "Expedited: 1 to 5 minutes, the dearest",
    Tier.STANDARD: "Standard: 3 to 5 hours",
    Tier.BULK: "Bulk: 5 to 12 hours, the cheapest",
}

LABELS = {
    "max_upload_bytes": "Largest input file, in bytes",
    "max_active_jobs": "Jobs queued or running at once",
    "max_running_jobs": "Of these, given to workers at once",
    "max_stored_bytes": "Inputs and results at hand, in bytes",
    "max_jobs_a_day": "Jobs submitted in one day (UTC)",
}

#: The largest number that every column for limits holds.
LARGEST = {name: 2**31 - 1 if "jobs" in name else 2**62 for name in LABELS}


class ReasonForm(forms.Form):
    """Why: it stands in the log for ever."""

    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Please say why."},
        help_text="It is written down for good, with your name. Please name no patients.",
    )

    @classmethod
    def about(cls, rows: list[Any]) -> dict[str, Any]:
        """What the form holds before anything is typed."""
        return {}

    def choices(self) -> dict[str, Any]:
        """What the act is told besides the reason."""
        return {name: value for name, value in self.cleaned_data.items() if name != "reason"}


class RetryForm(ReasonForm):
    """Which stage."""

    stage = forms.TypedChoiceField(choices=Stage.choices, coerce=Stage)
    field_order = ("stage", "reason")


class ThawForm(ReasonForm):
    """At which of the tiers that the archive offers."""

    tier = forms.TypedChoiceField(coerce=Tier)
    field_order = ("tier", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = get_archive().tiers()
        tier = self.fields["tier"]
        if isinstance(tier, forms.TypedChoiceField):
            tier.choices = [(each.value, TIERS[each]) for each in Tier if each in offered]


class GrantForm(ReasonForm):
    """Until when."""

    until = forms.DateField(
        label="Until the end of",
        help_text="The last day (UTC), such as 2027-01-31.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("until", "reason")

    @classmethod
    def about(cls, rows: list[Any]) -> dict[str, Any]:
        """A month, for a start."""
        return {"until": (timezone.now() + timedelta(days=30)).date()}

    def clean_until(self) -> datetime:
        """The midnight after the day."""
        day: Any = self.cleaned_data["until"]
        try:
            return datetime.combine(day + timedelta(days=1), time(), UTC)
        except OverflowError:
            raise forms.ValidationError("Please choose an earlier day.") from None


class LimitsForm(ReasonForm):
    """The limits of an account, or of a plan; an empty field is what the plan says, or any."""

    field_order = (*LABELS, "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in Limits.__dataclass_fields__:
            self.fields[name] = forms.IntegerField(
                label=LABELS[name], required=False, min_value=0, max_value=LARGEST[name]
            )
        self.order_fields(self.field_order)

    @classmethod
    def about(cls, rows: list[Any]) -> dict[str, Any]:
        """What holds now, where it is one row's."""
        match rows:
            case [User() as user]:
                return {name: getattr(user, column) for name, column in User.OWN.items()}
            case [Plan() as plan]:
                return {name: getattr(plan, name) for name in LABELS}
        return {}

    def choices(self) -> dict[str, Any]:
        """The limits, by their names."""
        return {"limits": super().choices()}
