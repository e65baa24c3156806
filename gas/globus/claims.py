"""What Globus says about the person who signs in."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

_MAX_NAME = 150

#: Linked identities whose names are kept; nobody has more than a few.
_MOST_LINKED = 50


@dataclass(frozen=True)
class Identity:
    """One identity of a Globus account, as Globus names it."""

    sub: str
    login: str
    email: str
    provider: str


@dataclass(frozen=True)
class Claims:
    """The answer of `/v2/oauth2/userinfo`, checked and cut to what the site keeps."""

    sub: str
    login: str
    first_name: str
    last_name: str
    email: str
    organisation: str
    #: Every identity of this Globus account, `sub` included.
    identities: tuple[str, ...]
    #: The same with what Globus calls them, for their owner to read.
    linked: tuple[Identity, ...] = ()

    @classmethod
    def parse(cls, answer: Any) -> "Claims":
        """Read the answer; `ValueError` when it does not name an identity."""
        if not isinstance(answer, dict):
            raise ValueError("userinfo is not an object")
        sub = _identity(answer.get("sub"))
        linked = answer.get("identity_set") or []
        first, _, last = _line(answer.get("name")).partition(" ")
        return cls(
            sub=sub,
            login=_line(answer.get("preferred_username")),
            first_name=first,
            last_name=last,
            email=_mail_address(answer.get("email")),
            organisation=_line(answer.get("organization")),
            identities=tuple(sorted({sub, *(_identity(each.get("sub")) for each in linked)})),
            linked=tuple(map(_named, linked[:_MOST_LINKED])),
        )

    @classmethod
    def revive(cls, kept: dict[str, Any]) -> "Claims":
        """Read what was kept of an earlier answer, whichever release kept it."""
        linked = tuple(Identity(**each) for each in kept.get("linked", ()))
        identities = tuple(kept["identities"])
        return cls(**{**kept, "identities": identities, "linked": linked})


def _named(claims: Any) -> Identity:
    return Identity(
        sub=_identity(claims.get("sub")),
        login=_line(claims.get("preferred_username") or claims.get("username")),
        email=_mail_address(claims.get("email")),
        provider=_line(claims.get("identity_provider_display_name")),
    )


def _identity(value: object) -> str:
    return str(UUID(str(value)))


def _line(value: object) -> str:
    """Return one printable line: names end up in pages, mail headers and logs."""
    text = value if isinstance(value, str) else ""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MAX_NAME].rstrip()


def _mail_address(value: object) -> str:
    address = value.strip() if isinstance(value, str) else ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address
