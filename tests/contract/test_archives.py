"""One contract for both archives: S3's GLACIER class and a Glacier vault."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from dev.local_aws import LocalAws
from dev.local_vaults import LocalVaults
from dev.waiting import until
from gas.storage import objects
from gas.storage.archive import Archive, ArchiveState, Retrieval, Tier
from gas.storage.digests import MIB
from gas.storage.errors import ChecksumMismatch, NotThawed, ObjectMissing
from gas.storage.glacier_vault import GlacierVaultArchive
from gas.storage.locations import Location, archived, results
from gas.storage.objects import Stored
from gas.storage.s3_glacier import S3GlacierArchive
from tests.contract.conftest import Publish
from tests.contract.crashing import die_everywhere

CONTENT = b"##fileformat=VCFv4.2\n" * 1000
WRONG = "0" * 64


@pytest.fixture(params=["s3", "vault"])
def archive(request: pytest.FixtureRequest, aws: LocalAws, vaults: LocalVaults) -> Archive:
    return S3GlacierArchive() if request.param == "s3" else GlacierVaultArchive(vault="patient")


@dataclass(frozen=True)
class Sleeper:
    """A result file whose copy is in the archive."""

    stored: Stored
    archive_id: str


@dataclass(frozen=True)
class Awake:
    """One whose copy can be brought back."""

    sleeper: Sleeper
    retrieval: Retrieval


@pytest.fixture
def sleeper(archive: Archive, publish: Publish) -> Sleeper:
    return _new_sleeper(archive, publish)


@pytest.fixture(scope="module")
def awoken() -> dict[type[Archive], Awake]:
    """One readable copy per archive, shared because waiting for it takes seconds."""
    return {}


@pytest.fixture
def awake(archive: Archive, sleeper: Sleeper, awoken: dict[type[Archive], Awake]) -> Awake:
    if type(archive) not in awoken:
        awoken[type(archive)] = _wake(archive, sleeper)
    return awoken[type(archive)]


def _new_sleeper(archive: Archive, publish: Publish) -> Sleeper:
    return _put_to_sleep(archive, publish(CONTENT))


def _put_to_sleep(archive: Archive, stored: Stored) -> Sleeper:
    return Sleeper(stored, archive.store(stored.location, sha256=stored.sha256, size=stored.size))


def _wake(archive: Archive, sleeper: Sleeper) -> Awake:
    """Ask for a copy and wait until it can be brought back."""
    retrieval = archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)
    until(
        lambda: archive.state(sleeper.archive_id, retrieval.id) is not ArchiveState.IN_PROGRESS,
        "the copy",
        seconds=120,
    )
    return Awake(sleeper, retrieval)


def _bring_back(archive: Archive, awake: Awake, to: Location) -> None:
    stored, archive_id = awake.sleeper.stored, awake.sleeper.archive_id
    archive.bring_back(archive_id, awake.retrieval.id, to, sha256=stored.sha256, size=stored.size)


def _somewhere() -> Location:
    return results(f"results/{uuid.uuid4().hex}/1/a.vcf.gz")


def _bytes_at(location: Location) -> bytes:
    return objects.read_start(location, 32 * MIB)


def test_a_file_comes_back_as_it_was_and_in_the_standard_class(
    archive: Archive, awake: Awake
) -> None:
    original = awake.sleeper.stored
    objects.delete([original.location])
    _bring_back(archive, awake, original.location)
    back = objects.head(original.location)
    assert (back.storage_class, back.sha256) == ("STANDARD", original.sha256)
    assert _bytes_at(original.location) == CONTENT


@pytest.mark.parametrize(
    "misremember",
    [lambda stored: replace(stored, sha256=WRONG), lambda stored: replace(stored, size=7)],
    ids=["sha256", "size"],
)
def test_a_copy_that_is_not_what_was_recorded_is_refused(
    archive: Archive, publish: Publish, misremember: Callable[[Stored], Stored]
) -> None:
    stored = publish(CONTENT)
    with pytest.raises(ChecksumMismatch):
        _put_to_sleep(archive, misremember(stored))
    assert list(objects.keys_under(archived(stored.location.key))) == []
    assert _bytes_at(stored.location) == CONTENT


def test_a_file_that_is_missing_cannot_be_stored(archive: Archive, aws: LocalAws) -> None:
    with pytest.raises(ObjectMissing):
        archive.store(_somewhere(), sha256=WRONG, size=3)


def test_a_copy_can_be_read_only_after_its_retrieval(archive: Archive, sleeper: Sleeper) -> None:
    to = _somewhere()
    assert archive.state(sleeper.archive_id, None) is ArchiveState.ARCHIVED
    retrieval = archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)
    assert archive.state(sleeper.archive_id, retrieval.id) is ArchiveState.IN_PROGRESS
    with pytest.raises(NotThawed):
        _bring_back(archive, Awake(sleeper, retrieval), to)
    _wake(archive, sleeper)
    assert archive.state(sleeper.archive_id, retrieval.id) is ArchiveState.READY
    _bring_back(archive, Awake(sleeper, retrieval), to)
    assert _bytes_at(to) == CONTENT


def test_asking_again_joins_the_retrieval_under_way(archive: Archive, sleeper: Sleeper) -> None:
    first = archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)
    again = archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)
    assert first == again
    _wake(archive, sleeper)
    assert archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED) == first
    assert archive.state(sleeper.archive_id, first.id) is ArchiveState.READY


def test_a_retrieval_that_the_storage_does_not_know_is_lost(
    archive: Archive, sleeper: Sleeper
) -> None:
    assert archive.state(sleeper.archive_id, "lapsed") is ArchiveState.LOST
    with pytest.raises(NotThawed):
        _bring_back(archive, Awake(sleeper, Retrieval("lapsed", Tier.STANDARD)), _somewhere())


def test_a_file_that_comes_back_changed_is_refused_and_not_left_behind(
    archive: Archive, awake: Awake
) -> None:
    to = _somewhere()
    recorded = replace(awake.sleeper, stored=replace(awake.sleeper.stored, sha256=WRONG))
    with pytest.raises(ChecksumMismatch):
        _bring_back(archive, replace(awake, sleeper=recorded), to)
    assert list(objects.keys_under(to)) == []


def test_bringing_back_again_needs_no_archive_copy(archive: Archive, sleeper: Sleeper) -> None:
    awake, to = _wake(archive, sleeper), _somewhere()
    _bring_back(archive, awake, to)
    archive.delete(sleeper.archive_id)
    _bring_back(archive, awake, to)
    assert _bytes_at(to) == CONTENT


def test_a_deleted_copy_may_be_deleted_again_but_not_retrieved(
    archive: Archive, sleeper: Sleeper
) -> None:
    archive.delete(sleeper.archive_id)
    archive.delete(sleeper.archive_id)
    with pytest.raises(ObjectMissing):
        archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)


def test_deleting_one_of_two_equal_files_keeps_the_other(
    archive: Archive, publish: Publish
) -> None:
    one, other = (_new_sleeper(archive, publish) for _ in range(2))
    archive.delete(one.archive_id)
    retrieval = archive.request_retrieval(other.archive_id, tier=Tier.EXPEDITED)
    assert archive.state(other.archive_id, retrieval.id) is ArchiveState.IN_PROGRESS


def test_a_file_of_several_parts_is_streamed_both_ways(archive: Archive, publish: Publish) -> None:
    content = bytes(range(256)) * 4096 * 17  # 17 MiB: a part and a bit
    if isinstance(archive, S3GlacierArchive):
        archive = S3GlacierArchive(single_copy=MIB)
    sleeper = _put_to_sleep(archive, publish(content))
    to = _somewhere()
    _bring_back(archive, _wake(archive, sleeper), to)
    assert _bytes_at(to) == content
    assert objects.head(to).etag.endswith('-2"')


# --- dying at every moment ------------------------------------------------------------------------


def test_storing_may_die_at_any_moment_and_be_repeated(archive: Archive, publish: Publish) -> None:
    def repeat(stored: Stored) -> None:
        sleeper = _put_to_sleep(archive, stored)
        assert archive.state(sleeper.archive_id, None) is ArchiveState.ARCHIVED
        assert _bytes_at(stored.location) == CONTENT

    store = partial(_put_to_sleep, archive)
    assert die_everywhere(store, partial(publish, CONTENT), repeat) >= 6


def test_asking_may_die_at_any_moment_and_be_repeated(archive: Archive, publish: Publish) -> None:
    def ask(sleeper: Sleeper) -> Retrieval:
        return archive.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)

    def repeat(sleeper: Sleeper) -> None:
        retrieval = ask(sleeper)
        assert archive.state(sleeper.archive_id, retrieval.id) is ArchiveState.IN_PROGRESS

    assert die_everywhere(ask, partial(_new_sleeper, archive, publish), repeat) >= 2


def test_bringing_back_may_die_at_any_moment_and_be_repeated(
    archive: Archive, awake: Awake
) -> None:
    def repeat(to: Location) -> None:
        _bring_back(archive, awake, to)
        assert _bytes_at(to) == CONTENT

    bring_back = partial(_bring_back, archive, awake)
    assert die_everywhere(bring_back, _somewhere, repeat) >= 6


def test_deleting_may_die_at_any_moment_and_be_repeated(archive: Archive, publish: Publish) -> None:
    def delete(sleeper: Sleeper) -> None:
        archive.delete(sleeper.archive_id)

    def repeat(sleeper: Sleeper) -> None:
        delete(sleeper)
        with pytest.raises(ObjectMissing):
            archive.request_retrieval(sleeper.archive_id, tier=Tier.STANDARD)

    assert die_everywhere(delete, partial(_new_sleeper, archive, publish), repeat) == 2


# --- when there is no Expedited capacity ----------------------------------------------------------


def test_a_vault_without_expedited_capacity_gives_standard(
    vaults: LocalVaults, publish: Publish
) -> None:
    busy = GlacierVaultArchive(vault="busy")
    sleeper = _put_to_sleep(busy, publish(CONTENT))
    retrieval = busy.request_retrieval(sleeper.archive_id, tier=Tier.EXPEDITED)
    assert retrieval.tier is Tier.STANDARD
    assert busy.state(sleeper.archive_id, retrieval.id) is ArchiveState.IN_PROGRESS
