"""Amounts as people say them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gas.templatetags.wording import ago, dollars, in_words, roughly, size, took


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (90, "90 seconds"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (7 * 86_400, "7 days"),
        (36 * 3600, "36 hours"),
    ],
)
def test_a_chosen_span_is_told_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-0.2, "0.0 s"),
        (0.84, "0.8 s"),
        (12.2, "12 s"),
        (243, "4 min 3 s"),
        (2 * 3600 + 300, "2 h 5 min"),
        (47 * 3600, "47 h 0 min"),
        (3 * 86_400, "3 days"),
    ],
)
def test_a_measured_span_is_as_exact_as_it_is_long(seconds: float, words: str) -> None:
    assert took(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (50 * 1024**2, "50 MB"),
        (1536, "1.5 KB"),
        (5 * 1024**3, "5 GB"),
    ],
)
def test_bytes_are_told_in_a_handy_unit(count: int, words: str) -> None:
    assert size(count).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "about 1 minute"),
        (100, "about 2 minutes"),
        (3 * 3600 + 100, "about 3 hours"),
        (50 * 3600, "about 2 days"),
    ],
)
def test_a_guessed_span_is_told_roughly(seconds: float, words: str) -> None:
    assert roughly(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "$0"),
        (1234.5, "$1,234.50"),
        (0.0031, "$0.0031"),
        (0.25, "$0.25"),
        (0.0000012, "$0.0000012"),
        (4e-10, "<$0.000001"),
    ],
)
def test_an_amount_is_told_in_two_digits_or_to_the_cent(amount: float, words: str) -> None:
    assert dollars(amount) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (2 * 3600, "2 hours ago"),
        (29 * 86_400, "29 days ago"),
        (30 * 86_400, "1 month ago"),
        (364 * 86_400, "12 months ago"),
        (800 * 86_400, "2 years ago"),
    ],
)
def test_how_long_ago_something_was_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    assert ago(timezone.now() - timedelta(seconds=seconds)) == words
