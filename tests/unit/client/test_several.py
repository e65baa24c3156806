"""The command `gas` about several jobs or files: what cannot be done is named, the rest is done."""

from pathlib import Path

import httpx
import pytest

from tests.unit.client.service import ADDRESS, Service, job_document, problem
from tests.unit.client.terminal import Gas

pytestmark = pytest.mark.usefixtures("signed_in")

OVER = "The job has finished already."


def test_every_job_is_cancelled_that_can_be_and_each_other_is_named(
    gas: Gas, service: Service
) -> None:
    service.jobs = {number: job_document(number) for number in (1, 2, 3)}
    service.fail("POST", "/jobs/1/cancel$", problem(409, OVER))
    code, out, err = gas("cancel", "1", "2", "99", "3")
    assert (code, out) == (4, "2\tcancelled\tTrio\n3\tcancelled\tTrio\n")
    assert err == f"gas: Job 1: {OVER} You have no job 99.\n"


def test_every_job_is_deleted_that_is_there(gas: Gas, service: Service) -> None:
    service.jobs = {1: job_document(1)}
    assert gas("delete", "99", "1", "--yes") == (
        4,
        "",
        "Job 1 is deleted.\ngas: You have no job 99.\n",
    )
    assert not service.jobs


def test_nothing_more_is_tried_once_the_service_is_away(gas: Gas, service: Service) -> None:
    service.jobs = {1: job_document(1), 2: job_document(2)}
    service.fail("GET", "/jobs/1$", *[httpx.ConnectError("refused")] * 4)
    assert gas("cancel", "1", "2")[0] == 5
    assert service.asked("POST") == []


def test_of_several_files_the_one_that_is_refused_is_named(
    gas: Gas, service: Service, file: Path, home: Path
) -> None:
    (home / "second.vcf").write_text("##fileformat=VCFv4.2\n")
    answers = (httpx.Response(201, json=job_document(1)), problem(409, "You have 10 jobs."))
    service.fail("POST", "/jobs$", *answers)
    code, out, err = gas("submit", file.name, "second.vcf")
    assert (code, out) == (4, "1\tqueued\tTrio\n")
    assert err == "gas: second.vcf: You have 10 jobs.\n"
    service.fail("POST", "/jobs$", problem(409, "You have 10 jobs."))
    assert gas("submit", file.name)[2] == "gas: You have 10 jobs.\n"


def test_a_list_that_cannot_be_had_leaves_the_output_empty(gas: Gas, service: Service) -> None:
    service.fail("GET", "/jobs", *[httpx.ConnectError("refused")] * 4)
    assert gas("jobs") == (5, "", f"gas: {ADDRESS} cannot be reached (refused).\n")
    assert gas("jobs") == (0, "ID\tSTATUS\tMADE (UTC)\tVARIANTS\tNAME\n", "")
