"""Who asks: bearer tokens and nothing else. A browser's session opens no address of the API."""

from typing import Any

from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from gas import addresses, problems
from gas.api.errors import Problem
from gas.logs import context
from gas.models import ApiToken, Scope, Taken
from gas.services import allowances, api_tokens

REALM = 'Bearer realm="GAS"'

#: What a request with a body says of it.
JSON = "application/json"


class Bearer(HttpAuthBase):
    """Lets in who bears a living token with a scope; without a scope, any living token."""

    openapi_scheme = "bearer"

    def __init__(self, scope: Scope | None) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiToken:
        """Return the token; raises Problem. A living token is never held up by others' tries."""
        token = _token(request)
        if token is None:
            raise _refusal(request)
        context.bind(user=token.user_id)
        taken = allowances.take(user=token.user)
        vars(request).update(user=token.user, taken=taken)
        if taken.refused:
            raise _too_many(taken)
        if self.scope and self.scope not in token.scopes:
            raise self._lacking(self.scope)
        _check_media_type(request)
        return token

    def _lacking(self, scope: Scope) -> Problem:
        return Problem(
            problems.MISSING_SCOPE,
            f"The token lacks the scope {scope}.",
            headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'},
            scope=scope,
        )


def _token(request: HttpRequest) -> ApiToken | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret.startswith(api_tokens.PREFIX):
        return None
    return api_tokens.bearer(secret=secret)


def _refusal(request: HttpRequest) -> Problem:
    """The same for every string that opens nothing, until an address has tried too many."""
    taken = allowances.take_failed(sender=addresses.sender(request))
    if taken.refused:
        vars(request).update(taken=taken)
        return _too_many(taken)
    return Problem(problems.UNAUTHORIZED, headers={"WWW-Authenticate": REALM})


def _too_many(taken: Taken) -> Problem:
    detail = f"More than {taken.limit} requests came in a minute."
    return Problem(problems.RATE_LIMITED, detail, headers={"Retry-After": str(taken.wait)})


def _check_media_type(request: HttpRequest) -> None:
    has_body: Any = request.META.get("CONTENT_LENGTH") or "0"
    if has_body != "0" and request.content_type != JSON:
        raise Problem(problems.WRONG_MEDIA_TYPE)
