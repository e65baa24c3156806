"""What S3 itself enforces on the form that a browser uploads with."""

import json
import uuid
from base64 import b64decode
from collections.abc import Mapping
from types import MappingProxyType

import pytest
import urllib3

from dev.local_aws import LocalAws
from gas.storage import objects
from gas.storage.locations import Location, inputs
from gas.storage.objects import PresignedPost

CONTENT = b"##fileformat=VCFv4.2\r\n--boundary--\r\n"
LIMIT = 1000
ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture
def place(aws: LocalAws) -> Location:
    return inputs(f"inputs/1/{uuid.uuid4()}/input.vcf.gz")


def _send(
    form: PresignedPost, content: bytes = CONTENT, changed: Mapping[str, str] = MappingProxyType({})
) -> urllib3.BaseHTTPResponse:
    """Send a form as a browser does."""
    return urllib3.request(
        "POST",
        form.url,
        fields={**form.fields, **changed, "file": ("x.vcf", content)},
        headers={"Origin": ORIGIN},
        redirect=False,
        retries=False,
    )


def _is_there(at: Location) -> bool:
    return list(objects.keys_under(at)) == [at]


def test_a_form_uploads_the_file_to_its_place(place: Location) -> None:
    answer = _send(objects.presign_upload(place, max_bytes=LIMIT))
    assert answer.status == 201
    assert objects.read_start(place) == CONTENT
    head = objects.head(place)
    assert (head.size, head.sha256, head.storage_class) == (len(CONTENT), None, "STANDARD")


def test_a_form_sends_the_browser_to_the_page_that_was_signed(place: Location) -> None:
    form = objects.presign_upload(place, max_bytes=LIMIT, redirect=f"{ORIGIN}/uploads/7/done")
    answer = _send(form)
    assert answer.status == 303
    assert answer.headers["Location"].startswith(f"{ORIGIN}/uploads/7/done?")
    elsewhere = _send(form, changed={"success_action_redirect": "https://example.org/"})
    assert elsewhere.status == 403


def test_a_file_of_exactly_the_limit_is_taken(place: Location) -> None:
    assert _send(objects.presign_upload(place, max_bytes=LIMIT), b"x" * LIMIT).status == 201


def test_s3_refuses_a_file_over_the_limit(place: Location) -> None:
    large = b"x" * (LIMIT + 1)
    assert _send(objects.presign_upload(place, max_bytes=LIMIT), large).status == 400
    assert not _is_there(place)


def test_an_empty_file_arrives_to_be_refused_by_us(place: Location) -> None:
    assert _send(objects.presign_upload(place, max_bytes=LIMIT), b"").status == 201
    assert (objects.head(place).size, objects.read_start(place)) == (0, b"")


@pytest.mark.parametrize(
    "field",
    [
        {"key": "inputs/2/stolen/input.vcf.gz"},
        {"Content-Type": "text/html"},
        {"x-amz-meta-sha256": "0" * 64},
        {"x-amz-storage-class": "GLACIER"},
        {"acl": "public-read"},
        {"x-amz-signature": "0" * 64},
        {"policy": "e30="},
    ],
    ids=lambda field: next(iter(field)),
)
def test_s3_refuses_a_form_that_was_changed(place: Location, field: dict[str, str]) -> None:
    assert _send(objects.presign_upload(place, max_bytes=LIMIT), changed=field).status >= 400
    assert not _is_there(place)
    assert not _is_there(inputs("inputs/2/stolen/input.vcf.gz"))


def test_s3_refuses_a_form_after_its_hour(place: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "UPLOAD_SECONDS", -1)
    assert _send(objects.presign_upload(place, max_bytes=LIMIT)).status == 403
    assert not _is_there(place)


def test_a_form_names_its_place_and_limit_and_nothing_looser(place: Location) -> None:
    policy = json.loads(b64decode(objects.presign_upload(place, max_bytes=9).fields["policy"]))
    conditions = policy["conditions"]
    assert ["content-length-range", 0, 9] in conditions
    assert {"key": place.key} in conditions
    assert not [c for c in conditions if isinstance(c, list) and c[0] == "starts-with"]


def test_a_page_of_another_origin_may_not_read_the_answer(place: Location, aws: LocalAws) -> None:
    def allowed(origin: str) -> str | None:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        url = f"{aws.endpoint}/{place.bucket}"
        answer = urllib3.request("OPTIONS", url, headers=headers)
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed(ORIGIN) == ORIGIN
    assert allowed("https://example.org") is None
