"""What a request carries by the time it reaches a route."""

from django.http import HttpRequest

from gas.models import ApiToken, Taken, User


class ApiRequest(HttpRequest):
    """A request with a living token; `taken` is what it took of the account's allowance."""

    auth: ApiToken
    user: User
    taken: Taken
