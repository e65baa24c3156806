"""What a person can ask of a finished job's table: pages of variants, and files of the wanted ones.

Each question has a time and a memory it may take, and a process answers only so many at once.
"""

import hashlib
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from django.core.cache import cache

from gas.models import Job, ResultFile
from gas.results import bgzf, exports, vcf
from gas.results.errors import Busy
from gas.results.filters import Filter
from gas.results.index import Index
from gas.results.table import Deadline, Table
from gas.results.variants import Count, Order, Page, Row, page, transcripts
from gas.services import jobs
from gas.services.jobs import NotAtHand
from gas.storage.errors import NotThawed, ObjectMissing
from gas.storage.locations import results
from gas.storage.ranges import RangedObject

#: Seconds that a page, or a whole download, may take.
PAGE_SECONDS, EXPORT_SECONDS = 8.0, 900.0
#: Questions and downloads that a process answers at once, and seconds a question waits for that.
LOOKS, EXPORTS, PATIENCE = 4, 2, 3.0
#: Seconds for which a count is remembered; the bytes that it is of never change.
REMEMBERED = 3600

_looking = threading.BoundedSemaphore(LOOKS)
_exporting = threading.BoundedSemaphore(EXPORTS)


class Format(StrEnum):
    """The kinds of files that the wanted variants are given as."""

    VCF = "vcf"
    TSV = "tsv"
    PARQUET = "parquet"


#: How the names of such files end, and the file of all variants of each kind.
EXTENSIONS = {Format.VCF: "vcf.gz", Format.TSV: "tsv.gz", Format.PARQUET: "parquet"}
WHOLE = {
    Format.VCF: ResultFile.Kind.VCF,
    Format.TSV: ResultFile.Kind.TSV,
    Format.PARQUET: ResultFile.Kind.PARQUET,
}


class Export:
    """A file in the making; whoever takes it closes it, so that others have their turn.

    One that is forgotten closes itself: an answer may be replaced before it is sent.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._open = pieces, False
        if not _exporting.acquire(blocking=False):
            raise Busy
        self._open = True

    def __del__(self) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Let the next one begin."""
        if self._open:
            self._open = False
            _exporting.release()


def find(*, job: Job, wanted: Filter, order: Order, behind: int | None) -> Page:
    """Return a page of variants; raises JobRefused, ResultsRefused, StorageError."""
    file, until = _file(job, ResultFile.Kind.PARQUET), Deadline.within(PAGE_SECONDS)
    name = f"variants:{file.sha256}:{hashlib.sha256(repr(wanted).encode()).hexdigest()}"
    counted: Count | None = cache.get(name)
    with _one_of_few():
        found = page(_table(file), wanted, order, behind=behind, counted=counted, until=until)
    if found.count.exact and counted is None:
        cache.set(name, found.count, REMEMBERED)
    return found


def every_transcript(*, job: Job, row: int) -> list[Row]:
    """Return all rows of the variant that a row tells of; none when there is no such row."""
    file, until = _file(job, ResultFile.Kind.PARQUET), Deadline.within(PAGE_SECONDS)
    with _one_of_few():
        table = _table(file)
        return transcripts(table, row, until) if row < table.rows else []


def export(*, job: Job, wanted: Filter, kind: Format) -> Export:
    """Begin a file of the wanted variants; raises JobRefused, ResultsRefused, StorageError."""
    with _still_there():
        return Export(_pieces(job, wanted, kind, Deadline.within(EXPORT_SECONDS)))


def _pieces(job: Job, wanted: Filter, kind: Format, until: Deadline) -> Iterator[bytes]:
    table = _table(_file(job, ResultFile.Kind.PARQUET))
    match kind:
        case Format.PARQUET:
            return exports.parquet(table, wanted, until)
        case Format.TSV:
            return bgzf.packed(exports.tsv(table, wanted, until))
        case Format.VCF:
            source = _source(_file(job, ResultFile.Kind.VCF))
            index = Index.read(_source(_file(job, ResultFile.Kind.INDEX)))
            places = exports.places(table, wanted, until)
            lines = vcf.records(source, index, places, wanted.words, until)
            return bgzf.packed(lines)


def saved_as(*, job: Job, kind: Format) -> str:
    """The name under which a file of the wanted variants is saved."""
    return f"{job.name[: jobs.LONGEST_STEM]}.filtered.{EXTENSIONS[kind]}"


def curl_line(*, file: ResultFile) -> str:
    """Return a command that fetches a file, and goes on where it broke off, for five minutes."""
    link = shlex.quote(jobs.download_link(file=file))
    return f"curl --fail --continue-at - --output job-{file.job_id}.{file.name} {link}"


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _looking.acquire(timeout=PATIENCE):
        raise Busy
    try:
        with _still_there():
            yield
    finally:
        _looking.release()


@contextmanager
def _still_there() -> Iterator[None]:
    """Refuse what was moved to the archive since its row was read."""
    try:
        yield
    except (ObjectMissing, NotThawed) as error:
        raise NotAtHand("These results are just being moved; please reload the page.") from error


def _file(job: Job, kind: ResultFile.Kind) -> ResultFile:
    file = job.files.filter(kind=kind).first()
    if file is None:
        raise NotAtHand("This job has no table of variants yet.")
    if file.archive_id:
        raise NotAtHand("The variants of this job are in the archive.")
    return file


def _source(file: ResultFile) -> RangedObject:
    return RangedObject(results(file.key), file.size)


def _table(file: ResultFile) -> Table:
    return Table(_source(file))
