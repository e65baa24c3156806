"""What a machine asks about itself: with a token, which is renewed, and of nobody that says no."""

from collections.abc import Iterator

import pytest

from dev.children import HOST, free_port
from gas.drain.hook import AutoScalingHook, NoHook, hook_of
from gas.drain.metadata import Metadata, MetadataUnavailable
from tests.deploy import fleet
from tests.deploy.fleet import GROUP, LIFECYCLE, SPOT


@pytest.fixture
def told() -> Iterator[fleet.Metadata]:
    """The metadata service of one machine."""
    with fleet.metadata() as server:
        yield server


def test_values_are_read_with_one_token_and_what_there_is_not_is_none(
    told: fleet.Metadata,
) -> None:
    asked = Metadata(told.endpoint)
    assert asked.read(LIFECYCLE) == "InService"
    assert asked.read(SPOT) is None
    assert told.tokens == 1


def test_a_token_that_is_over_is_replaced(
    told: fleet.Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Metadata(told.endpoint)
    asked.read(LIFECYCLE)
    monkeypatch.setattr(fleet, "TOKEN", "another-token")
    assert asked.read(LIFECYCLE) == "InService"
    assert told.tokens == 2


@pytest.mark.parametrize("token", ["", "a\r\nX-Forwarded-For: 1.2.3.4"])
def test_a_service_that_gives_no_token_is_none(
    told: fleet.Metadata, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    asked = Metadata(told.endpoint)
    monkeypatch.setattr(fleet, "TOKEN", token)
    with pytest.raises(MetadataUnavailable):
        asked.read(LIFECYCLE)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(MetadataUnavailable):
        Metadata(f"http://{HOST}:{free_port()}").read(LIFECYCLE)


def test_the_hook_is_that_of_the_group_which_the_machine_is_of(told: fleet.Metadata) -> None:
    asked = Metadata(told.endpoint)
    hook = AutoScalingHook("drain", "gas-annotate", "i-0123456789abcdef0")
    assert hook_of(asked, name="drain") == hook
    del told.says[GROUP]
    assert isinstance(hook_of(asked, name="drain"), NoHook)
