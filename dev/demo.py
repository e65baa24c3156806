"""`make demo`: one VCF through the whole service, as its user goes, with short timers.

Prints each step with its seconds, the counts, the first annotated variants and the mails; leaves
the results in a folder; exits 0, or 1 naming the step that failed.
"""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from dev.children import DidNotStart, alone_in, end_in_order
from dev.local_aws import Mail, mails_at
from dev.stack import Ports, Stack
from dev.visitor import NotOnThePage, Visitor
from dev.waiting import NotInTime, until

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "demo"
SAMPLE = ROOT / "annotator/bundles/demo-grch38/example.vcf"

#: The service's own timers, short enough to watch.
TIMERS = {
    "GAS_FREE_RETENTION": "3s",
    "GAS_THAW_POLL": "1s",
    "GAS_RETRY_AFTER": "2s",
    "GAS_LEASE": "15s",
    "GAS_RESEND_AFTER": "30s",
    "GAS_SWEEP_EVERY": "10s",
}


#: The result files by the names that the download addresses give them.
RESULTS = {
    "vcf": "annotated.vcf.gz",
    "index": "annotated.vcf.gz.tbi",
    "tsv": "annotated.tsv.gz",
    "parquet": "annotated.parquet",
    "skipped": "skipped.tsv",
    "summary": "summary.json",
    "log": "annotation.log",
    "provenance": "provenance.json",
}


class StepFailed(Exception):
    """A step of the demo did not end as it should."""


@dataclass
class Demo:
    """One run against one stack."""

    stack: Stack
    results: Path
    steps: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; whatever goes wrong in it is said with its name."""
        started = time.monotonic()
        try:
            yield
        except (
            NotOnThePage,
            requests.RequestException,
            StepFailed,
            DidNotStart,
            NotInTime,
        ) as error:
            raise StepFailed(f"{name}: {error}") from error
        self.steps.append((name, time.monotonic() - started))
        print(f"  {name:<58}{self.steps[-1][1]:6.1f} s", flush=True)

    def run(self) -> None:
        """Go through everything that a researcher can meet."""
        with self.step("start the service and its local AWS"):
            self.stack.start()
        visitor = Visitor(self.stack.site_url)
        with self.step("sign in with Globus"):
            visitor.sign_in("Free researcher")
        with self.step(f"upload {SAMPLE.name} to S3"):
            ready = visitor.upload(SAMPLE)
        with self.step("annotate"):
            job = visitor.submit(ready.form(to="/submit/"))
            self.until(visitor, job.url, "completed")
        with self.step("notify: the mail that it is done"):
            self.until_mails(1)
        with self.step("download the results"):
            self.download(visitor, job.url, self.results)
        with self.step("archive: results move to Glacier after a countdown"):
            self.until(visitor, job.url, "archived")
        with self.step("subscribe with a card"):
            self.subscribe(visitor)
        with self.step("thaw and restore"):
            self.until(visitor, job.url, "completed")
        with self.step("notify: the mail that results are back"):
            self.until_mails(2)
        with self.step("download the restored results, byte for byte the same"):
            self.compare(visitor, job.url)
        self.report()

    def until(self, visitor: Visitor, address: str, status: str) -> None:
        """Wait until the page of the job says so; StepFailed when it says failed."""
        until(lambda: self.status(visitor, address) == status, f"the job is not {status}")

    def status(self, visitor: Visitor, address: str) -> str:
        """What the page of the job says."""
        if last_words := self.stack.ended():
            raise StepFailed(last_words)
        page = visitor.open(address)
        if page.status != 200:
            raise StepFailed(f"{page.url} answered {page.status}")
        if page.facts.get("data-status") == "failed":
            raise StepFailed(f"the job failed, see {page.url}")
        return page.facts.get("data-status", "")

    def until_mails(self, count: int) -> None:
        """Wait for a number of mails."""
        until(lambda: len(self.mails()) >= count, f"{count} mails")

    def mails(self) -> list[Mail]:
        """The mails about the job sent so far."""
        sent = mails_at(self.stack.environment["AWS_ENDPOINT_URL"])
        return [mail for mail in sent if SAMPLE.name in mail.subject]

    def download(self, visitor: Visitor, address: str, to: Path) -> None:
        """Save every result file."""
        to.mkdir(parents=True)
        for kind, name in RESULTS.items():
            visitor.download(f"{address}files/{kind}/", to / name)

    def compare(self, visitor: Visitor, address: str) -> None:
        """Check that the files which come back are those which went."""
        again = self.stack.folder / "restored"
        self.download(visitor, address, again)
        for name in RESULTS.values():
            if (again / name).read_bytes() != (self.results / name).read_bytes():
                raise StepFailed(f"{name} came back changed")

    def subscribe(self, visitor: Visitor) -> None:
        """Pay on the provider's page, and wait until the service has heard of it."""
        checkout = visitor.submit(visitor.open("/subscription/").form(to="checkout"))
        visitor.submit(checkout.form(saying="Card"), press="Pay", card="4242424242424242")
        until(
            lambda: visitor.open("/subscription/").facts.get("data-plan") == "premium",
            "the confirmation of the payment",
        )

    def report(self) -> None:
        """Print what came out."""
        summary = json.loads((self.results / "summary.json").read_text())
        print("\nCounts")
        for name, count in _counts(summary):
            print(f"  {name:<40}{count:>8}")
        print("\nThe first annotated variants")
        for row in summary["preview"]:
            place = f"{row['contig']}:{row['pos']} {row['ref']}>{row['alt']}"
            change = row["amino_acid_change"] or "-"
            print(f"  {place:<28}{row['gene']:<12}{row['consequence']:<36}{change}")
        print("\nMails")
        for mail in self.mails():
            print(f"  to {', '.join(mail.to)}: {mail.subject}")
        seconds = sum(seconds for _, seconds in self.steps)
        print(f"\nEverything took {seconds:.1f} s. The results are in {self.results}")


def _counts(summary: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for name in ("records_in", "alleles", "annotated", "records_out"):
        yield name.replace("_", " "), summary[name]
    for reason, count in summary["flagged"].items():
        if count:
            yield f"not annotated: {reason}", count
    yield from sorted(summary["consequences"].items(), key=lambda item: -item[1])[:8]


def main() -> int:
    """Run the demo, unless it runs already."""
    end_in_order()
    try:
        with alone_in(FOLDER):
            return _in_an_empty_folder()
    except DidNotStart as failure:
        print(failure, file=sys.stderr)
        return 1


def _in_an_empty_folder() -> int:
    """Start from nothing, and stop everything afterwards."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("A VCF through the whole service:")
    stack = Stack(FOLDER, Ports.free(), TIMERS)
    try:
        Demo(stack, FOLDER / "results").run()
    except StepFailed as failure:
        print(f"\nFAILED at {failure}\nThe logs are in {FOLDER}", file=sys.stderr)
        return 1
    finally:
        stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
