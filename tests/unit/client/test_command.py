"""The command `gas`: what it writes where, and how it ends."""

import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from gas_client.cli.main import run
from gas_client.cli.session import Means
from gas_client.patience import Patience
from gas_client.profiles import Profile, Profiles
from tests.unit.client.service import ADDRESS, TOKEN, Service, job_document, problem

INTERRUPTED = "\nInterrupted. What has arrived is kept: repeat the command to go on.\n"
Gas = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gas(service: Service, patience: Patience, capfd: pytest.CaptureFixture[str]) -> Gas:
    """Run the command; returns its exit code, its output, and what it told besides."""

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments, means=Means(service, patience))
        told = capfd.readouterr()
        assert TOKEN not in told.out + told.err
        assert "Traceback" not in told.err
        return code, told.out, told.err

    return ran


@pytest.fixture
def signed_in() -> None:
    Profiles().keep("default", Profile(ADDRESS, TOKEN))


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


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)


def test_login_keeps_a_token_that_was_tried_out(
    gas: Gas, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, f"{TOKEN}\n")
    code, out, err = gas("login", "gas.example.org", "--token-stdin")
    assert (code, out, err) == (0, "", f"You are signed in to {ADDRESS} (free plan).\n")
    assert Profiles().find() == Profile(ADDRESS, TOKEN)


