"""Variants, their columns and the fields of a filter, made ready to be shown."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from annotator.consequence import RANK
from gas.filter_form import IMPACTS, BoxForm
from gas.results.conditions import MISSING
from gas.results.scan import Sort
from gas.results.variants import Order
from gas.views.charts import plain
from gas.views.links import Link

#: Values of a column that a filter offers; any other can still be asked for by address.
MOST_OFFERED = 40

_HEADS: tuple[tuple[str, Sort | None], ...] = (
    ("Position", Sort.PLACE),
    ("Change", None),
    ("Gene", Sort.GENE),
    ("Consequence", Sort.SEVERITY),
    ("Protein", None),
    ("Known as", Sort.KNOWN),
    ("ClinVar", Sort.CLINVAR),
    ("Frequency", Sort.FREQUENCY),
    ("FILTER", None),
    ("Genotype", None),
    ("More", None),
)
_NOT_COLUMNS = ("row", "contig", "position", "ref", "alt")


@dataclass(frozen=True)
class Head:
    """A column's head: what a press on it asks for, and how the rows are sorted by it now."""

    title: str
    address: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Option:
    """One word that can be ticked."""

    value: str
    label: str
    ticked: bool


@dataclass(frozen=True)
class Box:
    """One box of the filter: its form, and the words that can be ticked in it."""

    number: int
    form: BoxForm
    prefix: str
    impacts: list[Option]
    consequences: list[Option]
    clinvar: list[Option]
    filters: list[Option]


def heads(query: QueryDict, order: Order | None) -> list[Head]:
    """Return the heads; a second press on one turns the order round."""
    made = []
    for title, by in _HEADS:
        if by is None:
            made.append(Head(title))
            continue
        now = order is not None and order.by == by
        downward = now and order is not None and order.descending
        turned = f"-{by}" if now and not downward else str(by)
        sorted_now = ("descending" if downward else "ascending") if now else ""
        made.append(Head(title, address(query, sort=turned, behind=None), sorted_now))
    return made


def address(query: QueryDict, **changes: object) -> str:
    """Return the query of this page with some of it changed, or left out where it is None."""
    changed = query.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
    return changed.urlencode()


def line(row: Mapping[str, Any], links: list[Link]) -> dict[str, Any]:
    """Return a variant as a line of the table."""
    return {
        **row,
        "term": plain(row.get("consequence") or ""),
        "frequency": ""
        if row.get("allele_frequency") is None
        else f"{row['allele_frequency']:.4g}",
        "significance": plain(row.get("clinvar_significance") or ""),
        "links": links,
    }


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the columns of the same allele's rows that have anything in them."""
    names = [name for name in rows[0] if name not in _NOT_COLUMNS]
    return [name for name in names if any(row[name] is not None for row in rows)]


def box(form: BoxForm, counts: Mapping[str, Any], number: int) -> Box:
    """Return a box with the words that this job's file has, and those that are ticked."""
    seen = counts.get("consequences_all") or counts.get("consequences") or {}
    return Box(
        number,
        form,
        f"{form.prefix}-" if form.prefix else "",
        _options(form, "impact", IMPACTS),
        _options(form, "consequence", sorted(seen, key=lambda term: RANK.get(term, len(RANK)))),
        _options(form, "clinvar", _tokens(counts.get("clinvar", {}), r"[/|,;]")),
        _options(form, "filter", _tokens(counts.get("filters", {}), ";")),
    )


def _options(form: BoxForm, name: str, words: Iterable[str]) -> list[Option]:
    ticked = form[name].data or []
    offered = list(dict.fromkeys([*list(words)[:MOST_OFFERED], *ticked]))
    return [Option(word, _label(word), word in ticked) for word in offered]


def _label(word: str) -> str:
    return "Missing" if word == MISSING else plain(word)


def _tokens(counts: Mapping[str, int], between: str) -> list[str]:
    """Take the values of a column apart, those with most rows first."""
    return list(
        dict.fromkeys(word for value in counts for word in re.split(between, value) if word)
    )
