"""Workers die, messages come twice, AWS goes away: each job still ends once."""

import re
from pathlib import Path

import pytest

from dev.stack import Stack
from dev.visitor import Page, Visitor
from dev.waiting import until
from tests.pipeline import samples
from tests.pipeline.conftest import mails_about, wait_for

PERCENT = re.compile(r'<progress id="job-progress" max="100" value="(?P<percent>\d+)">')

STARTED = "Annotation started"
WORKERS = 2  # processes of the stack that annotate

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


def number_of(job: Page) -> str:
    """The id of the job of a page."""
    return job.url.rstrip("/").rpartition("/")[2]


def test_a_job_whose_worker_is_killed_completes_by_itself_and_mails_once(
    stack: Stack, researcher: Visitor, tmp_path: Path
) -> None:
    file = samples.repeated(tmp_path / "killed.vcf", copies=1500)
    job = researcher.annotate(file)
    wait_for(researcher, job.url, "running")
    stack.kill("worker")
    stack.launch("worker")
    wait_for(researcher, job.url, "completed")
    assert "Taken up again after a break" in researcher.open(job.url).html
    until(lambda: mails_about(stack, file), "the mail")
    let_a_later_job_pass(stack, researcher, tmp_path / "first-later.vcf")
    assert len(mails_about(stack, file)) == 1


def test_the_page_of_a_running_job_tells_how_far_it_is(researcher: Visitor, tmp_path: Path) -> None:
    job = researcher.annotate(samples.repeated(tmp_path / "large.vcf", copies=1500))
    told = PERCENT.search(until(lambda: bar_of(researcher, job), "a bar with a percentage"))
    assert told is not None
    assert 0 <= int(told["percent"]) <= 100
    wait_for(researcher, job.url, "completed")
    assert bar_of(researcher, job) == ""


def bar_of(visitor: Visitor, job: Page) -> str:
    """The bar of a job's page, as far as it says something."""
    found = PERCENT.search(visitor.open(job.url).html)
    return found[0] if found else ""


def test_a_message_delivered_twice_gives_one_result_and_one_mail(
    stack: Stack, researcher: Visitor, tmp_path: Path
) -> None:
    file = samples.repeated(tmp_path / "twice.vcf", copies=1)
    job = researcher.annotate(file)
    for task in ("annotate", "notify", "annotate", "notify"):
        stack.run("celery", "-A", "tasks", "call", task, f"--args=[{number_of(job)}]")
    wait_for(researcher, job.url, "completed")
    until(lambda: mails_about(stack, file), "the mail")
    let_a_later_job_pass(stack, researcher, tmp_path / "second-later.vcf")
    assert len(mails_about(stack, file)) == 1
    assert researcher.open(job.url).html.count("Annotation started") == 1


def test_work_goes_on_when_aws_was_away(stack: Stack, researcher: Visitor, tmp_path: Path) -> None:
    file = samples.repeated(tmp_path / "away.vcf", copies=1500)
    job = researcher.annotate(file)
    wait_for(researcher, job.url, "running")
    assert stack.aws is not None
    stack.aws.stop()
    stack.start_aws()
    wait_for(researcher, job.url, "completed")
    until(lambda: mails_about(stack, file), "the mail")


def test_anothers_first_job_goes_before_a_long_queue(
    stack: Stack, researcher: Visitor, tmp_path: Path
) -> None:
    give_as_many_turns = "from gas.models import Plan; Plan.objects.update(max_running_jobs=8)"
    stack.manage("shell", "--verbosity=0", f"--command={give_as_many_turns}")
    file = samples.repeated(tmp_path / "long.vcf", copies=1000)
    mine = [researcher.annotate(file).url for _ in range(8)]
    assert "before yours" in researcher.open(mine[-1]).html
    other = Visitor(stack.site_url)
    other.sign_in("Second researcher")
    theirs = other.annotate(samples.repeated(tmp_path / "first.vcf", copies=1)).url
    wait_for(other, theirs, "completed")
    submitted, begun = (moment_of(other.open(theirs), title) for title in ("Submitted", STARTED))
    pages = [researcher.open(url) for url in mine]
    passed = [page for page in pages if submitted < moment_of(page, STARTED) < begun]
    assert len(passed) <= WORKERS
    for page in pages:
        if page.facts["data-status"] in ("queued", "running"):
            researcher.submit(page.form(to="cancel"))


def moment_of(job: Page, title: str) -> str:
    """When something happened to the job of a page, in ISO 8601; late when it has not."""
    found = re.search(rf'<span>{title}</span>.*?datetime="([^"]+)"', job.html, re.DOTALL)
    return found[1] if found else "9999"


def let_a_later_job_pass(stack: Stack, researcher: Visitor, file: Path) -> None:
    """Wait until a job sent after all the messages in question is done and mailed."""
    later = researcher.annotate(samples.repeated(file, copies=1))
    wait_for(researcher, later.url, "completed")
    until(lambda: mails_about(stack, file), "the mail about the later job")
