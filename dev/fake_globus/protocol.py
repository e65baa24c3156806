"""What the stand-in answers to applications, after https://docs.globus.org/api/auth/reference/."""

import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from dev.fake_globus.ledger import Ledger, Refused, Token, known
from dev.fake_globus.personas import CLIENT_ID, CLIENT_SECRET, Persona

CALLBACK_PATH = "/login/globus/callback/"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_BASIC = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()

Form = dict[str, str]
Answer = dict[str, Any]


def fault_in(query: Form) -> str:
    """Say what is wrong with a request for authorization; empty when nothing is."""
    if query.get("client_id") != CLIENT_ID:
        return "The application is not known here."
    if not is_ours(query.get("redirect_uri", ""), path=CALLBACK_PATH):
        return "The address to return to is not one of the application's."
    if query.get("response_type") != "code":
        return "Only authorization codes are given out."
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        return "The request carries no PKCE challenge."
    strange = [scope for scope in query.get("scope", "").split() if not known(scope)]
    if strange or not query.get("scope"):
        return f"Unknown scope: {' '.join(strange) or 'none given'}."
    return ""


def is_ours(url: str, *, path: str = "") -> bool:
    """Whether an address is on this machine, at `path` when one is given."""
    parts = urlsplit(url)
    return (
        parts.scheme in {"http", "https"}
        and parts.hostname in LOOPBACK
        and path in {"", parts.path}
    )


def token(ledger: Ledger, form: Form, credentials: str) -> Answer:
    """Answer `POST /v2/oauth2/token` for a code or a refresh token."""
    _check_client(credentials)
    match form.get("grant_type"):
        case "authorization_code":
            tokens = ledger.redeem(
                form.get("code", ""),
                redirect_uri=form.get("redirect_uri", ""),
                verifier=form.get("code_verifier", ""),
            )
            return _per_server(tokens)
        case "refresh_token":
            return _per_server([ledger.refresh(form.get("refresh_token", ""))])
    raise Refused("unsupported_grant_type")


def revoke(ledger: Ledger, form: Form, credentials: str) -> Answer:
    """Answer `POST /v2/oauth2/token/revoke`; an unknown token is no error."""
    _check_client(credentials)
    ledger.revoke(form.get("token", ""))
    return {"active": False}


def introspect(ledger: Ledger, form: Form, credentials: str) -> Answer:
    """Answer `POST /v2/oauth2/token/introspect`, with the identity set when asked for."""
    _check_client(credentials)
    found = ledger.living(form.get("token", ""))
    if found is None:
        return {"active": False}
    identities = ledger.identity_set(found.sub)
    answer = {
        "active": True,
        "sub": found.sub,
        "username": identities[0].email,
        "client_id": CLIENT_ID,
        "scope": found.scope,
        "exp": int(found.expires_at),
        "aud": [found.resource_server, CLIENT_ID],
    }
    if "identity_set" in form.get("include", "").split(","):
        answer["identity_set"] = [each.sub for each in identities]
    if "session_info" in form.get("include", "").split(","):
        answer["session_info"] = {"authentications": {found.sub: _authentication(found)}}
    return answer


def _authentication(found: Token) -> Answer:
    """How and when an identity signed in, https://docs.globus.org/api/auth/sessions/."""
    methods = ["pwd", "mfa"] if found.second_factor else None
    return {"auth_time": int(found.authenticated_at), "acr": None, "amr": methods}


def userinfo(ledger: Ledger, credentials: str) -> Answer:
    """Answer `GET /v2/oauth2/userinfo`, for a bearer token in the header alone."""
    scheme, _, value = credentials.partition(" ")
    found = ledger.living(value, kind="access")
    if scheme != "Bearer" or found is None or "openid" not in found.scope.split():
        raise Refused("invalid_token")
    identities = [_claims(each) for each in ledger.identity_set(found.sub)]
    if ":view_identity_set" in found.scope:
        return identities[0] | {"identity_set": identities}
    return identities[0]


def discovery(url: str) -> Answer:
    """Answer `GET /.well-known/openid-configuration`."""
    base = f"{url}/v2/oauth2"
    return {
        "issuer": url,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/token/revoke",
        "introspection_endpoint": f"{base}/token/introspect",
        "userinfo_endpoint": f"{base}/userinfo",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    }


def _check_client(credentials: str) -> None:
    if credentials != f"Basic {_BASIC}":
        raise Refused("invalid_client")


def _claims(persona: Persona) -> Answer:
    return {
        "sub": persona.sub,
        "name": persona.name,
        "email": persona.email,
        "preferred_username": persona.email,
        "organization": persona.organisation,
        "identity_provider_display_name": "Stand-in for Globus",
        "last_authentication": int(time.time()),
    }


def _per_server(tokens: list[Token]) -> Answer:
    answers: dict[str, Answer] = {}
    for each in tokens:
        answer = answers.setdefault(
            each.resource_server, {"resource_server": each.resource_server, "scope": each.scope}
        )
        answer[f"{each.kind}_token"] = each.value
        if each.kind == "access":
            answer |= {"token_type": "Bearer", "expires_in": int(each.expires_at - time.time())}
    first, *others = answers.values()
    return first | {"other_tokens": others}
