"""A filter as an address holds it, and as a form that makes such addresses.

A box has its fields under plain names, the second box under `2-gene` and so on. Everything of a box
must hold, of a field's several values one; of the boxes one must fit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from annotator.consequence import RANK
from gas.results.conditions import (
    Condition,
    Frequency,
    Genes,
    Known,
    OneOf,
    Region,
    Regions,
    Tokens,
)
from gas.results.filters import Filter
from gas.results.scan import Sort
from gas.results.variants import Order

#: Boxes of a filter, values of a field, and letters of a value.
MOST_BOXES, MOST_VALUES, LONGEST_VALUE = 4, 200, 100
#: The last base that a position can name.
LAST_BASE = 2**31 - 1
IMPACTS = ("HIGH", "MODERATE", "LOW", "MODIFIER")
_BETWEEN = re.compile(r"[\s,;]+")
_REGION = re.compile(r"([^\s:;]+)(?::([0-9,]{1,13})(?:-([0-9,]{1,13}))?)?")


class NotUnderstood(Exception):
    """The address asks for something that makes no sense; the message is one sentence."""


class _Words(forms.CharField):
    """Names with commas or blanks between them."""

    def to_python(self, value: Any) -> Any:
        """Take them apart."""
        found = tuple(dict.fromkeys(filter(None, _BETWEEN.split(value or ""))))
        _check(found)
        return found


class _Places(forms.CharField):
    """Regions with blanks or semicolons between them."""

    def to_python(self, value: Any) -> Any:
        """Read each."""
        found = tuple(filter(None, re.split(r"[\s;]+", value or "")))
        _check(found)
        return tuple(map(_region, found))


class _Values(forms.MultipleChoiceField):
    """Boxes that were ticked, for words that a file brought: any word may be asked for."""

    def validate(self, value: Any) -> None:
        """Refuse only what no cell can hold."""
        _check(value)


class BoxForm(forms.Form):
    """What all must hold."""

    gene = _Words(required=False)
    region = _Places(required=False)
    id = _Words(required=False)
    known = forms.ChoiceField(
        choices=[("", "Known or not"), ("yes", "Known to a source"), ("no", "Known to none")],
        required=False,
    )
    impact = forms.MultipleChoiceField(choices=[(word, word) for word in IMPACTS], required=False)
    consequence = forms.MultipleChoiceField(choices=[(word, word) for word in RANK], required=False)
    af_max = forms.FloatField(min_value=0, max_value=1, required=False, label="Frequency at most")
    af_min = forms.FloatField(min_value=0, max_value=1, required=False, label="Frequency at least")
    unseen = forms.BooleanField(required=False)
    clinvar = _Values(required=False)
    filter = _Values(required=False, label="FILTER")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of a form that makes sense."""
        said = self.cleaned_data
        found: list[Condition] = []
        if said["gene"]:
            found.append(Genes(said["gene"]))
        if said["region"]:
            found.append(Regions(said["region"]))
        if said["id"]:
            found.append(Tokens(("id", "known_id"), said["id"], ",;", "id"))
        if said["known"]:
            found.append(Known(said["known"] == "yes"))
        found += [
            OneOf(name, tuple(said[name])) for name in ("impact", "consequence") if said[name]
        ]
        if said["clinvar"]:
            words = tuple(said["clinvar"])
            found.append(Tokens(("clinvar_significance",), words, "/|,;", "ClinVar"))
        if (said["af_min"], said["af_max"], said["unseen"]) != (None, None, False):
            found.append(Frequency(said["af_min"], said["af_max"], said["unseen"]))
        if said["filter"]:
            found.append(Tokens(("filter",), tuple(said["filter"]), ";", "FILTER"))
        return tuple(found)


