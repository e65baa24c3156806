"""A job's files between the tasks and storage: copied, verified, recorded, and only then destroyed.

Everything here may run twice or stop on any line. Destruction goes through `Discard` rows: written
in the transaction that makes the bytes needless, carried out after it.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q
from django.db.models.functions import Now

from gas.models import Alarm, Discard, Job, ResultFile, Upload
from gas.patience import wait_after
from gas.storage import objects, parts, tombstones
from gas.storage.archive import ArchiveState, Tier, get_archive
from gas.storage.errors import ObjectMissing, StorageError, StorageUnavailable
from gas.storage.locations import Location, inputs, results
from gas.storage.tombstones import Buried

logger = logging.getLogger(__name__)

#: After so long no form that was signed for an upload sends bytes any more, with an hour to spare.
FORMS_END = timedelta(seconds=2 * objects.UPLOAD_SECONDS)

#: How many tries to destroy the same bytes staff do not see.
QUIET_TRIES = 12


def fetch_input(job: Job, to: Path) -> None:
    """Stream the job's upload to a file; ObjectReplaced when it was replaced since."""
    objects.fetch(inputs(job.upload.key), to, size=job.upload.size, etag=job.upload.etag)


def publish(job: Job, folder: Path) -> list[ResultFile]:
    """Upload the annotator's outputs under this attempt's own prefix; returns unsaved rows."""
    files = []
    for kind, name in ResultFile.NAMES.items():
        stored = objects.publish(folder / name, results(job.fresh_prefix + name))
        row = ResultFile(job=job, kind=kind, key=job.fresh_prefix + name)
        row.size, row.sha256 = stored.size, stored.sha256
        files.append(row)
    return files


def to_archive(job: Job) -> list[ResultFile]:
    """The files that move to the archive, wherever they are."""
    return list(job.files.filter(kind__in=ResultFile.ARCHIVED_KINDS))


def keys_of(job: Job) -> list[Location]:
    """Everything that lies in the bucket of results for a job, by whichever attempt."""
    return list(objects.keys_under(results(job.prefix)))


def is_gone(file: ResultFile) -> bool:
    """Whether its bytes are not where its row says."""
    if file.archive_id:
        return is_lost(file.archive_id)
    try:
        objects.head(results(file.key))
    except ObjectMissing:
        return True
    return False


def archived(job: Job) -> list[ResultFile]:
    """The files whose only copy is in the archive."""
    return list(job.files.exclude(archive_id=""))


def archive(file: ResultFile) -> None:
    """Make the verified archive copy of a file and record its receipt, once.

    A worker that slept while others archived the file and brought it back finds another key.
    """
    if file.archive_id:
        return
    receipt = get_archive().store(results(file.key), sha256=file.sha256, size=file.size)
    same = ResultFile.objects.filter(pk=file.pk, key=file.key)
    mine = same.filter(archive_id="").update(archive_id=receipt)
    if not mine and not same.filter(archive_id=receipt).exists():
        discard_copy(file.job, receipt)  # another worker was faster


def thaw(file: ResultFile, *, tier: Tier) -> bool:
    """Ask for a file's archived copy unless that is under way; True when it can be brought back."""
    keeper = get_archive()
    state = keeper.state(file.archive_id, file.retrieval_id or None)
    unrecorded = state is ArchiveState.IN_PROGRESS and not file.retrieval_id  # who asked has died
    if unrecorded or state in (ArchiveState.ARCHIVED, ArchiveState.LOST):
        retrieval = keeper.request_retrieval(file.archive_id, tier=tier)
        same = ResultFile.objects.filter(pk=file.pk, archive_id=file.archive_id)
        same.update(retrieval_id=retrieval.id, retrieval_tier=retrieval.tier)
        state = keeper.state(file.archive_id, retrieval.id)
    return state is ArchiveState.READY


def archived_copies() -> Iterator[tuple[str, datetime]] | None:
    """Every receipt of an archived copy, in order, and since when; None of an archive of vaults."""
    return get_archive().receipts()


def is_lost(receipt: str) -> bool:
    """Whether the archive has no copy of this receipt."""
    try:
        get_archive().state(receipt, None)
    except ObjectMissing:
        return True
    return False


def found_in_archive(file: ResultFile) -> str | None:
    """The receipt of a copy of this very file, made of whichever attempt, if the archive tells."""
    prefix = file.job.prefix
    return get_archive().find(prefix, sha256=file.sha256, size=file.size)


def bring_back(file: ResultFile, *, prefix: str) -> None:
    """Copy a thawed file to this attempt's own prefix, verified."""
    get_archive().bring_back(
        file.archive_id,
        file.retrieval_id,
        results(prefix + file.name),
        sha256=file.sha256,
        size=file.size,
    )


def adopt_restored(job: Job) -> None:
    """Point the rows at the copies brought back; inside the transaction that completes the job."""
    for file in archived(job):
        discard_copy(job, file.archive_id)
        file.key = job.fresh_prefix + file.name
        file.archive_id = file.retrieval_id = file.retrieval_tier = ""
        file.save()


