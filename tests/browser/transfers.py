"""The page for a new job with a stand-in for storage: files are chosen, sent and taken."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route

from gas.models import User
from gas.storage.digests import MIB
from tasks import pipeline
from tests.browser.conftest import Window
from tests.browser.test_looks import a_file
from tests.stage import Shelf

COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
VCF = b"##fileformat=VCFv4.2\n" + COLUMNS
ON = b"##fileformat=VCFv4.2\n##contig=<ID=chr1,length=%d>\n" + COLUMNS
GRCH37, GRCH38 = ON % 249250621, ON % 248956422
BUCKET = f"https://{settings.BUCKETS['inputs']}.s3.amazonaws.com/"
ALLOWED = {"Access-Control-Allow-Origin": "*"}
PART = MIB // 16
LARGE = VCF + 3 * PART * b"x"


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages to the pipeline go nowhere, and parts are small."""
    monkeypatch.setattr(pipeline, "send", lambda job: None)
    monkeypatch.setattr(settings, "PART_BYTES", PART)


@pytest.fixture
def new_job(window: Window, owner: User, shelf: Shelf) -> Page:
    return window.sign_in(owner).open("/jobs/new/")


Answer = Callable[[int], int]


def always(number: int) -> int:
    """The answer of a storage that takes every part."""
    return 200


def storage(
    page: Page, shelf: Shelf, content: bytes = VCF, *, answer: Answer = always
) -> list[int]:
    """Let S3 put the parts of a file on the shelf; returns the numbers that it was sent."""
    asked: list[int] = []

    def take(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        number = int(query["partNumber"][0])
        asked.append(number)
        status = answer(number)
        if status == 0:
            route.abort("connectionreset")
            return
        if status == 200:
            part = content[(number - 1) * PART : number * PART]
            shelf.coming[query["uploadId"][0]][number] = part
        code = {403: "AccessDenied", 404: "NoSuchUpload"}.get(status, "")
        route.fulfill(status=status, headers=ALLOWED, body=f"<Error><Code>{code}</Code></Error>")

    page.route(f"{BUCKET}**", take)
    return asked


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    page.get_by_label("Choose a VCF").set_input_files([a_file(*file) for file in files])


def start(page: Page) -> None:
    page.get_by_role("button", name="Upload and annotate").click()
