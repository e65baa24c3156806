"""How a job ended: its row, its objects and its mails, which must agree."""

from gas.models import Discard, Job, Notice, ResultFile, Status
from gas.storage.locations import results
from tests.seams.people import RECORDS
from tests.seams.world import VCF, World, read

#: What the stand-in for the annotator makes of the stand-in for a VCF.
OUTPUTS = {
    name: b'{"records_in": %d}' % RECORDS
    if name == "summary.json"
    else name.encode() + b" of " + VCF
    for name in ResultFile.NAMES.values()
}
LARGE = {ResultFile.NAMES[kind] for kind in ResultFile.ARCHIVED_KINDS}


def at_hand(world: World, job: Job) -> dict[str, bytes]:
    """The bytes that the rows of a job lead to, by name."""
    return {
        file.name: world.archive.copies[file.archive_id]
        if file.archive_id
        else world.storage.kept[str(results(file.key))]
        for file in job.files.all()
    }


def seen_end(world: World, job: Job) -> str:
    """The word for what has become of the job, its objects and its mails, which must agree."""
    if not Job.objects.filter(pk=job.pk).exists():
        assert not Discard.objects.exists()
        assert (world.storage.kept, world.archive.copies) == ({}, {})
        return "gone"
    job = read(job)
    assert sorted(world.post.sent) == sorted(Notice.objects.values_list("kind", flat=True))
    notices = list(Notice.objects.filter(job=job).values_list("kind", flat=True))
    assert not Notice.objects.unsent().exists()
    assert not Discard.objects.exists()
    word = {
        Status.COMPLETED: "kept" if job.wake_at is None else "dated",
        Status.ARCHIVED: "archived",
        Status.FAILED: "failed",
        Status.CANCELLED: "stopped",
    }[job.state]
    _objects_are_right(world, job)
    told = {"failed": ["failed"], "stopped": []}.get(word, ["completed"])
    assert [kind for kind in notices if kind != "restored"] == told
    return word + "*" * notices.count("restored")


def _objects_are_right(world: World, job: Job) -> None:
    rows = list(job.files.all())
    away = {file.archive_id for file in rows if file.archive_id}
    receipts = ResultFile.objects.exclude(archive_id="").values_list("archive_id", flat=True)
    assert set(world.archive.copies) == set(receipts)
    assert set(world.storage.under(job.prefix)) == {
        file.key for file in rows if not file.archive_id
    }
    assert job.wake_at is None or job.state is Status.COMPLETED
    if job.state in (Status.COMPLETED, Status.ARCHIVED):
        assert at_hand(world, job) == OUTPUTS
        assert len(away) == (len(LARGE) if job.state is Status.ARCHIVED else 0)
    else:
        assert rows == []
