"""What a production site must have around it, beside sign-in and payments."""

from collections.abc import Sequence
from difflib import get_close_matches
from email.utils import parseaddr
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from annotator import signing
from annotator.errors import AnnotatorFailed
from gas import env
from gas.variables import VARIABLES


def production_surroundings(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse the database, the AWS and the sender of a laptop on a production site."""
    if not settings.PRODUCTION:
        return []
    engine = str(settings.DATABASES["default"]["ENGINE"])
    endpoint = env.text("AWS_ENDPOINT_URL", "https://")
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    rules = [
        (
            engine.endswith("postgresql"),
            "DATABASE_URL must name a PostgreSQL server: sites and workers share it.",
            "E001",
        ),
        (
            endpoint.startswith("https://"),
            "AWS_ENDPOINT_URL must be unset or an https address.",
            "E002",
        ),
        (
            env.given("GAS_AWS_ACCOUNT") is not None,
            "GAS_AWS_ACCOUNT must be the number of the account that owns the queues.",
            "E003",
        ),
        (
            not sender.endswith("@example.org"),
            "GAS_MAIL_FROM must be an address that the mail service may send from.",
            "E004",
        ),
        (
            bool(settings.ADMINS),
            "GAS_ADMINS must name who is told when a job cannot go on by itself.",
            "E005",
        ),
    ]
    return [Error(text, id=f"gas.{code}") for met, text, code in rules if not met]


def provenance_key(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse to start with a public key for provenance that is none."""
    if settings.PROVENANCE_PUBLIC_KEY is None:
        return []
    try:
        signing.public_key(settings.PROVENANCE_PUBLIC_KEY)
    except AnnotatorFailed as error:
        return [Error(f"GAS_PROVENANCE_PUBLIC_KEY: {error}.", id="gas.E006")]
    return []


def known_variables(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Name what is set in the environment and nobody reads: a slip of the pen changes nothing."""
    return [checks.Warning(_unread(name), id="gas.W001") for name in env.unknown()]


def _unread(name: str) -> str:
    near = get_close_matches(name, VARIABLES, n=1)
    guess = f"; did you mean {near[0]}?" if near else "."
    return f"{name} is set, but there is no such setting{guess}"
