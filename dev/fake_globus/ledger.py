"""What the stand-in has issued: codes, tokens and links between identities, all in memory."""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from threading import Lock

from dev.fake_globus.personas import Persona

AUTH_SERVER = "auth.globus.org"
TOKEN_SECONDS = 172_800
CODE_SECONDS = 30
_URN = "urn:globus:auth:scope:"


class Refused(Exception):
    """The request is answered with an OAuth error; the message is the error's name."""


@dataclass(frozen=True)
class Request:
    """One visit to the authorize page, as the application asked for it."""

    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str
    offline: bool
    second_factor: bool = False


@dataclass(frozen=True)
class Code:
    """An authorization code: one use, thirty seconds."""

    value: str
    sub: str
    request: Request
    expires_at: float


@dataclass(frozen=True)
class Token:
    """One access or refresh token; `grant` is shared by the tokens of one resource server."""

    value: str
    kind: str
    grant: str
    sub: str
    resource_server: str
    scope: str
    expires_at: float
    authenticated_at: float = 0
    second_factor: bool = False


@dataclass
class Ledger:
    """Every promise made; safe for the threads of the server."""

    personas: dict[str, Persona]
    codes: dict[str, Code] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    tokens: dict[str, Token] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    linked: list[set[str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def identity_set(self, sub: str) -> list[Persona]:
        """Return the identities of one Globus account, the one signed in with first."""
        others = {other for group in self.linked if sub in group for other in group} - {sub}
        return [self.personas[each] for each in (sub, *sorted(others))]

    def issue_code(self, sub: str, request: Request) -> str:
        """Promise tokens to whoever brings the code and the verifier back."""
        code = Code(secrets.token_urlsafe(24), sub, request, time.time() + CODE_SECONDS)
        with self._lock:
            self.codes[code.value] = code
        return code.value

    def redeem(self, value: str, *, redirect_uri: str, verifier: str) -> list[Token]:
        """Turn a code into tokens, once; anything amiss raises `Refused`."""
        with self._lock:
            code = self.codes.get(value)
            if code is None or value in self.spent or code.expires_at < time.time():
                raise Refused("invalid_grant")
            self.spent.add(value)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if redirect_uri != code.request.redirect_uri or challenge != code.request.challenge:
            raise Refused("invalid_grant")
        return self._issue(code)

    def refresh(self, value: str) -> Token:
        """Return a fresh access token for a living refresh token."""
        old = self.living(value, kind="refresh")
        if old is None:
            raise Refused("invalid_grant")
        return self._remember(replace(old, kind="access"))

    def living(self, value: str, *, kind: str = "") -> Token | None:
        """Return the token unless it is unknown, revoked, expired or of another kind."""
        token = self.tokens.get(value)
        if token is None or value in self.revoked or token.expires_at < time.time():
            return None
        return token if kind in {"", token.kind} else None

    def revoke(self, value: str) -> None:
        """Make a token worthless; a refresh token takes its access tokens along."""
        with self._lock:
            token = self.tokens.get(value)
            if token is None:
                return
            family = [each.value for each in self.tokens.values() if each.grant == token.grant]
            self.revoked.update(family if token.kind == "refresh" else [value])

    def _issue(self, code: Code) -> list[Token]:
        issued = []
        kinds = ("access", "refresh") if code.request.offline else ("access",)
        for server, scopes in _by_server(code.request.scopes).items():
            grant = secrets.token_hex(8)
            for kind in kinds:
                draft = Token("", kind, grant, code.sub, server, " ".join(scopes), 0)
                draft = replace(
                    draft,
                    authenticated_at=time.time(),
                    second_factor=code.request.second_factor,
                )
                issued.append(self._remember(draft))
        return issued

    def _remember(self, draft: Token) -> Token:
        lifetime = TOKEN_SECONDS if draft.kind == "access" else 90 * TOKEN_SECONDS
        token = replace(draft, value=secrets.token_urlsafe(32), expires_at=time.time() + lifetime)
        with self._lock:
            self.tokens[token.value] = token
        return token


def known(scope: str) -> bool:
    """Whether the stand-in can grant the scope."""
    return scope in {"openid", "profile", "email"} or scope.startswith(_URN)


def _by_server(scopes: Iterable[str]) -> dict[str, list[str]]:
    servers: dict[str, list[str]] = {AUTH_SERVER: []}
    for scope in scopes:
        rest = scope.removeprefix(_URN)
        server = rest.rpartition(":")[0] if rest != scope else AUTH_SERVER
        servers.setdefault(server, []).append(scope)
    return servers
