"""What is wrong when all is quiet again, as database, S3, queues and mails say themselves."""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes

from dev.chaos.books import BACK, DONE, Books, plain, right_states
from dev.chaos.crowd import Told
from dev.chaos.samples import SAME_EVERY_TIME, Sample
from dev.chaos.town import DEAD_NAMES, QUEUE_NAMES, Town
from dev.local_aws import QueuedMessage

#: Kinds of files that move to the archive.
MOVED = frozenset({"vcf", "index", "tsv", "parquet"})
FILES_OF_A_RESULT = 8
BUCKETS = ("gas-inputs", "gas-results", "gas-archive")


@dataclass
class Verdict:
    """What was found wrong, by kind, and the figures of the run."""

    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    figures: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Whether nothing was found wrong."""
        return not any(self.wrong.values())

    def blame(self, kind: str, what: str) -> None:
        """Note something that is wrong."""
        self.wrong[kind].append(what)


def judge(
    town: Town,
    told: Sequence[Told],
    samples: Mapping[str, Sample],
    taken: Sequence[bytes],
    poison: set[str],
) -> Verdict:
    """Check everything; `taken` are the mails as they were handed over, `poison` bad messages."""
    verdict, books = Verdict(), Books.read(town.database)
    _judge_states(verdict, books, told, samples)
    for one in told:
        if one.job in books.jobs:
            _judge_results(verdict, books, one.job, samples[one.errand.sample])
    _judge_objects(verdict, books, town)
    _judge_notices(verdict, books)
    _judge_mails(verdict, books, taken)
    _judge_messages(verdict, town.messages(), poison)
    verdict.figures["jobs"] = len(books.jobs)
    states = Counter(job.status for job in books.jobs.values())
    verdict.figures |= {f"jobs {state}": count for state, count in sorted(states.items())}
    return verdict


def _judge_states(
    verdict: Verdict, books: Books, told: Sequence[Told], samples: Mapping[str, Sample]
) -> None:
    """Every job that was told of is there, and no other; each is where it should be."""
    for number in books.jobs.keys() - {one.job for one in told}:
        verdict.blame("doubled", f"job {number} was made, and nobody was told")
    for one in told:
        sample = samples[one.errand.sample]
        if one.job is None:
            if not sample.is_refused_at_once:
                verdict.blame("lost", f"{one.filename} was refused")
            continue
        job = books.jobs.get(one.job)
        right = right_states(one, sample, job) if job else set()
        if job is None:
            verdict.blame("lost", f"job {one.job} is gone")
        elif job.status not in right:
            kind = "lost" if job.status in {"failed", "cancelled"} else "stuck"
            said = f"job {job.id} ({sample.name}) is {job.status}, not {' or '.join(right)}"
            verdict.blame(kind, f"{said}: {job.failure or 'no reason'}")


def _judge_results(verdict: Verdict, books: Books, number: int, sample: Sample) -> None:
    """Exactly one result set, with the checksums that the file must give; none without results."""
    job, files = books.jobs[number], books.files.get(number, [])
    expected = job.status not in {"failed", "cancelled", "queued", "running"}
    if (done := books.steps[number][DONE]) != expected:
        verdict.blame("doubled" if done else "lost", f"job {number} was completed {done} times")
    if len(files) != FILES_OF_A_RESULT * expected:
        verdict.blame("lost", f"job {number} ({job.status}) has {len(files)} result files")
    if len({file.key.rpartition("/")[0] for file in files if file.kind in MOVED}) > 1:
        verdict.blame("doubled", f"job {number} has files of several attempts")
    for file in files:
        if bool(file.receipt) is not (job.status == "archived" and file.kind in MOVED):
            verdict.blame("stuck", f"{file.key} of {job.status} job has receipt {file.receipt!r}")
        if file.kind in SAME_EVERY_TIME and file.sha256 != sample.checksums.get(file.kind):
            verdict.blame("lost", f"{file.key} is not what {sample.name} gives")


def _judge_objects(verdict: Verdict, books: Books, town: Town) -> None:
    """Buckets hold what rows refer to, with these bytes, and nothing else."""
    files = {file.place: file for found in books.files.values() for file in found}
    due = files.keys() | {("gas-inputs", key) for key in books.inputs}
    held = set()
    for bucket, key in _held(town):
        place = (bucket, plain(key) if bucket == "gas-inputs" else key)
        held.add(place)
        if place not in due:
            verdict.blame("orphans", f"{bucket}/{key}")
        elif place in files and _digest(town, bucket, key) != files[place].sha256:
            verdict.blame("lost", f"{bucket}/{key} has other bytes")
    for bucket, key in sorted(due - held):
        verdict.blame("lost", f"{bucket}/{key} is not there")
    verdict.figures["objects"] = len(held)


def _held(town: Town) -> Iterator[tuple[str, str]]:
    """Every object but the tombstones, which tell of what was deleted and lead to nothing."""
    for bucket in BUCKETS:
        for page in town.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys = [found["Key"] for found in page.get("Contents", [])]
            yield from ((bucket, key) for key in keys if not key.startswith("deleted/"))


def _digest(town: Town, bucket: str, key: str) -> str:
    """The SHA-256 of an object's bytes; of a frozen one, what S3 computed of them itself."""
    if bucket == "gas-archive":
        head = town.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        return base64.b64decode(head["ChecksumSHA256"]).hex()
    body = town.s3.get_object(Bucket=bucket, Key=key)["Body"]
    return hashlib.sha256(body.read()).hexdigest()


