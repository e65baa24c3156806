"""What both archives make of the refusals of a provider, which a script plays."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from gas.storage import clients
from gas.storage.archive import ArchiveState, Retrieval, Tier
from gas.storage.errors import ObjectMissing, StorageUnavailable
from gas.storage.glacier_vault import GlacierVaultArchive
from gas.storage.s3_glacier import S3GlacierArchive
from tests.contract.scripted import Answer, Script, glacier_error, s3_error, scripted

RECEIPT = "s3://gas-archive/k"
NO_JOBS = Answer(200, b'{"JobList": []}')
STARTED = Answer(202, headers={"x-amz-job-id": "job-1"})
FULL = glacier_error(503, "InsufficientCapacityException")
FORBIDDEN = glacier_error(400, "PolicyEnforcedException")
NOT_EXPEDITED = s3_error(503, "GlacierExpeditedRetrievalNotAvailable")

Lead = Callable[[Script], None]


@pytest.fixture
def lead(lead_to: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lead]:
    """Lead S3 and Glacier to a script."""

    def to(script: Script) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLACIER", script.endpoint)
        lead_to(script.endpoint)

    yield to
    clients.forget()


def from_s3(*answers: Answer, lead: Lead) -> tuple[Retrieval, Script]:
    """Ask S3 for a retrieval, whose answers these are."""
    with scripted(*answers) as script:
        lead(script)
        return S3GlacierArchive().request_retrieval(RECEIPT, tier=Tier.EXPEDITED), script


def from_vault(*answers: Answer, lead: Lead) -> tuple[Retrieval, Script]:
    """Ask a vault for a retrieval, whose answers these are."""
    with scripted(NO_JOBS, *answers) as script:
        lead(script)
        vault = GlacierVaultArchive(vault="v")
        return vault.request_retrieval("v/archive-1", tier=Tier.EXPEDITED), script


@pytest.mark.parametrize("provisioned", [Answer(202), Answer(200)])
def test_s3_with_expedited_capacity_gives_it(lead: Lead, provisioned: Answer) -> None:
    got, script = from_s3(provisioned, lead=lead)
    assert (got.tier, len(script.requests)) == (Tier.EXPEDITED, 1)


def test_s3_without_expedited_capacity_gives_standard_after_one_refusal(lead: Lead) -> None:
    got, script = from_s3(NOT_EXPEDITED, Answer(202), lead=lead)
    assert got.tier is Tier.STANDARD
    assert [b"Expedited" in body for body in script.requests] == [True, False]


@pytest.mark.parametrize("before", [[], [NOT_EXPEDITED]])
def test_a_restore_that_is_under_way_already_is_joined(lead: Lead, before: list[Answer]) -> None:
    got, _ = from_s3(*before, s3_error(409, "RestoreAlreadyInProgress"), lead=lead)
    assert got.id == RECEIPT


def test_a_storage_out_of_order_says_so_at_once(lead: Lead) -> None:
    with scripted(s3_error(503, "SlowDown")) as script:
        lead(script)
        with pytest.raises(StorageUnavailable):
            S3GlacierArchive().request_retrieval(RECEIPT, tier=Tier.EXPEDITED)
    assert len(script.requests) == 1


@pytest.mark.parametrize("refusal", [FULL, FORBIDDEN])
def test_a_vault_that_refuses_expedited_gives_standard(lead: Lead, refusal: Answer) -> None:
    got, script = from_vault(refusal, STARTED, lead=lead)
    assert got == Retrieval("job-1", Tier.STANDARD)
    assert [b"Expedited" in body for body in script.requests] == [False, True, False]


@pytest.mark.parametrize("refusal", [FULL, FORBIDDEN, glacier_error(400, "LimitExceededException")])
def test_a_vault_that_gives_nothing_now_is_asked_later(lead: Lead, refusal: Answer) -> None:
    with pytest.raises(StorageUnavailable):
        from_vault(refusal, lead=lead)


def head(restore: str | None) -> Answer:
    """What S3 says of a copy in the class GLACIER."""
    headers = {"x-amz-storage-class": "GLACIER", "ETag": "e"}
    return Answer(200, headers=headers | ({"x-amz-restore": restore} if restore else {}))


def until(year: int) -> str:
    date = format_datetime(datetime(year, 3, 2, tzinfo=UTC), usegmt=True)
    return f'ongoing-request="false", expiry-date="{date}"'


@pytest.mark.parametrize(
    ("restore", "asked", "state"),
    [
        (None, None, ArchiveState.ARCHIVED),
        (None, RECEIPT, ArchiveState.LOST),  # lapsed, or never begun
        ('ongoing-request="true"', RECEIPT, ArchiveState.IN_PROGRESS),
        (until(2999), RECEIPT, ArchiveState.READY),
        (until(2020), RECEIPT, ArchiveState.LOST),  # over, and not yet taken away
    ],
)
def test_s3_tells_how_far_a_retrieval_is_in_one_header(
    lead: Lead, restore: str | None, asked: str | None, state: ArchiveState
) -> None:
    with scripted(head(restore)) as script:
        lead(script)
        assert S3GlacierArchive().state(RECEIPT, asked) is state


def described(status: str) -> Answer:
    return Answer(200, f'{{"JobId": "job-1", "StatusCode": "{status}"}}'.encode())


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (described("InProgress"), ArchiveState.IN_PROGRESS),
        (described("Succeeded"), ArchiveState.READY),
        (described("Failed"), ArchiveState.LOST),
        (glacier_error(404, "ResourceNotFoundException"), ArchiveState.LOST),
    ],
)
def test_a_vault_tells_how_far_a_job_is(lead: Lead, answer: Answer, state: ArchiveState) -> None:
    with scripted(answer) as script:
        lead(script)
        assert GlacierVaultArchive(vault="v").state("v/archive-1", "job-1") is state


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_vault_is_not_asked_about_a_retrieval_that_nobody_began(nothing: str | None) -> None:
    state = GlacierVaultArchive(vault="v").state("v/archive-1", nothing)
    assert state is ArchiveState.ARCHIVED


def test_a_failed_job_of_a_vault_is_not_joined_but_asked_for_anew(lead: Lead) -> None:
    jobs = b'{"JobList": [{"JobId": "old", "ArchiveId": "archive-1", "StatusCode": "Failed"}]}'
    with scripted(Answer(200, jobs), STARTED) as script:
        lead(script)
        got = GlacierVaultArchive(vault="v").request_retrieval("v/archive-1", tier=Tier.EXPEDITED)
    assert got == Retrieval("job-1", Tier.EXPEDITED)


def test_a_copy_that_is_gone_is_told_from_one_that_is_asleep(lead: Lead) -> None:
    with scripted(Answer(404)) as script:
        lead(script)
        with pytest.raises(ObjectMissing):
            S3GlacierArchive().state(RECEIPT, RECEIPT)
