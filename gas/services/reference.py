"""What this server annotates against."""

from functools import cache

from django.conf import settings

from annotator import bundles
from annotator.bundles import Bundle


@cache
def in_use() -> Bundle:
    """Return the reference bundle of new jobs; read once, since it changes with a release only."""
    return bundles.load(settings.BUNDLE)
