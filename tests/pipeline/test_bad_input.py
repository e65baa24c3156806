"""A file that is no good is refused with one sentence, and nothing of it is left behind."""

from pathlib import Path

import boto3
import pytest

from dev.stack import Stack
from dev.visitor import Visitor
from dev.waiting import until
from tests.pipeline import samples
from tests.pipeline.conftest import mails_about, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def inputs_held(stack: Stack) -> int:
    """How many input files storage holds."""
    s3 = boto3.session.Session(
        aws_access_key_id=stack.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=stack.environment["AWS_DEFAULT_REGION"],
    ).client("s3", endpoint_url=stack.environment["AWS_ENDPOINT_URL"])
    return s3.list_objects_v2(Bucket="gas-inputs")["KeyCount"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("page.vcf", b"<!doctype html><html><body>Not found</body></html>", "not a VCF"),
        ("empty.vcf", b"", "The file is empty."),
        ("notes.vcf", b"just a few words\n", "not a VCF"),
        ("table.vcf.gz", b"PK\x03\x04" + b"\0" * 100, "zip archive"),
    ],
)
def test_what_is_not_a_vcf_is_refused_on_the_page_and_never_queued(
    stack: Stack, researcher: Visitor, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    held = inputs_held(stack)
    page = researcher.annotate(samples.written(tmp_path, name, content))
    assert sentence in page.html
    assert "data-status" not in page.facts
    assert inputs_held(stack) == held


def test_an_htsget_ticket_is_refused_and_opens_nothing(
    stack: Stack, researcher: Visitor, tmp_path: Path
) -> None:
    secret = samples.written(tmp_path, "secret", b"planted\n")
    page = researcher.annotate(samples.htsget_ticket(tmp_path, secret))
    assert "data-status" not in page.facts
    assert "planted" not in page.html


def test_a_file_over_the_limit_is_refused_by_storage_itself(
    researcher: Visitor, tmp_path: Path
) -> None:
    page = researcher.upload(samples.written(tmp_path, "large.vcf", b"#" * (50 * 1024**2 + 1)))
    assert page.status == 400
    assert "EntityTooLarge" in page.html


def test_a_truncated_file_fails_with_a_sentence_and_a_mail_and_is_removed(
    stack: Stack, researcher: Visitor, tmp_path: Path
) -> None:
    held = inputs_held(stack)
    file = samples.truncated(tmp_path)
    job = researcher.annotate(file)
    wait_for(researcher, job.url, "failed")
    assert "truncated" in researcher.open(job.url).html
    mails = until(lambda: mails_about(stack, file), "a mail about the failure")
    assert "truncated" in mails[0].text
    assert inputs_held(stack) == held
