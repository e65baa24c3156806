"""Uploads by the API: in one form or in parts that go on where they broke off."""

import hashlib
from typing import Any

import pytest
from django.test import Client

from gas import problems
from gas.models import Plan, Upload, User
from tests.seams.world import VCF
from tests.stage import Shelf
from tests.unit.api.calls import PARTED, ROOT

pytestmark = pytest.mark.django_db

MIB = 1024**2


def post(program: Client, path: str, body: Any = None) -> Any:
    return program.post(f"{ROOT}/uploads{path}", body or {}, "application/json")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_comes_in_one_form_and_is_looked_at_when_it_is_there(
    program: Client, owner: User, shelf: Shelf
) -> None:
    begun = post(program, "", {"filename": "C:\\data\\trio7.vcf"}).json()
    assert (begun["filename"], begun["parts"], begun["arrived"]) == ("trio7.vcf", 0, [])
    assert begun["form"]["max_bytes"] == owner.plan.max_upload_bytes
    assert begun["form"]["fields"]["key"] == Upload.objects.get().key
    early = post(program, f"/{begun['id']}/complete")
    assert (early.status_code, early.json()["type"]) == (409, problems.UPLOAD_UNFINISHED.address)
    shelf.take_in(Upload.objects.get(), VCF)
    for _ in range(2):
        done = post(program, f"/{begun['id']}/complete").json()
        assert (done["status"], done["size"]) == ("complete", len(VCF))


def test_a_file_comes_in_parts_and_goes_on_where_it_broke_off(
    program: Client, shelf: Shelf
) -> None:
    content = VCF + b"x" * (16 * MIB)
    new = {"filename": "y.vcf", "size": len(content), "first_bytes": sha256(content[:65536])}
    begun = post(program, "", new).json()
    assert (begun["parts"], begun["part_size"], begun["form"]) == (2, 16 * MIB, None)
    pieces = [content[: 16 * MIB], content[16 * MIB :]]
    wanted = [{"number": n, "sha256": sha256(piece)} for n, piece in enumerate(pieces, 1)]
    signed = post(program, f"/{begun['id']}/parts", {"parts": wanted}).json()["parts"]
    assert [part["size"] for part in signed] == [len(piece) for piece in pieces]
    assert all("x-amz-checksum-sha256" in part["headers"] for part in signed)
    coming = shelf.coming[Upload.objects.get().parts_id]
    coming[1] = pieces[0]
    held = program.get(f"{ROOT}/uploads/{begun['id']}/parts").json()["arrived"]
    assert held == [{"number": 1, "size": 16 * MIB, "sha256": sha256(pieces[0])}]
    again = post(program, "", new).json()
    assert (again["id"], again["arrived"]) == (begun["id"], held)
    early = post(program, f"/{begun['id']}/complete")
    assert (early.status_code, early.json()["detail"][:14]) == (409, "1 of 2 parts o")
    coming[2] = pieces[1]
    assert post(program, f"/{begun['id']}/complete").json()["status"] == "complete"
    assert program.get(f"{ROOT}/uploads/{begun['id']}/parts").json()["arrived"] == []


def test_many_links_are_signed_in_few_questions(
    program: Client, shelf: Shelf, django_assert_max_num_queries: Any
) -> None:
    Plan.objects.update(max_upload_bytes=10**12, max_stored_bytes=10**13)
    begun = post(program, "", {**PARTED, "size": 2000 * MIB}).json()
    wanted = [{"number": n, "sha256": "a" * 64} for n in range(1, 101)]
    with django_assert_max_num_queries(6):
        answer = post(program, f"/{begun['id']}/parts", {"parts": wanted})
    assert len(answer.json()["parts"]) == 100
    assert post(program, f"/{begun['id']}/parts", {"parts": wanted * 2}).status_code == 422


@pytest.mark.parametrize("number", [4, 10_000])
def test_a_part_that_the_file_does_not_have_is_not_signed(
    program: Client, shelf: Shelf, number: int
) -> None:
    begun = post(program, "", PARTED).json()
    wanted = {"parts": [{"number": number, "sha256": "a" * 64}]}
    answer = post(program, f"/{begun['id']}/parts", wanted)
    assert (answer.status_code, answer.json()["type"]) == (422, problems.UPLOAD_REFUSED.address)


@pytest.mark.parametrize("number", ["1", True])
def test_a_number_is_neither_a_text_nor_a_truth(
    program: Client, shelf: Shelf, number: object
) -> None:
    assert post(program, "", {**PARTED, "size": number}).json()["errors"][0]["pointer"] == "/size"
    begun = post(program, "", PARTED).json()
    wanted = {"parts": [{"number": number, "sha256": "a" * 64}]}
    answer = post(program, f"/{begun['id']}/parts", wanted)
    assert answer.json()["errors"][0]["pointer"] == "/parts/0/number"


def test_a_part_that_is_asked_for_twice_is_signed_for_neither(
    program: Client, shelf: Shelf
) -> None:
    begun = post(program, "", PARTED).json()
    wanted = {"parts": [{"number": 1, "sha256": letter * 64} for letter in "ab"]}
    answer = post(program, f"/{begun['id']}/parts", wanted)
    assert (answer.status_code, answer.json()["type"]) == (422, problems.INVALID.address)


def test_a_file_beyond_the_plan_is_refused_before_it_is_sent(program: Client, shelf: Shelf) -> None:
    answer = post(program, "", {**PARTED, "size": 10**12})
    assert (answer.status_code, answer.json()["type"]) == (422, problems.UPLOAD_REFUSED.address)
    assert "your plan takes" in answer.json()["detail"]
    assert not Upload.objects.exists()


@pytest.mark.parametrize("lacking", ["size", "first_bytes"])
def test_a_file_in_parts_needs_its_size_and_its_start(program: Client, lacking: str) -> None:
    body = {name: value for name, value in PARTED.items() if name != lacking}
    answer = post(program, "", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{lacking}"


def test_what_is_no_job_yet_is_listed_and_can_be_given_up(program: Client, shelf: Shelf) -> None:
    begun = post(program, "", PARTED).json()
    assert [each["id"] for each in program.get(f"{ROOT}/uploads").json()["items"]] == [begun["id"]]
    assert program.delete(f"{ROOT}/uploads/{begun['id']}").status_code == 204
    assert program.get(f"{ROOT}/uploads/{begun['id']}").status_code == 404
    assert not shelf.coming


def test_an_upload_of_a_job_stays(program: Client, shelf: Shelf, sent: list[int]) -> None:
    begun = post(program, "", {"filename": "x.vcf"}).json()
    shelf.take_in(Upload.objects.get(), VCF)
    job = program.post(f"{ROOT}/jobs", {"upload": begun["id"]}, "application/json").json()
    assert program.get(f"{ROOT}/uploads/{begun['id']}").json()["job"] == job["id"]
    answer = program.delete(f"{ROOT}/uploads/{begun['id']}")
    assert (answer.status_code, answer.json()["type"]) == (409, problems.UPLOAD_USED.address)


def test_a_refused_file_says_why_for_good(program: Client, shelf: Shelf) -> None:
    begun = post(program, "", {"filename": "x.vcf"}).json()
    shelf.take_in(Upload.objects.get(), b"BAM\x01")
    for _ in range(2):
        answer = post(program, f"/{begun['id']}/complete")
        assert (answer.status_code, answer.json()["type"]) == (422, problems.UPLOAD_REFUSED.address)
    told = program.get(f"{ROOT}/uploads/{begun['id']}").json()
    assert (told["status"], told["refusal"]) == ("refused", answer.json()["detail"])
