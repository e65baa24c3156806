"""Small VCFs on the demo reference, and what the real child makes of them."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysam
import pytest

from annotator import child
from annotator.bundles import DEMO
from annotator.errors import InputRefused

VERSION = "##fileformat=VCFv4.2\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
SAMPLE = f"{COLUMNS}\tFORMAT\tS"
GENOTYPE = '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n'
MT = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch("MT").upper()
OTHER = str.maketrans("ACGTN", "CGTAA")


def row(place: int = 3400, /, **cells: str) -> str:
    """Return a record on the mitochondrion, where MT-ND1 is, with other cells as they are given."""
    usual = {"chrom": "chrM", "pos": str(place), "id": ".", "ref": MT[place - 1]}
    usual |= {"alt": MT[place - 1].translate(OTHER), "qual": ".", "filter": ".", "info": "."}
    return "\t".join((usual | cells).values()) + "\n"


def vcf(*rows: str, meta: str = "", columns: str = COLUMNS, version: str = VERSION) -> bytes:
    """Return the text of a VCF."""
    return f"{version}{meta}{columns}\n{''.join(rows)}".encode(errors="surrogateescape")


@dataclass(frozen=True)
class Results:
    """What a run left."""

    folder: Path

    @property
    def records(self) -> list[list[str]]:
        """The annotated records, as cells."""
        return [line.split("\t") for line in self.text.split("\n")[:-1] if line[0] != "#"]

    @property
    def text(self) -> str:
        """The annotated VCF."""
        packed = (self.folder / "annotated.vcf.gz").read_bytes()
        return gzip.decompress(packed).decode(errors="surrogateescape")

    @property
    def infos(self) -> list[dict[str, str]]:
        """INFO of each record; a flag has an empty value."""
        fields = (cells[7].split(";") for cells in self.records)
        return [dict(item.partition("=")[::2] for item in items) for items in fields]


def annotated(folder: Path, content: bytes, *, bundle: Path = DEMO, workers: int = 1) -> Results:
    """Annotate a file in the child."""
    source, outdir = folder / "input", folder / "out"
    source.write_bytes(content)
    child.run(source, outdir, bundle=bundle, wall_seconds=60, memory_mb=1024, workers=workers)
    return Results(outdir)


def refusal(folder: Path, content: bytes, *, bundle: Path = DEMO) -> str:
    """Return the sentence of a refusal, after looking that nothing was left behind."""
    with pytest.raises(InputRefused) as refused:
        annotated(folder, content, bundle=bundle)
    assert [path.name for path in folder.iterdir()] == ["input"]
    return str(refused.value)


def converted(folder: Path, content: bytes, *arguments: str) -> bytes:
    """Return what `bcftools view` makes of a VCF with these options."""
    source, target = folder / "from.vcf", folder / "to"
    source.write_bytes(content)
    pysam.bcftools.view(*arguments, "-o", str(target), str(source), catch_stdout=False)
    made = target.read_bytes()
    source.unlink()
    target.unlink()
    return made


Packing = Callable[[Path, bytes], bytes]
