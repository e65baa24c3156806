from django.apps import AppConfig
from django.core.checks import Tags, register

from gas.billing.checks import production_billing
from gas.checks import production_surroundings, provenance_key


class GasConfig(AppConfig):
    """The one Django application of the service."""

    name = "gas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Add what the site itself insists on to Django's system checks."""
        register(production_billing, Tags.security)
        register(production_surroundings, Tags.security)
        register(provenance_key, Tags.security)
