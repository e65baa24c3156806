"""Which variants are wanted, as the addresses of the site and of the API say it.

A filter is `gene=PDIA2&impact=HIGH` or a mapping `{"gene": "PDIA2", "impact": ["HIGH", "LOW"]}`;
the API's reference explains each name.
"""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from gas_client.errors import Misused

Value = str | float | bool
Wanted = str | Mapping[str, Value | Sequence[Value]] | None
Query = dict[str, list[str]]


def query_of(wanted: Wanted) -> Query:
    """Return the fields of a filter; Misused when it is none."""
    if wanted is None:
        return {}
    query: Query = {}
    pairs = _pairs_of_text(wanted) if isinstance(wanted, str) else _pairs(wanted)
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query


def joined(texts: Iterable[str]) -> Query:
    """Return the fields of several filters, all of which must hold."""
    query: Query = {}
    for text in texts:
        for name, values in query_of(text).items():
            query.setdefault(name, []).extend(values)
    return query


def _pairs_of_text(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.lstrip("?"), strict_parsing=True)
    except ValueError as error:
        raise Misused(f"{text!r} is no filter; write it like gene=PDIA2.") from error


def _pairs(wanted: Mapping[str, Value | Sequence[Value]]) -> Iterable[tuple[str, str]]:
    for name, value in wanted.items():
        values = [value] if isinstance(value, str | float | int) else value
        yield from ((name, str(one)) for one in values)
