"""Uploads in parts: begun within the plan, gone on with after a break, one object at the end."""

from typing import Any

import pytest
from pytest_django import Settings

from gas.models import Discard, Job, Plan, Status, Upload, User
from gas.services import jobs, limits, uploads
from gas.services.jobs import JobRefused
from gas.services.uploads import UploadRefused
from gas.storage.digests import MIB
from gas.storage.locations import inputs
from tests.seams.storage import digest
from tests.seams.world import VCF, World

PART = 5 * MIB
LARGE = VCF + (2 * PART) * b"x"
START = "5" * 64


@pytest.fixture(autouse=True)
def small_parts(settings: Settings) -> None:
    settings.PART_BYTES = PART


def begun(owner: User, content: bytes = LARGE, **changes: Any) -> uploads.InParts:
    """An upload of a file in parts, of which nothing has been sent."""
    file: dict[str, Any] = {"filename": "a.vcf", "size": len(content), "first_bytes": START}
    return uploads.begin_parts(owner=owner, **(file | changes))


def sent(world: World, upload: Upload, content: bytes = LARGE, *, but: int = 0) -> None:
    """Send every part to S3, but perhaps one."""
    for number, start in enumerate(range(0, len(content), PART), 1):
        if number != but:
            world.storage.coming[upload.parts_id][number] = content[start : start + PART]


def at(upload: Upload) -> str:
    return str(inputs(upload.key))


def test_parts_become_one_file_and_a_job(world: World, owner: User) -> None:
    upload = begun(owner).upload
    assert upload.part_sizes == [PART, PART, len(VCF)]
    sent(world, upload)
    job = jobs.submit(upload=upload, notes="two\r\nlines\x00")
    assert (job.state, job.notes) == (Status.QUEUED, "two\nlines")
    assert world.storage.kept[at(upload)] == LARGE
    assert (upload.status, upload.size, upload.etag) == ("complete", len(LARGE), digest(LARGE))
    assert (upload.parts_id, world.storage.coming) == ("", {})


def test_the_same_file_goes_on_where_it_broke_off(world: World, owner: User) -> None:
    first = begun(owner)
    sent(world, first.upload, but=2)
    again = begun(owner)
    assert again.upload == first.upload
    last = digest(LARGE[2 * PART :])
    assert again.arrived == {1: digest(LARGE[:PART]), 3: last}
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"filename": "b.vcf"}, {"size": len(LARGE) - 1}, {"first_bytes": "6" * 64}]
)
def test_another_file_begins_anew(world: World, owner: User, other: dict[str, Any]) -> None:
    first = begun(owner)
    again = begun(owner, **other)
    assert again.upload != first.upload
    assert again.arrived == {}


def test_the_same_file_of_somebody_else_begins_anew(
    world: World, owner: User, stranger: User
) -> None:
    sent(world, begun(owner).upload)
    theirs = begun(stranger)
    assert (theirs.upload.owner, theirs.arrived) == (stranger, {})


def test_a_file_whose_parts_are_gone_begins_anew(world: World, owner: User) -> None:
    first = begun(owner).upload
    world.storage.coming.clear()
    assert begun(owner).upload != first


def test_a_file_that_was_submitted_begins_anew(world: World, owner: User) -> None:
    first = begun(owner).upload
    sent(world, first)
    jobs.submit(upload=first)
    assert begun(owner).upload != first


def test_each_link_is_for_the_bytes_that_were_announced(world: World, owner: User) -> None:
    upload = begun(owner).upload
    links = [uploads.part_link(upload=upload, number=n, sha256=START) for n in (1, 2, 3)]
    assert [link.headers["bytes"] for link in links] == [str(PART), str(PART), str(len(VCF))]
    for number in (0, 4, -1, 10_001):
        with pytest.raises(UploadRefused, match="no such part"):
            uploads.part_link(upload=upload, number=number, sha256=START)


def test_no_link_is_signed_once_the_file_is_complete(world: World, owner: User) -> None:
    upload = begun(owner).upload
    stale = Upload.objects.get(pk=upload.pk)
    sent(world, upload)
    jobs.submit(upload=upload)
    with pytest.raises(UploadRefused, match="has ended"):
        uploads.part_link(upload=stale, number=1, sha256=START)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_file_with_a_part_missing_is_asked_for_and_kept(
    world: World, owner: User, missing: int
) -> None:
    upload = begun(owner).upload
    sent(world, upload, but=missing)
    with pytest.raises(UploadRefused, match="1 of 3 parts of the file have not arrived"):
        jobs.submit(upload=upload)
    assert (upload.status, Job.objects.count()) == ("pending", 0)
    sent(world, upload)
    assert jobs.submit(upload=upload).state is Status.QUEUED


def test_a_part_of_another_size_is_as_good_as_none(world: World, owner: User) -> None:
    upload = begun(owner).upload
    sent(world, upload)
    world.storage.coming[upload.parts_id][2] += b"more"
    with pytest.raises(UploadRefused, match="1 of 3 parts"):
        jobs.submit(upload=upload)
    assert not Job.objects.exists()


