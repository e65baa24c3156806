"""Jobs by the API: made once under a key, listed by cursors, stopped, run again, brought back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from gas import problems
from gas.models import IdempotencyKey, Job, JobEvent, Plan, Status, Upload, User
from gas.services import uploads
from tests.seams.world import VCF
from tests.stage import Shelf, job_in
from tests.unit.api.calls import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]

JSON = "application/json"


@pytest.fixture
def upload(owner: User, shelf: Shelf) -> Upload:
    """An upload whose bytes have arrived."""
    made = uploads.begin(owner=owner, filename="trio7.vcf").upload
    shelf.take_in(made, VCF)
    return made


def post(program: Client, path: str, body: Any = None, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return program.post(f"{ROOT}{path}", body or {}, JSON, headers=headers)


def listed(program: Client, query: str) -> list[int]:
    """The numbers of all jobs of a list, page by page."""
    found: list[int] = []
    cursor = ""
    while True:
        page = program.get(f"{ROOT}/jobs?{query}&cursor={cursor}").json()
        found += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_an_upload_becomes_a_job_with_the_settings_that_were_sent(
    program: Client, owner: User, upload: Upload, sent: list[int]
) -> None:
    body = {"upload": str(upload.pk), "name": "Trio\u202e 7", "notes": "a\x00b", "bundle": ""}
    answer = post(program, "/jobs", body)
    assert answer.status_code == 201
    told, job = answer.json(), Job.objects.get()
    assert answer.headers["Location"] == f"{ROOT}/jobs/{job.pk}"
    assert (told["id"], told["status"], told["name"], told["notes"]) == (
        job.pk,
        "queued",
        "Trio 7",
        "ab",
    )
    assert (told["upload"], told["bundle"]) == (str(upload.pk), "demo-grch38")
    assert told["queue"] == {"before": 0, "wait_seconds": None}
    assert job.owner == owner


def test_an_upload_makes_one_job_also_without_a_key(program: Client, upload: Upload) -> None:
    body = {"upload": str(upload.pk)}
    assert post(program, "/jobs", body).json()["id"] == post(program, "/jobs", body).json()["id"]
    assert Job.objects.count() == 1


def test_the_same_request_under_the_same_key_is_answered_with_the_same_job(
    program: Client, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    example(shelf, monkeypatch)
    first, again = (post(program, "/jobs", {"example": True}, "k-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (Job.objects.count(), Upload.objects.count()) == (1, 1)


def test_without_a_key_or_under_another_the_example_makes_another_job(
    program: Client, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    example(shelf, monkeypatch)
    for key in ("", "", "k-1", "k-2"):
        assert post(program, "/jobs", {"example": True}, key).status_code == 201
    assert Job.objects.count() == 4


def example(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the example reach the shelf."""
    monkeypatch.setattr(
        "gas.storage.objects.publish",
        lambda path, to, **_: shelf.held.__setitem__(to, path.read_bytes()),
    )


def test_a_key_means_one_request(program: Client, intruder: Client, upload: Upload) -> None:
    body = {"upload": str(upload.pk)}
    assert post(program, "/jobs", body, "k-1").status_code == 201
    other = post(program, "/jobs", {**body, "name": "Other"}, "k-1")
    assert other.status_code == 422
    assert other.json()["type"] == problems.KEY_REUSED.address
    job = Job.objects.get()
    assert post(program, f"/jobs/{job.pk}/rerun", key="k-1").status_code == 422
    assert post(intruder, "/jobs", body, "k-1").status_code == 404  # keys are an account's own


def test_a_key_whose_job_was_deleted_makes_no_other(
    program: Client, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    example(shelf, monkeypatch)
    made = post(program, "/jobs", {"example": True}, "k-1").json()["id"]
    assert program.delete(f"{ROOT}/jobs/{made}").status_code == 204
    answer = post(program, "/jobs", {"example": True}, "k-1")
    assert (answer.status_code, answer.json()["type"]) == (409, problems.KEY_SPENT.address)
    assert not Job.objects.exists()


def test_a_refusal_is_not_remembered(program: Client, upload: Upload) -> None:
    Plan.objects.update(max_active_jobs=0)
    body = {"upload": str(upload.pk)}
    refused = post(program, "/jobs", body, "k-1")
    assert (refused.status_code, refused.json()["type"]) == (409, problems.JOB_REFUSED.address)
    assert not IdempotencyKey.objects.exists()
    Plan.objects.update(max_active_jobs=10)
    assert post(program, "/jobs", body, "k-1").status_code == 201


@pytest.mark.parametrize("key", ["a b", "x" * 256, "\u00fc", "\t"])
def test_a_key_that_is_none_is_refused(program: Client, upload: Upload, key: str) -> None:
    answer = post(program, "/jobs", {"upload": str(upload.pk)}, key)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


def test_a_file_that_is_no_vcf_is_refused_with_its_sentence(
    program: Client, upload: Upload, shelf: Shelf
) -> None:
    shelf.take_in(upload, b"%PDF-1.7")
    answer = post(program, "/jobs", {"upload": str(upload.pk)}, "k-1")
    assert (answer.status_code, answer.json()["type"]) == (422, problems.UPLOAD_REFUSED.address)
    assert "PDF" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"example": False}, {"example": True, "upload": "0" * 32}])
