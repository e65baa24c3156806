"""Take the pictures of the user guide: the real service, in Debian's Chromium.

    python -m dev.take_pictures

Takes six minutes, five of which are those after which results move to the archive.
"""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from dev.make_example import EXAMPLE
from dev.stack import Ports, Stack

FOLDER = Path(__file__).resolve().parent.parent / "docs/images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu"]
PATIENCE = 600_000  # milliseconds until results are in the archive, on a busy machine
MOST_BYTES = 150_000
SIZE: ViewportSize = {"width": 1100, "height": 760}
PICTURES = ("sign-in", "new-job", "subscription", "job", "variants", "archived")


def take_all(page: Page) -> None:
    """Go through the site as the guide tells it, and take each picture on the way."""
    expect.set_options(timeout=PATIENCE)
    page.goto("/login/")
    _take(page, "sign-in")
    page.get_by_role("button", name="Continue with Globus").click()
    page.get_by_role("button", name="Free researcher").click()
    page.get_by_role("link", name="New job").first.click()
    page.get_by_label("Choose a VCF").set_input_files(EXAMPLE)
    page.get_by_label("Name of the job").fill("Trio 7, chr16 and mtDNA")
    _take(page, "new-job")
    page.get_by_role("button", name="Upload and annotate").click()
    expect(page.get_by_role("heading", name="Results are ready")).to_be_visible()
    job = page.url
    expect(page.locator("[data-seconds]")).to_have_text(re.compile(r"\d:\d\d"))
    _take(page, "job")
    page.get_by_role("link", name="Browse and filter the variants").click()
    page.get_by_label("Gene", exact=True).fill("PDIA2")
    page.get_by_role("button", name="Show variants").click()
    expect(page.get_by_role("heading", name="match")).to_be_visible()
    _take(page, "variants")
    page.goto("/subscription/")
    _take(page, "subscription")
    page.goto(job)
    expect(page.get_by_role("heading", name="In the archive")).to_be_visible()
    _take(page, "archived")


def _take(page: Page, name: str) -> None:
    page.evaluate("() => scrollTo(0, 0)")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    print(f"  {path.name:<20}{size:>8} bytes", flush=True)
    if size > MOST_BYTES:
        sys.exit(f"{path.name} is larger than {MOST_BYTES} bytes.")


def main() -> None:
    """Start the service with its usual timers, and take every picture."""
    FOLDER.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        Stack(Path(folder), Ports.free()) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            base_url=stack.site_url, locale="en-GB", color_scheme="light", viewport=SIZE
        )
        take_all(page)
        browser.close()


if __name__ == "__main__":
    main()
