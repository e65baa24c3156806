from django.apps import AppConfig
from django.core.checks import Tags, register

from gas.globus.checks import only_the_real_globus


class GlobusConfig(AppConfig):
    """Lets allauth find the provider of this package."""

    name = "gas.globus"
    label = "globus"

    def ready(self) -> None:
        """Add what sign-in insists on to Django's system checks."""
        register(only_the_real_globus, Tags.security, deploy=True)