def test_a_part_beyond_the_last_is_refused_with_the_file(world: World, owner: User) -> None:
    upload = begun(owner).upload
    sent(world, upload)
    world.storage.coming[upload.parts_id][4] = b"more"
    with pytest.raises(UploadRefused, match="not the one that was announced"):
        jobs.submit(upload=upload)
    upload.refresh_from_db()
    assert (upload.status, world.storage.kept) == (Upload.Status.REFUSED, {})


def test_a_completion_whose_answer_was_lost_is_repeated_in_vain(world: World, owner: User) -> None:
    upload = begun(owner).upload
    sent(world, upload)
    world.storage.assemble(inputs(upload.key), upload.parts_id, [])
    world.storage.kept[at(upload)] = LARGE
    assert jobs.submit(upload=upload) == jobs.submit(upload=Upload.objects.get(pk=upload.pk))
    assert Job.objects.count() == 1


def test_a_plan_that_shrank_while_the_file_came_refuses_it(world: World, owner: User) -> None:
    upload = begun(owner).upload
    sent(world, upload)
    Plan.objects.filter(pk=Plan.FREE).update(max_upload_bytes=PART)
    with pytest.raises(UploadRefused, match="your plan takes"):
        jobs.submit(upload=Upload.objects.get(pk=upload.pk))
    assert (world.storage.kept, world.storage.coming) == ({}, {})


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"max_upload_bytes": len(LARGE) - 1}, "your plan takes"),
        ({"max_stored_bytes": len(LARGE) - 1}, "delete jobs"),
        ({"max_active_jobs": 0}, "queued or running"),
    ],
)
def test_what_the_plan_has_no_room_for_is_not_begun(
    world: World, owner: User, limit: dict[str, int], sentence: str
) -> None:
    Plan.objects.filter(pk=Plan.FREE).update(**limit)
    owner.refresh_from_db()
    with pytest.raises(UploadRefused, match=sentence):
        begun(owner)
    assert (Upload.objects.count(), world.storage.coming) == (0, {})


def test_files_on_their_way_count_before_they_arrive(world: World, owner: User) -> None:
    begun(owner)
    assert limits.room_of(owner).kept_bytes == len(LARGE)
    Plan.objects.filter(pk=Plan.FREE).update(max_stored_bytes=2 * len(LARGE) - 1)
    with pytest.raises(UploadRefused, match="delete jobs"):
        begun(owner, filename="b.vcf")


def test_an_empty_file_is_not_begun(world: World, owner: User) -> None:
    with pytest.raises(UploadRefused, match="The file is empty"):
        begun(owner, b"")


def test_a_file_of_very_many_bytes_has_larger_parts(world: World, owner: User) -> None:
    Plan.objects.update(max_upload_bytes=1 << 50, max_stored_bytes=1 << 50)
    owner.refresh_from_db()
    upload = begun(owner, size=10_000 * PART + 1).upload
    assert upload.part_bytes == PART + MIB
    assert len(upload.part_sizes) <= 10_000
    assert sum(upload.part_sizes) == 10_000 * PART + 1


def test_an_upload_that_is_cancelled_leaves_nothing(world: World, owner: User) -> None:
    upload = begun(owner).upload
    sent(world, upload, but=3)
    uploads.delete(upload=upload)
    assert not Upload.objects.exists()
    assert world.storage.coming == {}
    assert not Discard.objects.due().exists()


def test_parts_that_arrive_after_a_cancel_go_too(world: World, owner: User) -> None:
    upload = begun(owner).upload
    parts_id = upload.parts_id
    uploads.delete(upload=upload)
    world.storage.coming[parts_id] = {1: b"late"}
    for _ in range(3):
        world.an_hour_passes()
    assert world.storage.coming == {}


def test_a_file_with_a_job_cannot_be_cancelled(world: World, owner: User) -> None:
    upload = begun(owner).upload
    sent(world, upload)
    jobs.submit(upload=upload)
    with pytest.raises(UploadRefused, match="was submitted"):
        uploads.delete(upload=upload)
    assert at(upload) in world.storage.kept


def test_what_is_not_a_vcf_is_refused_after_all_its_parts(world: World, owner: User) -> None:
    content = b"<html>" + LARGE
    upload = begun(owner, content).upload
    sent(world, upload, content)
    with pytest.raises(UploadRefused, match="web page"):
        jobs.submit(upload=upload)
    assert (world.storage.kept, world.storage.coming) == ({}, {})


def test_what_broke_off_or_waits_to_be_submitted_is_listed(
    world: World, owner: User, stranger: User
) -> None:
    broken, full, ended = begun(owner), begun(owner, filename="b"), begun(owner, filename="c")
    begun(stranger)
    uploads.begin(owner=owner, filename="a form that nobody filled in")
    sent(world, full.upload)
    sent(world, ended.upload)
    Plan.objects.update(max_active_jobs=1)
    jobs.submit(upload=ended.upload)
    with pytest.raises(JobRefused):
        jobs.submit(upload=full.upload)
    assert list(uploads.unfinished(owner=owner)) == [full.upload, broken.upload]
