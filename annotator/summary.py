"""summary.json and annotation.log: what was counted, for charts and for people.

Keys of summary.json (stable; numbers are counts unless said otherwise):
`records_in` records of the input; `alleles` rows with an ALT after the split (a flagged record is
not split and counts once); `annotated`; `flagged` {reason: n}; `reference` rows without an ALT;
`records_out` rows of the output.
alleles = annotated + sum(flagged); records_out = alleles + reference = sum(filters).
`classes` {snv, ins, del, mnv, other}; `ti`, `tv` of the SNVs; `contigs` {name: rows};
`consequences` {SO term: n} worst per annotated allele; `impacts` {HIGH, MODERATE, LOW, MODIFIER};
`consequences_all` {SO term: n} every term of every transcript, so that an allele counts often;
`genes` [{gene, alleles}] the twenty with most alleles, by their worst consequence; `filters`
{FILTER as it stands: rows}; `ref_mismatches` of the `ref_compared` records that could be compared,
and `ref_mismatch_rate`, a fraction, null where none could;
`known` and `novel` of the annotated alleles, `clinvar` {class: n}: if the bundle has such sources;
`preview` the first five alleles that have a gene: {contig, pos, ref, alt, gene, consequence,
amino_acid_change}.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from annotator.alleles import Reason
from annotator.bundles import Bundle
from annotator.consequence import IMPACT, RANK, Effect
from annotator.errors import AnnotatorFailed
from annotator.inputs import Input
from annotator.screen import Tally

TOP_GENES = 20
PREVIEW = 5
MOST_FILTERS = 200  # values of FILTER counted by themselves
LONGEST_FILTER = 100  # letters of it that are told
CHANGES_REMEMBERED = 4096
OTHER_FILTERS = "any other"
CLASSES = ("snv", "ins", "del", "mnv", "other")
IMPACTS = ("HIGH", "MODERATE", "LOW", "MODIFIER")
_TRANSITIONS = {b"AG", b"GA", b"CT", b"TC"}
_BASES = re.compile(rb"[ACGTNacgtn]+")
_COUNTERS = (
    "flagged",
    "classes",
    "substitutions",
    "contigs",
    "consequences",
    "together",
    "genes",
)


@dataclass
class Counts:
    """Everything counted over the output's rows."""

    rows: int = 0
    reference: int = 0
    flagged: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    substitutions: Counter[str] = field(default_factory=Counter)  # ti and tv
    contigs: Counter[str] = field(default_factory=Counter)
    filters: Counter[str] = field(default_factory=Counter)
    consequences: Counter[str] = field(default_factory=Counter)
    together: Counter[tuple[str, ...]] = field(default_factory=Counter)  # all terms of an allele
    genes: Counter[str] = field(default_factory=Counter)
    preview: list[dict[str, str | int]] = field(default_factory=list)

    def add_change(self, ref: bytes, alt: bytes, times: int) -> None:
        """Count one pair of alleles by class."""
        kind = change_class(ref, alt)
        self.classes[kind] += times
        if kind == "snv":
            self.substitutions["ti" if (ref + alt).upper() in _TRANSITIONS else "tv"] += times

    def add_filter(self, name: str, times: int) -> None:
        """Count rows by what stands in FILTER; a file may bring any number of values."""
        name = name[:LONGEST_FILTER]
        known = name in self.filters or len(self.filters) < MOST_FILTERS
        self.filters[name if known else OTHER_FILTERS] += times

    def add_verdict(
        self, worst: Effect | None, skipped: str, times: int, terms: tuple[str, ...]
    ) -> None:
        """Count `times` rows by their consequences, or by why they have none."""
        if skipped:
            self.flagged[skipped] += times
        elif worst is None:
            self.reference += times
        else:
            self.consequences[worst.consequence] += times
            self.together[terms] += times
            if worst.gene:
                self.genes[worst.gene] += times

    def add(self, other: "Counts") -> None:
        """Add the counts of the rows that follow."""
        self.rows += other.rows
        self.reference += other.reference
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name, times in other.filters.items():
            self.add_filter(name, times)
        self.preview = [*self.preview, *other.preview][:PREVIEW]

    def check(self, tally: Tally) -> None:
        """Raise AnnotatorFailed when what went in and what came out do not add up."""
        annotated = sum(self.consequences.values())
        accounted = annotated + sum(self.flagged.values()) + self.reference
        places = sum(self.contigs.values()), sum(self.filters.values())
        if not self.rows == accounted == tally.rows == min(places) == max(places):
            raise AnnotatorFailed(
                f"the counts do not add up: {tally.records} records should make {tally.rows} rows;"
                f" {self.rows} came out, {accounted} of them accounted for"
            )


