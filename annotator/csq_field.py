"""CSQ as Ensembl VEP writes it: an entry for each allele and feature, its values between pipes.

https://www.ensembl.org/info/docs/tools/vep/vep_formats.html#vcf: which values those are stands in
the header; commas part the entries, ampersands the terms or names in a value.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from annotator.consequence import IMPACT, RANK, Effect
from annotator.errors import AnnotatorFailed

TAG = "CSQ"
COLUMNS = ("hgvsc", "hgvsp", "existing_variation")
_FORMAT = re.compile(rb"##INFO=<ID=CSQ,.*Format: ?([^\"]+)\"")
_DECLARATION = (
    b"##INFO=<ID=CSQ,Number=.,Type=String,Description="
    b'"Consequence annotations from Ensembl VEP. Format: %s">'
)
_SIDE = re.compile(r"([0-9]*)([^0-9].*)")
_STRAND = {"1": "+", "-1": "-"}
_UNKNOWN = "sequence_variant"


@dataclass(frozen=True)
class VepEffect(Effect):
    """A consequence with its HGVS names, and the known variants at its place, by commas."""

    hgvsc: str = ""
    hgvsp: str = ""
    existing_variation: str = ""


@dataclass(frozen=True)
class Layout:
    """The names of an entry's values in their order."""

    names: tuple[str, ...]

    @property
    def declaration(self) -> bytes:
        """The header line that says so."""
        return _DECLARATION % "|".join(self.names).encode()

    def effects_of(self, value: str, allele: str | None = None) -> list[Effect]:
        """Return the entries, those of preferred transcripts before their equals.

        `allele` is an ALT as `allele_names` gives it; without one every entry is returned.
        """
        entries = [self._entry(text) for text in value.split(",")]
        chosen = [entry for entry in entries if allele in (None, entry.get("Allele"))]
        return [_effect(entry) for entry in sorted(chosen, key=_preference)]

    def entry_of(self, effect: Effect, allele: str) -> str:
        """Write an effect that another engine found, as far as it knows the values."""
        positions, amino_acids = _apart(effect.amino_acid_change)
        known = {
            "Allele": allele,
            "Consequence": "&".join(effect.terms),
            "IMPACT": effect.impact,
            "SYMBOL": effect.gene,
            "Feature_type": "Transcript" if effect.transcript else "",
            "Feature": effect.transcript,
            "BIOTYPE": effect.biotype,
            "STRAND": {sign: number for number, sign in _STRAND.items()}.get(effect.strand, ""),
            "Protein_position": positions,
            "Amino_acids": amino_acids,
        }
        return "|".join(known.get(name, "") for name in self.names)

    def _entry(self, text: str) -> dict[str, str]:
        values = text.split("|")
        if len(values) != len(self.names):
            raise AnnotatorFailed(
                f"an entry of CSQ has {len(values)} values where {len(self.names)} are declared"
            )
        return dict(zip(self.names, values, strict=True))


def read_layout(line: bytes) -> Layout:
    """Read the header line that declares CSQ."""
    found = _FORMAT.match(line)
    names = found[1].decode(errors="replace").split("|") if found else []
    if "Allele" not in names or "Consequence" not in names:
        raise AnnotatorFailed("the header does not tell the format of CSQ")
    return Layout(tuple(names))


def allele_names(ref: str, alts: list[str]) -> list[str]:
    """Return what VEP calls each ALT of a record.

    When one of them changes the length and all begin with the same base, that base goes; what is
    left of a deletion may be nothing, a dash.
    """
    plain = [allele for allele in (ref, *alts) if "*" not in allele]
    changes_length = any(len(alt) != len(ref) for alt in alts)
    if not changes_length or len({allele[:1] for allele in plain}) > 1:
        return alts
    return [alt if "*" in alt else alt[1:] or "-" for alt in alts]


def _preference(entry: dict[str, str]) -> tuple[bool, bool]:
    """MANE Select first, then what Ensembl calls canonical."""
    return not entry.get("MANE_SELECT"), entry.get("CANONICAL") != "YES"


def _effect(entry: dict[str, str]) -> Effect:
    words = entry["Consequence"].split("&")
    terms = tuple(word if word in RANK else _UNKNOWN for word in words)
    worst = min(terms, key=RANK.__getitem__)
    on_transcript = entry.get("Feature_type") == "Transcript"
    return VepEffect(
        consequence=worst,
        impact=IMPACT[worst],
        terms=terms,
        gene=entry.get("SYMBOL") or entry.get("Gene", ""),
        transcript=entry.get("Feature", "") if on_transcript else "",
        biotype=entry.get("BIOTYPE", ""),
        strand=_STRAND.get(entry.get("STRAND", ""), ""),
        amino_acid_change=_change(entry.get("Protein_position", ""), entry.get("Amino_acids", "")),
        hgvsc=unquote(entry.get("HGVSc", "")),
        hgvsp=unquote(entry.get("HGVSp", "")),
        existing_variation=entry.get("Existing_variation", "").replace("&", ","),
    )


def _change(positions: str, amino_acids: str) -> str:
    """Write 45 and R/W as csq does, 45R>45W; what does not change stands alone, 45R."""
    if not amino_acids:
        return ""
    first = positions.partition("-")[0]
    before, _, after = amino_acids.partition("/")
    return f"{first}{before}>{first}{after}" if after else f"{first}{before}"


def _apart(change: str) -> tuple[str, str]:
    """Take 45R>45W apart to 45 and R/W."""
    sides = [_SIDE.fullmatch(side) for side in change.split(">")]
    found = [side for side in sides if side]
    return (found[0][1], "/".join(side[2] for side in found)) if found else ("", "")
