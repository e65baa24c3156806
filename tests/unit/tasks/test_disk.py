"""A disk that is full: told to staff, blamed on nobody's file, tried again ever more patiently."""

import errno
import socket

import pytest

from annotator.errors import DiskFull
from gas.models import Alarm, Status, Upload, User
from tasks.annotate import BROKE_DOWN
from tasks.setbacks import MOST_SETBACKS
from tests.seams.world import World, read, state

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["child", "storage"])
def test_a_full_disk_is_told_to_staff_once_and_the_job_is_done_when_there_is_room(
    world: World, owner: User, where: str
) -> None:
    jobs = [world.queued(owner), world.queued(owner)]
    for _ in jobs:
        if where == "child":
            world.child.fault = DiskFull("no room")
        else:
            world.storage.fault = FULL
        assert world.broker.deliver("annotate") == "RETRY"
    for job in jobs:
        waiting = read(job)
        assert (waiting.state, waiting.setbacks) == (Status.RUNNING, 1)
        assert socket.gethostname() in waiting.trouble
        assert waiting.upload.status == Upload.Status.COMPLETE
    assert socket.gethostname() in Alarm.objects.get().text
    world.child.fault = None
    world.until_quiet()
    for job in jobs:
        assert (read(job).trouble, job.notices.get(kind="completed").attempt) == ("", 2)


def test_a_disk_that_stays_full_ends_in_our_failure(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.child.fault = DiskFull("no room")
    for _ in range(MOST_SETBACKS):
        assert world.broker.deliver("annotate") == "RETRY"
        world.broker.arrived("annotate")[0].headers["wait"] = None
        world.hurry(job)
    assert world.broker.deliver("annotate") == "SUCCESS"
    assert (state(job), read(job).failure) == (Status.FAILED, BROKE_DOWN)
    assert read(job).upload.status == Upload.Status.COMPLETE


def test_a_file_that_is_not_there_is_no_full_disk(world: World, owner: User) -> None:
    job = world.queued(owner)
    world.storage.fault = FileNotFoundError(errno.ENOENT, "no such file")
    assert world.broker.deliver("annotate") == "FAILURE"
    assert (read(job).trouble, Alarm.objects.count()) == ("", 0)
