"""What this server annotates against."""

from contextlib import suppress
from functools import cache

from django.conf import settings

from annotator import bundles
from annotator.bundles import PLAIN_NAME, Bundle
from annotator.errors import AnnotatorFailed


class NoReference(Exception):
    """No installed reference is the one that was asked for; the message is one sentence."""


@cache
def in_use() -> Bundle:
    """Return the usual reference of new jobs; read once, since it changes with a release only."""
    return bundles.load(settings.BUNDLE)


@cache
def installed() -> tuple[Bundle, ...]:
    """Every reference that a job can choose, the usual one first: those beside it that are whole.

    Every machine has the same ones.
    """
    found = {in_use().id: in_use()}
    for folder in bundles.folders(settings.BUNDLE.parent):
        if PLAIN_NAME.fullmatch(folder.name):
            with suppress(AnnotatorFailed):
                bundle = bundles.load(folder)
                found.setdefault(bundle.id, bundle)
    return tuple(found.values())


def name_of(bundle: Bundle) -> str:
    """The name by which jobs know a reference: that of its folder."""
    return bundle.folder.name


def choose(name: str, *, assembly: str) -> Bundle:
    """Find the reference of that name, or the first that fits when there is no name.

    `assembly` is what the file's contigs say, or nothing. Raises NoReference.
    """
    fitting = [bundle for bundle in installed() if assembly in ("", bundle.assembly)]
    if not fitting:
        has = " and ".join(sorted({bundle.assembly for bundle in installed()}))
        raise NoReference(
            f"The file looks like {assembly} by its contig lengths; this server annotates {has}."
        )
    chosen = next((each for each in installed() if name in ("", name_of(each))), None)
    if chosen is None:
        raise NoReference("There is no such reference here. Please choose one of the list.")
    if name and chosen not in fitting:
        raise NoReference(
            f"The file looks like {assembly} by its contig lengths;"
            f" the chosen reference is {chosen.assembly}."
        )
    return chosen if name else fitting[0]
