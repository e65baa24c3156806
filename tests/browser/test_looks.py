"""Every page in every state: nothing for axe-core to find, no sideways scrolling, and pictures.

GAS_SHOTS names the folder for the pictures; without it none are taken.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect
from pytest_django.live_server_helper import LiveServer

from gas.models import Job, ResultFile, Status, Subscription, User
from gas.services.jobs import EXAMPLE
from gas.views import errors
from gas.views.help.pages import TOPICS
from tests.browser.conftest import Window, new_context, violations
from tests.stage import Shelf, job_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plans")]

SHOTS = os.environ.get("GAS_SHOTS")
WIDTHS = (1280, 700, 320)  # the narrowest last: it has the most to find
COLOURS = ("color-contrast", "link-in-text-block")
HELP = [f"/help/{topic.name}/" for topic in TOPICS]


@pytest.fixture(scope="session")
def lasting(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for all looks, which has loaded styles and fonts before: half the work."""
    context = new_context(browser)
    yield context
    context.close()


@pytest.fixture
def window(lasting: BrowserContext, live_server: LiveServer) -> Iterator[Window]:
    """A window of somebody not signed in; its test fails when a page complained."""
    opened = Window(lasting, live_server.url)
    yield opened
    for page in lasting.pages[1:]:  # without any, the next would begin with a new process
        page.close()
    lasting.clear_cookies()
    assert opened.complaints == []


