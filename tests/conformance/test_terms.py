"""Our table of consequences against Ensembl's own, as it publishes it."""

import json

import pytest

from annotator.consequence import IMPACT, RANK
from tests.conformance.references import DATA

PUBLISHED = DATA / "vocab" / "vep_consequences.json"


@pytest.mark.skipif(not PUBLISHED.exists(), reason="Ensembl's table lies beside the project")
def test_terms_impacts_and_order_are_those_of_ensembl() -> None:
    published = json.loads(PUBLISHED.read_text())["terms"]
    assert {term["SO_term"]: term["impact"] for term in published} == IMPACT
    ranked = sorted(published, key=lambda term: (int(term["rank"]), RANK[term["SO_term"]]))
    assert [term["SO_term"] for term in ranked] == list(RANK)
