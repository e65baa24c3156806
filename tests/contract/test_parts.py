"""What S3 itself enforces on the parts that a browser sends: a link is good for one, bytes and all.

The local AWS checks signatures, signed headers and checksums as S3 does.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import urllib3

from dev.local_aws import LocalAws
from dev.waiting import until
from gas.storage import inventory, objects, parts
from gas.storage.digests import MIB, to_base64
from gas.storage.locations import Location, inputs
from gas.storage.parts import PresignedPut

ORIGIN = "http://127.0.0.1:8000"
FIRST, LAST = b"##fileformat=VCFv4.2\n".ljust(5 * MIB, b"#"), b"\nthe end\n"


@dataclass(frozen=True)
class Coming:
    """An object that comes in parts."""

    place: Location
    id: str

    def link(self, number: int, content: bytes, *, size: int | None = None) -> PresignedPut:
        """Sign a link for a part, of another size if one is given."""
        signed, digest = len(content) if size is None else size, sha256(content)
        return parts.presign(self.place, self.id, number=number, size=signed, sha256=digest)

    def held(self) -> dict[int, bytes] | None:
        """The digests of the parts that S3 holds; None when there are none any more."""
        found = parts.arrived(self.place, self.id)
        return None if found is None else {p.number: bytes.fromhex(p.sha256) for p in found}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def begun() -> Coming:
    place = inputs(f"inputs/1/{uuid.uuid4()}/input.vcf")
    return Coming(place, parts.begin(place))


@pytest.fixture
def coming(aws: LocalAws) -> Coming:
    return begun()


def put(
    link: PresignedPut,
    content: bytes,
    *,
    method: str = "PUT",
    changed: Mapping[str, str] = MappingProxyType({}),
) -> urllib3.BaseHTTPResponse:
    """Use a link as a browser does."""
    headers = {**link.headers, "Origin": ORIGIN, **changed}
    return urllib3.request(method, link.url, body=content, headers=headers, retries=False)


def with_query(link: PresignedPut, **changed: str) -> PresignedPut:
    """The link with some of its query changed."""
    address = urlsplit(link.url)
    query = urlencode({**dict(parse_qsl(address.query)), **changed})
    return PresignedPut(address._replace(query=query).geturl(), link.headers)


def test_parts_become_one_object_whatever_order_they_come_in(coming: Coming) -> None:
    for number, content in ((2, LAST), (1, FIRST)):
        assert put(coming.link(number, content), content).status == 200
    held = parts.arrived(coming.place, coming.id)
    assert held is not None
    assert [(part.number, part.size, part.sha256) for part in held] == [
        (1, len(FIRST), sha256(FIRST)),
        (2, len(LAST), sha256(LAST)),
    ]
    parts.assemble(coming.place, coming.id, held)
    parts.assemble(coming.place, coming.id, held)  # the answer to the first was lost
    assert objects.head(coming.place).size == len(FIRST + LAST)
    assert objects.read_start(coming.place, 21) == FIRST[:21]
    assert parts.arrived(coming.place, coming.id) is None


def test_a_page_may_read_the_answer_to_a_part(coming: Coming) -> None:
    answer = put(coming.link(1, LAST), LAST)
    exposed = answer.headers["Access-Control-Expose-Headers"].replace(" ", "").split(",")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"ETag", "x-amz-checksum-sha256"} <= set(exposed)


def another_number(coming: Coming) -> urllib3.BaseHTTPResponse:
    return put(with_query(coming.link(1, LAST), partNumber="2"), LAST)


def another_length(coming: Coming) -> urllib3.BaseHTTPResponse:
    """Fewer bytes than were announced, with their true checksum."""
    return put(coming.link(1, LAST, size=len(LAST) + 1), LAST)


def other_bytes(coming: Coming) -> urllib3.BaseHTTPResponse:
    return put(coming.link(1, LAST), LAST[::-1])


def other_bytes_and_their_checksum(coming: Coming) -> urllib3.BaseHTTPResponse:
    checksum = {"x-amz-checksum-sha256": to_base64(sha256(LAST[::-1]))}
    return put(coming.link(1, LAST), LAST[::-1], changed=checksum)


def another_key(coming: Coming) -> urllib3.BaseHTTPResponse:
    link = coming.link(1, LAST)
    stolen = link.url.replace("/inputs/1/", "/inputs/2/")
    return put(PresignedPut(stolen, link.headers), LAST)


def another_method(coming: Coming) -> urllib3.BaseHTTPResponse:
    return put(coming.link(1, LAST), LAST, method="POST")


def a_deletion(coming: Coming) -> urllib3.BaseHTTPResponse:
    return put(coming.link(1, LAST), LAST, method="DELETE")


def another_upload(coming: Coming) -> urllib3.BaseHTTPResponse:
    return put(with_query(coming.link(1, LAST), uploadId=begun().id), LAST)


def the_upload_of_somebody_else(coming: Coming) -> urllib3.BaseHTTPResponse:
    """Their key and id in a link of one's own."""
    theirs = begun()
    link = with_query(coming.link(1, LAST), uploadId=theirs.id)
    return put(
        PresignedPut(link.url.replace(coming.place.key, theirs.place.key), link.headers), LAST
    )


