from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate

from gas import unchangeable
from gas.billing.checks import production_billing
from gas.checks import known_variables, production_surroundings, provenance_key


class GasConfig(AppConfig):
    """The one Django application of the service."""

    name = "gas"
    verbose_name = "Tables"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Add what the site itself insists on to Django's checks and migrations."""
        pre_migrate.connect(unchangeable.unguard, sender=self)
        post_migrate.connect(unchangeable.guard, sender=self)
        # Machines of workers hold no keys of the site's, and commands run there as well.
        register(production_billing, Tags.security, deploy=True)
        register(production_surroundings, Tags.security)
        register(provenance_key, Tags.security)
        register(known_variables)
