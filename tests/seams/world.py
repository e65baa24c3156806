"""Jobs on their way through the real tasks, with every seam around them in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.db import transaction
from django.db.models import F, Model, Q
from django.db.models.functions import Now

from annotator import child
from celeryconfig import LEASE
from gas import mail
from gas.models import IN_FLIGHT, Delivery, Discard, Job, Notice, Status, Upload, User, Webhook
from gas.storage import result_sets
from gas.storage.locations import inputs
from gas.webhooks import sending
from tasks import leases, pipeline
from tasks.sweep import sweep
from tests.seams import broker
from tests.seams.archives import FakeArchive
from tests.seams.broker import Broker
from tests.seams.fate import Fate, Killed
from tests.seams.letters import Letters
from tests.seams.people import FakeChild, Postbox, Receiver
from tests.seams.storage import Storage, digest

HOUR = timedelta(hours=1)
VCF = b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"

#: The columns that say when something is due; an hour passes by moving them all.
CLOCKS: dict[type[Model], tuple[str, ...]] = {
    Job: ("wake_at", "sent_at", "lease_until"),
    Notice: ("created_at", "lease_until"),
    Discard: ("created_at", "try_at"),
    Upload: ("give_up_at",),
    Webhook: ("lease_until", "rests_until", "sent_at", "wake_at", "failing_since"),
    Delivery: ("created_at", "wake_at"),
}


class Pulse:
    """A heartbeat in the worker's own thread: every check renews the lease, or finds it lost."""

    def __init__(self, claim: Job, task: Any) -> None:
        self._claim = claim

    def __enter__(self) -> "Pulse":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def check(self) -> None:
        self._claim.renew(LEASE)

    tick = check

    def progress(self, *_what: object) -> None:
        pass


class World:
    """Everything around the tasks, and the passing of time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.fate = Fate()
        self.storage = Storage(self.fate)
        self.child, self.post = FakeChild(self.fate), Postbox(self.fate)
        self.broker = Broker()
        self.archive = FakeArchive(self.storage, self.fate)
        self.letters = Letters(self.broker)
        self.receiver = Receiver(self.fate)
        self.letters.stand_in(patch)
        self.storage.stand_in(patch)
        patch.setattr(result_sets, "get_archive", lambda: self.archive)
        patch.setattr(child, "run", self.child.run)
        patch.setattr(mail, "send", self.post.send)
        patch.setattr(sending, "post", self.receiver.post)
        patch.setattr(leases, "Heartbeat", Pulse)

    def publishing(self, sender: str, **_: Any) -> None:
        """A message that is sent is a step too."""
        self.fate.step(f"send {sender}")

    def submitted(self, owner: User, *, content: bytes = VCF) -> Job:
        """A job that waits for its turn."""
        upload = Upload.objects.create(
            owner=owner,
            filename="cohort.vcf",
            status=Upload.Status.COMPLETE,
            size=len(content),
            etag=digest(content),
        )
        self.storage.kept[str(inputs(upload.key))] = content
        return Job.objects.create(owner=owner, upload=upload, name="Cohort", bundle="demo-grch38")

    def queued(self, owner: User) -> Job:
        """A job that waits for annotate, its message sent."""
        job = self.submitted(owner)
        pipeline.send(job)
        return job

    def completed(self, owner: User) -> Job:
        """A job whose results are at hand and due for the archive, its message sent."""
        job = self.queued(owner)
        assert self.broker.deliver("annotate") == "SUCCESS"
        assert self.broker.deliver("notify") == "SUCCESS"
        self.broker.lose()
        self.hurry(job)
        pipeline.send(read(job))
        return job

    def archived(self, owner: User) -> Job:
        """A job in the archive."""
        job = self.completed(owner)
        assert self.broker.deliver("archive") == "SUCCESS"
        return job

    def thawing(self, owner: User) -> Job:
        """A job of somebody who has subscribed, asked back from the archive."""
        job = self.archived(owner)
        upgrade(owner)
        Job.objects.filter(pk=job.pk).update(wake_at=Now())
        pipeline.send(read(job))
        return job

    def restoring(self, owner: User) -> Job:
        """A job that the archive has given back, its restore message sent."""
        job = self.thawing(owner)
        assert self.broker.deliver("thaw") == "SUCCESS"
        return job

    def hurry(self, job: Job) -> None:
        """Make the next step of a job due."""
        Job.objects.filter(pk=job.pk).update(wake_at=Now() - timedelta(seconds=1))

    def an_hour_passes(self) -> None:
        """Move every due time, receipt and lease, and let the sweeper look."""
        self.letters.hidden.clear()
        for model, columns in CLOCKS.items():
            moved = {column: F(column) - HOUR for column in columns}
            model._default_manager.update(**moved)
        sweep.run()

    def until_quiet(self, hours: int = 8) -> None:
        """Deliver what waits, as the hours go by, until every job rests and nothing is owed."""
        for _ in range(hours):
            for message in [m for m in self.broker.arrived() if not m.wait]:
                self.broker.waiting.remove(message)
                self.broker.run(message)
            if self._is_quiet():
                return
            self.an_hour_passes()
        raise AssertionError(f"not at rest after {hours} hours: {Job.objects.values()}")

    def _is_quiet(self) -> bool:
        wanted_back = Q(status=Status.ARCHIVED, owner__plan__archives=False)
        due = Q(status=Status.COMPLETED, wake_at__lte=Now(), owner__plan__archives=True)
        stalled = Q(status__in=IN_FLIGHT, lease_until=None, wake_at=None)
        restless = Job.objects.filter(
            (Q(status__in=[Status.QUEUED, *IN_FLIGHT]) & ~stalled) | wanted_back | due
        ).exists()
        owed = any(
            rows.exists()
            for rows in (Notice.objects.unsent(), Discard.objects.all(), Delivery.objects.awaited())
        )
        return not restless and not owed and not [m for m in self.broker.arrived() if not m.wait]

    @contextmanager
    def on_trial(self) -> Iterator[None]:
        """Undo in the end whatever happens in this block."""
        self.broker.arrived()
        seams = (self.storage, self.archive, self.child, self.post, self.broker, self.receiver)
        before = [{k: _copied(v) for k, v in vars(seam).items()} for seam in seams]
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        self.broker.lose()
        for seam, state in zip(seams, before, strict=True):
            vars(seam).update(state)

    def dies(self, task: str, *, before: int) -> bool:
        """Run the next message for a task; True when its worker died before that step.

        SQS delivers the message of a dead worker again.
        """
        message = self.broker.take(task)
        try:
            with self.fate.dying_before(before):
                self.broker.run(message)
        except Killed:
            message.headers["receives"] = str(int(message.headers.get("receives") or 1) + 1)
            self.broker.waiting.append(message)
            return True
        return False


def _copied(value: Any) -> Any:
    return type(value)(value) if isinstance(value, (dict, list, set)) else value


def read(job: Job) -> Job:
    """The job as its row is now."""
    return Job.objects.get(pk=job.pk)


def state(job: Job) -> Status:
    """Where the job is now."""
    return read(job).state


def upgrade(owner: User) -> None:
    """Put an account on the premium plan, and do nothing else."""
    User.objects.filter(pk=owner.pk).update(plan="premium")


def downgrade(owner: User) -> None:
    """Put an account on the free plan, and do nothing else."""
    User.objects.filter(pk=owner.pk).update(plan="free")


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The tasks with every seam around them in memory."""
    with broker.in_memory():
        made = World(monkeypatch)
        before_task_publish.connect(made.publishing, weak=False)
        yield made
        before_task_publish.disconnect(made.publishing)
