"""The page of a job, and what it leads to."""

import json
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gas.models import Job, JobEvent, ResultFile, Status, User
from gas.storage import objects
from gas.storage.errors import StorageUnavailable
from gas.storage.locations import Location
from tests.stage import OUTPUTS, Shelf, job_in

pytestmark = pytest.mark.django_db


def page_of(researcher: Client, job: Job) -> str:
    return researcher.get(f"/jobs/{job.pk}/").content.decode()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.QUEUED, "Waiting for a worker"),
        (Status.RUNNING, "Annotating your variants"),
        (Status.COMPLETED, "Results are ready"),
        (Status.FAILED, "Line 12 has only 7 columns."),
        (Status.CANCELLED, "You stopped this job"),
        (Status.ARCHIVING, "Moving to the archive"),
        (Status.ARCHIVED, "Bring them back"),
        (Status.THAWING, "1 to 5 minutes"),
        (Status.RESTORING, "every byte compared"),
    ],
)
def test_the_page_of_a_job_says_where_it_is(
    researcher: Client, owner: User, shelf: Shelf, status: Status, said: str
) -> None:
    page = page_of(researcher, job_in(status, owner=owner, shelf=shelf))
    assert said in page
    assert f'data-status="{status}"' in page


@pytest.mark.parametrize("status", Status)
def test_the_page_stops_asking_once_the_job_rests(
    researcher: Client, owner: User, shelf: Shelf, status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    resting = status in {Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.ARCHIVED}
    assert ('hx-trigger="every 3s"' in page_of(researcher, job)) is not resting


def test_the_page_of_a_running_job_shows_how_far_it_is(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.RUNNING, owner=owner, shelf=shelf, stage="", percent=0)
    assert "Fetching your file …" in page_of(researcher, job)
    Job.objects.filter(pk=job.pk).update(stage="sort", percent=37)
    page = page_of(researcher, job)
    assert '<label for="job-progress">Sorting: 37 %</label>' in page
    assert '<progress id="job-progress" max="100" value="37">37 %</progress>' in page


def test_the_page_of_a_running_job_has_its_log_so_far(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.RUNNING, owner=owner, shelf=shelf)
    page = page_of(researcher, job)
    log = page.partition('id="live-log"')[2].partition(">")[2].partition("</pre>")[0]
    words = [line.partition("  ")[2] for line in log.strip().splitlines()]
    assert words == ["Fetching your file", "Sorting", "Annotating: 42 %"]


def test_a_step_forward_renews_the_page_and_is_not_read_aloud(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.RUNNING, owner=owner, shelf=shelf)
    asked = page_of(researcher, job).partition('hx-get="')[2].partition('"')[0]
    assert researcher.get(asked).status_code == 204
    Job.objects.filter(pk=job.pk).update(stage="annotate", percent=40)
    answer = researcher.get(asked).content.decode()
    assert "Annotating: 40 %" in answer
    assert "The job is now" not in answer


def test_a_page_whose_countdown_has_run_out_asks_again(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    late = timezone.now() - timedelta(seconds=1)
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, wake_at=late)
    page = page_of(researcher, job)
    assert "at any moment" in page
    assert 'hx-trigger="every 3s"' in page


def test_an_archived_job_of_a_subscriber_is_about_to_move(
    subscriber: User, shelf: Shelf, client: Client
) -> None:
    client.force_login(subscriber, "django.contrib.auth.backends.ModelBackend")
    job = job_in(Status.ARCHIVED, owner=subscriber, shelf=shelf, wake_at=timezone.now())
    page = page_of(client, job)
    assert "about to be asked back" in page
    assert 'hx-trigger="every 3s"' in page


def test_the_countdown_is_told_in_seconds_from_now(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    page = page_of(researcher, job_in(Status.COMPLETED, owner=owner, shelf=shelf))
    seconds = int(page.partition('data-seconds="')[2].partition('"')[0])
    assert 240 <= seconds <= 252
    assert 'hx-trigger="due"' in page


def test_a_subscribers_results_have_no_countdown(
    subscriber: User, shelf: Shelf, client: Client
) -> None:
    client.force_login(subscriber, "django.contrib.auth.backends.ModelBackend")
    page = page_of(client, job_in(Status.COMPLETED, owner=subscriber, shelf=shelf))
    assert "stay at hand as long as your subscription lasts" in page
    assert "data-seconds" not in page


def test_the_live_part_is_sent_only_when_something_changed(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    asked = page_of(researcher, job).partition('hx-get="')[2].partition('"')[0]
    assert researcher.get(asked).status_code == 204
    assert Job.objects.move(job.pk, Status.QUEUED, Status.RUNNING, actor="a worker")
    answer = researcher.get(asked)
    assert answer.status_code == 200
    assert "The job is now running." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_the_slowest_retrieval_tells_how_long_a_thaw_takes(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.THAWING, owner=owner, shelf=shelf)
    last = job.files.exclude(retrieval_tier="").latest("pk")
    job.files.filter(pk=last.pk).update(retrieval_tier="Standard")
    assert "3 to 5 hours" in page_of(researcher, job)


def test_a_new_tier_is_a_change(researcher: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.THAWING, owner=owner, shelf=shelf)
    asked = page_of(researcher, job).partition('hx-get="')[2].partition('"')[0]
    job.files.exclude(retrieval_tier="").update(retrieval_tier="Standard")
    assert "3 to 5 hours" in researcher.get(asked).content.decode()


def test_counts_and_first_alleles_are_shown(researcher: Client, owner: User, shelf: Shelf) -> None:
    page = page_of(researcher, job_in(Status.ARCHIVED, owner=owner, shelf=shelf))
    for said in ("missense variant", "PDIA2", "102G&gt;102E", "Symbolic alleles", "records in"):
        assert said in page
    assert "Alleles missing because" not in page


def test_the_page_stands_when_the_counts_cannot_be_read(
    researcher: Client,
    owner: User,
    shelf: Shelf,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)

    def fail(source: Location, size: int = 0) -> bytes:
        raise StorageUnavailable(str(source))

    monkeypatch.setattr(objects, "read_start", fail)
    with caplog.at_level(logging.CRITICAL):
        page = page_of(researcher, job)
    assert "cannot be read just now" in page
    assert f"/jobs/{job.pk}/files/vcf/" in page


def test_the_history_tells_an_interruption_but_not_our_reasons(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.RUNNING, owner=owner, shelf=shelf)
    again = JobEvent(job=job, actor="worker-3@host", before="running", after="running")
    again.reason = "taken over from a silent worker"
    again.save()
    page = page_of(researcher, job)
    assert "Taken up again after a break" in page
    assert "worker-3" not in page
    assert "silent worker" not in page


def test_a_failure_that_is_the_files_fault_says_so(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.FAILED, owner=owner, shelf=shelf)
    assert "Nothing is known to be wrong with your file" in page_of(researcher, job)
    job.upload.refuse("Line 12 has only 7 columns.")
    assert "The fault is in the file" in page_of(researcher, job)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_job_under_way_can_be_cancelled(
    researcher: Client, owner: User, shelf: Shelf, status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf)
    assert f'action="/jobs/{job.pk}/cancel/"' in page_of(researcher, job)
    page = researcher.post(f"/jobs/{job.pk}/cancel/", follow=True).content.decode()
    assert 'data-status="cancelled"' in page


def test_a_job_that_has_finished_cannot_be_cancelled(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    assert "/cancel/" not in page_of(researcher, job)
    page = researcher.post(f"/jobs/{job.pk}/cancel/", follow=True).content.decode()
    assert "The job has finished already." in page
    assert 'data-status="completed"' in page


def test_a_download_leads_to_a_link_that_ends_soon(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    answer = researcher.get(f"/jobs/{job.pk}/files/vcf/")
    assert answer.status_code == 302
    assert f"/results/{job.pk}/1/vcf?" in answer["Location"]
    assert "X-Amz-Expires=300" in answer["Location"]
    assert answer["Cache-Control"] == "private, no-store"


def test_a_file_in_the_archive_cannot_be_downloaded(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.ARCHIVED, owner=owner, shelf=shelf)
    answer = researcher.get(f"/jobs/{job.pk}/files/vcf/")
    assert answer.status_code == 409
    assert "This file is in the archive" in answer.content.decode()
    assert researcher.get(f"/jobs/{job.pk}/files/summary/").status_code == 302


def test_there_is_no_file_of_another_kind(researcher: Client, owner: User, shelf: Shelf) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    assert researcher.get(f"/jobs/{job.pk}/files/secrets/").status_code == 404
    assert researcher.get(f"/jobs/{job.pk}/files/../../").status_code == 404


def test_the_log_page_shows_the_log_or_that_there_is_none(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    done = job_in(Status.COMPLETED, owner=owner, shelf=shelf)
    waiting = job_in(Status.QUEUED, owner=owner, shelf=shelf)
    assert "records in" in researcher.get(f"/jobs/{done.pk}/log/").content.decode()
    assert "no log yet" in researcher.get(f"/jobs/{waiting.pk}/log/").content.decode()


HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{ 7|add:7 }}"


def test_hostile_words_from_outside_are_only_words(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    counts = json.loads(OUTPUTS[ResultFile.Kind.SUMMARY])
    counts["genes"][0]["gene"] = counts["preview"][0]["gene"] = HOSTILE
    counts["preview"][0] |= {"contig": HOSTILE, "alt": HOSTILE, "amino_acid_change": HOSTILE}
    counts["flagged"][HOSTILE] = 1
    outputs = OUTPUTS | {
        ResultFile.Kind.SUMMARY: json.dumps(counts).encode(),
        ResultFile.Kind.LOG: HOSTILE.encode(),
    }
    done = job_in(
        Status.COMPLETED,
        owner=owner,
        shelf=shelf,
        outputs=outputs,
        name=HOSTILE,
        filename=HOSTILE,
    )
    failed = job_in(Status.FAILED, owner=owner, shelf=shelf, name=HOSTILE, failure=HOSTILE)
    owner.first_name = HOSTILE
    owner.save()
    paths = ["/jobs/", f"/jobs/{done.pk}/", f"/jobs/{done.pk}/log/", f"/jobs/{failed.pk}/"]
    paths += [f"/jobs/{done.pk}/live/", f"/uploads/{done.upload_id}/", "/subscription/"]
    for path in paths:
        page = researcher.get(path).content.decode()
        assert "&lt;" in page, path
        assert "<script>alert" not in page
        assert "<img" not in page


def test_a_download_of_a_hostile_name_is_saved_under_a_harmless_one(
    researcher: Client, owner: User, shelf: Shelf
) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, name='a"; x=\r\nSet-Cookie: a=b/../c')
    answer = researcher.get(f"/jobs/{job.pk}/files/vcf/")
    assert "%0D" not in answer["Location"]
    assert "%0A" not in answer["Location"]
