"""How real: the annotator as people start it, on real files and on files meant to harm."""

from collections.abc import Iterator

import pytest

from annotator import download
from tests.conformance.shelf import Shelf, files, serving


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    with serving(Shelf(files())) as shelf:
        yield shelf
