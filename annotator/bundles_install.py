"""From a manifest to an installed bundle: fetched, checked, prepared, and only then given its name.

What was fetched stays beside the bundle's place until all is done, so that an installation that
was stopped goes on where it was.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotator import bundles
from annotator.bundles_manifest import ContigPlan, Manifest, RemoteFile, SourcePlan
from annotator.bundles_prepare import Names, prepare_fasta, prepare_genes, prepare_source
from annotator.checksums import digest, published
from annotator.download import Download, Progress
from annotator.errors import AnnotatorFailed

GENOME = "genome.fa.gz"
LOCK = "lock"


def install(
    manifest: Manifest, into: Path, *, sources: list[str] | None, progress: Progress
) -> Path:
    """Install a bundle as a folder of `into` and return it; all of it or nothing.

    `sources` names the sources to take; None takes those that the manifest takes by default.
    """
    target = into.absolute() / manifest.id
    chosen = manifest.chosen(sources)
    with _staging(target) as staging:
        folder = _emptied(staging)
        _Installation(manifest, chosen, staging, folder, progress).run()
        _publish(folder, target)
    return target


def copy(installed: Path, into: Path) -> Path:
    """Install a bundle from a folder that holds it already, for machines without a network."""
    bundle = bundles.load(installed)
    target = into.absolute() / bundle.id
    with _staging(target) as staging:
        folder = _emptied(staging)
        for path in (bundles.MANIFEST, *bundle.files):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.folder / path, folder / path)
        _publish(folder, target)
    return target


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Yield the folder of one installation at a time; it is kept when that fails.

    One that was stopped after its bundle got its name is tidied away.
    """
    staging = target.with_name(f".{target.name}.installing")
    try:
        if target.exists() and not staging.exists():
            raise AnnotatorFailed(f"{target} is there already")
        staging.mkdir(parents=True, exist_ok=True)
        with _locked(staging / LOCK, target.name):
            if not target.exists():
                yield staging
                shutil.rmtree(staging)
                return
            shutil.rmtree(staging)
        raise AnnotatorFailed(f"{target} is there already")
    except OSError as error:
        raise AnnotatorFailed(f"{target.name} cannot be installed: {error}") from error


@contextmanager
def _locked(file: Path, name: str) -> Iterator[None]:
    lock = os.open(file, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_nlink == 0:  # the one that held it has ended and tidied up
            raise BlockingIOError
        yield
    except BlockingIOError:
        raise AnnotatorFailed(f"another installation of {name} is under way") from None
    finally:
        os.close(lock)


def _emptied(staging: Path) -> Path:
    """Return the folder of the bundle to be, without what a stopped installation left there."""
    folder = staging / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _publish(folder: Path, target: Path) -> None:
    """Look at every byte once more, then let the bundle be seen."""
    if wrong := bundles.wrong_files(bundles.load(folder)):
        raise AnnotatorFailed(f"these files changed while they were installed: {', '.join(wrong)}")
    folder.rename(target)


@dataclass(frozen=True)
class _Installation:
    manifest: Manifest
    sources: tuple[SourcePlan, ...]
    staging: Path
    folder: Path
    progress: Progress

    def run(self) -> None:
        """Fetch first, so that what cannot be had is known before hours of work."""
        fasta = self._fetched("sequence", self.manifest.fasta)
        genes = self._fetched("genes", self.manifest.genes)
        files = {
            source.name: [self._fetched(source.name, file) for file in source.files]
            for source in self.sources
        }
        self._say("preparing the sequence")
        plans = self._plans(prepare_fasta(fasta, self.folder / GENOME))
        names = Names(plans)
        self._say("preparing the genes")
        with_genes = prepare_genes(genes, self.folder / "genes", names)
        releases = {}
        for source in self.sources:
            self._say(f"preparing {source.name}")
            place = self._place_of(source)
            releases[source.name] = prepare_source(
                source, files[source.name], place, names, self.folder / GENOME
            )
        self._say("checking everything")
        self._write_manifest(plans, with_genes, releases)

    def _say(self, what: str) -> None:
        self.progress(what, 0, None)

    def _fetched(self, role: str, file: RemoteFile) -> Path:
        """Return where the file is on this machine, checked."""
        path = Path(file.place)
        if not path.is_absolute():
            path = self._download(f"{role}-{file.name}", file.place)
        if not path.is_file():
            raise AnnotatorFailed(f"{path} is not a file")
        expected, algorithm = self._expected(role, file)
        self._say(f"checking {file.name}")
        if expected and digest(path, algorithm) != expected:
            if path.parent == self.staging:
                path.unlink()  # a second try must not meet it again
            raise AnnotatorFailed(f"{file.place} has another {algorithm} than it should have")
        return path

    def _expected(self, role: str, file: RemoteFile) -> tuple[str | None, str]:
        """Return the checksum to be met and its kind; the manifest's own goes before a server's."""
        if file.sha256 or not file.published:
            return file.sha256, "sha256"
        name = f"{role}-{file.name}.sums"
        (self.staging / name).unlink(missing_ok=True)
        sums = self._download(name, file.published)
        return published(sums.read_text(), file.name, file.algorithm), file.algorithm

    def _download(self, name: str, url: str) -> Path:
        target = self.staging / name
        Download(url, target, self.progress).run()
        return target

    def _plans(self, lengths: dict[str, int]) -> dict[str, ContigPlan]:
        """Return every contig of the sequence with what the manifest knows of it."""
        planned = {plan.name: plan for plan in self.manifest.contigs}
        for plan in planned.values():
            found = lengths.get(plan.name)
            if found is None or plan.length not in (None, found):
                raise AnnotatorFailed(
                    f"contig {plan.name} should be {plan.length or 'present'},"
                    f" in the sequence it is {found or 'absent'}"
                )
        return {
            name: planned.get(name, ContigPlan(name, length=length))
            for name, length in lengths.items()
        }

    def _place_of(self, source: SourcePlan) -> Path:
        return self.folder / "sources" / f"{source.name}.vcf.gz"

    def _write_manifest(
        self, plans: dict[str, ContigPlan], with_genes: set[str], releases: dict[str, str]
    ) -> None:
        manifest = self.manifest
        lengths = _lengths(self.folder / f"{GENOME}.fai")
        content = {
            "schema": bundles.SCHEMA,
            "id": manifest.id,
            "assembly": manifest.assembly,
            "title": manifest.title,
            "genes": manifest.genes_release,
            "fasta": GENOME,
            "contigs": [
                {
                    "name": name,
                    "length": lengths[name],
                    "aliases": list(plan.aliases),
                    "genetic_code": plan.genetic_code,
                    "genes": f"genes/{name}.gff3" if name in with_genes else None,
                }
                for name, plan in plans.items()
            ],
            "sources": [
                self._source_entry(source, releases[source.name]) for source in self.sources
            ],
            "files": _fingerprints(self.folder),
        }
        text = json.dumps(content, indent=1) + "\n"
        (self.folder / bundles.MANIFEST).write_text(text, encoding="utf-8")

    def _source_entry(self, source: SourcePlan, release: str) -> dict[str, Any]:
        return {
            "name": source.name,
            "release": release,
            "path": str(self._place_of(source).relative_to(self.folder)),
            "columns": source.columns,
            "origin": [file.name for file in source.files],
        }


def _lengths(index: Path) -> dict[str, int]:
    rows = (row.split("\t") for row in index.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows}


def _fingerprints(folder: Path) -> dict[str, dict[str, str | int]]:
    return {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
