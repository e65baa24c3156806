"""Logs tell what happened to which number, and nothing that says whose or what it is."""

import pytest

from annotator.errors import AnnotatorFailed, InputRefused
from gas.models import Status, User
from tests.seams.world import VCF, World, state

#: What must stay out of the logs: a person, a file, a sample, a genotype.
PLANTED = ("planted@example.org", "Planted", "PLANTED-SAMPLE", "0/7:99", "planted-file")

SAID = f"""Traceback (most recent call last):
  File "annotator/run.py", line 7, in run
    read('{PLANTED[2]}')
ValueError: {PLANTED[2]} has {PLANTED[3]}"""


@pytest.fixture
def named(owner: User) -> User:
    """An owner whose name and address are planted."""
    owner.first_name, owner.email = PLANTED[1], PLANTED[0]
    owner.save()
    return owner


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        (None, Status.COMPLETED),
        (InputRefused(f"Line 12: {PLANTED[2]} has {PLANTED[3]}."), Status.FAILED),
        (AnnotatorFailed(f"the annotator ended with 1: {SAID}"), Status.RUNNING),
        (AnnotatorFailed(f"the annotator left no results: {PLANTED[4]}"), Status.RUNNING),
    ],
)
def test_however_a_job_ends_its_logs_hold_no_name_address_or_genotype(
    world: World,
    named: User,
    caplog: pytest.LogCaptureFixture,
    fault: Exception | None,
    after: Status,
) -> None:
    caplog.set_level("DEBUG")
    record = f"chr16\t1\t.\tA\tC\t.\t.\t.\tGT:DP\t{PLANTED[3]}\t{PLANTED[2]}\n"
    job = world.submitted(named, content=VCF + record.encode())
    job.upload.filename = job.name = PLANTED[4]
    job.upload.save()
    job.save()
    world.child.fault = fault
    world.hurry(job)
    world.an_hour_passes()
    world.broker.deliver("annotate")
    assert state(job) is after
    assert "annotate" in caplog.text
    assert [planted for planted in PLANTED if planted in caplog.text] == []


def test_an_operator_still_reads_where_the_annotator_broke(
    world: World, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    world.child.fault = AnnotatorFailed(f"the annotator ended with 1: {SAID}")
    world.queued(owner)
    world.broker.deliver("annotate")
    assert 'ended with 1; File "annotator/run.py", line 7, in run; ValueError' in caplog.text
