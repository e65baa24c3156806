"""What every page tells at its top: a maintenance that is on, or that will begin."""

from typing import Any

from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone

from gas.services import maintenance


def told(request: HttpRequest) -> dict[str, Any]:
    """Return what templates call `maintenance`, read when a page shows it."""

    def banner() -> dict[str, Any] | None:
        try:
            notice = maintenance.notice()
        except OperationalError:  # pages that say so need no database, and neither does this
            return None
        return {"notice": notice, "is_on": notice.is_on(timezone.now())} if notice else None

    return {"maintenance": banner}
