"""What the database says at the end of a run, and what should be there."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dev.chaos.crowd import Told
from dev.chaos.samples import Sample
from dev.database import Database

_JOBS = """
SELECT job.id, job.status, job.failure, upload.filename, owner.plan_id
FROM gas_job job JOIN gas_user owner ON owner.id = job.owner_id
JOIN gas_upload upload ON upload.id = job.upload_id
"""
_FILES = "SELECT job_id, kind, key, sha256, archive_id FROM gas_resultfile"
_EVENTS = "SELECT job_id, before, after FROM gas_jobevent"
_NOTICES = "SELECT job_id, subscription_id, kind, attempt, sent_at FROM gas_notice"
_INPUTS = "SELECT owner_id, id FROM gas_upload WHERE status = 'complete'"

DONE = ("running", "completed")
BACK = ("restoring", "completed")


class Job(NamedTuple):
    """One job."""

    id: int
    status: str
    failure: str
    filename: str
    plan: str


class File(NamedTuple):
    """One result file; `receipt` leads to its copy in the archive."""

    job: int
    kind: str
    key: str
    sha256: str
    receipt: str

    @property
    def place(self) -> tuple[str, str]:
        """The bucket and key where its bytes must be."""
        return ("gas-archive" if self.receipt else "gas-results", self.key)


class Notice(NamedTuple):
    """One mail that was owed, about a job or about a subscription."""

    job: int | None
    subscription: int | None
    kind: str
    attempt: int
    sent_at: object

    @property
    def message_id(self) -> str:
        """Its Message-ID, without the host."""
        about = self.job or f"subscription-{self.subscription}"
        return f"{self.kind.replace(' ', '-')}.{about}.{self.attempt}"


@dataclass
class Books:
    """Every row that says how a run ended."""

    jobs: dict[int, Job]
    files: Mapping[int, list[File]]
    steps: Mapping[int, Counter[tuple[str, str]]]
    notices: list[Notice]
    inputs: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, database: Database) -> "Books":
        """Read them all."""
        jobs = [Job(*row) for row in database.rows(_JOBS)]
        files: dict[int, list[File]] = defaultdict(list)
        steps: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
        for file in (File(*row) for row in database.rows(_FILES)):
            files[file.job].append(file)
        for job, before, after in database.rows(_EVENTS):
            steps[job][before, after] += 1
        return cls(
            {job.id: job for job in jobs},
            files,
            steps,
            [Notice(*row) for row in database.rows(_NOTICES)],
            {
                plain(f"inputs/{owner}/{upload}/input.vcf")
                for owner, upload in database.rows(_INPUTS)
            },
        )


def plain(key: str) -> str:
    """A key without dashes, which SQLite does not keep in the ids of uploads."""
    return key.replace("-", "")


def right_states(told: Told, sample: Sample, job: Job) -> set[str]:
    """Where a job may be at rest, given its file, its owner's plan, and who stopped it."""
    if told.was_stopped:
        return {"cancelled"}
    stopped = {"cancelled"} if told.asked_to_stop else set[str]()
    if not sample.is_good:
        return stopped | {"failed"}
    return stopped | {"completed" if job.plan == "premium" else "archived"}
