"""A reference bundle: a folder with bundle.json, one BGZF FASTA and the genes of each contig.

bundle.json, schema gas.reference-bundle/1: `id`, `assembly`, `genes` (a sentence on their release),
`fasta` (path), `contigs` (each `name`, `length`, `aliases`, `genetic_code` by NCBI number, `genes`
path or null), `files` (path -> bytes, sha256) and, where there are any, `sources` (each `name`,
`release`, `path` of an indexed VCF with one allele per record, `columns` of the result -> of the
source). `engine`, where there is one, is {"name": "vep", "cache": a folder in this one, or a link,
"version": of Ensembl}; the files of the cache stand among `files`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotator.checksums import digest
from annotator.errors import AnnotatorFailed

STANDARD_CODE = 1
SCHEMA = "gas.reference-bundle/1"
MANIFEST = "bundle.json"
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # fit to be the name of a file
SHIPPED = Path(__file__).parent / "bundles"
DEMO = SHIPPED / "demo-grch38"


@dataclass(frozen=True)
class Contig:
    """One sequence of the reference; `genetic_code` is NCBI's table number."""

    name: str
    length: int
    aliases: tuple[str, ...]
    genetic_code: int
    genes: Path | None

    @property
    def is_standard(self) -> bool:
        """Whether it is read by the standard genetic code."""
        return self.genetic_code == STANDARD_CODE


@dataclass(frozen=True)
class Source:
    """Known variants; `columns` maps an INFO tag of the result to a column of the source."""

    name: str
    release: str
    path: Path
    columns: dict[str, str]


@dataclass(frozen=True)
class VepCache:
    """A VEP cache as vepyr lays it out; `version` is the release of Ensembl."""

    folder: Path
    version: int


@dataclass(frozen=True)
class Bundle:
    """An installed reference; `files` maps a path in the folder to its sha256."""

    folder: Path
    id: str
    assembly: str
    genes: str
    fasta: Path
    contigs: tuple[Contig, ...]
    files: dict[str, str]
    sources: tuple[Source, ...] = ()
    vep: VepCache | None = None

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders that hold its files; a cache may lie elsewhere, behind a link."""
        return (self.folder, self.vep.folder.resolve()) if self.vep else (self.folder,)

    def names(self) -> dict[bytes, Contig]:
        """Map every name that a VCF may use to its contig."""
        return {
            name.encode(): contig
            for contig in self.contigs
            for name in (contig.name, *contig.aliases)
        }

    def provenance(self) -> dict[str, Any]:
        """Return what a result says of its reference."""
        return {
            "id": self.id,
            "assembly": self.assembly,
            "genes": self.genes,
            "genetic_codes": {contig.name: contig.genetic_code for contig in self.contigs},
            "files": self.files,
            **({"vep_cache": self.vep.version} if self.vep else {}),
            "sources": [
                {
                    "name": source.name,
                    "release": source.release,
                    "columns": source.columns,
                    "sha256": self.files[str(source.path.relative_to(self.folder))],
                }
                for source in self.sources
            ],
        }


def load(folder: Path) -> Bundle:
    """Read a bundle and check that its files have the sizes it declares."""
    manifest = folder.absolute() / MANIFEST
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnnotatorFailed(f"no readable bundle in {folder}: {error}") from error
    try:
        if content["schema"] != SCHEMA:
            raise AnnotatorFailed(f"{manifest} is not a {SCHEMA}")
        _check_sizes(manifest.parent, content["files"])
        return _bundle(manifest.parent, content)
    except (KeyError, TypeError, AttributeError) as error:
        raise AnnotatorFailed(f"{manifest} is not a whole {SCHEMA}: {error!r}") from error


def wrong_files(bundle: Bundle) -> list[str]:
    """Name the files whose bytes are not the ones that bundle.json declares."""
    return [
        path for path, expected in bundle.files.items() if digest(bundle.folder / path) != expected
    ]


def folders(parent: Path) -> list[Path]:
    """Return the folders right below `parent` that hold a bundle, by name."""
    return sorted(manifest.parent for manifest in parent.glob(f"*/{MANIFEST}"))


def _bundle(folder: Path, content: dict[str, Any]) -> Bundle:
    if not PLAIN_NAME.fullmatch(content["id"]):
        raise AnnotatorFailed(f"{folder} has an id that cannot be the name of a folder")
    return Bundle(
        folder=folder,
        id=content["id"],
        assembly=content["assembly"],
        genes=content["genes"],
        fasta=folder / content["fasta"],
        contigs=tuple(_contig(folder, entry) for entry in content["contigs"]),
        files={path: entry["sha256"] for path, entry in content["files"].items()},
        sources=tuple(_source(folder, entry) for entry in content.get("sources", ())),
        vep=_vep_cache(folder, content["engine"]) if "engine" in content else None,
    )


def _vep_cache(folder: Path, entry: dict[str, Any]) -> VepCache:
    if entry["name"] != "vep":
        raise AnnotatorFailed(
            f"{folder} wants an engine named {entry['name']}; vep is the only one"
        )
    return VepCache(folder / entry["cache"], entry["version"])


def _source(folder: Path, entry: dict[str, Any]) -> Source:
    return Source(entry["name"], entry["release"], folder / entry["path"], entry["columns"])


def _contig(folder: Path, entry: dict[str, Any]) -> Contig:
    return Contig(
        name=entry["name"],
        length=entry["length"],
        aliases=tuple(entry["aliases"]),
        genetic_code=entry["genetic_code"],
        genes=folder / entry["genes"] if entry["genes"] else None,
    )


def _check_sizes(folder: Path, files: dict[str, Any]) -> None:
    for path, entry in files.items():
        file = folder / path
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise AnnotatorFailed(f"{folder} names a file outside of it: {path!r}")
        if not file.is_file() or file.stat().st_size != entry["bytes"]:
            raise AnnotatorFailed(f"the bundle file {file} is missing or has another size")
