"""The annotated VCF: the engine's rows with flat GAS_* fields, counted, in BGZF with tabix."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysam

from annotator.alleles import NO_ALT, Reason, unsafe_alt
from annotator.bgzf import BgzfWriter
from annotator.consequence import INTERGENIC, Effect, worst_effect
from annotator.summary import PREVIEW, Counts

ANNOTATED = "annotated.vcf.gz"
COMPRESSION = 4  # two thirds of the time of the usual 6, for 4 % more bytes
MEMORY_CAP = 100_000  # distinct BCSQ values remembered
_MARK = b"BCSQ="
_SKIP = b"GAS_SKIP="
_TEXT = b'##INFO=<ID=%s,Number=%s,Type=String,Description="%s">'
_BCSQ_FIELD = _TEXT % (b"BCSQ", b".", b"Local consequence annotation from BCFtools/csq")
_FLAT_FIELDS = (
    _TEXT % (b"GAS_CSQ", b"1", b"Worst consequence, Sequence Ontology term"),
    _TEXT % (b"GAS_IMPACT", b"1", b"HIGH, MODERATE, LOW or MODIFIER"),
    _TEXT % (b"GAS_GENE", b"1", b"Gene of the worst consequence"),
    _TEXT % (b"GAS_TX", b"1", b"Transcript of the worst consequence"),
)


def _flat(effect: Effect) -> bytes:
    fields = [f"GAS_CSQ={effect.consequence}", f"GAS_IMPACT={effect.impact}"]
    fields += [f"GAS_GENE={effect.gene}"] if effect.gene else []
    fields += [f"GAS_TX={effect.transcript}"] if effect.transcript else []
    return ";".join(fields).encode()


_BETWEEN = b";" + _flat(INTERGENIC)


class Flattener:
    """Adds the flat fields to blocks of VCF text and counts what passes."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._effects: dict[bytes, Effect] = {}
        self._suffixes: dict[bytes, bytes] = {}

    def block(self, block: bytes) -> bytes:
        """Return record lines with GAS_* fields behind their INFO."""
        rows = [line.split(b"\t", 8) for line in block.split(b"\n")[:-1]]
        values = [row[7].rpartition(_MARK)[2] if _MARK in row[7] else b"" for row in rows]
        seen = Counter(values)
        silent = seen.pop(b"", 0)
        self._learn(seen)
        suffixes = self._suffixes
        for row, value in zip(rows, values, strict=True):
            if value:
                row[7] += suffixes[value]
        if silent:
            self._without_effect(
                [row for row, value in zip(rows, values, strict=True) if not value]
            )
        self._count(rows)
        if len(self.counts.preview) < PREVIEW:
            self._preview(rows, values)
        return b"\n".join([b"\t".join(row) for row in rows]) + b"\n"

    def _learn(self, seen: Counter[bytes]) -> None:
        if len(self._suffixes) > MEMORY_CAP:
            self._suffixes.clear()
            self._effects.clear()
        for value, times in seen.items():
            if value not in self._effects:
                self._effects[value] = worst_effect(value.decode())
                self._suffixes[value] = b";" + _flat(self._effects[value])
            self.counts.add_effect(self._effects[value], times)

    def _without_effect(self, rows: list[list[bytes]]) -> None:
        """Rows that the engine said nothing about: between genes, or not to be annotated."""
        odd = {alt for alt in {row[4] for row in rows} if alt == NO_ALT or unsafe_alt(alt)}
        between = 0
        for row in rows:
            if row[4] in odd or row[3] == row[4] or _SKIP in row[7]:
                self._unannotated(row)
            else:
                between += 1
                row[7] = row[7] + _BETWEEN if row[7] != b"." else _BETWEEN[1:]
        self.counts.consequences[INTERGENIC.consequence] += between

    def _unannotated(self, row: list[bytes]) -> None:
        if _SKIP in row[7]:
            self.counts.flagged[row[7].rpartition(_SKIP)[2].decode()] += 1
        elif row[4] == NO_ALT:
            self.counts.reference += 1
        else:
            reason = unsafe_alt(row[4]) or Reason.MALFORMED
            self.counts.flagged[reason] += 1
            field = _SKIP + reason.encode()
            row[7] = field if row[7] == b"." else row[7] + b";" + field

    def _count(self, rows: list[list[bytes]]) -> None:
        counts = self.counts
        counts.rows += len(rows)
        for contig, times in Counter([row[0] for row in rows]).items():
            counts.contigs[contig.decode(errors="replace")] += times
        for (ref, alt), times in Counter([(row[3], row[4]) for row in rows]).items():
            if alt != NO_ALT:
                counts.add_change(ref, alt, times)

    def _preview(self, rows: list[list[bytes]], values: list[bytes]) -> None:
        for row, value in zip(rows, values, strict=True):
            effect = self._effects.get(value)
            if effect and effect.gene and len(self.counts.preview) < PREVIEW:
                self.counts.preview.append(_shown(row, effect))


def write(target: Path, header: bytes, blocks: Iterable[bytes]) -> None:
    """Write header and record blocks as BGZF, with a tabix index beside it."""
    with BgzfWriter(target, COMPRESSION) as file:
        file.write(header)
        for block in blocks:
            file.write(block)
    pysam.tabix_index(str(target), preset="vcf", force=True)


def split_header(blocks: Iterator[bytes]) -> tuple[list[bytes], Iterator[bytes]]:
    """Take the header lines off the engine's text; the rest comes as blocks of records."""
    lines: list[bytes] = []
    for block in blocks:
        records = _take_header(block, lines)
        if lines and lines[-1].startswith(b"#CHROM"):
            return lines, _behind(records, blocks)
    return lines, iter(())


def final_header(engine_header: list[bytes], contigs: Iterable[bytes]) -> bytes:
    """Return the engine's header with only the contigs named, and the flat fields added."""
    kept = {b"##contig=<ID=" + name for name in contigs}
    meta = [
        line
        for line in engine_header[:-1]
        if not line.startswith(b"##contig=") or line.rstrip(b">").split(b",")[0] in kept
    ]
    if not any(line.startswith(b"##INFO=<ID=BCSQ,") for line in meta):
        meta.append(_BCSQ_FIELD)
    return b"\n".join([*meta, *_FLAT_FIELDS, engine_header[-1]]) + b"\n"


def _take_header(block: bytes, lines: list[bytes]) -> bytes:
    start = 0
    while block[start : start + 1] == b"#":
        end = block.index(b"\n", start)
        lines.append(block[start:end])
        start = end + 1
    return block[start:]


def _behind(records: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if records:
        yield records
    yield from blocks


def _shown(row: list[bytes], effect: Effect) -> dict[str, str | int]:
    return {
        "contig": row[0].decode(errors="replace"),
        "pos": int(row[1]),
        "ref": row[3].decode(),
        "alt": row[4].decode(),
        "gene": effect.gene,
        "consequence": effect.consequence,
        "amino_acid_change": effect.amino_acid_change,
    }
