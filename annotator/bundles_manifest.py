"""What a reference bundle is to be made of, and where that comes from.

Schema gas.bundle-manifest/1: `id`, `assembly`, `title`, `genes_release`, `contigs` (each `name`,
`aliases` and, where they matter, `length` and `genetic_code`), `fasta` and `genes` (each one file),
`sources` (each `name`, `release`, or header:NAME where the file itself says it, `files`, `columns`,
`default`, `licence`). A file has a `url`, or
a `path` from the manifest's own folder, and what it is checked by: `sha256`, or `published` {`url`,
`algorithm` md5 or bsd}, or neither.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from annotator.bundles import PLAIN_NAME
from annotator.errors import AnnotatorFailed

SCHEMA = "gas.bundle-manifest/1"
SHIPPED = Path(__file__).parent / "manifests"
_COLUMN = re.compile(r"GAS_[A-Za-z0-9_]+")
_ORIGINAL = re.compile(r"ID|INFO/[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True)
class RemoteFile:
    """One file to fetch; `place` is an http(s) address or an absolute path."""

    place: str
    sha256: str | None
    published: str | None
    algorithm: str

    @property
    def name(self) -> str:
        """The last part of its address."""
        return Path(urlsplit(self.place).path).name


@dataclass(frozen=True)
class ContigPlan:
    """A contig's other names; without a length, whatever the sequence says is right."""

    name: str
    aliases: tuple[str, ...] = ()
    length: int | None = None
    genetic_code: int = 1


@dataclass(frozen=True)
class SourcePlan:
    """Known variants in one or more VCF files; `columns` as in bundle.json."""

    name: str
    release: str
    files: tuple[RemoteFile, ...]
    columns: dict[str, str]
    default: bool


@dataclass(frozen=True)
class Manifest:
    """A whole bundle to be."""

    id: str
    assembly: str
    title: str
    genes_release: str
    contigs: tuple[ContigPlan, ...]
    fasta: RemoteFile
    genes: RemoteFile
    sources: tuple[SourcePlan, ...]

    def chosen(self, names: list[str] | None) -> tuple[SourcePlan, ...]:
        """Return the sources of those names; the default ones for None."""
        if names is None:
            return tuple(source for source in self.sources if source.default)
        known = {source.name: source for source in self.sources}
        for name in names:
            if name not in known:
                raise AnnotatorFailed(f"{self.id} has no source {name}; it has {', '.join(known)}")
        return tuple(known[name] for name in dict.fromkeys(names))


def shipped() -> dict[str, Path]:
    """Return the manifests that come with the program, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.json"))}


def read(name: str) -> Manifest:
    """Read a manifest by its path, or by the name of one that is shipped."""
    path = shipped().get(name, Path(name)).absolute()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise AnnotatorFailed(f"{path} is not a {SCHEMA}")
        return _manifest(content, path.parent)
    except (OSError, ValueError) as error:
        raise AnnotatorFailed(f"no readable manifest at {path}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise AnnotatorFailed(f"{path} is not a whole manifest: {error!r}") from error


def _manifest(content: dict[str, Any], folder: Path) -> Manifest:
    return Manifest(
        id=_plain(content["id"]),
        assembly=content["assembly"],
        title=content["title"],
        genes_release=content["genes_release"],
        contigs=tuple(map(_contig, content["contigs"])),
        fasta=_file(content["fasta"], folder),
        genes=_file(content["genes"], folder),
        sources=tuple(_source(entry, folder) for entry in content.get("sources", ())),
    )


def _contig(entry: dict[str, Any]) -> ContigPlan:
    aliases = tuple(entry.get("aliases", ()))
    length, code = entry.get("length"), entry.get("genetic_code", 1)
    return ContigPlan(_plain(entry["name"]), aliases, length, code)


def _source(entry: dict[str, Any], folder: Path) -> SourcePlan:
    columns = dict(entry["columns"])
    for ours, theirs in columns.items():
        if not (_COLUMN.fullmatch(ours) and _ORIGINAL.fullmatch(theirs)):
            raise AnnotatorFailed(f"{ours}: {theirs} is not GAS_NAME: ID or GAS_NAME: INFO/NAME")
    files = tuple(_file(one, folder) for one in entry["files"])
    release, default = entry["release"], entry.get("default", False)
    return SourcePlan(_plain(entry["name"]), release, files, columns, default)


def _file(entry: dict[str, Any], folder: Path) -> RemoteFile:
    place = entry["url"] if "url" in entry else str(folder / entry["path"])
    published = entry.get("published")
    return RemoteFile(
        place=place,
        sha256=entry.get("sha256"),
        published=urljoin(place, published["url"]) if published else None,
        algorithm=published["algorithm"] if published else "sha256",
    )


def _plain(name: str) -> str:
    if not PLAIN_NAME.fullmatch(name):
        raise AnnotatorFailed(f"{name!r} cannot be the name of a file")
    return name