@pytest.fixture(scope="session")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the annotator makes of the example."""
    folder = tmp_path_factory.mktemp("outputs")
    command = ["annotator", "run", str(EXAMPLE), str(folder), "--bundle", str(settings.BUNDLE)]
    subprocess.run([sys.executable, "-m", *command], cwd=settings.ROOT, check=True)
    return {kind: (folder / name).read_bytes() for kind, name in ResultFile.NAMES.items()}


def a_file(name: str, content: bytes) -> FilePayload:
    """A file that somebody chooses."""
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def look_at(page: Page, name: str) -> None:
    """Look at a page in both themes where it is narrowest, and at its width everywhere.

    What axe-core tells of the dark theme is the colours: all else it has told of the light one.
    """
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        sideways = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        wrong += [f"{width}: {sideways} px too wide"] if sideways > 0 else []
    for theme, rules in (("dark", COLOURS), ("light", ())):
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        wrong += [f"{theme}: {found}" for found in violations(page, rules=rules)]
    if SHOTS:
        take_pictures(page, name)
    assert wrong == []


def take_pictures(page: Page, name: str) -> None:
    """Take a picture of a page in both themes and all widths."""
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}/{name}-{theme}-{width}.png", full_page=True)


@pytest.mark.parametrize("path", ["/", "/login/", "/terms/", "/help/", "/help/api/", *HELP])
def test_public_pages(window: Window, path: str) -> None:
    look_at(window.open(path), path.strip("/").replace("/", "-") or "home")


def test_the_landing_page_of_somebody_signed_in(window: Window, owner: User) -> None:
    page = window.sign_in(owner).open("/")
    assert page.get_by_role("link", name="Your jobs").is_visible()
    look_at(page, "home-signed-in")


def test_the_help_shows_the_term_that_a_link_names(window: Window) -> None:
    page = window.open("/help/consequences/#stop_lost")
    expect(page.locator("#stop_lost")).to_be_in_viewport()
    assert page.locator("#stop_lost").evaluate("shown => shown.matches(':target')")


def test_a_page_that_does_not_exist(window: Window) -> None:
    look_at(window.open("/nothing/", status=404), "not-found")


def test_the_page_of_our_own_failures(window: Window) -> None:
    broken = errors.page(RequestFactory().get("/"), 500).content.decode()
    page = window.open("/login/")
    page.route("**/broken/", lambda route: route.fulfill(body=broken, content_type="text/html"))
    page.goto(f"{window.site}/broken/")
    look_at(page, "failure")


def test_paper_is_light_and_bare_whatever_the_theme(window: Window) -> None:
    page = window.open("/help/consequences/")
    page.evaluate("() => document.documentElement.dataset.bsTheme = 'dark'")
    ink = "() => getComputedStyle(document.querySelector('h1')).color"
    on_screen = page.evaluate(ink)
    page.emulate_media(media="print")
    assert page.evaluate(ink) != on_screen
    page.evaluate("() => document.documentElement.dataset.bsTheme = 'light'")
    page.emulate_media(media="screen")
    on_light_screen = page.evaluate(ink)
    page.emulate_media(media="print")
    assert page.evaluate(ink) == on_light_screen
    assert not page.get_by_role("navigation").first.is_visible()


def test_where_the_system_sets_colours_impacts_keep_their_shapes(window: Window) -> None:
    page = window.open("/help/consequences/")
    page.emulate_media(forced_colors="active")
    mark = "() => getComputedStyle(document.querySelector('.impact-high'), '::before')"
    assert page.evaluate(f"{mark}.backgroundColor") == "rgb(192, 58, 43)"


@pytest.mark.parametrize("status", Status)
def test_a_job_in_each_state(
    window: Window, owner: User, shelf: Shelf, outputs: dict[str, bytes], status: Status
) -> None:
    job = job_in(status, owner=owner, shelf=shelf, outputs=outputs, name="Trio 7, exome, batch 3")
    look_at(window.sign_in(owner).open(f"/jobs/{job.pk}/"), f"job-{status}")


def test_a_job_with_a_name_that_never_ends(window: Window, owner: User, shelf: Shelf) -> None:
    name = 200 * "W"
    job = job_in(Status.FAILED, owner=owner, shelf=shelf, name=name, filename=name, failure=name)
    signed_in = window.sign_in(owner)
    look_at(signed_in.open(f"/jobs/{job.pk}/"), "job-long")
    look_at(signed_in.open("/jobs/"), "jobs-long")


def test_the_log(window: Window, owner: User, shelf: Shelf, outputs: dict[str, bytes]) -> None:
    job = job_in(Status.COMPLETED, owner=owner, shelf=shelf, outputs=outputs)
    look_at(window.sign_in(owner).open(f"/jobs/{job.pk}/log/"), "log")


def test_the_list_of_jobs(window: Window, owner: User, shelf: Shelf) -> None:
    names = [
        "Trio 7, exome",
        "Founders",
        "mtDNA panel",
        "Pilot",
        "cohort-a.vcf.gz",
        "Test",
        "chr16",
    ]
    for age, status in enumerate([*Status, *Status, *Status]):
        name = names[age % len(names)]
        job_in(status, owner=owner, shelf=shelf, name=name, ago=timedelta(hours=90 - 3 * age))
    signed_in = window.sign_in(owner)
    look_at(signed_in.open("/jobs/"), "jobs")
    none = signed_in.open("/jobs/?q=nothing&since=2026-01-01")
    none.get_by_label("to", exact=True).fill("2026-02-01")
    look_at(none, "jobs-no-match")
    ticked = "&".join(f"job={job.pk}" for job in Job.objects.all()[:9])
    look_at(signed_in.open(f"/jobs/chosen/?verb=cancel&{ticked}"), "jobs-chosen")


def test_the_empty_list_of_jobs(window: Window, owner: User) -> None:
    look_at(window.sign_in(owner).open("/jobs/"), "jobs-empty")


def _free(owner: User, shelf: Shelf) -> None:
    job_in(Status.ARCHIVED, owner=owner, shelf=shelf)


def _premium(owner: User, shelf: Shelf) -> None:
    User.objects.filter(pk=owner.pk).update(plan="premium")
    Subscription.objects.create(
        user=owner, customer_id="c", provider_id="s", started_at=timezone.now()
    )


@pytest.mark.parametrize(
    ("name", "arrange", "query"),
    [
        ("free", _free, ""),
        ("waiting", _free, "?returned=paid"),
        ("given-up", _free, "?returned=cancelled"),
        ("premium", _premium, ""),
        ("arrived", _premium, "?returned=paid"),
    ],
)
def test_the_subscription(
    window: Window,
    owner: User,
    shelf: Shelf,
    name: str,
    arrange: Callable[[User, Shelf], None],
    query: str,
) -> None:
    arrange(owner, shelf)
    look_at(window.sign_in(owner).open(f"/subscription/{query}"), f"subscription-{name}")


def test_the_account_menu(window: Window, owner: User) -> None:
    owner.first_name, owner.last_name = "Free", "Researcher"
    owner.save()
    page = window.sign_in(owner).open("/jobs/")
    page.get_by_role("button", name="Free Researcher").click()
    assert page.get_by_role("button", name="Sign out").is_visible()
    look_at(page, "menu")
    assert Job.objects.count() == 0
