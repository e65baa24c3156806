"""What the client expects is what the API promises, and the package says of itself what is so."""

import json
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import gas_client
from gas.api.document import document
from gas.models import ResultFile, Status, requests
from gas.services import api_tokens
from gas_client import records
from gas_client.addresses import TOKENS_PAGE
from gas_client.cli.results import KINDS
from gas_client.journal import KEPT
from gas_client.wire import API
from tests.unit.client.service import Service, job_document

ROOT = Path(__file__).resolve().parents[3]
PROMISED = json.loads(document())
READ = {
    records.JobFacts: ["Job", "JobDetail"],
    records.UploadFacts: ["Upload", "BegunUpload"],
    records.Arrived: ["BegunUpload", "UploadParts"],
    records.Part: ["Part"],
    records.Signed: ["SignedParts"],
    records.Link: ["SignedPart"],
    records.ResultFiles: ["FileList"],
    records.ResultFile: ["File"],
    records.FileLink: ["FileLink"],
    records.Page: ["JobPage", "VariantPage"],
    records.Bundles: ["BundleList"],
    records.Bundle: ["Bundle"],
    records.Source: ["Source"],
    records.Me: ["Me"],
    records.Plan: ["Plan"],
    records.Usage: ["Usage"],
    records.Token: ["TokenInUse"],
}
CASES = [(record, name) for record, names in READ.items() for name in names]


def properties(name: str) -> set[str]:
    return set(PROMISED["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize(("record", "name"), CASES, ids=[f"{r.__name__}-{n}" for r, n in CASES])
def test_everything_that_is_read_of_a_document_is_promised(
    record: type[records.Record], name: str
) -> None:
    wanted = {field.name for field in fields(record)} - {"document"}
    assert wanted <= properties(name)


def test_every_record_is_compared() -> None:
    made = {each for each in vars(records).values() if isinstance(each, type)}
    wanted = {each for each in made if issubclass(each, records.Record)} - {records.Record}
    assert wanted == set(READ)


def test_the_service_of_these_tests_tells_what_the_real_one_does() -> None:
    assert set(job_document(1)) <= properties("JobDetail")
    answered = {
        f"{method} {path.replace(chr(92), '')}"
        for method, path, _ in Service()._routes()
        if "(" not in path
    }
    promised = {
        f"{method.upper()} {path.removeprefix(API)}"
        for path, methods in PROMISED["paths"].items()
        for method in methods
    }
    assert answered <= promised


def test_words_and_addresses_are_those_of_the_service() -> None:
    assert {*records.Status} == {*Status.values}
    assert {*KINDS} == {*ResultFile.Kind.values}
    assert api_tokens.PREFIX == "gas_"
    assert TOKENS_PAGE == "/account/tokens/"


def test_a_broken_call_is_repeated_as_long_as_the_service_knows_its_key() -> None:
    assert requests.KEPT.total_seconds() == KEPT


def test_the_package_says_its_version_and_what_it_needs() -> None:
    told = tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]
    assert told["version"] == gas_client.__version__
    assert [one.partition("~")[0] for one in told["dependencies"]] == ["click", "httpx", "tqdm"]
