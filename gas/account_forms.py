"""What people may send about their account, checked before any view acts on it."""

from django import forms

from gas.models import Scope, Topic
from gas.services.api_tokens import LONGEST_NAME
from gas.services.webhooks import CHOICES
from gas.webhooks.addresses import LONGEST_URL

#: What one types to have everything deleted.
FAREWELL = "delete everything"

#: How long a token may live, in days, and the words for it.
LIVES = [("7", "a week"), ("30", "30 days"), ("90", "90 days"), ("365", "a year")]


class ChosenMails(forms.Form):
    """Which mails are wanted; none is a choice too."""

    topics = forms.MultipleChoiceField(choices=Topic.choices, required=False)


class ChosenSignIn(forms.Form):
    """Which browser to sign out; without one, all others."""

    browser = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class Farewell(forms.Form):
    """The words that delete an account."""

    words = forms.CharField(max_length=100)

    def clean_words(self) -> str:
        """Take the words in any case and spacing, and nothing else."""
        words = " ".join(str(self.cleaned_data["words"]).lower().split())
        if words != FAREWELL:
            raise forms.ValidationError(f"Please type “{FAREWELL}” to confirm.")
        return words


class NewToken(forms.Form):
    """A token to be made."""

    name = forms.CharField(
        max_length=LONGEST_NAME, error_messages={"required": "Please give the token a name."}
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, error_messages={"required": "Please choose what it may do."}
    )
    days = forms.ChoiceField(choices=LIVES, initial="90")


class NewWebhook(forms.Form):
    """A webhook to be made."""

    url = forms.CharField(
        max_length=LONGEST_URL, error_messages={"required": "Please give the address to call."}
    )
    events = forms.MultipleChoiceField(
        choices=[(event.value, event.label) for event in CHOICES],
        error_messages={"required": "Please choose what the webhook is called for."},
    )


class Place(forms.Form):
    """Where a list of older rows begins."""

    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
