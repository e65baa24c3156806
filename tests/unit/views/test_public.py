"""The pages that tell what the service does before anyone signs in."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils.html import escape

from annotator.alleles import Reason
from annotator.bundles import DEMO, Bundle, VepCache, load
from annotator.consequence import IMPACT
from annotator.table import SCHEMA
from gas.models import User
from gas.services import reference
from gas.templatetags.guidance import PLACES, help_on
from gas.views.help.pages import TOPICS, Topic
from gas.views.help.refusals import REFUSALS

pytestmark = pytest.mark.django_db

PAGES = ("/", "/help/limits/")


def page(path: str, client: Client | None = None) -> str:
    response = (client or Client()).get(path)
    assert response.status_code == 200
    return response.content.decode()


def with_cache() -> Bundle:
    return replace(load(DEMO), vep=VepCache(Path("vep"), 115))


def installed_with_cache() -> tuple[Bundle, ...]:
    return (with_cache(),)


@pytest.mark.parametrize("path", PAGES)
def test_the_limits_told_are_those_of_the_engine_in_use(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No HGVS names" in page(path)
    monkeypatch.setattr(reference, "in_use", with_cache)
    assert "No HGVS names" not in page(path)
    assert "Ensembl 115, as VEP tells it" in page(path)


def test_the_fields_and_columns_of_vep_are_told_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = page("/help/files/")
    assert "<code>BCSQ</code>" in plain
    assert "<code>CSQ</code>" not in plain
    assert 'id="hgvsp"' not in plain
    monkeypatch.setattr(reference, "installed", installed_with_cache)
    both = page("/help/files/")
    assert "<code>CSQ</code>" in both
    assert 'id="hgvsp"' in both


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_opens_for_everybody_and_is_listed(topic: Topic, owner: User) -> None:
    signed_in = Client()
    signed_in.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    path = f"/help/{topic.name}/"
    assert f'href="{path}"' in page("/help/")
    for client in (None, signed_in):
        assert f"<h1>{topic.title}</h1>" in page(path, client)


def test_a_topic_that_does_not_exist_is_not_found(client: Client) -> None:
    assert client.get("/help/nothing/").status_code == 404


def test_every_consequence_and_reason_and_column_has_a_place_to_link_to() -> None:
    for path, names in (
        ("/help/consequences/", [*IMPACT, "HIGH", "MODERATE", "LOW", "MODIFIER"]),
        ("/help/unannotated/", [reason.value for reason in Reason]),
        ("/help/files/", SCHEMA.names),
    ):
        told = page(path)
        for name in names:
            assert told.count(f'id="{name}"') == 1, name


def test_every_sentence_of_a_refusal_stands_in_the_help() -> None:
    told = page("/help/input/")
    for kind in REFUSALS:
        for sentence in kind.sentences:
            assert f"<li>{escape(sentence)}</li>" in told


@pytest.mark.parametrize("path", ["/", "/help/", *(f"/help/{topic.name}/" for topic in TOPICS)])
def test_every_link_of_a_public_page_leads_somewhere(path: str, client: Client) -> None:
    told = page(path, client)
    for address in set(re.findall(r'href="([^"]+)"', told)):
        target, _, anchor = unescape(address).partition("#")
        if target.startswith(("http:", "https:")):
            continue
        if target.startswith("/static/"):
            assert finders.find(target.removeprefix("/static/"))
            continue
        content = page(target, client) if target else told
        assert not anchor or f'id="{anchor}"' in content, address


@pytest.mark.parametrize("word", PLACES)
def test_what_pages_show_is_explained_where_their_links_lead(word: str) -> None:
    path, _, place = help_on(word).partition("#")
    assert f'id="{place}"' in page(path)


def test_what_needs_no_explanation_has_no_link() -> None:
    assert help_on("genes") == ""
