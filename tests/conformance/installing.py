"""A small reference, installed from the shelf of a server on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotator.bundles import Bundle, load
from annotator.bundles_install import install
from annotator.bundles_manifest import read
from annotator.errors import AnnotatorFailed
from tests.conformance.shelf import Shelf

SEQUENCE = "genome.fa.gz"


def manifest(shelf: Shelf, folder: Path, **changes: Any) -> Path:
    content = {
        "schema": "gas.bundle-manifest/1",
        "id": "small",
        "assembly": "GRCh38",
        "title": "A small one",
        "genes_release": "Test 1",
        "contigs": [
            {"name": "1", "length": 4000, "aliases": ["chr1", "NC_000001.11"]},
            {"name": "MT", "genetic_code": 2, "aliases": ["chrM", "NC_012920.1"]},
        ],
        "fasta": {"url": f"{shelf.url}/{SEQUENCE}"},
        "genes": {"url": f"{shelf.url}/genes.gff3.gz"},
        "sources": [
            {
                "name": "known",
                "release": "header:fileDate",
                "default": True,
                "files": [
                    {
                        "url": f"{shelf.url}/known.vcf",
                        "published": {"url": "known.vcf.md5", "algorithm": "md5"},
                    }
                ],
                "columns": {"GAS_KNOWN": "ID", "GAS_AF": "INFO/AF", "GAS_CLNSIG": "INFO/SIG"},
            }
        ],
        **changes,
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(content))
    return path


def installed(shelf: Shelf, folder: Path, **changes: Any) -> Bundle:
    plan = read(str(manifest(shelf, folder, **changes)))
    return load(install(plan, folder / "bundles", sources=None, progress=lambda *_: None))


def failure(shelf: Shelf, folder: Path, **changes: Any) -> str:
    """Return what an installation says that fails, after looking that no bundle is to be seen."""
    with pytest.raises(AnnotatorFailed) as failed:
        installed(shelf, folder, **changes)
    assert not (folder / "bundles" / "small").exists()
    return str(failed.value)


def pinned(shelf: Shelf, sha256: str) -> dict[str, str]:
    return {"url": f"{shelf.url}/{SEQUENCE}", "sha256": sha256}
