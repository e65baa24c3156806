"""One job on its way, in every state that it can be in, and the word for how it ended."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from celeryconfig import LEASE
from gas.billing.protocol import SubscriptionState
from gas.models import Job, Status, Subscription, User
from gas.services import jobs, reruns, subscriptions
from gas.services.jobs import JobRefused
from gas.services.staff import jobs as staff_jobs
from gas.services.staff.jobs import Stage
from gas.storage.errors import StorageUnavailable
from tasks import pipeline
from tests.seams.billing import FakeBilling
from tests.seams.world import World

#: The stage that staff try again of a job that rests amid a step.
MENDED = {
    Status.ARCHIVING: Stage.ARCHIVE,
    Status.THAWING: Stage.THAW,
    Status.RESTORING: Stage.RESTORE,
}

ACTIVE, ENDED = SubscriptionState.ACTIVE, SubscriptionState.ENDED


class Scene:
    """One job of one owner, the world around it, and whoever interferes."""

    def __init__(self, world: World, owner: User, commit: DjangoCaptureOnCommitCallbacks) -> None:
        self.world, self.owner, self.commit = world, owner, commit
        self.billing = FakeBilling()
        self.billing.owner = owner.pk
        self.job = Job()

    def subscribe(self) -> None:
        self._tell(ACTIVE)

    def end(self) -> None:
        self._tell(ENDED)

    def replay(self) -> None:
        """The provider repeats what it said last, under the same name and under another."""
        now = ACTIVE if Subscription.objects.filter(status="active").exists() else ENDED
        for event in ("evt-0", "evt-0", "evt-again"):
            self.billing.tell(event, "sub", now)

    def cancel(self) -> None:
        with suppress(JobRefused), self.commit(execute=True):
            jobs.cancel(job=self.job, actor=self.owner)

    def delete(self) -> None:
        with self.commit(execute=True):
            jobs.delete(job=self.job, actor=self.owner)

    def run_again(self) -> Job | None:
        """A new job like this one; None when there can be none."""
        with suppress(JobRefused), self.commit(execute=True):
            return reruns.rerun(job=self.job, actor=self.owner)
        return None

    def send_again(self) -> None:
        job = Job.objects.get(pk=self.job.pk)
        if job.wake_at is not None:
            pipeline.send(job)

    def dies(self, task: str, before: str) -> None:
        """A worker dies in the middle of a task; SQS brings its message back an hour later."""
        with self.world.on_trial():
            assert not self.world.dies(task, before=999)
        assert self.world.dies(task, before=self.world.fate.steps.index(before))
        self.world.broker.arrived()

    def falters(self, task: str) -> None:
        """A fault that passes: the task lets the job go, to try again."""
        self.world.archive.fault = self.world.child.fault = StorageUnavailable("busy")
        assert self.world.broker.deliver(task) == "RETRY"
        self.world.child.fault = self.world.archive.fault = None

    def stalls(self, into: Status) -> None:
        """A step that can go neither on nor back: the job rests in it until staff mend it."""
        claim = Job.objects.claim(self.job.pk, into=into, worker="a worker", lease=LEASE)
        assert claim is not None
        claim.stall("denied")

    def until_quiet(self) -> str:
        """Let all come to rest; `~` when staff had to mend the job for that."""
        self.world.until_quiet()
        if not Job.objects.filter(pk=self.job.pk).exclude(trouble="").exists():
            return ""
        job = Job.objects.get(pk=self.job.pk)
        with self.commit(execute=True):
            staff_jobs.retry(job, stage=MENDED[job.state], actor=self.owner, reason="mended")
        self.world.until_quiet()
        return "~"

    def _tell(self, now: SubscriptionState) -> None:
        with self.commit(execute=True):
            self.billing.tell(f"evt-{len(self.billing.states)}-{now}", "sub", now)


# --- where a job may be ---------------------------------------------------------------------------


def submitted(scene: Scene) -> None:
    scene.job = scene.world.submitted(scene.owner)


def queued(scene: Scene) -> None:
    scene.job = scene.world.queued(scene.owner)


def annotating_again(scene: Scene) -> None:
    queued(scene)
    scene.falters("annotate")


def annotated_by_the_dead(scene: Scene) -> None:
    queued(scene)
    scene.dies("annotate", "child.run")


def untold(scene: Scene) -> None:
    queued(scene)
    assert scene.world.broker.deliver("annotate") == "SUCCESS"


def completed(scene: Scene) -> None:
    untold(scene)
    assert scene.world.broker.deliver("notify") == "SUCCESS"


def due(scene: Scene) -> None:
    scene.job = scene.world.completed(scene.owner)


def archiving_again(scene: Scene) -> None:
    due(scene)
    scene.falters("archive")


def archived_by_the_dead(scene: Scene) -> None:
    due(scene)
    scene.dies("archive", "archive.store")


def archived(scene: Scene) -> None:
    scene.job = scene.world.archived(scene.owner)


def asked_back(scene: Scene) -> None:
    archived(scene)
    scene.world.archive.polls = 1
    scene.subscribe()


def thawing(scene: Scene) -> None:
    asked_back(scene)
    assert scene.world.broker.deliver("thaw") == "RETRY"


def thawed_by_the_dead(scene: Scene) -> None:
    asked_back(scene)
    scene.dies("thaw", "archive.request_retrieval")


def thawed(scene: Scene) -> None:
    asked_back(scene)
    scene.world.archive.polls = 0
    assert scene.world.broker.deliver("thaw") == "SUCCESS"


def restoring_again(scene: Scene) -> None:
    thawed(scene)
    scene.falters("restore")


def restored_by_the_dead(scene: Scene) -> None:
    thawed(scene)
    scene.dies("restore", "archive.bring_back")


def archiving_stalled(scene: Scene) -> None:
    due(scene)
    scene.stalls(Status.ARCHIVING)


def thawing_stalled(scene: Scene) -> None:
    asked_back(scene)
    scene.stalls(Status.THAWING)


def restoring_stalled(scene: Scene) -> None:
    thawed(scene)
    scene.stalls(Status.RESTORING)


def subscribed(scene: Scene) -> None:
    scene.subscribe()
    completed(scene)


def failed(scene: Scene) -> None:
    queued(scene)
    scene.world.storage.kept.clear()
    assert scene.world.broker.deliver("annotate") == "SUCCESS"
    scene.world.until_quiet()


def cancelled(scene: Scene) -> None:
    queued(scene)
    scene.cancel()


SITUATIONS: dict[str, Callable[[Scene], None]] = {
    "waits for its turn": submitted,
    "waits for annotate": queued,
    "waits to be annotated again": annotating_again,
    "lost its annotating worker": annotated_by_the_dead,
    "is completed, nobody told": untold,
    "is completed": completed,
    "is due for the archive": due,
    "waits to be archived again": archiving_again,
    "lost its archiving worker": archived_by_the_dead,
    "rests amid archiving": archiving_stalled,
    "is archived": archived,
    "is asked back": asked_back,
    "waits for its retrieval": thawing,
    "lost its thawing worker": thawed_by_the_dead,
    "rests amid thawing": thawing_stalled,
    "waits to be restored": thawed,
    "waits to be restored again": restoring_again,
    "lost its restoring worker": restored_by_the_dead,
    "rests amid restoring": restoring_stalled,
    "is a subscriber's": subscribed,
    "has failed": failed,
    "is cancelled": cancelled,
}


@pytest.fixture
def scene(
    world: World,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Scene:
    made = Scene(world, owner, django_capture_on_commit_callbacks)
    monkeypatch.setattr(subscriptions, "get_billing", lambda: made.billing)
    return made
