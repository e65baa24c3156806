"""What people may send, checked before any view acts on it."""

from django import forms


class NewUpload(forms.Form):
    """The first step of an upload: what the file is called."""

    filename = forms.CharField(max_length=300, required=False, empty_value="input.vcf")


class NewJob(forms.Form):
    """The second step: what the job is called; nothing means like its file."""

    name = forms.CharField(max_length=200, required=False)


class JobList(forms.Form):
    """Which jobs to list: of one kind, and older than one that was seen."""

    show = forms.SlugField(required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
