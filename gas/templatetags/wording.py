"""Amounts in words, the way people say them."""

import math
from datetime import datetime, timedelta

from django import template
from django.template.defaultfilters import filesizeformat, pluralize
from django.utils import timezone

register = template.Library()

_UNITS = [("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)]
_LONG_UNITS = [("year", 365 * 86_400), ("month", 30 * 86_400), *_UNITS[:3]]


@register.filter
def size(count: int) -> str:
    """Write a number of bytes: `50 MB`, `1.2 GB`."""
    return filesizeformat(count).replace(".0\xa0", "\xa0")


@register.filter
def in_words(span: timedelta) -> str:
    """Write a span that somebody chose: `5 minutes`, `7 days`."""
    seconds = round(span.total_seconds())
    name, length = next((unit for unit in _UNITS if seconds % unit[1] == 0), _UNITS[-1])
    count = seconds // length
    return f"{count} {name}{pluralize(count)}"


@register.filter
def took(span: timedelta) -> str:
    """Write a span that was measured: `0.8 s`, `4 min 3 s`, `2 h 5 min`, `3 days`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 2 * 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} days"


@register.filter
def seconds(count: float | None) -> str:
    """Write seconds that were measured, as spans are written; a dash for none."""
    return "-" if count is None else took(timedelta(seconds=count))


@register.filter
def dollars(amount: float) -> str:
    """Write an amount of any size: `$1,234.50`, `$0.0031`, `<$0.000001`; `$0` for nothing."""
    if not amount:
        return "$0"
    if amount < 1e-6:
        return "<$0.000001"
    places = 2 if amount >= 1 else 1 - math.floor(math.log10(amount))
    return f"${amount:,.{places}f}"


@register.filter
def ago(at: datetime) -> str:
    """Write how long ago something was: `just now`, `1 minute ago`, `3 hours ago`, `2 years ago`.

    A year has 365 days here and a month 30.
    """
    seconds = (timezone.now() - at).total_seconds()
    for name, length in _LONG_UNITS:
        if count := int(seconds // length) if seconds > 0 else 0:
            return f"{count} {name}{pluralize(count)} ago"
    return "just now"


@register.filter
def roughly(span: timedelta) -> str:
    """Write a span that was guessed: `less than a minute`, `about 5 minutes`, `about 3 hours`."""
    seconds = span.total_seconds()
    if seconds < 60:
        return "less than a minute"
    name, length = next(unit for unit in _UNITS if seconds >= unit[1])
    count = round(seconds / length)
    return f"about {count} {name}{pluralize(count)}"
