"""The people of a run: they hand in files, stop jobs, change plans, and try until it works.

All at once, and each one thing after the other. They go through the pages as everybody does; what
they were told is what is checked afterwards.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import requests

from dev.chaos.samples import Sample
from dev.chaos.script import Errand, PlanChange, Script
from dev.chaos.town import Town
from dev.visitor import NotOnThePage, Page, Visitor
from dev.waiting import NotInTime, until

Done = TypeVar("Done")

#: Jobs queued or running at which the crowd waits before it hands in more.
MOST_AT_ONCE = 16
PATIENCE = 240.0
JOB_PAGE = re.compile(r"/jobs/(\d+)/")


@dataclass
class Told:
    """What the service told somebody about one errand."""

    errand: Errand
    filename: str
    job: int | None = None  # none when the file was refused at once
    asked_to_stop: bool = False
    was_stopped: bool = False  # the page said so


@dataclass
class Person:
    """One persona at the site."""

    name: str
    visitor: Visitor
    expected_plan: str = "free"

    def hand_in(self, file: Path) -> int | None:
        """Upload and submit a file; the number of its job, or none when it is refused."""
        page = patiently(lambda: self._begin(file.name), f"an upload of {file.name}")
        return patiently(lambda: self._push(page.url, file), f"the job of {file.name}") or None

    def _begin(self, filename: str) -> Page:
        page = self.visitor.open("/jobs/new/")
        begun = self.visitor.submit(page.form(to="/uploads/"), filename=filename)
        begun.form(with_file=True)
        return begun

    def _push(self, address: str, file: Path) -> int | None:
        """Take the next step that the page of an upload offers; none until there is an end."""
        page = self.visitor.open(address)
        if "has been deleted from our storage" in page.html:
            return 0
        if "This file was submitted" not in page.html:
            if form := next((form for form in page.forms if form.files), None):
                page = self.visitor.submit(form, upload=file)
            page = self.visitor.submit(page.form(to="/submit/"))
        found = JOB_PAGE.search(page.url) or JOB_PAGE.search(_main(page.html))
        return int(found[1]) if found and page.status == 200 else None

    def stop(self, told: Told) -> None:
        """Cancel a job if it can be cancelled still."""
        address = f"/jobs/{told.job}/"
        page = patiently(lambda: self._job_page(address), f"the page {address}")
        told.asked_to_stop = True
        try:
            page = self.visitor.submit(page.form(to="/cancel/"))
        except (NotOnThePage, requests.RequestException):
            return
        told.was_stopped = page.facts.get("data-status") == "cancelled"

    def _job_page(self, address: str) -> Page | None:
        page = self.visitor.open(address)
        return page if "data-status" in page.facts else None

    def be_called(self, url: str, events: Sequence[str]) -> None:
        """Make a webhook."""
        form = self.visitor.open("/account/webhooks/").form(saying="Make the webhook")
        page = self.visitor.submit(form, url=url, events=list(events))
        if "The webhook has been made" not in page.html:
            raise NotOnThePage(page.url)

    def change_plan(self, *, premium: bool) -> None:
        """Subscribe, or end the subscription, and wait until the site says so."""
        wanted = "premium" if premium else "free"
        act = self._subscribe if premium else self._unsubscribe
        patiently(lambda: self.plan() == wanted or (act() and self._comes(wanted)), wanted)
        self.expected_plan = wanted

    def plan(self) -> str:
        """The plan that the site shows."""
        page = self.visitor.open("/subscription/")
        if page.status != 200:
            raise NotOnThePage(page.url)
        return page.facts["data-plan"]

    def _comes(self, plan: str) -> bool:
        try:
            return until(lambda: self.plan() == plan, plan, seconds=10)
        except NotInTime:
            return False

    def _subscribe(self) -> bool:
        page = self.visitor.open("/subscription/")
        checkout = self.visitor.submit(page.form(to="checkout"))
        if "Already paid" not in checkout.html:
            form = checkout.form(saying="Card")
            self.visitor.submit(form, press="Pay", card="4242424242424242")
        return True

    def _unsubscribe(self) -> bool:
        page = self.visitor.open("/subscription/")
        portal = self.visitor.submit(page.form(to="portal"))
        for form in portal.forms:
            self.visitor.submit(form)
        return True


def _main(html: str) -> str:
    return html.partition("<h1")[2]


def patiently(act: Callable[[], Done | None], what: str) -> Done:
    """Try until it works, as somebody does who reloads a page that did not come."""

    def tried() -> Done | None:
        try:
            return act()
        except (requests.RequestException, NotOnThePage):
            time.sleep(0.3)
            return None

    deadline = time.monotonic() + PATIENCE
    while (done := tried()) is None or done is False:
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}: not within {PATIENCE:g} s")
    return done


@dataclass
class Crowd:
    """Everybody, each going through their part of a script in its order."""

    town: Town
    script: Script
    samples: Mapping[str, Sample]
    folder: Path
    told: list[Told] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    failure: BaseException | None = None
    most: int = 0  # files handed in at which everybody waits for a strike

    def sign_in(self, names: Sequence[str]) -> None:
        """Let everybody sign in, before anything fails."""
        for name in names:
            self.people[name] = Person(name, Visitor(self.town.site_url))
            self.people[name].visitor.sign_in(name)

    def start(self) -> threading.Thread:
        """Begin, in a thread of its own."""
        thread = threading.Thread(target=self._go, name="crowd", daemon=True)
        thread.start()
        return thread

    def _go(self) -> None:
        try:
            with ThreadPoolExecutor(len(self.people)) as together:
                list(together.map(self._run, self.people))
        except (NotInTime, KeyError, OSError) as error:
            self.failure = error

    def _run(self, name: str) -> None:
        to_stop = list[tuple[int, Told]]()
        changes = [change for change in self.script.changes if change.persona == name]
        for errand in [errand for errand in self.script.errands if errand.persona == name]:
            told = self._hand_in(errand)
            if errand.cancel_after is not None and told.job:
                to_stop.append((errand.number + errand.cancel_after, told))
            self._stop([told for due, told in to_stop if due <= errand.number])
            to_stop = [(due, told) for due, told in to_stop if due > errand.number]
            while changes and changes[0].after <= errand.number:
                self._change(changes.pop(0))
        self._stop([told for _, told in to_stop])
        for change in changes:
            self._change(change)

    def _hand_in(self, errand: Errand) -> Told:
        until(self._has_room, "fewer unfinished jobs", seconds=PATIENCE)
        sample = self.samples[errand.sample]
        file = self.folder / f"{errand.number:05d}-{sample.name}{sample.extension}"
        file.write_bytes(sample.content)
        told = Told(errand, file.name)
        told.job = self.people[errand.persona].hand_in(file)
        file.unlink()
        self.told.append(told)
        return told

    def _has_room(self) -> bool:
        unfinished = "SELECT count(*) FROM gas_job WHERE status IN ('queued', 'running')"
        try:
            return (
                len(self.told) < self.most and self.town.database.number(unfinished) < MOST_AT_ONCE
            )
        except self.town.database.faults:
            return False

    def _stop(self, due: Sequence[Told]) -> None:
        for told in due:
            self.people[told.errand.persona].stop(told)

    def _change(self, change: PlanChange) -> None:
        self.people[change.persona].change_plan(premium=change.is_premium)
