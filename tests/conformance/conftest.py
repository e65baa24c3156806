"""How real: the annotator as people start it, on real files and on files meant to harm."""

from collections.abc import Iterator

import pytest

from annotator import download
from annotator.bundles import Bundle
from tests.conformance.references import install_chr21
from tests.conformance.shelf import Shelf, files, serving


@pytest.fixture(scope="session")
def chr21(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The piece of chromosome 21 with its dbSNP, installed through a manifest of its own."""
    return install_chr21(tmp_path_factory.mktemp("chr21"))


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    with serving(Shelf(files())) as shelf:
        yield shelf
