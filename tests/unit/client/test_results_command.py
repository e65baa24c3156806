"""The command `gas`: results, shown and written."""

import gzip
import json
from pathlib import Path

import pytest

from tests.unit.client.service import Service, job_document
from tests.unit.client.terminal import Gas, at_terminal


@pytest.fixture
def done(service: Service) -> int:
    """A job that is completed, with a table of three variants."""
    service.jobs[7] = job_document(7, status="completed", variants=3, name="Tri\x1b[2Jo")
    service.files["tsv"] = gzip.compress(b"contig\tposition\n", mtime=0) + gzip.compress(
        b"chr16\t7\x1b[2J\n", mtime=0
    )
    service.variants = [
        {"row": n, "contig": "chr16", "position": n, "gene": "PDIA2", "impact": None}
        for n in range(3)
    ]
    return 7


@pytest.mark.usefixtures("signed_in", "done")
def test_names_and_logs_do_nothing_to_a_terminal(gas: Gas, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gas("log", "7")[1] == "read\x1b[2J\nwrote\n"
    assert json.loads(gas("log", "7", "--json")[1])["log"].startswith("read\x1b")
    at_terminal(monkeypatch)
    for arguments in (["log", "7"], ["jobs"], ["status", "7"], ["results", "7", "-F", "tsv"]):
        code, out, err = gas(*arguments)
        assert code == 0
        assert "\x1b" not in out + err


@pytest.mark.usefixtures("signed_in", "done")
def test_variants_are_shown_with_their_filter_page_by_page(gas: Gas, service: Service) -> None:
    asked = ["-f", "gene=PDIA2", "-f", "impact=HIGH&impact=LOW", "--sort", "-gene"]
    code, out, err = gas("results", "7", *asked)
    assert code == 0
    first, second = service.asked("GET", "/variants")
    assert str(first.url.params) == "gene=PDIA2&impact=HIGH&impact=LOW&sort=-gene"
    assert str(second.url.params).endswith("&cursor=2")
    assert out.splitlines()[1] == "chr16\t0\t.\t.\tPDIA2\t.\t.\t.\t.\t.\t."
    assert err == ""
    _, out, err = gas("results", "7", "--limit", "1")
    assert (len(out.splitlines()), err) == (2, "1 of 3 variants; --limit shows more.\n")
    documents = gas("results", "7", "--json")[1].splitlines()
    assert [json.loads(line)["row"] for line in documents] == [0, 1, 2]


@pytest.mark.usefixtures("signed_in", "done")
def test_variants_are_written_as_files_filtered_by_the_service_or_whole_from_storage(
    gas: Gas, service: Service, home: Path
) -> None:
    text = "contig\tposition\nchr16\t7\x1b[2J\n"
    assert gas("results", "7", "-F", "tsv", "-f", "gene=PDIA2")[:2] == (0, text)
    assert str(service.asked("GET", "/export/tsv")[0].url.params) == "gene=PDIA2"
    assert gas("results", "7", "-F", "tsv")[:2] == (0, text)
    assert len(service.asked("GET", "/export/")) == 1
    assert gas("results", "7", "-F", "tsv", "-o", "t.tsv.gz", "-q") == (0, "", "")
    assert (home / "t.tsv.gz").read_bytes() == service.files["tsv"]
    assert gas("results", "7", "-F", "tsv", "-o", "t.tsv")[2] == "Written to t.tsv.\n"
    assert (home / "t.tsv").read_text() == text


@pytest.mark.usefixtures("signed_in", "done")
def test_a_file_of_variants_that_breaks_off_is_told_and_never_gets_its_name(
    gas: Gas, service: Service, home: Path
) -> None:
    service.files["tsv"] = service.files["tsv"][:-4]
    code, _, err = gas("results", "7", "-F", "tsv", "-f", "gene=PDIA2", "-o", "t.tsv")
    assert (code, err) == (5, "gas: The service hung up before the end.\n")
    assert not (home / "t.tsv").exists()
    service.files["tsv"] = b"no gzip"
    assert gas("results", "7", "-F", "tsv", "-f", "gene=PDIA2")[0] == 5


@pytest.mark.usefixtures("signed_in", "done")
def test_parquet_is_not_written_to_a_terminal(
    gas: Gas, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.files["parquet"] = b"PAR1"
    assert gas("results", "7", "-F", "parquet")[1] == "PAR1"
    at_terminal(monkeypatch)
    assert gas("results", "7", "-F", "parquet")[0] == 2


@pytest.mark.usefixtures("signed_in", "done")
def test_download_writes_where_each_file_is(gas: Gas, home: Path) -> None:
    assert gas("download", "7", "--out", "there") == (0, "there/job-7.annotated.tsv\n", "")
    out = gas("download", "7", "--kind", "tsv", "--json")[1]
    assert json.loads(out)["path"] == "job-7.annotated.tsv"
    assert gas("download", "7", "--kind", "vcf")[0] == 4


@pytest.mark.usefixtures("signed_in", "done")
@pytest.mark.parametrize(
    "vain",
    [
        ["--out", "t.tsv"],
        ["--json", "--out", "t.json"],
        ["-F", "tsv", "--limit", "2"],
        ["-F", "vcf", "--sort", "gene"],
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    gas: Gas, service: Service, home: Path, vain: list[str]
) -> None:
    code, out, err = gas("results", "7", *vain)
    assert (code, out) == (2, "")
    assert err.startswith("gas: --")
    assert not service.requests
    assert not [*home.glob("t.*")]
