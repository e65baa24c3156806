"""How a route is declared: its scope, what it gives, and the problems it may tell of."""

from collections.abc import Iterable
from typing import Any

from gas.api.auth import Bearer
from gas.models import Scope
from gas.problems import Kind

#: What a declaration leaves in the document for `gas.api.document`, which takes it out again.
PROBLEMS, SCOPE, MEDIA = "x-problems", "x-scope", "x-media"

#: The scope of what any living token may ask.
ANY = None


def serves(
    scope: Scope | None,
    answer: Any,
    *,
    status: int = 200,
    may: Iterable[Kind] = (),
    media: dict[int, tuple[str, ...]] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Return what ninja takes beside a path: `may` names problems besides the usual ones.

    `media` names the types of what is given where it is no JSON, by status.
    """
    return {
        "auth": Bearer(scope),
        "response": {status: answer},
        "openapi_extra": {
            SCOPE: scope,
            PROBLEMS: [kind.name for kind in may],
            MEDIA: media or {},
            **extra,
        },
    }
