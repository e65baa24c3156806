"""What people may send, checked before any view acts on it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator

#: A SHA-256 in hexadecimal.
SHA256 = r"^[0-9a-f]{64}\Z"

#: Jobs that one press of a button may change.
MOST_AT_ONCE = 100


class NewUpload(forms.Form):
    """The first step of an upload: what the file is called."""

    filename = forms.CharField(max_length=300, required=False, empty_value="input.vcf")


class NewParts(forms.Form):
    """The first step of an upload in parts: the file's name, bytes, and SHA-256 of its start."""

    filename = forms.CharField(max_length=300, required=False, empty_value="input.vcf")
    size = forms.IntegerField(min_value=0, max_value=2**63 - 1)
    first_bytes = forms.RegexField(SHA256)


class NewPart(forms.Form):
    """One part that is about to be sent."""

    number = forms.IntegerField()
    sha256 = forms.RegexField(SHA256)


class NewJob(forms.Form):
    """What the job is called, nothing meaning like its file; its reference, if not as it fits."""

    name = forms.CharField(max_length=200, required=False)
    bundle = forms.CharField(max_length=100, required=False)
    notes = forms.CharField(max_length=2000, required=False)


class _Number(forms.IntegerField):
    """The number of a job, as large as the database has them."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, required=required)


class _Day(forms.DateField):
    """A day of a calendar that the database knows, too."""

    default_validators = [
        MinValueValidator(date(2000, 1, 1)),
        MaxValueValidator(date(2999, 12, 31)),
    ]


class _Numbers(forms.Field):
    """The numbers of some jobs, as boxes that were ticked send them."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Sequence[Any]) -> list[int]:
        """Return them in the order of the boxes."""
        if len(value) > MOST_AT_ONCE:
            raise ValidationError(f"At most {MOST_AT_ONCE} jobs at once.")
        number = _Number(required=True)
        return [number.clean(each) for each in value]


class JobList(forms.Form):
    """Which jobs to list; what makes no sense is left out, and the rest holds."""

    show = forms.SlugField(required=False)
    q = forms.CharField(max_length=100, required=False)
    since = _Day(required=False)
    until = _Day(required=False)
    before = _Number()
    after = _Number()

    @property
    def understood(self) -> dict[str, Any]:
        """The parts that make sense."""
        self.full_clean()
        return self.cleaned_data


class ChosenJobs(forms.Form):
    """Some jobs of a list, and what to do with them."""

    verb = forms.ChoiceField(choices=[("cancel", "Cancel"), ("delete", "Delete")])
    job = _Numbers(required=False)


class RunAgain(forms.Form):
    """The newest job of the same file that the page knew of when the button was pressed."""

    newest = _Number()


class ReasonForm(forms.Form):
    """Why somebody of the staff does something: it is written down for good."""

    reason = forms.CharField(max_length=500, label="Why")


class MaintenanceForm(forms.Form):
    """What people are told, and from when until when."""

    message = forms.CharField(max_length=500, required=False, label="What people are told")
    begins_at = forms.DateTimeField(required=False, label="From (UTC; empty: now)")
    ends_at = forms.DateTimeField(required=False, label="Until (UTC; empty: until it is ended)")
