"""Workers die, messages come twice, AWS goes away: each job still ends once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dev.demo import SAMPLE
from dev.local_aws import Mail
from dev.stack import Stack
from dev.visitor import Page, Visitor
from dev.waiting import until
from tests.pipeline import samples
from tests.pipeline.conftest import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


def number_of(job: Page) -> str:
    """The id of the job of a page."""
    return job.url.rstrip("/").rpartition("/")[2]


def test_a_job_whose_worker_is_killed_completes_by_itself_and_mails_once(
    stack: Stack,
    researcher: Visitor,
    new_mails: Callable[[], list[Mail]],
    tmp_path: Path,
) -> None:
    job = researcher.annotate(samples.long_vcf(tmp_path, copies=3000))
    wait_for(researcher, job.url, "running")
    stack.kill("worker")
    stack.launch("worker")
    wait_for(researcher, job.url, "completed", seconds=90)
    assert "taken over" in researcher.open(job.url).html
    until(new_mails, "the mail")
    again = researcher.annotate(SAMPLE)
    wait_for(researcher, again.url, "completed")
    until(lambda: len(new_mails()) == 2, "one mail for each of the two jobs")


def test_a_message_delivered_twice_gives_one_result_and_one_mail(
    stack: Stack, researcher: Visitor, new_mails: Callable[[], list[Mail]]
) -> None:
    job = researcher.annotate(SAMPLE)
    for _ in range(3):
        stack.run("celery", "-A", "tasks", "call", "annotate", f"--args=[{number_of(job)}]")
        stack.run("celery", "-A", "tasks", "call", "notify", f"--args=[{number_of(job)}]")
    wait_for(researcher, job.url, "completed")
    until(new_mails, "the mail")
    last = researcher.annotate(SAMPLE)
    wait_for(researcher, last.url, "completed")
    until(lambda: len(new_mails()) == 2, "one mail for each of the two jobs")


def test_work_goes_on_when_aws_was_away(
    stack: Stack, researcher: Visitor, new_mails: Callable[[], list[Mail]], tmp_path: Path
) -> None:
    job = researcher.annotate(samples.long_vcf(tmp_path, copies=1500))
    wait_for(researcher, job.url, "running")
    assert stack.aws is not None
    stack.aws.stop()
    stack.start_aws()
    wait_for(researcher, job.url, "completed", seconds=90)
    until(new_mails, "the mail")
