"""What people may send, checked before any view acts on it."""

from django import forms

#: A SHA-256 in hexadecimal.
SHA256 = r"^[0-9a-f]{64}\Z"


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


class JobList(forms.Form):
    """Which jobs to list: of one kind, and older than one that was seen."""

    show = forms.SlugField(required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
