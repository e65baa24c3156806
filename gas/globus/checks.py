"""What must be set before anybody may sign in."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

REAL_GLOBUS = "https://auth.globus.org"


def only_the_real_globus(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a missing client, and in production a stand-in for Globus."""
    real = not settings.PRODUCTION or settings.GLOBUS_AUTH_URL == REAL_GLOBUS
    rules = [
        (real, f"GAS_GLOBUS_URL must be {REAL_GLOBUS} in production.", "E001"),
        (bool(settings.GLOBUS_CLIENT_ID), "GAS_GLOBUS_CLIENT_ID must be set.", "E002"),
        (bool(settings.GLOBUS_CLIENT_SECRET), "GAS_GLOBUS_CLIENT_SECRET must be set.", "E003"),
    ]
    return [Error(text, id=f"gas.globus.{code}") for met, text, code in rules if not met]


def is_usable() -> bool:
    """Whether sign-in may be offered; asked again at run time, for servers that skip the checks."""
    return not only_the_real_globus(None)
