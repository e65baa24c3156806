"""A small VEP cache in vepyr's layout, made of the genes and the sequence of a bundle.

One Parquet file per kind and contig, as `vepyr build-cache` writes them for release 115; there are
no known variants in it and no regulatory regions.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pysam

from annotator.bundles import Bundle, Contig
from tests.conformance.vep_layout import KINDS

RELEASE = 115
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
_AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"  # bases TCAG
_POLICY = {
    "schema_version": 1,
    "cache_source_type": "ensembl",
    "cache_version": str(RELEASE),
    "bam_edited": False,
}
Interval = tuple[int, int]


@dataclass
class _Transcript:
    id: str
    gene: str
    symbol: str
    biotype: str
    strand: int
    place: Interval
    exons: list[Interval] = field(default_factory=list)
    coding: list[Interval] = field(default_factory=list)


def write(bundle: Bundle, folder: Path, release: int = RELEASE) -> Path:
    """Write the cache of the contigs that have genes of the standard code; return its folder."""
    for kind in (*KINDS, "regulatory", "motif"):
        (folder / kind).mkdir(parents=True)
    datasets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with pysam.FastaFile(str(bundle.fasta)) as fasta:
        for contig in bundle.contigs:
            if contig.genes is None or not contig.is_standard:
                continue
            rows = _rows(contig, fasta, bundle.assembly, release)
            for kind in [kind for kind in KINDS if rows[kind]]:
                path = folder / kind / f"chr{contig.name}.parquet"
                table = _table(KINDS[kind], rows[kind], contig, release)
                pq.write_table(table, path, write_page_index=True)
                entry = {"chrom": f"chr{contig.name}", "dataset": path.name}
                datasets[kind].append(entry | {"rows": len(rows[kind])})
    for kind in (*KINDS, "regulatory", "motif"):
        (folder / kind / "chrom_manifest.json").write_text(json.dumps(datasets[kind]))
    policy = _POLICY | {"cache_version": str(release)}
    (folder / "reference_policy.json").write_text(json.dumps(policy))
    return folder


def _table(
    columns: dict[str, pa.DataType],
    rows: list[dict[str, Any]],
    contig: Contig,
    release: int,
) -> pa.Table:
    told = {
        "bio.coordinate_system_zero_based": "false",
        "bio.vep.cache_bam_edited": "false",
        "bio.vep.cache_source_type": "ensembl",
        "bio.vep.cache_version": str(release),
        "bio.vep.chromosomes": json.dumps([contig.name]),
    }
    return pa.Table.from_pylist(rows, schema=pa.schema(columns, metadata=told))


def _rows(
    contig: Contig, fasta: pysam.FastaFile, assembly: str, release: int
) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    rows["variation"] = [_known(contig)]
    origin = {"species": "homo_sapiens", "assembly": assembly, "cache_version": str(release)}
    for number, transcript in enumerate(_transcripts(contig)):
        place = {"chrom": contig.name, "strand": transcript.strand, **origin}
        splice = _Splice(transcript, fasta, contig)
        rows["transcript"].append(place | splice.row() | {"transcript_uid": number})
        rows["exon"] += [place | exon for exon in splice.exon_rows()]
        rows["translation_core"] += [splice.translation()] if transcript.coding else []
    return rows


def _known(contig: Contig) -> dict[str, Any]:
    """Return one known variant: vepyr does not open a file without rows."""
    place = {"chrom": contig.name, "start": 1, "end": 1, "strand": 1, "allele_string": "N/A"}
    return (
        place
        | dict.fromkeys(("failed", "phenotype_or_disease", "somatic"), False)
        | {"variation_name": "known1", "tier": 0}
    )


class _Splice:
    """One transcript with its exons in the order of the transcript, and what they spell."""

    def __init__(self, transcript: _Transcript, fasta: pysam.FastaFile, contig: Contig) -> None:
        self._of = transcript
        exons = sorted(transcript.exons, reverse=transcript.strand < 0)
        self._exons, self._segments, done = exons, list[dict[str, int]](), 0
        spelt = ""
        for start, end in exons:
            bases = fasta.fetch(contig.name, start - 1, end).upper()
            spelt += bases if transcript.strand > 0 else bases.translate(_COMPLEMENT)[::-1]
            self._segments.append(
                {"genomic_start": start, "genomic_end": end, "ori": transcript.strand}
                | {"cdna_start": done + 1, "cdna_end": done + end - start + 1}
            )
            done += end - start + 1
        self._spelt = spelt
        self._first, self._last = self._coding() if transcript.coding else (0, 0)
        self._coding_bases = spelt[self._first - 1 : self._last] if transcript.coding else ""
        self._peptide = _translated(self._coding_bases).removesuffix("*")

    def row(self) -> dict[str, Any]:
        of, coding = self._of, bool(self._of.coding)
        start, end = of.place
        told: dict[str, Any] = {
            "start": start,
            "end": end,
            "stable_id": of.id,
            "version": 1,
            "biotype": of.biotype,
            "source": "ensembl",
            "is_canonical": True,
            "is_gencode_basic": True,
            "is_gencode_primary": True,
            "gene_stable_id": of.gene,
            "gene_symbol": of.symbol,
            "gene_symbol_source": "HGNC",
            "exon_count": len(self._exons),
            "exons": [
                {"start": one, "end": other, "phase": phase}
                for (one, other), (phase, _) in zip(self._exons, self._phases(), strict=True)
            ],
            "gene_phenotype": False,
            "cds_start_nf": False,
            "cds_end_nf": False,
            "cdna_mapper_segments": self._segments,
            "has_non_polya_rna_edit": False,
        }
        return told | (self._coding_row() if coding else {})

    def exon_rows(self) -> list[dict[str, Any]]:
        of = self._of
        return [
            {"start": start, "end": end, "stable_id": f"{of.id}.{number}", "version": 1}
            | {"phase": phase, "end_phase": end_phase, "exon_number": number}
            | {"transcript_id": of.id, "gene_stable_id": of.gene}
            for number, ((start, end), (phase, end_phase)) in enumerate(
                zip(self._exons, self._phases(), strict=True), 1
            )
        ]

    def translation(self) -> dict[str, Any]:
        return {
            "transcript_id": self._of.id,
            "stable_id": f"P-{self._of.id}",
            "version": 1,
            "cds_len": len(self._coding_bases),
            "translation_seq": self._peptide,
            "cds_sequence": self._coding_bases,
            "translation_seq_canonical": self._peptide,
            "cds_sequence_canonical": self._coding_bases,
        }

    def _coding_row(self) -> dict[str, Any]:
        bases = self._coding_bases
        return {
            "cds_start": min(start for start, _ in self._of.coding),
            "cds_end": max(end for _, end in self._of.coding),
            "cdna_coding_start": self._first,
            "cdna_coding_end": self._last,
            "translation_stable_id": f"P-{self._of.id}",
            "translation_start": self._first,
            "translation_end": self._last,
            "cdna_seq": bases,
            "translateable_seq": bases,
            "peptide_seq": self._peptide,
            "five_prime_utr_seq": self._spelt[: self._first - 1],
            "three_prime_utr_seq": self._spelt[self._last :],
        }

    def _coding(self) -> Interval:
        ends = [self._place(at) for start, end in self._of.coding for at in (start, end)]
        return min(ends), max(ends)

    def _place(self, at: int) -> int:
        """Return the place of a base of the contig in the transcript, counted from 1."""
        for segment in self._segments:
            if segment["genomic_start"] <= at <= segment["genomic_end"]:
                behind = at - segment["genomic_start"]
                ahead = segment["genomic_end"] - at
                return segment["cdna_start"] + (behind if self._of.strand > 0 else ahead)
        raise ValueError(f"{at} lies in no exon of {self._of.id}")

    def _phases(self) -> list[Interval]:
        """Return Ensembl's phases: bases of a codon before an exon's start and end, or -1."""
        phases = []
        for segment in self._segments:
            start, end = segment["cdna_start"], segment["cdna_end"]
            coding = self._first and start <= self._last and end >= self._first
            first = (start - self._first) % 3 if coding and start >= self._first else -1
            last = (end - self._first + 1) % 3 if coding and end <= self._last else -1
            phases.append((first, last))
        return phases


def _translated(bases: str) -> str:
    letters = {base: number for number, base in enumerate("TCAG")}
    peptide = ""
    for at in range(0, len(bases) - 2, 3):
        codon = bases[at : at + 3]
        known = all(base in letters for base in codon)
        number = sum(letters[b] * 4 ** (2 - i) for i, b in enumerate(codon)) if known else -1
        peptide += _AMINO_ACIDS[number] if known else "X"
    return peptide


def _transcripts(contig: Contig) -> list[_Transcript]:
    lines = [(cells, told) for cells, told in _lines(contig) if told]
    symbols = {
        told["ID"]: told.get("Name", told["ID"].partition(":")[2])
        for _, told in lines
        if told.get("ID", "").startswith("gene:")
    }
    found: dict[str, _Transcript] = {}
    for cells, told in lines:
        kind, _, name = told.get("ID", "").partition(":")
        if kind == "transcript":
            place, strand = (int(cells[3]), int(cells[4])), 1 if cells[6] == "+" else -1
            gene = told["Parent"].removeprefix("gene:")
            symbol, biotype = symbols[told["Parent"]], told["biotype"]
            found[told["ID"]] = _Transcript(name, gene, symbol, biotype, strand, place)
    for cells, told in lines:
        if transcript := found.get(told.get("Parent", "")):
            place = int(cells[3]), int(cells[4])
            transcript.exons += [place] if cells[2] == "exon" else []
            transcript.coding += [place] if cells[2] == "CDS" else []
    return list(found.values())


def _lines(contig: Contig) -> Iterator[tuple[list[str], dict[str, str]]]:
    assert contig.genes is not None
    for line in contig.genes.read_text().splitlines():
        cells = line.split("\t")
        if len(cells) > 8 and not line.startswith("#"):
            yield cells, dict(pair.split("=", 1) for pair in cells[8].split(";") if "=" in pair)
