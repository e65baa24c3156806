"""What is believed of Globus' answers."""

from typing import Any

import pytest

from gas.globus.claims import Claims

SUB = "11111111-aaaa-4aaa-8aaa-000000000001"
OTHER = "11111111-aaaa-4aaa-8aaa-000000000002"


def claims(**said: Any) -> Claims:
    """Parse an answer that says this beside the identity."""
    return Claims.parse({"sub": SUB, **said})


def test_a_name_is_split_at_its_first_space() -> None:
    parsed = claims(name="Second  Free researcher")
    assert (parsed.first_name, parsed.last_name) == ("Second", "Free researcher")


def test_an_answer_may_say_nothing_but_the_identity() -> None:
    parsed = claims(name=None, email=None, identity_set=None)
    assert (parsed.sub, parsed.first_name, parsed.email) == (SUB, "", "")
    assert parsed.identities == (SUB,)


def test_control_characters_never_leave_the_answer() -> None:
    parsed = claims(name="Free\r\nBcc: x@example.org\x00", preferred_username="a\nb")
    assert (parsed.first_name, parsed.last_name) == ("Free", "Bcc: x@example.org")
    assert parsed.login == "a b"


def test_a_name_is_cut_to_what_the_database_holds() -> None:
    parsed = claims(name=f"{'a' * 200} b")
    assert len(parsed.first_name) == 150


@pytest.mark.parametrize(
    "address",
    ["no address", "a@example.org\nBcc: b@example.org", 7, "", "a" * 400 + "@example.org"],
)
def test_what_is_no_mail_address_is_left_out(address: object) -> None:
    assert claims(email=address).email == ""


def test_linked_identities_are_read_from_the_set() -> None:
    assert claims(identity_set=[{"sub": OTHER}, {"sub": SUB}]).identities == (SUB, OTHER)


@pytest.mark.parametrize("sub", [None, "", "root", "../../etc", 7, SUB + "\n1"])
def test_an_identity_is_a_uuid_or_nobody_signs_in(sub: object) -> None:
    with pytest.raises(ValueError, match="UUID"):
        Claims.parse({"sub": sub})


@pytest.mark.parametrize("answer", [None, [], "sub", 1])
def test_an_answer_that_is_no_object_is_refused(answer: object) -> None:
    with pytest.raises(ValueError, match="object"):
        Claims.parse(answer)


def test_one_identity_is_always_spelled_the_same() -> None:
    assert Claims.parse({"sub": SUB.upper()}).sub == SUB
