"""A made-up table of results, as the annotator writes it: Parquet, TSV, VCF and its index."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pysam

from annotator.consequence import IMPACT
from annotator.table import schema
from gas.results.bgzf import packed

Row = dict[str, Any]

COLUMNS = tuple(schema(()).names)
PLACE = ("contig", "position", "ref", "alt")

_CONSEQUENCES = (
    "missense_variant",
    "synonymous_variant",
    "stop_gained",
    "intron_variant",
    "5_prime_UTR_variant",
    "frameshift_variant",
)
_GENES = ("PDIA2", "AXIN1", "LUC7L", "C16orf1", "MT-CYB", None)
_CLINVAR = (None, None, "Benign", "Pathogenic/Likely_pathogenic", "Pathogenic|risk_factor")
_FILTERS = ("PASS", "PASS", "q10;s50", "q10", None)
_FREQUENCIES = (None, None, 0.0, 0.01, 0.05, 1.0)


@dataclass(frozen=True)
class Bytes:
    """A file in memory that remembers what was asked of it."""

    content: bytes
    asked: list[tuple[int, int]]

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return len(self.content)

    def read(self, start: int, length: int, /) -> bytes:
        """Return some of them."""
        self.asked.append((start, length))
        return self.content[start : start + length]


def a_file(content: bytes) -> Bytes:
    """Return bytes as a file of which nothing was asked yet."""
    return Bytes(content, [])


def some_rows(alleles: int = 150, seed: int = 1) -> list[Row]:
    """Return rows in the order of a file: sorted, some alleles twice, some in many transcripts."""
    dice = random.Random(seed)
    rows: list[Row] = []
    for contig in ("chr16", "chr2", "chrM"):
        places = sorted(dice.choices(range(1, 40_000), k=alleles // 6) * 2)
        for position in places:
            allele = {"contig": contig, "position": position, "ref": "A", "alt": dice.choice("CGT")}
            rows += _of_allele(allele, dice)
    return rows


def _of_allele(allele: Row, dice: random.Random) -> list[Row]:
    known = dice.choice((None, f"rs{dice.randint(1, 30)}", f"rs{dice.randint(1, 30)}"))
    shared = {
        **allele,
        "id": dice.choice((None, f"rs{dice.randint(1, 30)};x1", "=cmd|' /C calc'!A0")),
        "known_id": known,
        "clinvar_significance": dice.choice(_CLINVAR) if known else None,
        "allele_frequency": dice.choice(_FREQUENCIES) if known else None,
        "filter": dice.choice(_FILTERS),
        "genotypes": dice.choice(("0/1", "1/1", None)),
    }
    return [a_row(**shared, **_effect(dice)) for _ in range(dice.choice((1, 1, 2, 5)))]


def _effect(dice: random.Random) -> Row:
    consequence = dice.choice(_CONSEQUENCES)
    return {
        "gene": dice.choice(_GENES),
        "transcript": f"NM_{dice.randint(1, 99)}",
        "consequence": consequence,
        "impact": IMPACT[consequence],
        "strand": dice.choice("+-"),
    }


def a_row(**cells: Any) -> Row:
    """Return a row of the table; what is not told is empty."""
    return {**dict.fromkeys(COLUMNS), **cells}


def parquet(rows: Sequence[Row], *, group: int = 37) -> bytes:
    """Write rows as a Parquet file of small row groups."""
    kinds = {"position": pa.int32(), "allele_frequency": pa.float64()}
    columns = [(name, kinds.get(name, pa.string())) for name in COLUMNS]
    table = pa.Table.from_pylist(list(rows), pa.schema(columns))
    sink = BytesIO()
    pq.write_table(table, sink, row_group_size=group, store_schema=False)
    return sink.getvalue()


def tsv(rows: Sequence[Row]) -> list[str]:
    """Write rows as the lines of the TSV, the header first."""
    return [
        "\t".join(COLUMNS),
        *("\t".join(_cell(name, row[name]) for name in COLUMNS) for row in rows),
    ]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "."
    if isinstance(value, float):
        return f"{value:g}"
    armed = name in ("id", "filter", "genotypes") and str(value)[0] in '=+-@"'
    return f"'{value}" if armed else str(value)


@cache
def sample() -> tuple[Row, ...]:
    """The rows that most tests look at."""
    return tuple(some_rows())


def vcf(rows: Sequence[Row]) -> tuple[bytes, bytes]:
    """Write the records of rows, and one between them that has none, as BGZF; and their index."""
    lines = [_HEADER]
    for at, (place, _) in enumerate(groupby(rows, itemgetter(*PLACE))):
        contig, position, ref, alt = place
        info = f"N={at}"
        lines.append(f"{contig}\t{position}\t.\t{ref}\t{alt}\t.\tPASS\t{info}\n")
        if at % 7 == 0:
            lines.append(f"{contig}\t{position}\t.\t{ref}\t<DEL>\t.\tPASS\tGAS_SKIP=symbolic\n")
    with TemporaryDirectory() as folder:
        file = Path(folder, "annotated.vcf.gz")
        file.write_bytes(b"".join(packed([line.encode() for line in lines])))
        pysam.tabix_index(str(file), preset="vcf")
        return file.read_bytes(), file.with_name(f"{file.name}.tbi").read_bytes()


_HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr16>
##contig=<ID=chr2>
##contig=<ID=chrM>
##INFO=<ID=N,Number=1,Type=Integer,Description="Number">
##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="Why not">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
"""
