"""Requests: to the service with its token, to storage without."""

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import httpx

from gas_client.addresses import checked_link
from gas_client.answers import document_of, plain, refusal_of, storage_refusal_of
from gas_client.errors import TryLater, Unavailable
from gas_client.patience import Patience, patiently
from gas_client.profiles import Profile
from gas_client.progress import Progress
from gas_client.records import Page
from gas_client.version import __version__

API = "/api/v1"
AGENT = f"gas-client/{__version__}"
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
AS_IT_IS: Mapping[str, str] = {"Accept-Encoding": "identity", "User-Agent": AGENT}
#: Waits shorter than this are not worth a word, in seconds.
SHORT = 2.0
#: A proxy of the environment would read what is meant for this machine.
DIRECT: Mapping[str, None] = {
    "all://localhost": None,
    "all://127.0.0.1": None,
    "all://[::1]": None,
}

Query = Mapping[str, str | int | Sequence[str]]
T = TypeVar("T")


class Wire:
    """The connections of one client; threads may share them.

    Those to storage never carry the token, and no redirect is ever followed with it.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        progress: Progress,
        patience: Patience,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.profile, self.progress, self.patience = profile, progress, patience
        ours = {"Authorization": f"Bearer {profile.token}", "User-Agent": AGENT}
        self._service = _connections(transport, ours, profile.address)
        self._storage = _connections(transport, AS_IT_IS)

    def close(self) -> None:
        """Give the connections back."""
        self._service.close()
        self._storage.close()

    def get(
        self, path: str, query: Query | None = None, *, patience: Patience | None = None
    ) -> Any:
        """Return the document at a path below the API."""
        return document_of(self.patiently(lambda: self.ask("GET", path, query=query), patience))

    def text(self, path: str) -> str:
        """Return the text at a path below the API."""
        return self.patiently(lambda: self.ask("GET", path)).text

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        """Send a document, under an idempotency key if it makes something; return the answer's."""
        headers = {"Idempotency-Key": key} if key else {}
        asked = self.patiently(lambda: self.ask("POST", path, body=body, headers=headers))
        return document_of(asked)

    def delete(self, path: str) -> None:
        """Remove what is at a path."""
        self.patiently(lambda: self.ask("DELETE", path))

    def pages(self, path: str, query: Query) -> Iterator[Page]:
        """Yield page after page, each asked for when the one before is done with."""
        cursor: Query = {}
        while True:
            page = Page.of(self.get(path, {**query, **cursor}))
            yield page
            if not page.next_cursor:
                return
            cursor = {"cursor": page.next_cursor}

    def patiently(self, what: Callable[[], T], patience: Patience | None = None) -> T:
        """Do something until it succeeds or patience ends, and tell of longer waits."""

        def told(problem: TryLater, wait: float) -> None:
            if wait >= SHORT:
                self.progress.note(f"{problem} Trying again in {wait:.0f} s.")

        return patiently(what, patience or self.patience, told)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Ask the service once; raises what it refuses."""
        with _translated(self.profile.address):
            answer = self._service.request(
                method, API + path, params=query, json=body, headers=headers
            )
        if problem := refusal_of(answer):
            raise problem
        return answer

    @contextmanager
    def stream(self, path: str, query: Query | None = None) -> Iterator[Iterator[bytes]]:
        """Ask the service once for a long answer, and give its bytes as they come."""
        with (
            _translated(self.profile.address),
            self._service.stream("GET", API + path, params=query, headers=AS_IT_IS) as answer,
        ):
            if answer.status_code != 200:
                answer.read()
                raise refusal_of(answer) or Unavailable("The service gives no file.")
            yield answer.iter_raw()

    def put(self, link: str, headers: Mapping[str, str], content: Iterable[bytes]) -> None:
        """Send bytes to a link of storage, once; `headers` tell their count."""
        url = checked_link(link, insecure_http=self.profile.insecure_http)
        with _translated("The storage"):
            answer = self._storage.put(url, headers=headers, content=content)
        if problem := storage_refusal_of(answer):
            raise problem

    @contextmanager
    def fetch(self, link: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Ask storage once for bytes, which come as one reads them."""
        url = checked_link(link, insecure_http=self.profile.insecure_http)
        with (
            _translated("The storage"),
            self._storage.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code >= 300:
                answer.read()
                raise storage_refusal_of(answer) or Unavailable("The storage gives no file.")
            yield answer


@cache
def _trust() -> ssl.SSLContext:
    """Whom both sets of connections trust; it takes a while to read."""
    return httpx.create_ssl_context()


def _connections(
    transport: httpx.BaseTransport | None, headers: Mapping[str, str], address: str = ""
) -> httpx.Client:
    return httpx.Client(
        base_url=address,
        headers=headers,
        timeout=TIMEOUT,
        follow_redirects=False,
        transport=transport,
        mounts=DIRECT if transport is None else None,
        verify=_trust(),
    )


@contextmanager
def _translated(who: str) -> Iterator[None]:
    """Say in a sentence what went wrong between here and there."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise Unavailable(f"{who} did not answer in time.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = plain(str(error)) or "it hung up"
        raise Unavailable(f"{who} cannot be reached ({why}).") from error
