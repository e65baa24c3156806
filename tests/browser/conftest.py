"""How real: Debian's Chromium on our own pages; S3 is a shelf, unless a test starts the stack."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from gas.models import User
from tests.browser.visits import PATIENCE
from tests.stage import Shelf

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"

# Playwright runs an event loop in the test's thread, beside which Django refuses to use a database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# What a page promises must be seen in this time, on a busy machine.
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield launched
    launched.close()


@dataclass
class Window:
    """One person's browser, which remembers everything that the pages complained about."""

    context: BrowserContext
    site: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Page:
        """Open a page of the site in a new tab."""
        page = self.context.new_page()
        page.on("console", lambda said: self.complain(said.type, said.text))
        page.on("pageerror", lambda error: self.complain("error", str(error)))
        answer = page.goto(self.site + path)
        assert answer is not None
        assert answer.status == status
        return page

    def complain(self, kind: str, text: str) -> None:
        """Note what a script, or the content security policy, found wrong."""
        if kind in {"error", "warning"} and "Failed to load resource" not in text:
            self.complaints.append(text)

    def sign_in(self, user: User) -> "Window":
        """Take a session without going through Globus."""
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.site}]
        )
        return self


def new_context(browser: Browser) -> BrowserContext:
    """Open a browser profile of its own."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def window(browser: Browser, live_server: LiveServer) -> Iterator[Window]:
    """A browser of somebody not signed in; its test fails when a page complained."""
    context = new_context(browser)
    opened = Window(context, live_server.url)
    yield opened
    context.close()
    assert opened.complaints == []


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    made.use(monkeypatch)
    return made


def violations(page: Page, *, rules: Sequence[str] = ()) -> list[str]:
    """Run axe-core (WCAG 2.2 A and AA, and best practices) on what is shown now, or some rules."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    run = "async options => (await axe.run(options)).violations"
    found: list[dict[str, Any]] = page.evaluate(run, options)
    return [
        f"{rule['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for rule in found
        for node in rule["nodes"]
    ]
