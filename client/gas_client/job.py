"""One job of the service, and what one can ask of it."""

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from gas_client.downloading import Download
from gas_client.errors import JobFailed, Misused, Refused, Unavailable
from gas_client.filters import Wanted, query_of
from gas_client.journal import Journal
from gas_client.links import Links
from gas_client.pieces import Partial
from gas_client.records import (
    IN_VAIN,
    FileLink,
    JobFacts,
    Page,
    ResultFile,
    ResultFiles,
    Status,
)
from gas_client.waiting import Waiting
from gas_client.wire import Wire

_PLAIN_NAME = re.compile(r"\w[\w.-]{0,99}", re.ASCII)


class Format(StrEnum):
    """The kinds of files that the wanted variants are given as; VCF and TSV come compressed."""

    VCF = "vcf"
    TSV = "tsv"
    PARQUET = "parquet"


class Job:
    """A job of one's own; `facts` are as they were when the service was last asked.

    Everything here raises the errors of `gas_client.errors`, each with one sentence.
    """

    def __init__(self, wire: Wire, journal: Journal, facts: JobFacts) -> None:
        self._wire, self._journal, self.facts = wire, journal, facts

    def __repr__(self) -> str:
        return f"<Job {self.id}: {self.facts.name}, {self.status}>"

    @property
    def id(self) -> int:
        """Its number."""
        return self.facts.id

    @property
    def status(self) -> Status:
        """Where it was when the service was last asked."""
        return self.facts.status

    @property
    def _path(self) -> str:
        return f"/jobs/{self.id}"

    def refresh(self) -> "Job":
        """Ask the service where it is now."""
        self.facts = JobFacts.of(self._wire.get(self._path))
        return self

    def wait(
        self, *, timeout: float | None = None, told: Callable[[JobFacts], None] | None = None
    ) -> "Job":
        """Wait until it is done: annotated, or back from the archive if it was on its way back.

        `told` hears of each change. Raises JobFailed, and TookTooLong after `timeout` seconds.
        """
        waiting = Waiting(self._wire, self._path, timeout=timeout, told=told)
        self.facts = waiting.until_done(self.facts)
        if self.status in IN_VAIN:
            raise JobFailed(self.facts.failure or f"Job {self.id} was {self.status}.")
        return self

    def log(self) -> str:
        """Return its log."""
        return self._wire.text(f"{self._path}/log")

    def cancel(self) -> "Job":
        """Stop it; Refused when it has finished."""
        return self._became(self._wire.post(f"{self._path}/cancel"))

    def restore(self) -> "Job":
        """Bring its results back from the archive; Refused when the plan does not allow that."""
        return self._became(self._wire.post(f"{self._path}/restore"))

    def rerun(self) -> "Job":
        """Return a new job of the same file with the same settings."""
        call = self._journal.begin(self._wire.profile.address, "rerun", self.id)
        made = self._wire.post(f"{self._path}/rerun", key=call.key)
        self._journal.end(call)
        return Job(self._wire, self._journal, JobFacts.of(made))

    def delete(self) -> None:
        """Remove it and all its files, for good."""
        self._wire.delete(self._path)

    def _became(self, document: Any) -> "Job":
        self.facts = JobFacts.of(document)
        return self

    def files(self) -> Sequence[ResultFile]:
        """Return the files of its results; none before it is completed."""
        return ResultFiles.of(self._wire.get(f"{self._path}/files")).items

    def download(self, kinds: Sequence[str] = (), *, to: str | Path = ".") -> list[Path]:
        """Save its files, or those of some kinds, in a folder; returns where.

        What was here already, or in part, is not fetched again. Each file has its SHA-256 compared.
        Raises Refused when one is in the archive, FileTrouble when one cannot be written.
        """
        return [self.save(file, Path(to)) for file in self.chosen(kinds)]

    def chosen(self, kinds: Sequence[str] = ()) -> list[ResultFile]:
        """Return the files of some kinds, or all; Refused when one cannot be had now."""
        files = self.files()
        if not files:
            raise Refused(f"Job {self.id} has no results: it is {self.status}.")
        if missing := set(kinds) - {file.kind for file in files}:
            raise Refused(f"Job {self.id} has no file of the kind {', '.join(sorted(missing))}.")
        wanted = [file for file in files if not kinds or file.kind in kinds]
        if any(not file.is_at_hand for file in wanted):
            raise Refused(f"Job {self.id} is in the archive; run: gas restore {self.id}")
        return wanted

    def save(self, file: ResultFile, folder: Path) -> Path:
        """Save one file as `job-<id>.<name>` in a folder; returns where."""
        if not _PLAIN_NAME.fullmatch(file.name):
            raise Unavailable("The service names a file in a way that is no name.")
        target = folder / f"job-{self.id}.{file.name}"
        Download(self._wire, Partial(target, file.size, file.sha256), self.links(file.kind)).fetch()
        return target

    def links(self, kind: str) -> Links:
        """Return the links to a file, which live for minutes."""
        path = f"{self._path}/files/{kind}"
        return Links(lambda: FileLink.of(self._wire.get(path)).url)

    @contextmanager
    def export(self, kind: Format, wanted: Wanted = None) -> Iterator[Iterator[bytes]]:
        """Open a file of the variants that a filter wants, or of all, and give its bytes once."""
        if query := query_of(wanted):
            with self._wire.stream(f"{self._path}/export/{kind}", query) as content:
                yield content
        else:
            with self._wire.fetch(self.links(kind).current(), {}) as answer:
                yield answer.iter_raw()

    def found(self, wanted: Wanted = None, *, sort: str = "") -> Iterator[Page]:
        """Yield pages of variants: each once, by its most severe row that meets the filter.

        The documents of the pages also tell `count` and, in words, `filter`.
        """
        query = query_of(wanted) | ({"sort": [sort]} if sort else {})
        return self._wire.pages(f"{self._path}/variants", query)

    def variants(
        self, filter: Wanted = None, *, columns: Sequence[str] | None = None
    ) -> Iterator[Any]:
        """Yield Arrow record batches (`pyarrow.RecordBatch`), a row for each allele and transcript.

        Without a filter, only the wanted columns are read of the Parquet file where it lies; with
        one, the service sends the rows that meet it. Needs pyarrow: `gas-client[arrow]`.
        """
        try:
            arrow = importlib.import_module("gas_client.arrow")  # not everybody has pyarrow
        except ImportError as missing:
            raise Misused("Variants need pyarrow: pip install pyarrow") from missing
        batches: Iterator[Any] = arrow.batches(self._wire, self, filter, columns)
        return batches
