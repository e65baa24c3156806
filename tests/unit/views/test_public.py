"""The pages that tell what the service does before anyone signs in."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from annotator.bundles import DEMO, Bundle, VepCache, load
from gas.services import reference

PAGES = ("/", "/about/")


def page(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode()


def with_cache() -> Bundle:
    return replace(load(DEMO), vep=VepCache(Path("vep"), 115))


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_the_limits_told_are_those_of_the_engine_in_use(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "No HGVS names" in page(path)
    monkeypatch.setattr(reference, "in_use", with_cache)
    assert "No HGVS names" not in page(path)
    assert "Ensembl 115, as VEP tells it" in page(path)


@pytest.mark.django_db
def test_the_field_told_is_the_one_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "<dt>BCSQ</dt>" in page("/about/")
    monkeypatch.setattr(reference, "in_use", with_cache)
    assert "<dt>CSQ</dt>" in page("/about/")
    assert "<dt>BCSQ</dt>" not in page("/about/")
