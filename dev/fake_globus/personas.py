"""Who can sign in at the stand-in, and the one application it knows."""

from dataclasses import dataclass

#: The application every local copy of the site signs in with; worthless anywhere else.
CLIENT_ID = "6f3c1b52-5d1a-4d0e-9a57-0c5f2f0a1d01"
CLIENT_SECRET = "local-stand-in"


@dataclass(frozen=True)
class Persona:
    """One identity at Globus; `note` says what it is good for trying out."""

    sub: str
    name: str
    email: str
    note: str = ""
    second_factor: bool = False

    @property
    def organisation(self) -> str:
        """The place the identity comes from: the host of its mail address."""
        return self.email.rpartition("@")[2]


PERSONAS = (
    Persona(
        "11111111-aaaa-4aaa-8aaa-000000000001",
        "Free researcher",
        "free@example.org",
        "results move to the archive",
    ),
    Persona(
        "11111111-aaaa-4aaa-8aaa-000000000002",
        "Premium researcher",
        "premium@example.org",
        "subscribes, and keeps results at hand",
    ),
    Persona(
        "11111111-aaaa-4aaa-8aaa-000000000003",
        "Second researcher",
        "second@example.org",
        "sees nothing of the others",
    ),
    Persona(
        "11111111-aaaa-4aaa-8aaa-000000000009",
        "Staff operator",
        "staff@example.org",
        "may open the staff pages, with a second factor",
        second_factor=True,
    ),
)
