"""Reference bundles made on the spot from the FASTA and GFF3 of somebody's test suite."""

import gzip
import json
import shutil
from pathlib import Path

import pysam

from annotator.bundles import SCHEMA, Bundle, load
from annotator.bundles_install import install
from annotator.bundles_manifest import read

DATA = Path(__file__).parents[3] / "shared" / "data"
CHR21 = DATA / "chr21"
KNOWN_SITES = CHR21 / "dbsnp149.chr21_25-26Mb.vcf.gz"
CHR21_MANIFEST = {
    "schema": "gas.bundle-manifest/1",
    "id": "chr21",
    "assembly": "GRCh38",
    "title": "A piece of chromosome 21",
    "genes_release": "Ensembl 84",
    "contigs": [{"name": "21", "length": 46709983, "aliases": ["chr21", "NC_000021.9"]}],
    "fasta": {"path": str(CHR21 / "GRCh38.chr21.slice.fa.gz")},
    "genes": {"path": str(CHR21 / "Ensembl84.chr21.gff3.gz")},
    "sources": [
        {
            "name": "dbsnp",
            "release": "149",
            "default": True,
            "files": [{"path": str(KNOWN_SITES)}],
            "columns": {
                "GAS_KNOWN": "ID",
                "GAS_AF": "INFO/gnomADe_AF",
                "GAS_CLNSIG": "INFO/CLNSIG",
            },
        }
    ],
}


def install_chr21(folder: Path) -> Bundle:
    """Install the piece of chromosome 21 with its dbSNP through a manifest."""
    manifest = folder / "chr21.json"
    manifest.write_text(json.dumps(CHR21_MANIFEST))
    return load(install(read(str(manifest)), folder, sources=None, progress=lambda *_: None))


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
