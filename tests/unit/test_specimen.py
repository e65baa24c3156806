"""The figures on the landing page are those of the annotator."""

import pytest

from dev import make_specimen
from dev.make_specimen import COMPONENTS, Result


@pytest.fixture(scope="module")
def result() -> Result:
    """What the annotator makes of the example now."""
    return make_specimen.annotated()


@pytest.mark.parametrize("name", ["gene_track.html", "specimen.html", "specimen_counts.html"])
def test_what_the_landing_page_shows_is_what_the_annotator_finds(result: Result, name: str) -> None:
    assert (COMPONENTS / name).read_text() == make_specimen.components(result)[name]
