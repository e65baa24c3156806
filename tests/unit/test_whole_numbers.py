"""Whole numbers of the environment: what is not one, or out of bounds, stops the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from gas import env


@pytest.mark.parametrize("value", ["1", "64"])
def test_a_number_within_its_bounds_is_read(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GAS_N", value)
    assert env.integer("GAS_N", 7, least=1, most=64) == int(value)


def test_without_a_value_the_default_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAS_N", raising=False)
    assert env.integer("GAS_N", 7, least=1) == 7


@pytest.mark.parametrize("value", ["0", "65", "-1", "two", "1.5", "1 000"])
def test_any_other_value_is_refused_with_its_name_and_bounds(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("GAS_N", value)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.integer("GAS_N", 7, least=1, most=64)
    assert str(refused.value) == f"GAS_N must be a whole number from 1 to 64, not {value!r}."