def discard_results(job: Job) -> None:
    """Give up the downloadable copies of files that have a receipt."""
    Discard.objects.bulk_create(
        Discard(job=job, kind=Discard.Kind.OBJECT, place=str(results(file.key)))
        for file in archived(job)
    )


def discard_copy(job: Job, receipt: str) -> None:
    """Give up an archived copy."""
    Discard.objects.create(job_id=job.pk, kind=Discard.Kind.ARCHIVE, place=receipt)


def discard_input(upload: Upload, *, job_id: int | None = None) -> None:
    """Give up an uploaded file, and what its form or links send until their hour is over."""
    place = str(inputs(upload.key))
    kinds = {Discard.Kind.OBJECT: place}
    if upload.parts_id:
        kinds[Discard.Kind.PARTS] = f"{place} {upload.parts_id}"
    for kind, where in kinds.items():
        Discard.objects.create(job_id=job_id, kind=kind, place=where)
        Discard.objects.create(kind=kind, place=where, try_at=Now() + FORMS_END)


def discard_prefix(job: Job, *, wait: timedelta) -> None:
    """Give up every result of a job once `wait` is over, when no worker writes there any more."""
    place = str(results(job.prefix))
    Discard.objects.create(
        job_id=job.pk, kind=Discard.Kind.PREFIX, place=place, try_at=Now() + wait
    )


def bury(what: Buried, number: int, *, job_id: int | None = None) -> None:
    """Owe storage the word that something was deleted for good; inside the transaction of that."""
    place = str(tombstones.place_of(what, number))
    Discard.objects.create(job_id=job_id, kind=Discard.Kind.TOMBSTONE, place=place)


def discard_everything(job: Job, *, wait: timedelta) -> None:
    """Give up all results of a job that is about to be deleted, inside the transaction of that.

    Again after `wait`: until then a worker may write that has not noticed. A receipt that one
    records meanwhile waits for the end of the transaction, and then finds no row to be kept in.
    """
    bury(Buried.JOB, job.pk, job_id=job.pk)
    for file in job.files.select_for_update(of=("self",)):
        if file.archive_id:
            discard_copy(job, file.archive_id)
    discard_prefix(job, wait=timedelta(0))
    discard_prefix(job, wait=wait)


def destroy(job: Job) -> None:
    """Destroy what has been given up, and what this attempt and those before it left behind.

    To be called when the attempt has ended, however it did; nothing of this can fail the task.
    """
    try:
        _discard_leftovers(job)
    except StorageError as error:
        logger.warning("job %s may have left results behind: %s", job.pk, error)
    destroy_given_up(job.pk)


def destroy_given_up(job_id: int) -> None:
    """Destroy what of a job has been given up; what storage refuses now, the sweeper destroys."""
    carry_out(Discard.objects.due().filter(job_id=job_id))


def _discard_leftovers(job: Job) -> None:
    Discard.objects.bulk_create(
        Discard(job_id=job.pk, kind=Discard.Kind.OBJECT, place=str(place))
        for place in _leftovers(job)
    )


def _leftovers(job: Job) -> Iterator[Location]:
    """Yield what ended attempts wrote and no row refers to: their workers died or lost the job.

    Later attempts may be at work, and no row refers to their results yet either.
    """
    kept = set(job.files.values_list("key", flat=True))
    for place in objects.keys_under(results(job.prefix)):
        if attempt_of(place.key) <= job.attempt and place.key not in kept:
            yield place


def attempt_of(key: str) -> int:
    """The number of the attempt in a key such as `results/7/3/summary.json`, else 0."""
    number = key.split("/")[2] if key.count("/") > 2 else ""
    return int(number) if number.isascii() and number.isdigit() else 0


def destroy_input(key: str) -> None:
    """Destroy an upload that has been given up, and its parts."""
    place = str(inputs(key))
    of_this = Q(place=place) | Q(place__startswith=f"{place} ")
    carry_out(Discard.objects.due().filter(of_this))


def carry_out(discards: Iterable[Discard]) -> int:
    """Destroy the bytes of each row, then the row; returns how many.

    What the storage refuses is put off, ever longer, so that it never stands before the others.
    """
    done = 0
    for discard in discards:
        try:
            _destroy(discard)
        except StorageUnavailable as error:
            logger.warning("%s is still there: %s", discard, error)
            discard.put_off(wait_after(discard.tries))
            break  # the next one would wait as long in vain
        except StorageError as error:
            logger.exception("%s is still there", discard)
            discard.put_off(wait_after(discard.tries))
            if discard.tries + 1 >= QUIET_TRIES:
                Alarm.raise_once(f"discard {discard.pk}", f"{discard} cannot be destroyed: {error}")
        else:
            done += 1
    return done


def _destroy(discard: Discard) -> None:
    match discard.kind:
        case Discard.Kind.ARCHIVE:
            get_archive().delete(discard.place)
        case Discard.Kind.PARTS:
            location, _, parts_id = discard.place.rpartition(" ")
            parts.abort(Location.parse(location), parts_id)
        case Discard.Kind.TOMBSTONE:
            tombstones.write(Location.parse(discard.place))
        case Discard.Kind.PREFIX:
            objects.delete(objects.keys_under(Location.parse(discard.place)))
        case _:
            objects.delete([Location.parse(discard.place)])
    discard.delete()
