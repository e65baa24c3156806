"""What a request carries by the time it reaches a view."""

from django.http import HttpRequest

from gas.models import User


class SignedIn(HttpRequest):
    """A request of somebody signed in, as every one is that needs no exemption."""

    user: User