def _judge_notices(verdict: Verdict, books: Books) -> None:
    """Each job owed the mails of its history, once each, and owes none any more."""
    owed = Counter((notice.job, notice.kind) for notice in books.notices)
    for job in books.jobs.values():
        steps = books.steps[job.id]
        due = {
            "completed": steps[DONE],
            "restored": steps[BACK],
            "failed": int(job.status == "failed"),
        }
        for kind, count in due.items():
            if owed[job.id, kind] != count:
                verdict.blame("mails", f"job {job.id} owed {owed[job.id, kind]} {kind} mails")
    for notice in books.notices:
        if notice.sent_at is None:
            verdict.blame("mails", f"{notice.message_id} is still owed")


def _judge_mails(verdict: Verdict, books: Books, taken: Sequence[bytes]) -> None:
    """Every notice was mailed, under its own Message-ID; a repeat says the same."""
    came: dict[str, Counter[str]] = defaultdict(Counter)
    for request in taken:
        message_id, words = _mail(request)
        came[message_id][words] += 1
    expected = {notice.message_id for notice in books.notices}
    for message_id in sorted(expected - came.keys()):
        verdict.blame("mails", f"{message_id} never came")
    for message_id in sorted(came.keys() - expected):
        verdict.blame("mails", f"{message_id} was owed by nobody")
    for message_id, wordings in came.items():
        if len(wordings) > 1:
            verdict.blame("mails", f"{message_id} came in {len(wordings)} wordings")
    verdict.figures["mails"] = len(taken)
    verdict.figures["mails repeated, with the same Message-ID"] = len(taken) - len(came)


def _mail(request: bytes) -> tuple[str, str]:
    """The Message-ID (without its host), and the subject and text, of a mail as handed over."""
    mail = message_from_bytes(base64.b64decode(json.loads(request)["Content"]["Raw"]["Data"]))
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    message_id = str(mail["Message-ID"]).strip("<>").partition("@")[0]
    return message_id, f"{mail['Subject']}\n{text.get_payload()}"


def _judge_messages(verdict: Verdict, waiting: Sequence[QueuedMessage], poison: set[str]) -> None:
    """No message waits; a dead letter is poison, or of a job that came to rest without it."""
    dead = [message for message in waiting if message.queue in DEAD_NAMES]
    for message in waiting:
        if message.queue in QUEUE_NAMES:
            verdict.blame("messages", f"{message.queue} holds {message.body[:200]}")
    bodies = Counter(message.body for message in dead)
    for body in poison - bodies.keys():
        verdict.blame("messages", f"poison is no dead letter: {body[:200]}")
    verdict.figures["dead letters, poison"] = sum(bodies[body] for body in poison)
    verdict.figures["dead letters of jobs at rest"] = len(dead) - sum(
        bodies[body] for body in poison
    )
