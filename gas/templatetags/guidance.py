"""Where in the help a word is explained."""

from django import template
from django.urls import reverse

register = template.Library()

#: What a page shows: the topic of the help, and the place in it.
PLACES = {
    "impacts": ("consequences", "impact"),
    "consequences": ("consequences", "terms"),
    "consequences_all": ("consequences", "terms"),
    "clinvar": ("known", "significance"),
    "known": ("known", "sources"),
    "filters": ("unannotated", "filter"),
    "skipped": ("unannotated", "reasons"),
    "files": ("files", "columns"),
    "refusal": ("input", "refused"),
    "formats": ("input", "formats"),
    "archive": ("archive", "moving"),
    "back": ("archive", "back"),
    "provenance": ("provenance", "verify"),
}


@register.filter
def help_on(word: str) -> str:
    """Return the address that explains what a page shows; empty where nothing does."""
    if word not in PLACES:
        return ""
    topic, place = PLACES[word]
    return f"{reverse('help_topic', args=[topic])}#{place}"
