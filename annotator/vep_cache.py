"""A VEP cache in vepyr's layout, looked at and given to a bundle.

The layout: a folder for each kind of record, in it one Parquet file for each contig, whose metadata
tell the contig, the release of Ensembl and whose transcripts they are.
https://biodatageeks.org/vepyr/caches/
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotator import bundles
from annotator.bundles import Bundle
from annotator.checksums import digest
from annotator.download import Progress
from annotator.errors import AnnotatorFailed

LINK = "vep"  # the cache's name in a bundle
KINDS = ("transcript", "exon", "variation")  # without these it answers nothing
_VERSION = b"bio.vep.cache_version"
_CONTIGS = b"bio.vep.chromosomes"


@dataclass(frozen=True)
class Found:
    """What a cache says of itself; contigs are without `chr`."""

    version: int
    assembly: str
    contigs: frozenset[str]


def inspect(folder: Path) -> Found:
    """Read what the cache is; raise AnnotatorFailed for a folder that is none."""
    shards = {kind: sorted(folder.glob(f"{kind}/*.parquet")) for kind in KINDS}
    if missing := [kind for kind, files in shards.items() if not files]:
        raise AnnotatorFailed(
            f"{folder} is not a VEP cache as vepyr builds them: it has no {missing[0]}/*.parquet"
        )
    try:
        told = [pq.read_schema(shard).metadata or {} for shard in shards["transcript"]]
        versions = {int(one[_VERSION]) for one in told}
        names = [name for one in told for name in json.loads(one[_CONTIGS])]
        assemblies = {_assembly(shard) for shard in shards["transcript"]} - {""}
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise AnnotatorFailed(f"{folder} is not a whole VEP cache: {error}") from error
    if len(versions) != 1 or len(assemblies) != 1:
        raise AnnotatorFailed(f"{folder} is of several releases or assemblies")
    contigs = frozenset(name.removeprefix("chr") for name in names)
    return Found(versions.pop(), assemblies.pop(), contigs)


def attach(folder: Path, cache: Path, progress: Progress) -> Bundle:
    """Have the bundle in `folder` annotated with a cache, which stays where it is.

    Raises AnnotatorFailed when the cache is not of the bundle's assembly, or lacks a contig.
    """
    bundle = bundles.load(folder)
    found = inspect(cache)
    _check(found, bundle, cache)
    link = bundle.folder / LINK
    if link.resolve() != cache.resolve():
        if link.exists() or link.is_symlink():
            raise AnnotatorFailed(f"{link} is there already")
        link.symlink_to(cache.absolute(), target_is_directory=True)
    content = _content(folder)
    content["engine"] = {"name": "vep", "cache": LINK, "version": found.version}
    content["files"] |= _fingerprints(cache, progress)
    _rewrite(folder, content)
    return bundles.load(folder)


def detach(folder: Path) -> Bundle:
    """Have the bundle annotated without a cache again; a cache inside the bundle is left there."""
    content = _content(folder)
    content.pop("engine", None)
    content["files"] = {
        path: entry for path, entry in content["files"].items() if not path.startswith(f"{LINK}/")
    }
    _rewrite(folder, content)
    if (folder / LINK).is_symlink():
        (folder / LINK).unlink()
    return bundles.load(folder)


def _content(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / bundles.MANIFEST).read_text("utf-8"))
        content["files"] = dict(content["files"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AnnotatorFailed(f"no readable bundle in {folder}: {error!r}") from error
    return content


def _rewrite(folder: Path, content: dict[str, Any]) -> None:
    draft = folder / f".{bundles.MANIFEST}"
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / bundles.MANIFEST)


def _check(found: Found, bundle: Bundle, cache: Path) -> None:
    if found.assembly != bundle.assembly.partition(".")[0]:  # the patch does not matter
        raise AnnotatorFailed(
            f"{cache} is of {found.assembly}, the bundle {bundle.id} of {bundle.assembly}"
        )
    asked = [contig.name for contig in bundle.contigs if contig.genes and contig.is_standard]
    if missing := [name for name in asked if name.removeprefix("chr") not in found.contigs]:
        shown = ", ".join(missing[:5])
        raise AnnotatorFailed(f"{cache} lacks {len(missing)} contigs of {bundle.id}: {shown}")


def _fingerprints(cache: Path, progress: Progress) -> dict[str, dict[str, str | int]]:
    files = sorted(path for path in cache.rglob("*") if path.is_file())
    total, done = sum(path.stat().st_size for path in files), 0
    fingerprints: dict[str, dict[str, str | int]] = {}
    for path in files:
        name = f"{LINK}/{path.relative_to(cache)}"
        size = path.stat().st_size
        fingerprints[name] = {"bytes": size, "sha256": digest(path)}
        done += size
        progress("reading the cache", done, total)
    return fingerprints


def _assembly(shard: Path) -> str:
    """Return the assembly of the first transcript; nothing where there is none."""
    with pq.ParquetFile(shard) as file:
        for batch in file.iter_batches(batch_size=1, columns=["assembly"]):
            return str(batch.column(0)[0].as_py())
    return ""