@lru_cache(CHANGES_REMEMBERED)
def change_class(ref: bytes, alt: bytes) -> str:
    """Name the class of a change by its alleles."""
    if not (_BASES.fullmatch(ref) and _BASES.fullmatch(alt)):
        return "other"
    if len(ref) == len(alt):
        return "snv" if len(ref) == 1 else "mnv"
    if len(ref) < len(alt):
        return "ins" if alt.startswith(ref) else "other"
    return "del" if ref.startswith(alt) else "other"


def summary(counts: Counts, tally: Tally) -> dict[str, Any]:
    """Return the content of summary.json."""
    impacts = Counter(dict.fromkeys(IMPACTS, 0))
    for term, times in counts.consequences.items():
        impacts[IMPACT[term]] += times
    return {
        "records_in": tally.records,
        "alleles": counts.rows - counts.reference,
        "annotated": sum(counts.consequences.values()),
        "flagged": {str(reason): counts.flagged[reason] for reason in Reason},
        "reference": counts.reference,
        "records_out": counts.rows,
        "classes": {kind: counts.classes[kind] for kind in CLASSES},
        "ti": counts.substitutions["ti"],
        "tv": counts.substitutions["tv"],
        "contigs": dict(counts.contigs),
        "consequences": _worst_first(counts.consequences),
        "consequences_all": _worst_first(_every_term(counts.together)),
        "impacts": dict(impacts),
        "genes": [{"gene": gene, "alleles": times} for gene, times in _most(counts.genes)],
        "filters": dict(sorted(counts.filters.items(), key=lambda item: (-item[1], item[0]))),
        "ref_mismatches": tally.mismatched,
        "ref_compared": tally.compared,
        "ref_mismatch_rate": tally.mismatched / tally.compared if tally.compared else None,
        "preview": counts.preview,
    }


def made_with(bundle: Bundle, engine: str, origin: Input) -> str:
    """Return the head of annotation.log: what went in, and with what it was annotated."""
    sources = ", ".join(f"{source.name} {source.release}" for source in bundle.sources)
    rows = {
        "input": f"{origin.bytes:,} bytes, sha256 {origin.sha256}",
        "reference": f"{bundle.id} ({bundle.assembly}, {bundle.genes})",
        "sources": sources or "none",
        "engine": engine,
    }
    lines = (f"  {name:<9}  {value}\n" for name, value in rows.items())
    return "".join(["Made with\n", *map(_printable, lines)])


def log(content: dict[str, Any]) -> str:
    """Return annotation.log: the counts of summary.json for a person."""
    flagged = {reason: times for reason, times in content["flagged"].items() if times}
    sections = (
        ("Variants", _totals(content, sum(flagged.values()))),
        ("Not annotated, by reason", flagged),
        ("Class of change", content["classes"]),
        (
            "Transitions and transversions",
            {"transitions": content["ti"], "transversions": content["tv"]},
        ),
        ("REF against the reference", _agreement(content)),
        ("Worst consequence of each allele", content["consequences"]),
        ("Consequences in all transcripts", content["consequences_all"]),
        ("Impact", content["impacts"]),
        ("Known variants", {key: content[key] for key in ("known", "novel") if key in content}),
        ("ClinVar", content.get("clinvar", {})),
        ("FILTER", content["filters"]),
        ("Contig", content["contigs"]),
        ("Genes with most alleles", {row["gene"]: row["alleles"] for row in content["genes"]}),
    )
    return "\n".join(_section(title, rows) for title, rows in sections if rows)


def _totals(content: dict[str, Any], flagged: int) -> dict[str, int]:
    return {
        "records in": content["records_in"],
        "alleles after splitting": content["alleles"],
        "annotated": content["annotated"],
        "not annotated": flagged,
        "without an alternative allele": content["reference"],
        "records out": content["records_out"],
    }


def _agreement(content: dict[str, Any]) -> dict[str, int]:
    differing, compared = content["ref_mismatches"], content["ref_compared"]
    return {"agrees": compared - differing, "differs": differing}


def _section(title: str, rows: dict[str, int]) -> str:
    shown = {_printable(name): n for name, n in rows.items()}
    width = max(map(len, shown))
    return "".join([f"{title}\n", *(f"  {name:<{width}}  {n:>12,}\n" for name, n in shown.items())])


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _every_term(together: Counter[tuple[str, ...]]) -> Counter[str]:
    every = Counter[str]()
    for terms, times in together.items():
        for term in terms:
            every[term] += times
    return every


def _worst_first(consequences: Counter[str]) -> dict[str, int]:
    return {term: consequences[term] for term in sorted(consequences, key=RANK.__getitem__)}


def _most(genes: Counter[str]) -> list[tuple[str, int]]:
    return sorted(genes.items(), key=lambda item: (-item[1], item[0]))[:TOP_GENES]
