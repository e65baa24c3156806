"""What EC2 tells a machine of itself: IMDSv2.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""

import http.client
from urllib.parse import urlsplit

#: Seconds for one answer, and for which a token is good.
PATIENCE, TOKEN_SECONDS = 2.0, 21_600
MOST_BYTES = 65_536


class MetadataUnavailable(Exception):
    """The metadata service does not answer, or with nothing that it documents."""


class Metadata:
    """The metadata service, asked with a token that is renewed when it is over."""

    def __init__(self, endpoint: str) -> None:
        self._host = urlsplit(endpoint).netloc
        self._token = ""

    def read(self, path: str) -> str | None:
        """Return a value below `/latest/meta-data/`; None when there is none."""
        self._token = self._token or self._new_token()
        status, body = self._read(path)
        if status == 401:  # the token is over
            self._token = self._new_token()
            status, body = self._read(path)
        if status not in (200, 404):
            raise MetadataUnavailable(f"{path}: HTTP {status}")
        return body if status == 200 else None

    def _read(self, path: str) -> tuple[int, str]:
        headers = {"X-aws-ec2-metadata-token": self._token}
        return self._ask("GET", f"/latest/meta-data/{path}", headers)

    def _new_token(self) -> str:
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
        status, token = self._ask("PUT", "/latest/api/token", headers)
        if status != 200 or not token or not token.isprintable():
            raise MetadataUnavailable(f"no token: HTTP {status}")
        return token

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(MOST_BYTES).decode()
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            raise MetadataUnavailable(f"{path}: {error!r}") from error
        finally:
            connection.close()
