"""What a production answers a browser: flags of cookies, HSTS, https alone, a strict policy."""

import json
import os
import subprocess
import sys

import pytest

from dev import check_deploy
from dev.check_deploy import PRODUCTION
from gas.env import ROOT

ASK = """
import django, json
django.setup()
from django.conf import settings
from django.test import Client
def ask(path, **how):
    answer = Client(headers={"host": "gas.example.org"}).get(path, **how)
    cookies = {name: dict(cookie) for name, cookie in answer.cookies.items()}
    return {"status": answer.status_code, "headers": dict(answer.headers), "cookies": cookies}
settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
flags = ("SECURE", "HTTPONLY", "SAMESITE")
session = {flag: getattr(settings, f"SESSION_COOKIE_{flag}") for flag in flags}
print(json.dumps([ask("/login/", secure=True), ask("/login/"), session]))
"""


@pytest.fixture(scope="module")
def answers() -> list[dict[str, object]]:
    """The sign-in page of a production by https, and by http, and how its sessions are kept."""
    told = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "gas.settings"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[dict[str, object]] = json.loads(told.stdout.splitlines()[-1])
    return found


def headers(answer: dict[str, object]) -> dict[str, str]:
    found = answer["headers"]
    assert isinstance(found, dict)
    return found


def test_browsers_are_told_to_come_by_https_alone_for_a_year(
    answers: list[dict[str, object]],
) -> None:
    by_https, by_http, _ = answers
    assert headers(by_https)["Strict-Transport-Security"] == (
        "max-age=31536000; includeSubDomains; preload"
    )
    assert (by_http["status"], headers(by_http)["Location"]) == (
        301,
        "https://gas.example.org/login/",
    )


def test_cookies_go_by_https_alone_and_not_to_other_sites(
    answers: list[dict[str, object]],
) -> None:
    by_https, _, session = answers
    cookies = by_https["cookies"]
    assert isinstance(cookies, dict)
    assert (cookies["csrftoken"]["secure"], cookies["csrftoken"]["samesite"]) == (True, "Lax")
    assert session == {"SECURE": True, "HTTPONLY": True, "SAMESITE": "Lax"}


def test_pages_are_framed_sniffed_and_referred_by_nobody(
    answers: list[dict[str, object]],
) -> None:
    found = headers(answers[0])
    assert "frame-ancestors 'none'" in found["Content-Security-Policy"]
    assert "upgrade-insecure-requests" in found["Content-Security-Policy"]
    assert "unsafe" not in found["Content-Security-Policy"]
    assert found["X-Frame-Options"] == "DENY"
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Referrer-Policy"] == "same-origin"


def test_a_production_has_no_deployment_warning() -> None:
    """The fewest settings that start a production are safe ones."""
    assert check_deploy.main() == 0


def test_no_production_lets_webhooks_lead_to_itself() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import gas.settings"],
        env={**os.environ, **PRODUCTION, "GAS_WEBHOOK_LOOPBACK": "yes"},
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "GAS_WEBHOOK_LOOPBACK must be no in production." in told.stderr
