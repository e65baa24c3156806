"""Visits to the whole service: who comes, how they sign in, and how long things may take."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dev.demo import TIMERS
from dev.stack import Ports, Stack

PATIENCE = 120_000  # milliseconds: a job, or a thaw, from end to end on a busy machine


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service, with results that stay until somebody has downloaded them."""
    settings = TIMERS | {"GAS_FREE_RETENTION": "45s", "GAS_PART_MIB": "5"}
    with Stack(tmp_path_factory.mktemp("stack"), Ports.free(), settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Somebody at the site's front page; the test fails when a page broke its own policy."""
    context = browser.new_context(base_url=stack.site_url, locale="en-GB")
    complaints: list[str] = []
    opened = context.new_page()
    opened.on(
        "console", lambda said: complaints.append(said.text) if said.type == "error" else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto("/")
    yield opened
    context.close()
    assert [said for said in complaints if "Failed to load resource" not in said] == []


def sign_in(page: Page, persona: str) -> None:
    """Come in by Globus as one of the people it knows."""
    page.get_by_role("link", name="Sign in with Globus").click()
    page.get_by_role("button", name="Continue with Globus").click()
    page.get_by_role("button", name=persona).click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()


def breaking_after(most: int, route: Route, sent: list[str]) -> None:
    """Let so many requests through to storage; for all others the connection breaks."""
    if len(sent) < most:
        sent.append(route.request.url)
        route.continue_()
    else:
        route.abort("connectionreset")
