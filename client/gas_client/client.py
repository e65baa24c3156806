"""The way in: `Client.from_profile().submit("sample.vcf.gz").wait()`."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from gas_client.addresses import service_address
from gas_client.errors import NotThere
from gas_client.job import Job
from gas_client.journal import Journal
from gas_client.patience import Patience
from gas_client.profiles import USUAL, Profile, account
from gas_client.progress import Progress, Silent
from gas_client.records import Bundle, Bundles, JobFacts, Me
from gas_client.submitting import Submission
from gas_client.wire import Wire

#: Jobs that are asked for at once.
PAGE = 100


class Client:
    """An account of a service, opened by a token; threads may share it.

    Everything raises the errors of `gas_client.errors`, each with one sentence for its reader.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        insecure_http: bool = False,
        progress: Progress | None = None,
        patience: Patience | None = None,
        journal: Journal | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Open nothing yet; Misused unless the address is https, or of this machine."""
        address = service_address(address, insecure_http=insecure_http)
        self._wire = Wire(
            Profile(address, token, insecure_http),
            progress=progress or Silent(),
            patience=patience or Patience(),
            transport=transport,
        )
        self._journal = journal or Journal()

    @classmethod
    def from_profile(cls, name: str = USUAL, *, progress: Progress | None = None) -> Self:
        """Use what `gas login` kept; NotSignedIn when it kept nothing under that name.

        GAS_TOKEN of the environment, or GAS_URL and GAS_TOKEN, come before that.
        """
        kept = account(name)
        return cls(kept.address, kept.token, insecure_http=kept.insecure_http, progress=progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()

    @property
    def address(self) -> str:
        """The address of the service."""
        return self._wire.profile.address

    def me(self) -> Me:
        """Return whose token this is, what it may do, and what is in use."""
        return Me.of(self._wire.get("/me"))

    def revoke(self) -> None:
        """Make the token worthless."""
        self._wire.delete("/tokens/current")

    def bundles(self) -> Sequence[Bundle]:
        """Return the references that a job can choose, the usual one first."""
        return Bundles.of(self._wire.get("/bundles")).items

    def submit(self, path: str | Path, *, name: str = "", bundle: str = "", notes: str = "") -> Job:
        """Send a VCF or BCF and make a job of it, which begins by itself.

        `bundle` names a reference; without one the service takes the first that fits the file.
        A call that broke off is repeated with the same arguments: what has arrived is not sent
        again, and there is one job. Raises Refused, FileTrouble, Unavailable.
        """
        facts = self._submission(name, bundle, notes).of_file(Path(path))
        return Job(self._wire, self._journal, facts)

    def submit_example(self, *, name: str = "", bundle: str = "", notes: str = "") -> Job:
        """Make a job of the example file of the service."""
        facts = self._submission(name, bundle, notes).of_example()
        return Job(self._wire, self._journal, facts)

    def _submission(self, name: str, bundle: str, notes: str) -> Submission:
        settings = {"name": name, "bundle": bundle, "notes": notes}
        return Submission(self._wire, self._journal, settings)

    def job(self, number: int) -> Job:
        """Return a job by its number; NotThere when one has none of that number."""
        try:
            facts = JobFacts.of(self._wire.get(f"/jobs/{number}"))
        except NotThere as missing:
            raise NotThere(f"You have no job {number}.") from missing
        return Job(self._wire, self._journal, facts)

    def jobs(
        self,
        *,
        status: str = "",
        words: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> Iterator[Job]:
        """Yield one's jobs, newest first, page by page as they are taken.

        `words` are of names and files; `since` and `until` are days of their making, in UTC.
        """
        asked = {"limit": PAGE, "status": status, "q": words, "since": since, "until": until}
        query = {name: str(value) for name, value in asked.items() if value}
        for page in self._wire.pages("/jobs", query):
            for told in page.items:
                yield Job(self._wire, self._journal, JobFacts.of(told))