def a_longer_life(coming: Coming) -> urllib3.BaseHTTPResponse:
    return put(with_query(coming.link(1, LAST), **{"X-Amz-Expires": "86400"}), LAST)


TAMPERINGS: list[Callable[[Coming], urllib3.BaseHTTPResponse]] = [
    another_number,
    another_length,
    other_bytes,
    other_bytes_and_their_checksum,
    another_key,
    another_method,
    a_deletion,
    another_upload,
    the_upload_of_somebody_else,
    a_longer_life,
]


def everything_held(coming: Coming) -> int:
    """How many parts S3 holds of whatever has not ended."""
    open_ones = inventory.open_uploads(coming.place.bucket)
    return sum(len(parts.arrived(found.location, found.id) or []) for found in open_ones)


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda each: each.__name__)
def test_a_link_that_was_tampered_with_stores_nothing(
    coming: Coming, tampering: Callable[[Coming], urllib3.BaseHTTPResponse]
) -> None:
    before = everything_held(coming)
    assert tampering(coming).status in (400, 403)
    assert everything_held(coming) == before
    assert coming.held() == {}
    assert put(coming.link(1, LAST), LAST).status == 200


def test_a_link_ends_after_its_minutes(coming: Coming, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LINK_SECONDS", 1)
    link, wrong = coming.link(1, LAST), LAST[::-1]
    until(lambda: put(link, wrong).status == 403, "the end of the link")
    answer = put(link, LAST)
    assert (answer.status, b"expired" in answer.data) == (403, True)
    assert coming.held() == {}


def test_a_link_is_worth_nothing_after_the_completion(coming: Coming) -> None:
    link = coming.link(1, LAST)
    put(link, LAST)
    parts.assemble(coming.place, coming.id, parts.arrived(coming.place, coming.id) or [])
    assert put(link, LAST).status == 404
    assert objects.read_start(coming.place) == LAST


def test_an_object_that_is_there_is_never_replaced(coming: Coming) -> None:
    again = Coming(coming.place, parts.begin(coming.place))
    for each, content in ((coming, FIRST), (again, LAST)):
        put(each.link(1, content), content)
        parts.assemble(each.place, each.id, parts.arrived(each.place, each.id) or [])
    assert objects.head(coming.place).size == len(FIRST)


def test_parts_that_are_given_up_are_gone(coming: Coming) -> None:
    put(coming.link(1, LAST), LAST)
    parts.abort(coming.place, coming.id)
    parts.abort(coming.place, coming.id)
    assert coming.held() is None
    assert put(coming.link(1, LAST), LAST).status == 404
