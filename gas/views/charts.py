"""The counts of summary.json as charts: what each counts, its rows, and what they add up to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Rows of a chart; a file may bring any number of contigs.
MOST = 60

#: Classes of change, by the words of summary.json.
_CLASSES = {
    "snv": "Single bases",
    "ins": "Insertions",
    "del": "Deletions",
    "mnv": "Several bases in a row",
    "other": "Other changes",
}

#: Why the engine leaves an allele alone, by the reasons of summary.json.
_REASONS = {
    "breakend": "Breakends of rearrangements",
    "symbolic": "Symbolic alleles such as <DEL>",
    "star": "Alleles missing because of a deletion upstream (*)",
    "iupac": "Ambiguous bases (IUPAC codes)",
    "contig": "On a sequence that the reference lacks",
    "ref_mismatch": "REF differs from the reference",
    "malformed": "Lines that are no proper record",
}

Counts = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One count, its name, its part of the largest one beside it and of all, in percent."""

    name: str
    count: int
    percent: int
    share: float


@dataclass(frozen=True)
class Chart:
    """Counts of one kind; `counted` says of what, `total` is what all of them add up to."""

    key: str
    title: str
    counted: str
    rows: list[Row]
    total: int
    more: int = 0
    kind: str = "plain"


def plain(term: str) -> str:
    """Write a Sequence Ontology term as words: `missense_variant` is a missense variant."""
    return term.replace("_", " ")


def chart(
    key: str,
    title: str,
    counted: str,
    counts: Mapping[str, int],
    *,
    most: int = MOST,
    kind: str = "plain",
) -> Chart:
    """Make a chart of the first counts; the others are in its total."""
    largest = max(counts.values(), default=0) or 1
    total = sum(counts.values())
    rows = [
        Row(name, n, round(100 * n / largest), 100 * n / (total or 1))
        for name, n in list(counts.items())[:most]
    ]
    return Chart(key, title, counted, rows, total, max(0, len(counts) - most), kind)


def every(counts: Counts, *, most: int = MOST) -> list[Chart]:
    """Return all charts that a summary has counts for, in the order of the page."""
    made = [make(counts, most) for make in _CHARTS]
    return [one for one in made if one is not None and one.rows]


def _chart_of(
    key: str,
    title: str,
    counted: str,
    say: Callable[[str], str] = str,
    *,
    name: str = "",
    kind: str = "plain",
) -> Callable[[Counts, int], Chart | None]:
    """Return what makes the chart of one key of summary.json, if that is there."""

    def make(counts: Counts, most: int) -> Chart | None:
        found = counts.get(name or key)
        if found is None:
            return None
        named = {say(word): n for word, n in found.items()}
        return chart(key, title, counted, named, most=most, kind=kind)

    return make


def _named(names: dict[str, str]) -> Callable[[str], str]:
    return lambda word: names.get(word, word)


def _ti_tv(counts: Counts, most: int) -> Chart | None:
    if "ti" not in counts:
        return None
    both = {"Transitions (A/G and C/T)": counts["ti"], "Transversions (all other)": counts["tv"]}
    ratio = f", {counts['ti'] / counts['tv']:.2f} to one" if counts["tv"] else ""
    about = f"Changes of a single base{ratio}"
    return chart("titv", "Transitions and transversions", about, both, most=most)


def _known(counts: Counts, most: int) -> Chart | None:
    if "known" not in counts:
        return None
    both = {"Known to a source": counts["known"], "Novel": counts["novel"]}
    return chart("known", "Known and novel", "Annotated alleles", both, most=most)


def _skipped(counts: Counts, most: int) -> Chart | None:
    found = {_REASONS.get(word, word): n for word, n in counts.get("flagged", {}).items() if n}
    about = "Alleles that the engine left alone; none is dropped from the output"
    return chart("skipped", "Left unannotated, by reason", about, found, most=most)


def _genes(counts: Counts, most: int) -> Chart | None:
    found = {row["gene"]: row["alleles"] for row in counts.get("genes", [])}
    about = "Alleles by the gene of their most severe consequence; the twenty genes with most"
    return chart("genes", "Genes with most alleles", about, found, most=most)


_CHARTS: tuple[Callable[[Counts, int], Chart | None], ...] = (
    _chart_of(
        "impacts", "Impact", "Annotated alleles by their most severe consequence", kind="impact"
    ),
    _chart_of(
        "consequences",
        "Consequence, most severe first",
        "Annotated alleles, each by its most severe consequence",
        plain,
    ),
    _chart_of(
        "consequences_all",
        "All consequences",
        "Every term of every transcript, so that an allele counts often",
        plain,
    ),
    _genes,
    _chart_of("clinvar", "ClinVar significance", "Annotated alleles that ClinVar knows", plain),
    _known,
    _chart_of("classes", "Class of change", "Alleles, annotated or not", _named(_CLASSES)),
    _ti_tv,
    _chart_of("contigs", "Contig", "Rows of the output"),
    _chart_of("filters", "FILTER in your file", "Rows of the output"),
    _skipped,
)
