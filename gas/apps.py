from django.apps import AppConfig


class GasConfig(AppConfig):
    """The one Django application of the service."""

    name = "gas"
    default_auto_field = "django.db.models.BigAutoField"
