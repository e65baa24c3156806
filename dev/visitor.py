"""A person at the site without a browser: reads pages, fills in their forms, follows redirects.

The demo and the pipeline's tests use the service through this, so that they use it as people do.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests

SECONDS = 60


class NotOnThePage(Exception):
    """The page lacks what the visitor looked for."""


@dataclass
class Form:
    """One form of a page: where it goes, its fields, and what its buttons say."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    text: str = ""
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects the forms of a page, and the `data-` attributes that say what state it is in."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.forms, self.facts = url, list[Form](), dict[str, str]()
        self._button: tuple[str, str] | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.facts |= {n: v for n, v in given.items() if n.startswith("data-")}
        if tag == "form":
            action = urljoin(self.url, given.get("action") or self.url)
            self.forms.append(Form(action, given.get("method", "get").lower()))
            self._inside = True
        elif self._inside and tag in {"input", "button", "textarea", "select"}:
            self._take(tag, given)

    def _take(self, tag: str, given: dict[str, str]) -> None:
        form, name, kind = self.forms[-1], given.get("name", ""), given.get("type", "")
        if tag == "button" or kind == "submit":
            self._button = (name, given.get("value", ""))
            form.buttons[given.get("value", "")] = self._button
        elif kind == "file":
            form.files.append(name)
        elif name and (kind not in {"radio", "checkbox"} or "checked" in given):
            form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        if tag == "button":
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.forms[-1].text += data
            if self._button and data.strip():
                self.forms[-1].buttons[data.strip()] = self._button


@dataclass
class Page:
    """What the visitor sees."""

    url: str
    status: int
    html: str
    forms: list[Form]
    facts: dict[str, str]

    @classmethod
    def of(cls, answer: requests.Response) -> Self:
        """Read an answer of a server."""
        reader = _Reader(answer.url)
        reader.feed(answer.text)
        return cls(answer.url, answer.status_code, answer.text, reader.forms, reader.facts)

    def form(self, *, to: str = "", saying: str = "", with_file: bool = False) -> Form:
        """The first form that goes to such a path, says such words, or takes a file."""
        for form in self.forms:
            if to in form.action and saying in form.text and (bool(form.files) or not with_file):
                return form
        raise NotOnThePage(f"{self.url} ({self.status}) has no form to {to!r} saying {saying!r}")


class Visitor:
    """One person with one browser session."""

    def __init__(self, site: str) -> None:
        self.site = site
        self._session = requests.Session()

    def open(self, address: str) -> Page:
        """Go to an address, or a path of the site."""
        return Page.of(self._session.get(urljoin(self.site, address), timeout=SECONDS))

    def submit(
        self, form: Form, *, press: str = "", upload: Path | None = None, **fields: str | list[str]
    ) -> Page:
        """Fill in a form, press a button of it, and see what comes."""
        data = form.fields | fields
        if press:
            name, value = form.buttons[press]
            data |= {name: value} if name else {}
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.site))
        headers = {"Referer": f"{origin}/", "Origin": origin}
        if upload is None:
            sent = self._session.request(
                form.method, form.action, data=data, headers=headers, timeout=SECONDS
            )
            return Page.of(sent)
        with upload.open("rb") as body:
            files = {form.files[0]: (upload.name, body)}
            sent = self._session.post(
                form.action, data=data, files=files, headers=headers, timeout=SECONDS
            )
        return Page.of(sent)

    def sign_in(self, persona: str, *, to: str = "/jobs/") -> Page:
        """Sign in as one of the people that the fake Globus knows, on the way to a page."""
        consent = self.submit(self.open(f"/login/?next={to}").form(to="globus"))
        return self.submit(consent.form(saying=persona), press=persona)

    def upload(self, file: Path) -> Page:
        """Upload a file the way it goes without JavaScript; returns the page that comes then."""
        chosen = self.submit(self.open("/jobs/new/").form(to="/uploads/"), filename=file.name)
        return self.submit(chosen.form(with_file=True), upload=file)

    def annotate(self, file: Path) -> Page:
        """Upload a file and ask for its annotation; returns the page of the job."""
        return self.submit(self.upload(file).form(to="/submit/"))

    def download(self, address: str, to: Path) -> None:
        """Save what an address leads to."""
        answer = self._session.get(urljoin(self.site, address), timeout=SECONDS)
        answer.raise_for_status()
        to.write_bytes(answer.content)
