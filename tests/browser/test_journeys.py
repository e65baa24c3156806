"""The whole service behind a real browser: fake Globus and Stripe, a local AWS, a real worker."""

import gzip
import json
import re
import shlex
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from dev.stack import Stack
from dev.waiting import until
from gas.services.jobs import EXAMPLE
from tests.browser.terminal import Terminal, make_token
from tests.browser.test_looks import a_file
from tests.browser.visits import PATIENCE, breaking_after, sign_in
from tests.browser.visits import page as page
from tests.browser.visits import stack as stack

pytestmark = pytest.mark.timeout(600)


def test_from_signing_in_to_a_downloaded_result_and_out_again(page: Page) -> None:
    sign_in(page, "Free researcher")
    page.get_by_role("button", name="Use the example").click()
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Moves to the archive in")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download annotated.vcf.gz", exact=True).click()
    assert saved.value.suggested_filename == "Example.annotated.vcf.gz"
    assert saved.value.path().read_bytes().startswith(b"\x1f\x8b")
    page.get_by_role("button", name="Free researcher").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/jobs/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_variants_are_filtered_shared_and_downloaded_as_three_kinds_of_files(page: Page) -> None:
    sign_in(page, "Free researcher")
    page.goto("/jobs/new/")
    page.get_by_role("button", name="Use the example").click()
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible(timeout=PATIENCE)
    full = page.request.get(f"{page.url}files/tsv/").body()
    page.get_by_role("link", name="Browse and filter the variants").click()
    page.get_by_label("Gene", exact=True).fill("pdia2")
    page.get_by_label("missense variant").check()
    page.get_by_role("button", name="Show variants").click()
    header, *lines = gzip.decompress(full).decode().splitlines()
    rows = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    asked = {"gene": "PDIA2", "consequence": "missense_variant"}
    wanted = [line for line, row in zip(lines, rows, strict=True) if asked.items() <= row.items()]
    alleles = list(dict.fromkeys(tuple(line.split("\t")[:4]) for line in wanted))
    assert 1 < len(alleles) <= len(wanted) < len(lines)
    title = f"{len(alleles)} variants match"
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(page.get_by_role("rowheader")).to_have_count(len(alleles))
    files = {kind: _downloaded(page, kind) for kind in ("TSV", "VCF", "PARQUET")}
    assert gzip.decompress(files["TSV"]).decode().splitlines() == [header, *wanted]
    assert pq.read_table(BytesIO(files["PARQUET"])).num_rows == len(wanted)
    records = [line.split("\t") for line in gzip.decompress(files["VCF"]).decode().splitlines()]
    assert [(c[0], c[1], c[3], c[4]) for c in records if len(c) > 1][1:] == alleles
    shared = page.context.new_page()
    shared.goto(page.url)
    expect(shared.get_by_role("heading", name=title, exact=True)).to_be_visible()
    shared.goto(f"{page.url.partition('variants/')[0]}results/")
    command = shared.get_by_role("region", name="Command for annotated.tsv.gz").inner_text()
    part = page.request.get(shlex.split(command)[-1], headers={"Range": "bytes=100-199"})
    assert (part.status, part.body()) == (206, full[100:200])


def _downloaded(page: Page, kind: str) -> bytes:
    with page.expect_download() as saved:
        page.get_by_role("link", name=kind, exact=True).click()
    assert saved.value.suggested_filename.startswith("Example.filtered.")
    return saved.value.path().read_bytes()


def test_a_file_goes_from_the_browser_to_storage_and_is_annotated(page: Page) -> None:
    sign_in(page, "Free researcher")
    page.get_by_role("link", name="New job").first.click()
    page.get_by_label("Choose a VCF").set_input_files(EXAMPLE)
    page.get_by_label("Name of the job").fill("From my disk")
    page.get_by_role("button", name="Upload and annotate").click()
    expect(page.get_by_role("heading", name="From my disk")).to_be_visible()
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible(timeout=PATIENCE)


def test_a_large_file_goes_on_after_a_break_and_a_reload(page: Page, tmp_path: Path) -> None:
    file, line = tmp_path / "large.vcf", 99 * b"x" + b"\n"
    file.write_bytes(EXAMPLE.read_bytes() + line * (400 * 1024))  # fails at once when it is read
    sent: list[str] = []
    page.route("**/gas-inputs/inputs/**", lambda route: breaking_after(4, route, sent))
    sign_in(page, "Free researcher")
    page.goto("/jobs/new/")
    page.get_by_label("Choose a VCF").set_input_files(file)
    page.get_by_role("button", name="Upload and annotate").click()
    expect(page.get_by_text(re.compile(r"^5\d %"))).to_be_visible(timeout=PATIENCE)
    page.reload()
    page.unroute_all()
    expect(page.get_by_role("heading", name="Not finished")).to_be_visible()
    rest = []
    page.on("request", lambda made: rest.append(made.url) if made.method == "PUT" else None)
    page.get_by_label("Choose a VCF").set_input_files(file)
    page.get_by_role("button", name="Upload and annotate").click()
    expect(page.get_by_role("heading", name="large.vcf")).to_be_visible(timeout=PATIENCE)
    assert (len(sent), len(rest)) == (4, 4)
    expect(page.get_by_role("heading", name="This job failed")).to_be_visible(timeout=PATIENCE)


