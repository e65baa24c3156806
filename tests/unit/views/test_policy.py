"""The content security policy, and the files that pages load under it."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.test import Client

from gas import policy
from gas.storage import clients, objects, parts
from gas.storage.locations import Location

VENDOR = settings.ROOT / "gas/static/vendor"


@pytest.mark.django_db
def test_pages_allow_nothing_inline_and_nobody_elses_scripts(client: Client) -> None:
    header = client.get("/")["Content-Security-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in header.split(";"))
    assert "unsafe" not in header
    assert "*" not in header
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert settings.GLOBUS_AUTH_URL in rules["form-action"]
    assert all(page in rules["form-action"] for page in settings.STRIPE_PAGES)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/help/", "/login/", "/nothing/"])
def test_pages_hold_no_inline_code(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"\s(style|on\w+)=", page)
    assert "<style" not in page


@pytest.mark.parametrize(
    ("region", "addressing", "bucket", "endpoint"),
    [
        ("us-east-1", "auto", "gas-inputs", None),
        ("eu-west-1", "auto", "gas-inputs", None),
        ("eu-west-1", "virtual", "gas-inputs", None),
        ("eu-west-1", "path", "gas-inputs", None),
        ("eu-west-1", "auto", "gas.inputs", None),
        ("us-east-1", "path", "gas.inputs", None),
        ("us-east-1", "auto", "gas-inputs", "http://127.0.0.1:4566"),
        ("us-east-1", "path", "gas-inputs", "https://s3.example.org"),
        ("us-east-1", "virtual", "gas-inputs", "https://s3.example.org"),
    ],
)
def test_the_policy_allows_where_uploads_really_go(
    monkeypatch: pytest.MonkeyPatch,
    region: str,
    addressing: str,
    bucket: str,
    endpoint: str | None,
) -> None:
    monkeypatch.setattr(settings, "AWS_REGION", region)
    monkeypatch.setattr(settings, "AWS_S3_ADDRESSING", addressing)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    clients.forget()
    form = objects.presign_upload(Location(bucket, "inputs/1/2/input.vcf"), max_bytes=10)
    part = parts.presign(
        Location(bucket, "inputs/1/2/input.vcf"), "id", number=1, size=1, sha256="55" * 32
    )
    clients.forget()
    allowed = policy.upload_sources(bucket=bucket, region=region, endpoint=endpoint)
    for sources, url in ((allowed, form.url), (policy.part_sources(allowed), part.url)):
        assert any(_allows(source, url) for source in sources), url
        assert not any(_allows(source, url.replace(bucket, "anothers")) for source in sources)
        assert not any(_allows(source, "https://example.org/") for source in sources)


def _allows(source: str, url: str) -> bool:
    """Tell whether a source expression covers an address (CSP level 3, section 6.7.2.8)."""
    one, other = urlsplit(source), urlsplit(url)
    below = one.path.endswith("/") and other.path.startswith(one.path)
    same_path = below or one.path in ("", other.path)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc) and same_path


def test_vendored_files_are_the_ones_that_were_noted() -> None:
    noted = dict(re.findall(r"^\| `([^`]+)` \|.*`(\w{64})` \|$", _readme(), re.MULTILINE))
    found = {
        str(file.relative_to(VENDOR)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.rglob("*")
        if file.suffix in {".css", ".js", ".woff2"}
    }
    assert found == noted


def _readme() -> str:
    return (VENDOR / "README.md").read_text()


def test_every_file_that_a_page_or_style_names_is_there(tmp_path: Path) -> None:
    templates = (settings.ROOT / "templates").rglob("*.html")
    named = {
        name for page in templates for name in re.findall(r"{% static '(.+?)' %}", page.read_text())
    }
    assert named
    assert [name for name in named if finders.find(name) is None] == []
    for sheet in (settings.ROOT / "gas/static/css").glob("*.css"):
        for address in re.findall(r'url\("(.+?)"\)', sheet.read_text()):
            assert (sheet.parent / address).is_file()


def test_every_icon_that_a_page_names_is_drawn() -> None:
    drawn = set(
        re.findall(r'<symbol id="(\w+)"', (settings.ROOT / "gas/static/icons.svg").read_text())
    )
    pages = "".join(page.read_text() for page in (settings.ROOT / "templates").rglob("*.html"))
    assert set(re.findall(r'{% icon "(\w+)" %}', pages)) == drawn


def test_the_static_files_can_be_given_hashed_names(tmp_path: Path) -> None:
    storage = ManifestStaticFilesStorage(location=str(tmp_path), base_url="/static/")
    source = settings.ROOT / "gas/static"
    found = {}
    for file in source.rglob("*"):
        if file.is_file():
            name = str(file.relative_to(source))
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(file.read_bytes())
            found[name] = (storage, name)
    failed = [error for _, _, error in storage.post_process(found) if isinstance(error, Exception)]
    assert failed == []
