"""Jobs that go the whole way, to the archive and back, each past faults of its own."""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import boto3

from celeryconfig import QUEUES
from dev.chaos.books import BACK, DONE, Books
from dev.database import Database
from dev.faults import disk, faults
from dev.faults.faults import FAULTS, S3_FAULTS
from dev.faults.proxy import Call, Fault
from dev.faults.receiver import Heard, News, Receiver, news_in
from dev.faults.stack import FaultyStack
from dev.faults.steps import MOMENTS, TAKEN
from dev.local_aws import Mail, mails_at, messages_at
from dev.local_aws.server import CREDENTIALS, REGION
from dev.waiting import until
from tasks.dead_letters import step_of

#: Every fault of every call; else each fault once and each call once.
ALL = os.environ.get("FAULTS") == "all"
FILES_OF_A_RESULT = 8

_KEY_ID, _SECRET = CREDENTIALS.values()
_SESSION = boto3.session.Session(_KEY_ID, _SECRET, region_name=REGION)


@dataclass(frozen=True)
class Blow:
    """A fault of calls to AWS that are about one job."""

    action: str
    fault: Fault
    times: int | None = 3  # as often as a client tries by itself
    task: str = ""  # of a message


@dataclass
class Case:
    """One job, and what befalls it."""

    name: str
    plans: dict[str, str] = field(default_factory=dict)
    blows: list[Blow] = field(default_factory=list)
    job: int = 0


def deaths() -> list[Case]:
    """A process dies at each step: the n-th job's at the n-th of each task, by turns before and
    after it; with `FAULTS=all` both.
    """
    longest = max(map(len, TAKEN.values()))
    return [
        _dying(n, moment)
        for n in range(longest)
        for m, moment in enumerate(MOMENTS)
        if ALL or m == n % len(MOMENTS)
    ]


def _dying(n: int, moment: str) -> Case:
    places = {task: steps[n] for task, steps in TAKEN.items() if n < len(steps)}
    plans = {f"{task}.{step}.{moment}": "process" for task, step in places.items()}
    return Case(f"dies-{moment}-{n}", plans)


def worker_deaths() -> list[Case]:
    """A whole worker dies at a step of each task; with `FAULTS=all` at every step."""
    places = [(task, step) for task, steps in TAKEN.items() for step in steps]
    chosen = places if ALL else [(task, steps[-2]) for task, steps in TAKEN.items()]
    cases = [
        Case(f"worker-{task}-{step}", {f"{task}.{step}.after": "worker"}) for task, step in chosen
    ]
    drained = {"annotate.publish.before": "drain", "restore.adopt.before": "drain"}
    return [*cases, Case("child", {"annotate.watch.before": "child"}), Case("drained", drained)]


def full_disks() -> list[Case]:
    """The disk of the worker is full when the annotator is to begin, where one can be mounted."""
    plans = {"annotate.child.before": "fill", "annotate.let_go.before": "empty"}
    return [Case("full-disk", plans)] if disk.is_possible() else []


def messages() -> list[Case]:
    """Every message of a job, of whatever task, goes wrong in one way."""
    late = faults.held_back(9)  # the lease is 6
    lost = [Blow("SendMessage", faults.swallowed, 1, task) for task in TAKEN]
    return [
        Case("doubled", blows=[Blow("SendMessage", faults.twice, None)]),
        Case("late", blows=[Blow("SendMessage", late, None)]),
        Case("reordered", blows=[Blow("SendMessage", late, None, "notify")]),
        Case("lost", blows=lost),
        Case("replayed"),
    ]


S3_ACTIONS = (
    "GetObject",
    "PutObject",
    "HeadObject",
    "CopyObject",
    "ListObjectsV2",
    "DeleteObjects",
)


#: One of each kind that ends at once, and calls of which it is unknown whether they were heeded.
KINDS = ("500", "expired-token", "reset", "answer-lost", "garbage", "slow-down", "altered")


def calls() -> list[Case]:
    """Calls about a job fail in one way: each kind of fault once; each fault when all is asked."""
    names = list(S3_FAULTS) if ALL else list(KINDS)
    turns = range(len(S3_ACTIONS)) if ALL else [0]
    return [
        _failing(S3_ACTIONS[(n + turn) % len(S3_ACTIONS)], name)
        for turn in turns
        for n, name in enumerate(names)
    ]


def _failing(action: str, name: str) -> Case:
    blows = [Blow(action, S3_FAULTS[name])]
    if name in FAULTS:
        blows.append(Blow("SendEmail", FAULTS[name], 2))
    return Case(f"{action}-{name}".lower(), blows=blows)


def impose(stack: FaultyStack, case: Case) -> None:
    """Let what is to befall a job befall it from now on."""
    for blow in case.blows:
        chosen = partial(_is_about, case, blow.task)
        stack.proxy.impose(blow.action, blow.fault, chosen=chosen, times=blow.times)


def _is_about(case: Case, task: str, call: Call) -> bool:
    if call.action == "SendMessage":
        step = step_of(json.loads(call.body)["MessageBody"])
        return step is not None and step.number == case.job and task in ("", step.task)
    if call.action == "SendEmail":
        return f"{case.name}@example.org".encode() in call.body
    places = (f"results/{case.job}/", f"inputs/{case.job}/")  # accounts count as jobs do
    return any(place in call.path or place.encode() in call.body for place in places)


def begin(stack: FaultyStack, cases: list[Case]) -> None:
    """Make the jobs, of which the database has none, and let them go."""
    for number, case in enumerate(cases, start=1):
        case.job = number
        impose(stack, case)
    made = stack.seed("submit", {case.name: case.plans for case in cases})
    for case in cases:
        job, key = made[case.name]
        assert (job, key.split("/")[1]) == (case.job, str(case.job))


