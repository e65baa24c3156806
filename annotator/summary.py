"""summary.json and annotation.log: what was counted, for charts and for people.

Keys of summary.json (stable; numbers are counts unless said otherwise):
`records_in` records of the input; `alleles` rows with an ALT after the split (a flagged record is
not split and counts once); `annotated`; `flagged` {reason: n}; `reference` rows without an ALT;
`records_out` rows of the output.
alleles = annotated + sum(flagged); records_out = alleles + reference.
`classes` {snv, ins, del, mnv, other}; `ti`, `tv` of the SNVs; `contigs` {name: rows};
`consequences` {SO term: n} worst per annotated allele; `impacts` {HIGH, MODERATE, LOW, MODIFIER};
`genes` [{gene, alleles}] the twenty with most alleles; `ref_mismatches` and `ref_compared`;
`known` and `novel` of the annotated alleles, `clinvar` {class: n}: if the bundle has such sources;
`preview` the first five alleles that have a gene: {contig, pos, ref, alt, gene, consequence,
amino_acid_change}.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from annotator.alleles import Reason
from annotator.consequence import IMPACT, RANK, Effect
from annotator.errors import AnnotatorFailed
from annotator.screen import Tally

TOP_GENES = 20
PREVIEW = 5
CLASSES = ("snv", "ins", "del", "mnv", "other")
IMPACTS = ("HIGH", "MODERATE", "LOW", "MODIFIER")
_TRANSITIONS = {b"AG", b"GA", b"CT", b"TC"}
_BASES = re.compile(rb"[ACGTNacgtn]+")


@dataclass
class Counts:
    """Everything counted over the output's rows."""

    rows: int = 0
    reference: int = 0
    flagged: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    substitutions: Counter[str] = field(default_factory=Counter)  # ti and tv
    contigs: Counter[str] = field(default_factory=Counter)
    consequences: Counter[str] = field(default_factory=Counter)
    genes: Counter[str] = field(default_factory=Counter)
    preview: list[dict[str, str | int]] = field(default_factory=list)

    def add_change(self, ref: bytes, alt: bytes, times: int) -> None:
        """Count one pair of alleles by class."""
        kind = change_class(ref, alt)
        self.classes[kind] += times
        if kind == "snv":
            self.substitutions["ti" if (ref + alt).upper() in _TRANSITIONS else "tv"] += times

    def add_verdict(self, worst: Effect | None, skipped: str, times: int) -> None:
        """Count `times` rows by their worst consequence, or by why they have none."""
        if skipped:
            self.flagged[skipped] += times
        elif worst is None:
            self.reference += times
        else:
            self.consequences[worst.consequence] += times
            if worst.gene:
                self.genes[worst.gene] += times

    def add(self, other: "Counts") -> None:
        """Add the counts of the rows that follow."""
        self.rows += other.rows
        self.reference += other.reference
        for name in ("flagged", "classes", "substitutions", "contigs", "consequences", "genes"):
            getattr(self, name).update(getattr(other, name))
        self.preview = [*self.preview, *other.preview][:PREVIEW]

    def check(self, tally: Tally) -> None:
        """Raise AnnotatorFailed when what went in and what came out do not add up."""
        annotated = sum(self.consequences.values())
        accounted = annotated + sum(self.flagged.values()) + self.reference
        if not self.rows == accounted == tally.rows == sum(self.contigs.values()):
            raise AnnotatorFailed(
                f"the counts do not add up: {tally.records} records should make {tally.rows} rows;"
                f" {self.rows} came out, {accounted} of them accounted for"
            )


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
        "impacts": dict(impacts),
        "genes": [{"gene": gene, "alleles": times} for gene, times in _most(counts.genes)],
        "ref_mismatches": tally.mismatched,
        "ref_compared": tally.compared,
        "preview": counts.preview,
    }


def log(content: dict[str, Any]) -> str:
    """Return annotation.log: the counts of summary.json for a person."""
    flagged = {reason: times for reason, times in content["flagged"].items() if times}
    sections = (
        ("Variants", _totals(content, sum(flagged.values()))),
        ("Not annotated, by reason", flagged),
        ("Class of change", content["classes"]),
        ("Worst consequence of each allele", content["consequences"]),
        ("Impact", content["impacts"]),
        ("Known variants", {key: content[key] for key in ("known", "novel") if key in content}),
        ("ClinVar", content.get("clinvar", {})),
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


def _section(title: str, rows: dict[str, int]) -> str:
    width = max(map(len, rows))
    return "".join([f"{title}\n", *(f"  {name:<{width}}  {n:>12,}\n" for name, n in rows.items())])


def _worst_first(consequences: Counter[str]) -> dict[str, int]:
    return {term: consequences[term] for term in sorted(consequences, key=RANK.__getitem__)}


def _most(genes: Counter[str]) -> list[tuple[str, int]]:
    return sorted(genes.items(), key=lambda item: (-item[1], item[0]))[:TOP_GENES]
