"""`python -m tests.unit.client.halting MOMENT COMMAND...`: the command `gas`, which stops there.

The moment is a pattern of a request, or `rest`, the first wait between two looks; `clinging` before
it makes the connection one that never closes. What is reached is told, and nothing more happens, so
that somebody can interrupt it.
"""

import re
import sys
import threading
from typing import NoReturn

import httpx

from gas_client.cli.main import run
from gas_client.cli.session import Means
from gas_client.patience import Patience
from gas_client.profiles import Profile, Profiles
from gas_client.start import hold
from tests.unit.client.service import ADDRESS, TOKEN, Service, job_document


def stay(where: str) -> NoReturn:
    """Tell that a moment has come, and stay in it."""
    sys.stdout.write(f"{where}\n")
    sys.stdout.flush()
    while True:
        threading.Event().wait()


class Halting(Service):
    """A service that never answers one kind of request."""

    moment, clings = "", False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, unless this is what is waited for."""
        if re.search(self.moment, f"{request.method} {request.url}"):
            stay("reached")
        return super().handle_request(request)

    def close(self) -> None:
        """Close the connection, or never come back."""
        if self.clings:
            stay("closing")


def main() -> int:
    """Run the command."""
    hold()
    service = Halting(files={"vcf": 9000 * b"A"}, jobs={7: job_document(7, status="running")})
    *clinging, service.moment = sys.argv[1].split()
    service.clings = bool(clinging)
    Profiles().keep("default", Profile(ADDRESS, TOKEN))
    patience = Patience(sleep=lambda _: stay("reached"), chance=lambda: 0.0)
    return run(sys.argv[2:], means=Means(service, patience))


if __name__ == "__main__":
    sys.exit(main())