class _Look(forms.Form):
    """How the variants are shown."""

    sort = forms.ChoiceField(
        choices=[(f"{sign}{by}", by) for by in Sort for sign in ("", "-")], required=False
    )
    behind = forms.IntegerField(min_value=0, max_value=2**40, required=False)
    boxes = forms.IntegerField(min_value=1, max_value=MOST_BOXES, required=False)


@dataclass(frozen=True)
class Asked:
    """What an address asks for."""

    wanted: Filter
    order: Order
    behind: int | None


def read(query: QueryDict) -> Asked:
    """Read an address; raises NotUnderstood with a sentence on the first thing that is wrong."""
    _check_names(query)
    look = _Look(query)
    boxes = [_box(query, number) for number in range(1, MOST_BOXES + 1)]
    for form in (look, *boxes):
        if not form.is_valid():
            raise NotUnderstood(_sentence(form))
    sort = look.cleaned_data["sort"] or Sort.PLACE
    order = Order(Sort(sort.removeprefix("-")), descending=sort.startswith("-"))
    filled = tuple(box for form in boxes if (box := form.conditions))
    return Asked(Filter(filled), order, look.cleaned_data["behind"])


def boxes_of(query: QueryDict) -> list[BoxForm]:
    """Return the boxes to show: those in use, as many as are asked for, and at least one."""
    asked = query.get("boxes", "")
    wanted = int(asked) if asked in {str(n) for n in range(1, MOST_BOXES + 1)} else 1
    used = [n for n in range(2, MOST_BOXES + 1) if any(k.startswith(f"{n}-") for k in query)]
    return [_box(query, number) for number in range(1, max([wanted, *used]) + 1)]


def needless(query: QueryDict) -> QueryDict | None:
    """Return the address without its empty fields; None when it has none."""
    kept = query.copy()
    for name, values in query.lists():
        kept.setlist(name, [value for value in values if value])
        if not kept.getlist(name):
            del kept[name]
    return None if kept == query else kept


def _box(query: QueryDict, number: int) -> BoxForm:
    return BoxForm(query, prefix=str(number) if number > 1 else None)


def _check_names(query: QueryDict) -> None:
    prefixes = ["", *(f"{number}-" for number in range(2, MOST_BOXES + 1))]
    several = {f"{prefix}{name}" for prefix in prefixes for name in _MANY}
    single = {f"{prefix}{name}" for prefix in prefixes for name in BoxForm.base_fields} - several
    for name, values in query.lists():
        if name not in several | single | set(_Look.base_fields):
            shown = name[:40].encode("ascii", "replace").decode()
            raise NotUnderstood(f"The address asks for “{shown}”, which no filter knows.")
        if len(values) > 1 and name not in several:
            raise NotUnderstood(f"The address asks for “{name}” more than once.")


_MANY = tuple(
    name
    for name, field in BoxForm.base_fields.items()
    if isinstance(field, forms.MultipleChoiceField)
)


def _sentence(form: forms.Form) -> str:
    name, errors = next(iter(form.errors.items()))
    label = form[name].label if name in form.fields else name
    return f"{label}: {errors[0]}"


def _check(values: Sequence[str]) -> None:
    if len(values) > MOST_VALUES:
        raise forms.ValidationError(f"At most {MOST_VALUES} can be asked for at once.")
    for value in values:
        if len(value) > LONGEST_VALUE or not value.isprintable():
            raise forms.ValidationError("One of these is too long, or no word at all.")


def _region(text: str) -> Region:
    match = _REGION.fullmatch(text)
    if match is None:
        raise forms.ValidationError(
            f"“{text[:40]}” is no region; please write it like chr16:283,000-290,000."
        )
    contig, *ends = match.groups()
    start, end = (int(digits.replace(",", "") or 0) if digits else None for digits in ends)
    if start is None:
        return Region(contig)
    if not 1 <= start <= (end or start) <= LAST_BASE:
        raise forms.ValidationError(f"“{text[:40]}” ends before it begins, or beyond any contig.")
    return Region(contig, start, end or start)
