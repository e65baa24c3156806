"""The parameters of a filter, for the document: the same language as the table's on the pages."""

from typing import Any

from annotator.consequence import RANK
from gas.filter_form import IMPACTS, MOST_VALUES
from gas.results.scan import Sort


def _parameter(name: str, what: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {
        "in": "query",
        "name": name,
        "required": False,
        "description": what,
        "schema": schema,
        "example": example,
    }


def _words(name: str, what: str, example: str) -> dict[str, Any]:
    return _parameter(name, what, {"type": "string"}, example)


def _several(name: str, what: str, example: str, words: list[str] | None = None) -> dict[str, Any]:
    item = {"type": "string", "maxLength": 100} | ({"enum": words} if words else {})
    return _parameter(
        name, what, {"type": "array", "items": item, "maxItems": MOST_VALUES}, [example]
    )


def _share(name: str, what: str) -> dict[str, Any]:
    return _parameter(name, what, {"type": "number", "minimum": 0, "maximum": 1}, 0.01)


#: One box of a filter.
FILTER = [
    _words("gene", "Names of genes, with commas or blanks between them.", "PDIA2,AXIN1"),
    _words("region", "Regions, with blanks or semicolons between them.", "chr16:283,000-290,000"),
    _words("id", "Ids of the file or of a known variant.", "rs1"),
    _parameter(
        "known",
        "Known to a source, or to none.",
        {"type": "string", "enum": ["yes", "no", ""]},
        "yes",
    ),
    _several("impact", "Impacts.", "HIGH", list(IMPACTS)),
    _several("consequence", "Sequence Ontology terms.", "missense_variant", list(RANK)),
    _share("af_max", "Allele frequency at most."),
    _share("af_min", "Allele frequency at least."),
    _parameter("unseen", "Never seen by the source of frequencies.", {"type": "boolean"}, True),
    _several("clinvar", "Words of ClinVar's significance; a dot: none.", "Pathogenic"),
    _several("filter", "Words of the file's FILTER; a dot: none.", "PASS"),
]

#: The same for pages of variants.
IN_PAGES = [
    *FILTER,
    _parameter(
        "sort",
        "What comes first, descending with a minus; empty cells come last.",
        {"type": "string", "enum": [f"{sign}{by}" for by in Sort for sign in ("", "-")]},
        "position",
    ),
    _parameter(
        "cursor",
        "`next_cursor` of the page before, with the same filter.",
        {"type": "string", "maxLength": 500},
        None,
    ),
]
IN_PAGES[-1].pop("example")