def test_the_client_takes_a_file_to_filtered_results_with_a_token_of_the_browser(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    sign_in(page, "Free researcher")
    terminal = Terminal(tmp_path)
    terminal.gas("login", stack.site_url, "--token-stdin", typed=make_token(page))
    job = json.loads(terminal.gas("submit", str(EXAMPLE), "--wait", "--json"))
    page.goto(job["page"])
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible()
    number, wanted = str(job["id"]), ["--filter", "gene=PDIA2", "--filter", "impact=HIGH"]
    header, *rows = terminal.gas("results", number, *wanted, "--format", "tsv").splitlines()
    terminal.killed_after(2, "download", number, "--kind", "tsv")
    assert not (tmp_path / f"job-{number}.annotated.tsv.gz").exists()
    size = next(file.stat().st_size for file in tmp_path.glob("job-*.part"))
    assert terminal.steps_of("download", number, "--kind", "tsv") == -(-size // 1000) - 2
    full = gzip.decompress((tmp_path / f"job-{number}.annotated.tsv.gz").read_bytes())
    lines = full.decode().splitlines()
    assert lines[0] == header
    assert rows == [one for one in lines if {"PDIA2", "HIGH"} <= {*one.split("\t")}]
    assert len(rows) > 0
    terminal.gas("logout")
    page.goto("/account/tokens/")
    expect(page.get_by_text("revoked").first).to_be_visible()


def test_the_guide_of_the_api_does_what_it_says(page: Page, stack: Stack, tmp_path: Path) -> None:
    sign_in(page, "Free researcher")
    (tmp_path / "sample.vcf").write_bytes(EXAMPLE.read_bytes())
    said = Terminal(tmp_path).follow(
        "api-guide", GAS_URL=stack.site_url, GAS_TOKEN=make_token(page)
    )
    assert "rows in PDIA2" in said
    assert "job.completed of job" in said


def test_an_upload_of_the_client_that_was_killed_goes_on_and_makes_one_job(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    sign_in(page, "Free researcher")
    terminal = Terminal(tmp_path)
    terminal.gas("login", stack.site_url, "--token-stdin", typed=make_token(page))
    file = tmp_path / "killed.vcf"
    file.write_bytes(EXAMPLE.read_bytes() + (99 * b"x" + b"\n") * (400 * 1024))
    terminal.killed_after(3, "submit", file.name)
    missing = terminal.steps_of("submit", file.name)
    assert 2 <= missing <= 5  # of eight parts, of which three were under way beside the third
    found = [json.loads(line) for line in terminal.gas("jobs", "--json").splitlines()]
    assert [job["filename"] for job in found].count("killed.vcf") == 1


def test_a_vcf_that_breaks_inside_fails_with_the_line(page: Page) -> None:
    sign_in(page, "Free researcher")
    page.goto("/jobs/new/")
    broken = a_file("broken.vcf", EXAMPLE.read_bytes() + b"chr16\tnonsense\n")
    page.get_by_label("Choose a VCF").set_input_files(broken)
    page.get_by_role("button", name="Upload and annotate").click()
    expect(page.get_by_role("heading", name="This job failed")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".failure")).to_contain_text("ine 1")


def test_subscribing_brings_archived_results_back(page: Page) -> None:
    sign_in(page, "Second researcher")
    page.get_by_role("button", name="Use the example").click()
    job = page.url
    expect(page.get_by_role("heading", name="In the archive")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Bring them back").click()
    page.get_by_role("button", name="Subscribe to Premium").click()
    page.get_by_label("Card number").fill("4000 0000 0000 0002")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert")).to_contain_text("declined")
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="You are on the Premium plan")).to_be_visible(
        timeout=PATIENCE
    )
    page.goto(job)
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("stay at hand as long as your subscription lasts")).to_be_visible()
    page.goto("/subscription/")
    page.get_by_role("button", name="Invoices, card and cancelling").click()
    expect(page.get_by_role("heading", name="Invoices")).to_be_visible()
    page.get_by_role("button", name="Cancel subscription").click()
    page.get_by_role("link", name="Return to GAS").click()
    free = page.get_by_role("heading", name="You are on the Free plan")
    until(lambda: page.reload() and free.is_visible(), "what the provider tells of the end")
    expect(page.get_by_text("The results of 1 job are still at hand.")).to_be_visible()


def test_who_denies_is_told_so_and_stays_outside(page: Page) -> None:
    page.get_by_role("link", name="Sign in with Globus").click()
    page.get_by_role("button", name="Continue with Globus").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("You did not allow GAS to know you")).to_be_visible()
    page.goto("/account/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_staff_come_in_by_a_second_factor(page: Page) -> None:
    sign_in(page, "Staff operator")
    page.goto("/admin/gas/job/")
    expect(page.get_by_role("heading", name="Staff pages")).to_be_visible()
    page.get_by_role("button", name="Continue with Globus").click()
    page.get_by_role("button", name="Free researcher").click()
    expect(page.get_by_text("This identity has no second factor.")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Staff operator").click()
    expect(page.get_by_role("heading", name="Select job to view")).to_be_visible()


def test_whoever_leaves_takes_everything_along(page: Page) -> None:
    sign_in(page, "Premium researcher")
    page.get_by_role("button", name="Use the example").click()
    expect(page.get_by_role("heading", name="Example")).to_be_visible()
    page.get_by_role("button", name="Premium researcher").click()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_text("this one")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export my data").click()
    assert "jobs.json" in ZipFile(saved.value.path()).namelist()
    page.get_by_role("link", name="Delete my data").click()
    page.get_by_label("To confirm").fill("delete everything")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", name="Your account is closed")).to_be_visible()
    page.goto("/")
    sign_in(page, "Premium researcher")
    expect(page.get_by_text("Example", exact=True)).to_have_count(0)


def test_without_scripts_an_upload_is_three_forms(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.site_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    sign_in(page, "Free researcher")
    page.goto("/jobs/new/")
    page.get_by_label("What to call it").fill("plain.vcf")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Choose the file").set_input_files(EXAMPLE)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Annotate this file").click()
    expect(page.get_by_role("heading", name="plain.vcf")).to_be_visible()
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible(timeout=PATIENCE)
    context.close()
