"""The command `gas`: what it writes where, and how it ends."""

import io
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from gas_client.cli.main import run
from gas_client.cli.session import Means
from gas_client.patience import Patience
from gas_client.profiles import Profile, Profiles
from tests.unit.client.service import ADDRESS, TOKEN, Service, job_document, problem
from tests.unit.client.terminal import Gas, at_terminal

INTERRUPTED = "\nInterrupted. What has arrived is kept: repeat the command to go on.\n"


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


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


@pytest.mark.usefixtures("signed_in")
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
    service.jobs[7] = job_document(7, status="completed")
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
    service.jobs[7] = job_document(7, held="The queue is paused.")
    assert "Waits       The queue is paused.\n" in gas("status", "7")[1]
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
