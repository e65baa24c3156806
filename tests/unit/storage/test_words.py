"""What storage says outward: file names in headers, names of failures, receipts."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    FlexibleChecksumError,
    NoCredentialsError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from gas.storage.errors import (
    AccessRefused,
    ChecksumMismatch,
    NotThawed,
    ObjectMissing,
    ObjectReplaced,
    StorageError,
    StorageUnavailable,
    kind_of,
    translated,
)
from gas.storage.locations import Location
from gas.storage.objects import disposition


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.vcf.gz", 'attachment; filename="a.vcf.gz"'),
        ('a".vcf', 'attachment; filename="a_.vcf"'),
        ("../../etc/passwd", 'attachment; filename="_.._etc_passwd"'),
        ("a\r\nSet-Cookie: b=1", 'attachment; filename="aSet-Cookie_ b=1"'),
        ("photo\u202egpj.exe", 'attachment; filename="photogpj.exe"'),
        ("größe.vcf", "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.vcf"),
        ("", 'attachment; filename="download"'),
        ("...", 'attachment; filename="download"'),
    ],
)
def test_a_hostile_file_name_is_tamed(name: str, header: str) -> None:
    assert disposition(name) == header


@given(st.text(max_size=400))
def test_no_file_name_leaves_its_quotes(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') in {0, 2}
    assert header.startswith("attachment; filename")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchKey", 404, ObjectMissing),
        ("404", 404, ObjectMissing),
        ("ResourceNotFoundException", 404, ObjectMissing),
        ("NoSuchBucket", 404, StorageError),
        ("BadDigest", 400, ChecksumMismatch),
        ("PreconditionFailed", 412, ObjectReplaced),
        ("InvalidObjectState", 403, NotThawed),
        ("AccessDenied", 0, AccessRefused),
        ("ExpiredToken", 400, AccessRefused),
        ("Anything", 403, AccessRefused),
        ("SlowDown", 503, StorageUnavailable),
        ("RequestTimeout", 400, StorageUnavailable),
        ("ThrottlingException", 400, StorageUnavailable),
        ("Anything", 429, StorageUnavailable),
        ("Anything", 500, StorageUnavailable),
        ("MalformedXML", 400, StorageError),
    ],
)
def test_code_and_status_name_the_failure(code: str, status: int, kind: type[StorageError]) -> None:
    assert kind_of(code, status) is kind


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (EndpointConnectionError(endpoint_url="x"), StorageUnavailable),
        (ReadTimeoutError(endpoint_url="x"), StorageUnavailable),
        (FlexibleChecksumError(error_msg="x"), ChecksumMismatch),
        (NoCredentialsError(), AccessRefused),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_failing_wire_has_a_name_too(raised: BotoCoreError, kind: type[StorageError]) -> None:
    with pytest.raises(kind, match="s3://b/k"), translated(Location("b", "k")):
        raise raised


def test_the_vendors_message_is_not_repeated() -> None:
    with pytest.raises(StorageError) as caught, translated("s3://b/k"):
        raise ClientError({"Error": {"Code": "Odd", "Message": "token=secret"}}, "GetObject")
    assert "secret" not in str(caught.value)


def test_what_is_not_the_storages_fault_passes() -> None:
    with pytest.raises(ZeroDivisionError), translated("s3://b/k"):
        _ = 1 / 0


@given(key=st.text(min_size=1))
def test_a_location_can_be_read_back(key: str) -> None:
    location = Location("gas-archive", key)
    assert Location.parse(str(location)) == location
