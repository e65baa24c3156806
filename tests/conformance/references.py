"""Reference bundles made on the spot from the FASTA and GFF3 of somebody's test suite."""

import gzip
import json
import shutil
from pathlib import Path

import pysam

from annotator.bundles import SCHEMA, Bundle, load

DATA = Path(__file__).parents[3] / "shared" / "data"


def make_bundle(
    folder: Path,
    *,
    fasta: Path,
    genes: Path,
    genetic_code: int = 1,
    assembly: str = "test",
    aliases: tuple[str, ...] = (),
) -> Bundle:
    """Write a bundle whose contigs all share the one file of genes."""
    folder.mkdir()
    genome = folder / "genome.fa.gz"
    if fasta.suffix == ".gz":
        shutil.copyfile(fasta, genome)
    else:
        pysam.tabix_compress(str(fasta), str(genome))
    pysam.faidx(str(genome))
    packed = genes.read_bytes()
    text = gzip.decompress(packed) if genes.suffix == ".gz" else packed
    (folder / "genes.gff3").write_bytes(text)
    contigs = [
        {
            "name": name,
            "length": length,
            "aliases": [alias for alias in aliases if alias != name],
            "genetic_code": genetic_code,
            "genes": "genes.gff3",
        }
        for name, length in _lengths(genome)
    ]
    content = {"id": folder.name, "assembly": assembly, "genes": "a test suite's", "files": {}}
    manifest = {"schema": SCHEMA, **content, "fasta": genome.name, "contigs": contigs}
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return load(folder)


def _lengths(genome: Path) -> list[tuple[str, int]]:
    index = genome.with_name(genome.name + ".fai").read_text().splitlines()
    return [(row.split("\t")[0], int(row.split("\t")[1])) for row in index]
