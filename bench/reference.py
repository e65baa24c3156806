"""The reference that the benchmarks annotate against: a piece of chromosome 21, or the demo's."""

import json
from pathlib import Path

from annotator.bundles import DEMO
from annotator.bundles_install import install
from annotator.bundles_manifest import SCHEMA, read

CHR21 = Path(__file__).parents[2] / "shared" / "data" / "chr21"


def reference(folder: Path) -> Path:
    """Return the bundle of chromosome 21, installed into `folder`, if its data lie at hand."""
    if not CHR21.is_dir():
        print(f"{CHR21} is absent: the demo bundle, which has no known variants, takes its place")
        return DEMO
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(_manifest()))
    return install(read(str(manifest)), folder, sources=None, progress=lambda *_: None)


def _manifest() -> dict[str, object]:
    known = {"GAS_KNOWN": "ID", "GAS_AF": "INFO/MAF", "GAS_CLNSIG": "INFO/CLNSIG"}
    dbsnp = {
        "name": "dbsnp",
        "release": "149",
        "default": True,
        "files": [{"path": str(CHR21 / "dbsnp149.chr21_25-26Mb.vcf.gz")}],
        "columns": known,
    }
    return {
        "schema": SCHEMA,
        "id": "chr21",
        "assembly": "GRCh38",
        "title": "A piece of chromosome 21",
        "genes_release": "Ensembl 84",
        "contigs": [{"name": "21", "length": 46_709_983, "aliases": ["chr21"]}],
        "fasta": {"path": str(CHR21 / "GRCh38.chr21.slice.fa.gz")},
        "genes": {"path": str(CHR21 / "Ensembl84.chr21.gff3.gz")},
        "sources": [dbsnp],
    }