_ELSEWHERE = "SELECT count(*) FROM gas_job WHERE status <> '{}'"
_OWED = "SELECT count(*) FROM gas_notice WHERE sent_at IS NULL"
_TO_DESTROY = "SELECT count(*) FROM gas_discard"
_CALLS = "SELECT count(*) FROM gas_delivery WHERE wake_at IS NOT NULL"


def go(stack: FaultyStack, cases: list[Case], *, seconds: float) -> None:
    """Wait for the archive, subscribe everybody, and wait until everything is back."""
    _wait(stack, "archived", seconds=seconds)
    stack.seed("subscribe", [case.name for case in cases])
    _wait(stack, "completed", seconds=seconds)


def _wait(stack: FaultyStack, status: str, *, seconds: float) -> None:
    database = Database(stack.environment["DATABASE_URL"])
    queries = [_ELSEWHERE.format(status), _OWED, _TO_DESTROY, _CALLS]
    deadline = time.monotonic() + seconds
    while any(left := [database.number(query) for query in queries]):
        if time.monotonic() > deadline:
            return  # each case tells for itself
        time.sleep(0.5)
        assert left


def lock(stack: FaultyStack) -> None:
    """Write to an SQLite until somebody has waited for it in vain."""
    database = Database(stack.environment["DATABASE_URL"])
    logs = [stack.folder / f"{name}.log" for name in ("worker", "courier")]
    if not database.is_postgresql:
        with database.locked():
            until(lambda: any("database is locked" in log.read_text() for log in logs), "a victim")


def replay(stack: FaultyStack, case: Case) -> int:
    """Send every message of a job once more; returns how many there were."""
    calls = [
        call
        for call in stack.proxy.calls
        if call.action == "SendMessage" and _is_about(case, "", call)
    ]
    sqs = _SESSION.client("sqs", endpoint_url=stack.proxy.endpoint)
    for call in calls:
        said = json.loads(call.body)
        sqs.send_message(QueueUrl=said["QueueUrl"], MessageBody=said["MessageBody"])
    return len(calls)


def settle(stack: FaultyStack, seconds: float = 180) -> None:
    """Wait until no message is waiting, seen or not."""
    deadline = time.monotonic() + seconds
    names = {queue.queue_name for queue in QUEUES.values()} - {QUEUES["sweep"].queue_name}
    while any(each.queue in names for each in messages_at(stack.proxy.endpoint)):
        assert time.monotonic() < deadline, "messages are left"
        time.sleep(0.5)


@dataclass
class Found:
    """What is there in the end."""

    books: Books
    objects: set[tuple[str, str]]
    mails: list[Mail]
    left: list[str]
    heard: list[Heard]  # by whoever is called when results are back

    def wrong_with(self, case: Case) -> list[str]:
        """What is not as it must be; nothing is best."""
        looks = (self._wrong_rows, self._wrong_objects, self._wrong_mails, self._wrong_calls)
        return [wrong for look in looks for wrong in look(case)]

    def _wrong_rows(self, case: Case) -> Iterable[str]:
        job, files = self.books.jobs[case.job], self.books.files.get(case.job, [])
        steps = self.books.steps[case.job]
        if job.status != "completed":
            yield f"it is {job.status} {job.failure}"
        if (done := (steps[DONE], steps[BACK])) != (1, 1):
            yield f"it was completed and brought back {done} times"
        if len(files) != FILES_OF_A_RESULT or any(file.receipt for file in files):
            yield f"its files are {files}"
        for plan in self.left:
            if plan.endswith(f".{case.job}"):
                yield f"{plan} was not met"

    def _wrong_objects(self, case: Case) -> Iterable[str]:
        mine = f"results/{case.job}/"
        held = {place for place in self.objects if place[1].startswith(mine)}
        due = {file.place for file in self.books.files.get(case.job, [])}
        yield from (f"{place} is an orphan" for place in held - due)
        yield from (f"{place} is lost" for place in due - held)

    def _wrong_mails(self, case: Case) -> Iterable[str]:
        notices = [notice for notice in self.books.notices if notice.job == case.job]
        if sorted(notice.kind for notice in notices) != ["completed", "restored"]:
            yield f"it owed {notices}"
        if any(notice.sent_at is None for notice in notices):
            yield "a mail is owed still"
        to = [f"{case.name}@example.org"]
        mine = [mail for mail in self.mails if mail.to == to and case.name in mail.subject]
        # A mail is repeated when its courier dies, or finds the database locked, before the receipt
        # is written; all jobs share the couriers and the database.
        if len({(mail.subject, mail.text) for mail in mine}) != 2:
            yield f"its mails are {[mail.subject for mail in mine]}"

    def _wrong_calls(self, case: Case) -> Iterable[str]:
        mine = [call for call in self.heard if call.path == f"/{case.name}"]
        # A call is repeated when its worker dies before the receipt is written, under its id.
        if {news_in(call.body) for call in mine} != {News("job.restored", case.job)}:
            yield f"its webhook was told {mine}"
        if len({(call.id, call.body) for call in mine}) != 1:
            yield f"its webhook was called under several ids or in several wordings: {mine}"


def look(stack: FaultyStack, receiver: Receiver) -> Found:
    """Read database, buckets and mails."""
    s3 = _SESSION.client("s3", endpoint_url=stack.proxy.endpoint)
    objects = {
        (bucket, found["Key"])
        for bucket in ("gas-results", "gas-archive")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for found in page.get("Contents", [])
    }
    books = Books.read(Database(stack.environment["DATABASE_URL"]))
    return Found(books, objects, mails_at(stack.proxy.endpoint), stack.left(), receiver.heard)
