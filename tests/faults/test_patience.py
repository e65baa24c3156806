"""An answer of which a byte comes now and then is left, and asked for again."""

from collections.abc import Callable

import pytest
from botocore import awsrequest

from dev.faults.faults import slow
from dev.faults.proxy import Proxy
from gas.storage import clients, objects, patience
from gas.storage.errors import ObjectMissing, StorageUnavailable
from gas.storage.locations import results

PLACE, NOWHERE = results("results/1/1/annotated.vcf.gz"), results("results/1/2/none")
CONTENT = b"1234567890" * 10


@pytest.fixture
def impatient(over_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    monkeypatch.setattr(patience, "LONGEST", 1.0)
    clients.s3().create_bucket(Bucket=PLACE.bucket)
    clients.s3().put_object(Bucket=PLACE.bucket, Key=PLACE.key, Body=CONTENT)
    return over_proxy


ASKED: dict[str, Callable[[], object]] = {
    "ListObjectsV2": lambda: list(objects.keys_under(PLACE)),
    "DeleteObjects": lambda: objects.delete([PLACE]),
}


@pytest.mark.parametrize("action", ASKED)
def test_an_answer_that_drips_is_asked_for_again(impatient: Proxy, action: str) -> None:
    with impatient.failing(action, slow, times=1) as rule:
        ASKED[action]()
    assert len(rule.hits) == 1


def test_an_object_that_drips_is_a_fault_that_passes(impatient: Proxy) -> None:
    with impatient.failing("GetObject", slow), pytest.raises(StorageUnavailable):
        objects.read_start(PLACE, 100)
    assert objects.read_start(PLACE, 100) == CONTENT


def test_a_refusal_that_drips_is_a_fault_that_passes(impatient: Proxy) -> None:
    with impatient.failing("GetObject", slow), pytest.raises(StorageUnavailable):
        objects.read_start(NOWHERE)
    with pytest.raises(ObjectMissing):
        objects.read_start(NOWHERE)


def test_botocore_has_this_defect_still(impatient: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awsrequest, patience.ANSWERS, patience.Answer.__base__)
    with impatient.failing("GetObject", slow):
        body = clients.s3().get_object(Bucket=PLACE.bucket, Key=PLACE.key)["Body"]
        assert body.read(3) == CONTENT[:3], "botocore is mended: be patient no more"
