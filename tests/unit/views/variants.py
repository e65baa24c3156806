"""A job with a table of variants, and its page."""

from html import unescape

from django.test import Client

from gas.models import Job, Status, User
from tests.stage import OUTPUTS, Shelf, job_in
from tests.tables import parquet, sample, vcf


def a_job(owner: User, shelf: Shelf, **outputs: bytes) -> Job:
    """Make a completed job of the sample, with other files where they are told."""
    content, index = vcf(sample())
    made = {"vcf": content, "index": index, "parquet": parquet(sample(), group=90), **outputs}
    return job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs={**OUTPUTS, **made})


def page_of(client: Client, job: Job, query: str = "", status: int = 200) -> str:
    """Return the text of the table's page at an address."""
    answer = client.get(f"/jobs/{job.pk}/variants/{query}")
    assert answer.status_code == status
    return unescape(answer.content.decode())