def test_a_job_is_of_one_thing(program: Client, body: dict[str, Any]) -> None:
    answer = post(program, "/jobs", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/upload"


def test_lists_are_walked_by_cursors_newest_first(
    program: Client, owner: User, stranger: User, shelf: Shelf
) -> None:
    states = [Status.COMPLETED, Status.FAILED, Status.QUEUED, Status.COMPLETED, Status.FAILED]
    made = [
        job_in(state, owner=owner, shelf=shelf, name=f"Job {n}") for n, state in enumerate(states)
    ]
    job_in(Status.COMPLETED, owner=stranger, shelf=shelf)
    numbers = [job.pk for job in made][::-1]
    assert listed(program, "limit=2") == numbers
    assert listed(program, "limit=1&status=failed&status=queued") == [
        made[4].pk,
        made[2].pk,
        made[1].pk,
    ]
    assert listed(program, "q=JOB 3") == [made[3].pk]
    assert listed(program, "since=2999-01-01") == []
    assert listed(program, "until=2999-01-01&since=2000-01-01&limit=3") == numbers


def test_a_cursor_of_another_list_or_of_nobody_is_refused(
    program: Client, owner: User, shelf: Shelf
) -> None:
    for _ in range(2):
        job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    cursor = program.get(f"{ROOT}/jobs?limit=1").json()["next_cursor"]
    job = Job.objects.latest("pk")
    for address in (
        f"/jobs?status=failed&cursor={cursor}",
        f"/jobs?limit=1&cursor={cursor[:-2]}xx",
        f"/jobs?limit=1&cursor=W10{cursor}",
        f"/jobs/{job.pk}/events?cursor={cursor}",
        f"/jobs/{job.pk}/variants?cursor={cursor}",
    ):
        answer = program.get(f"{ROOT}{address}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "cursor"


def test_a_job_tells_where_it_stands(program: Client, owner: User, shelf: Shelf) -> None:
    def told(status: Status) -> dict[str, Any]:
        job = job_in(status, owner=owner, shelf=shelf)
        answer: dict[str, Any] = program.get(f"{ROOT}/jobs/{job.pk}").json()
        assert answer["page"].endswith(f"/jobs/{job.pk}/")
        return answer

    assert (told(Status.RUNNING)["stage"], told(Status.RUNNING)["percent"]) == ("annotate", 42)
    assert told(Status.QUEUED)["queue"]["before"] >= 0
    assert told(Status.FAILED)["failure"] == "Line 12 has only 7 columns."
    assert told(Status.COMPLETED)["archives_at"]
    assert told(Status.THAWING)["retrieval_tier"] == "Expedited"
    assert told(Status.ARCHIVED)["retrieval_tier"] is None
    assert told(Status.RUNNING)["rerun_obstacle"] == "The job has not finished yet."


def test_no_job_tells_what_is_wrong_on_our_side(program: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.ARCHIVING, owner=owner, shelf=shelf, trouble="AccessDenied s3://x")
    JobEvent.objects.create(
        job=job, actor="worker-7", before="archiving", after="archiving", reason="stalled: denied"
    )
    for path in ("", "/events?limit=100"):
        content = program.get(f"{ROOT}/jobs/{job.pk}{path}").content.decode()
        assert "denied" not in content.lower()
        assert "worker-7" not in content


def test_events_are_told_oldest_first_in_pages(program: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    first = program.get(f"{ROOT}/jobs/{job.pk}/events?limit=2").json()
    assert [each["after"] for each in first["items"]] == ["queued", "running"]
    assert first["items"][0]["before"] is None
    rest = program.get(f"{ROOT}/jobs/{job.pk}/events?cursor={first['next_cursor']}").json()
    assert [each["after"] for each in rest["items"]] == ["completed"]
    assert rest["next_cursor"] is None


def test_a_queued_job_is_cancelled_and_a_finished_one_is_not(
    program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    assert post(program, f"/jobs/{job.pk}/cancel").json()["status"] == "cancelled"
    again = post(program, f"/jobs/{job.pk}/cancel")
    assert (again.status_code, again.json()["detail"]) == (409, "The job has finished already.")


def test_a_rerun_is_one_job_under_one_key_and_another_under_another(
    program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.CANCELLED, owner=owner, shelf=shelf)
    path = f"/jobs/{job.pk}/rerun"
    first = post(program, path, key="k-1").json()["id"]
    assert first != job.pk
    assert post(program, path).json()["id"] == first  # it has not finished
    assert post(program, path, key="k-1").json()["id"] == first
    assert post(program, path, key="k-2").json()["id"] not in (first, job.pk)


def test_a_subscriber_brings_one_back_and_others_are_told_to_subscribe(
    program: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    path = f"/jobs/{job.pk}/restore"
    refused = post(program, path)
    assert (refused.status_code, "subscribe" in refused.json()["detail"]) == (409, True)
    User.objects.filter(pk=owner.pk).update(plan="premium")
    for _ in range(2):
        assert post(program, path).status_code == 202
    job.refresh_from_db()
    assert job.wake_at is not None
    assert job.events.filter(reason="asked back").count() == 1
    queued = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    assert post(program, f"/jobs/{queued.pk}/restore").status_code == 409


def test_a_deleted_job_is_gone_with_its_bytes(program: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    assert program.delete(f"{ROOT}/jobs/{job.pk}").status_code == 204
    assert program.delete(f"{ROOT}/jobs/{job.pk}").status_code == 404
    assert not shelf.held


def test_keys_are_forgotten_after_two_days(program: Client, upload: Upload) -> None:
    for key, hours in (("old", 49), ("young", 25)):
        post(program, "/jobs", {"upload": str(upload.pk)}, key)
        made = Now() - timedelta(hours=hours)
        IdempotencyKey.objects.filter(key=key).update(created_at=made)
    assert IdempotencyKey.forget() == 1
    assert IdempotencyKey.objects.get().key == "young"
