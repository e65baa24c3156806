"""What the service tells, as typed values; whatever it tells beyond that is in `document`.

Sizes are in bytes and times in UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from gas_client.errors import Unavailable


class Status(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ARCHIVING = "archiving"
    ARCHIVED = "archived"
    THAWING = "thawing"
    RESTORING = "restoring"


#: Where a job does not stay, so that waiting makes sense.
UNDER_WAY = frozenset({Status.QUEUED, Status.RUNNING, Status.THAWING, Status.RESTORING})
#: Where a job has no results and never will.
IN_VAIN = frozenset({Status.FAILED, Status.CANCELLED})


def _time(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


@dataclass(frozen=True)
class Record:
    """One document of the service."""

    document: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, document: Any) -> Self:
        """Read a document; Unavailable when it is not what it should be."""
        try:
            told = {
                each.name: each.metadata.get("as", _same)(document[each.name])
                for each in fields(cls)
                if each.name != "document"
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable("The service does not answer as this client knows it.") from error
        return cls(document=document, **told)


def _same(told: Any) -> Any:
    return told


def _all(one: Callable[[Any], Record]) -> Callable[[Any], tuple[Record, ...]]:
    return lambda told: tuple(map(one, told))


TIME = {"as": _time}


@dataclass(frozen=True)
class JobFacts(Record):
    """What the service tells of a job."""

    id: int
    status: Status = field(metadata={"as": Status})
    name: str
    notes: str
    bundle: str
    filename: str
    size: int | None
    stage: str | None
    percent: int | None
    variants: int | None
    failure: str | None
    is_stalled: bool
    created_at: datetime = field(metadata=TIME)
    completed_at: datetime | None = field(metadata=TIME)
    archives_at: datetime | None = field(metadata=TIME)
    page: str


@dataclass(frozen=True)
class UploadFacts(Record):
    """What the service tells of an upload."""

    id: str
    status: str
    part_size: int | None


@dataclass(frozen=True)
class Part(Record):
    """One part that has arrived; `sha256` is hexadecimal."""

    number: int
    sha256: str


@dataclass(frozen=True)
class Arrived(Record):
    """What has arrived of an upload."""

    arrived: tuple[Part, ...] = field(metadata={"as": _all(Part.of)})


@dataclass(frozen=True)
class Link(Record):
    """Where bytes of a part go, and the headers that their request must have."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signed(Record):
    """Links for parts, in the order in which they were asked for."""

    parts: tuple[Link, ...] = field(metadata={"as": _all(Link.of)})


@dataclass(frozen=True)
class ResultFile(Record):
    """One file of a job's results; `sha256` is hexadecimal."""

    kind: str
    name: str
    size: int
    sha256: str
    is_at_hand: bool


@dataclass(frozen=True)
class ResultFiles(Record):
    """The files of a job's results."""

    items: tuple[ResultFile, ...] = field(metadata={"as": _all(ResultFile.of)})


@dataclass(frozen=True)
class FileLink(Record):
    """A link to a file, which needs no token."""

    url: str


@dataclass(frozen=True)
class Page(Record):
    """Some of many documents, and how to ask for those that follow."""

    items: tuple[Mapping[str, Any], ...] = field(metadata={"as": tuple})
    next_cursor: str | None


@dataclass(frozen=True)
class Source(Record):
    """Known variants that a bundle brings."""

    name: str
    release: str


@dataclass(frozen=True)
class Bundle(Record):
    """A reference that a job can choose by its name."""

    name: str
    assembly: str
    genes: str
    is_default: bool
    sources: tuple[Source, ...] = field(metadata={"as": _all(Source.of)})


@dataclass(frozen=True)
class Bundles(Record):
    """The installed references."""

    items: tuple[Bundle, ...] = field(metadata={"as": _all(Bundle.of)})


@dataclass(frozen=True)
class Plan(Record):
    """What the account may do."""

    name: str
    max_upload_bytes: int
    max_active_jobs: int
    max_stored_bytes: int


@dataclass(frozen=True)
class Usage(Record):
    """What of it is in use."""

    active_jobs: int
    stored_bytes: int


@dataclass(frozen=True)
class Token(Record):
    """The token in use, without its secret."""

    name: str
    scopes: tuple[str, ...] = field(metadata={"as": tuple})
    expires_at: datetime = field(metadata=TIME)


@dataclass(frozen=True)
class Me(Record):
    """Whose token this is, and what it may do."""

    account: str
    plan: Plan = field(metadata={"as": Plan.of})
    usage: Usage = field(metadata={"as": Usage.of})
    token: Token = field(metadata={"as": Token.of})