def test_login_takes_the_token_of_the_environment_for_a_profile(
    gas: Gas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAS_TOKEN", TOKEN)
    code, out, _ = gas("login", ADDRESS, "--profile", "lab", "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["address"], told["profile"], told["me"]["account"]) == (ADDRESS, "lab", "somebody")
    assert Profiles().names() == ["lab"]


def test_login_takes_a_token_that_may_not_see_the_account(
    gas: Gas, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAS_TOKEN", TOKEN)
    service.fail("GET", "/me", problem(403, "The token lacks the scope.", "missing-scope"))
    assert gas("login", ADDRESS) == (0, "", f"You are signed in to {ADDRESS}.\n")


@pytest.mark.parametrize(
    ("token", "code", "sentence"),
    [
        ("gas_wrong", 3, "gas: The service does not take this token (any more); run: gas login\n"),
        ("password", 2, "gas: This is no token of GAS; one begins with gas_.\n"),
        ("gas_a\x1bb", 2, "gas: This is no token of GAS; one begins with gas_.\n"),
        ("", 2, "gas: There is no terminal to ask for the token; use --token-stdin.\n"),
    ],
)
def test_login_keeps_nothing_that_does_not_open_the_account(
    gas: Gas, monkeypatch: pytest.MonkeyPatch, token: str, code: int, sentence: str
) -> None:
    typed(monkeypatch, "")
    monkeypatch.setenv("GAS_TOKEN", token)
    assert gas("login", ADDRESS) == (code, "", sentence)
    assert Profiles().names() == []


def test_login_says_where_to_make_a_token_and_asks_without_showing_it(
    gas: Gas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    asked: list[str] = []

    def hidden(question: str) -> str:
        asked.append(question)
        return TOKEN

    monkeypatch.setattr("click.termui.hidden_prompt_func", hidden)
    code, _, err = gas("login", ADDRESS)
    assert code == 0
    assert f"{ADDRESS}/account/tokens/" in err
    assert asked == ["Token: "]


@pytest.mark.usefixtures("signed_in")
def test_logout_makes_the_token_worthless_and_forgets_it(gas: Gas, service: Service) -> None:
    assert gas("logout") == (0, "", f"You are signed out of {ADDRESS}.\n")
    assert len(service.asked("DELETE", "/tokens/current$")) == 1
    assert Profiles().names() == []
    assert gas("whoami")[0] == 3


@pytest.mark.usefixtures("signed_in")
def test_logout_of_a_token_that_is_over_works_and_can_keep_a_token(
    gas: Gas, service: Service
) -> None:
    service.fail("DELETE", "/tokens/current$", problem(401, "No."))
    assert gas("logout")[0] == 0
    Profiles().keep("default", Profile(ADDRESS, TOKEN))
    assert gas("logout", "--keep-token")[0] == 0
    assert len(service.asked("DELETE")) == 1


@pytest.mark.usefixtures("signed_in")
def test_whoami_and_bundles_tell_what_one_has(gas: Gas) -> None:
    code, out, _ = gas("whoami")
    assert code == 0
    assert "Plan        free\n" in out
    assert "Stored      2.0 KB of 1.0 GB\n" in out
    assert json.loads(gas("whoami", "--json")[1])["usage"] == {
        "active_jobs": 1,
        "stored_bytes": 2048,
    }
    assert "demo-grch38\tGRCh38\tRefSeq\tClinVar 2024-08\n" in gas("bundles")[1]
    assert json.loads(gas("bundles", "--json")[1])["is_default"] is True


@pytest.mark.usefixtures("signed_in")
def test_submit_writes_a_line_or_a_document_for_each_file(
    gas: Gas, service: Service, file: Path, home: Path
) -> None:
    (home / "second.vcf").write_text("##fileformat=VCFv4.2\n")
    code, out, err = gas("submit", str(file), "second.vcf", "--name", "Trio")
    assert (code, out, err) == (0, "1\tqueued\tTrio\n2\tqueued\tTrio\n", "")
    code, out, _ = gas("submit", str(file), "second.vcf", "--json", "--name", "Trio")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [3, 4]


@pytest.mark.usefixtures("signed_in")
def test_submit_waits_for_all_jobs_and_fails_with_one_of_them(
    gas: Gas, service: Service, file: Path, home: Path
) -> None:
    ended = [
        job_document(1, status="failed", failure="No ALT."),
        job_document(2, status="completed"),
    ]
    for job in ended:
        service.fail("GET", f"/jobs/{job['id']}$", httpx.Response(200, json=job))
    code, out, err = gas("submit", str(file), str(file), "--wait")
    assert (code, out) == (1, "1\tfailed\tTrio\n2\tcompleted\tTrio\n")
    assert err.endswith("gas: Job 1: No ALT.\n")
    assert gas("submit", "--example", "--wait", "--timeout", "0")[0] == 5


@pytest.mark.usefixtures("signed_in")
def test_submit_finds_the_reference_of_an_assembly(gas: Gas, service: Service, file: Path) -> None:
    assert gas("submit", str(file), "--assembly", "grch38", "--notes", "mother")[0] == 0
    sent = json.loads(service.asked("POST", "/jobs$")[0].content)
    assert (sent["bundle"], sent["notes"]) == ("demo-grch38", "mother")
    code, _, err = gas("submit", str(file), "--assembly", "GRCh37")
    assert (code, err) == (2, "gas: The service has no reference of GRCh37; it has GRCh38.\n")


@pytest.mark.usefixtures("signed_in", "done")
@pytest.mark.parametrize(
    "arguments",
    [
        *(["nonsense"], ["submit"], ["submit", "missing.vcf"], ["submit", "."]),
        *(["submit", "--example", "trio.vcf"], ["status", "0"], ["status", "x"]),
        *(["jobs", "--status", "lost"], ["results", "7", "-f", "PDIA2"], ["delete", "7"]),
        *(["completion", "tcsh"], ["login", "http://gas.example.org"]),
    ],
)
def test_a_command_that_makes_no_sense_asks_nothing_and_ends_with_2(
    gas: Gas, service: Service, file: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "")
    code, out, err = gas(*arguments)
    assert (code, out) == (2, "")
    assert err
    assert service.asked("POST") == service.asked("DELETE") == []


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        (problem(403, "The token may not."), 4, "gas: The token may not.\n"),
        (problem(429, "Too many.", Retry_After="600"), 4, "gas: Too many. Try again in 600 s.\n"),
        (httpx.ConnectError("refused"), 5, f"gas: {ADDRESS} cannot be reached (refused).\n"),
        (KeyboardInterrupt(), 130, INTERRUPTED),
        (OSError(28, "No space left on device", "/x"), 6, "gas: /x: No space left on device.\n"),
    ],
)
def test_every_failure_is_one_sentence_and_its_exit_code(
    gas: Gas, service: Service, fault: BaseException | httpx.Response, code: int, sentence: str
) -> None:
    service.fail("GET", "/jobs/7$", *[fault] * 4)
    assert gas("status", "7") == (code, "", sentence)


@pytest.mark.usefixtures("signed_in")
def test_bars_are_for_terminals_and_for_who_wants_them(
    gas: Gas, service: Service, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert gas("submit", file.name)[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    busy = problem(503, "Busy.", Retry_After="9")
    service.fail("POST", "/jobs$", busy, busy)
    told = gas("submit", file.name)[2]
    assert "\rtrio.vcf: " in told
    assert "Busy. Trying again in 9 s.\n" in told
    assert gas("submit", file.name, "--quiet")[2] == ""


@pytest.mark.usefixtures("signed_in")
def test_a_reader_that_goes_away_is_no_failure(
    service: Service, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.jobs[1] = job_document(1)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert run(["jobs"], means=Means(service, patience)) == 141


@pytest.mark.usefixtures("signed_in")
def test_jobs_are_a_table_or_documents_and_no_more_than_wanted(gas: Gas, service: Service) -> None:
    service.jobs = {n: job_document(n, variants=n or None) for n in range(1, 6)}
    code, out, _ = gas("jobs", "--limit", "3")
    assert code == 0
    assert out.splitlines() == [
        "ID\tSTATUS\tMADE (UTC)\tVARIANTS\tNAME",
        *(f"{n}\tqueued\t2026-03-02 09:30\t{n}\tTrio" for n in (5, 4, 3)),
    ]
    documents = gas("jobs", "--json")[1].splitlines()
    assert [json.loads(line)["id"] for line in documents] == [5, 4, 3, 2, 1]


@pytest.mark.usefixtures("signed_in")
def test_status_shows_watches_and_waits(gas: Gas, service: Service) -> None:
    service.jobs[7] = job_document(7, status="completed", variants=3)
    running = job_document(7, status="running", stage="annotate", percent=42)
    service.fail("GET", "/jobs/7$", *[httpx.Response(200, json=running)] * 3)
    assert "Status      running, annotate, 42 %\n" in gas("status", "7")[1]
    assert gas("status", "7", "--watch")[1] == "running\tannotate\t42 %\ncompleted\n"
    service.jobs[7] = job_document(7, status="failed", failure="No ALT.")
    assert gas("status", "7")[0] == 0
    assert gas("status", "8") == (4, "", "gas: You have no job 8.\n")
    code, out, err = gas("status", "7", "--wait", "--json")
    assert (code, json.loads(out)["failure"], err) == (1, "No ALT.", "gas: No ALT.\n")


@pytest.mark.usefixtures("signed_in")
def test_jobs_are_cancelled_run_again_restored_and_deleted(
    gas: Gas, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.jobs = {1: job_document(1), 2: job_document(2)}
    assert gas("cancel", "1", "2")[1] == "1\tcancelled\tTrio\n2\tcancelled\tTrio\n"
    assert gas("rerun", "1")[1] == "3\tqueued\tTrio\n"
    assert gas("restore", "2")[1] == "2\tthawing\tTrio\n"
    assert json.loads(gas("delete", "1", "--yes", "--json")[1]) == {"id": 1, "deleted": True}
    at_terminal(monkeypatch)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert gas("delete", "2")[0] == 0
    assert [*service.jobs] == [2, 3]
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "y")
    assert gas("delete", "2")[2].endswith("Job 2 is deleted.\n")
    assert [*service.jobs] == [3]


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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_each_shell(gas: Gas, shell: str) -> None:
    code, out, _ = gas("completion", shell)
    assert code == 0
    assert f"_GAS_COMPLETE={shell}_complete" in out


def test_help_is_there_for_every_command(gas: Gas) -> None:
    code, out, _ = gas("--help")
    assert code == 0
    assert "Exit codes:" in out
    for line in out.partition("Commands:\n")[2].splitlines():
        assert gas(line.split()[0], "--help")[0] == 0
