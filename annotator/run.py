"""One annotation from a file to a folder of results: all of it or nothing."""

import json
import os
import shutil
from collections.abc import Mapping
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from annotator import __version__, outputs, summary
from annotator.bundles import Bundle, Contig, load
from annotator.engines import Engine, Unit
from annotator.engines.csq import CsqEngine
from annotator.errors import AnnotatorFailed
from annotator.normalise import Normalised, Normaliser
from annotator.provenance import COMMIT, Stopwatch, fingerprint, peak_memory_mb
from annotator.sandbox import Walls
from annotator.sniff import START_BYTES, Format, sniff
from annotator.sources import KnownCounts, Sources
from annotator.summary import Counts

PROVENANCE = "provenance.json"
WORK = "work"  # inside the partial folder; never published
NO_WALLS = "Walls: none"
RESULTS = (
    outputs.ANNOTATED,
    f"{outputs.ANNOTATED}.tbi",
    "summary.json",
    "annotation.log",
    PROVENANCE,
)


def partial_folder(outdir: Path) -> Path:
    """Where a run works before its folder gets the final name."""
    return outdir.with_name(f".{outdir.name}.partial")


def open_partial(outdir: Path) -> Path:
    """Make the folder where a run works, or empty it: walls may already stand around it."""
    results = partial_folder(outdir)
    results.mkdir(parents=True, exist_ok=True)
    for left in results.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    return results


def annotate(
    source: Path, outdir: Path, bundle_folder: Path, *, walls: Walls | None = None
) -> None:
    """Annotate `source` into `outdir`, which must be empty or absent; the log tells the walls."""
    if outdir.exists() and any(outdir.iterdir()):
        raise AnnotatorFailed(f"{outdir} is not empty")
    results = open_partial(outdir)
    work = results / WORK
    work.mkdir(parents=True)
    try:
        _Job(source, results, work, load(bundle_folder), str(walls or NO_WALLS)).run()
        shutil.rmtree(work)
        results.rename(outdir)
    finally:
        shutil.rmtree(results, ignore_errors=True)


class _Job:
    def __init__(self, source: Path, results: Path, work: Path, bundle: Bundle, walls: str) -> None:
        self._source, self._results, self._work, self._bundle = source, results, work, bundle
        self._walls = walls
        self._watch = Stopwatch()
        self._sources, self._known = Sources(bundle, work), KnownCounts(bundle)
        self._engine: Engine = CsqEngine(bundle, work)

    def run(self) -> None:
        kind = self._sniff()
        with self._watch.stage("normalise"):
            normalised = Normaliser(self._source, kind, self._bundle, self._work).run()
        with self._watch.stage("sources"):
            records = self._sources.annotate(normalised.records, normalised.contigs)
        with self._watch.stage("annotate"):
            counts = self._annotate(records, normalised)
        counts.check(normalised.tally)
        content = summary.summary(counts, normalised.tally)
        content |= self._known.summary(content["annotated"])
        self._write("annotation.log", f"{self._walls}\n\n{summary.log(content)}")
        self._write("summary.json", _json(content))
        self._write("provenance.json", _json(self._provenance(kind, normalised, content)))

    def _sniff(self) -> Format:
        with self._source.open("rb") as file:
            return sniff(file.read(START_BYTES))

    def _annotate(self, annotated: Path, normalised: Normalised) -> Counts:
        units = _units(normalised.contigs, self._bundle.names())
        texts = (outputs.split_header(self._engine.annotate(annotated, u)) for u in units)
        engine_header, first_records = next(texts)
        used = {**normalised.header.contigs, **normalised.tally.contigs}
        header = outputs.final_header(engine_header, used)
        records = chain(first_records, chain.from_iterable(records for _, records in texts))
        flattener = outputs.Flattener()
        blocks = map(flattener.block, map(self._known.seen, records))
        outputs.write(self._results / outputs.ANNOTATED, header, blocks)
        return flattener.counts

    def _provenance(
        self, kind: Format, normalised: Normalised, content: dict[str, Any]
    ) -> dict[str, Any]:
        origin = normalised.origin
        counted = ("records_in", "alleles", "annotated", "flagged", "reference", "records_out")
        return {
            "annotator": {"version": __version__, "commit": COMMIT},
            "input": {"format": kind.value, "bytes": origin.bytes, "sha256": origin.sha256},
            "sorted": normalised.was_sorted,
            "walls": self._walls,
            "bundle": self._bundle.provenance(),
            "sources": {"commands": self._sources.commands},
            "engine": {"name": self._engine.name, "commands": self._engine.commands},
            "counts": {key: content[key] for key in counted},
            "outputs": self._fingerprints({outputs.ANNOTATED: content["records_out"]}),
            "seconds": self._watch.seconds,
            "peak_memory_mb": peak_memory_mb(),
        }

    def _fingerprints(self, records: dict[str, int]) -> dict[str, dict[str, str | int]]:
        """Describe every result but the provenance itself; `records` counts those in tables."""
        return {
            name: fingerprint(self._results / name)
            | ({"records": records[name]} if name in records else {})
            for name in RESULTS
            if name != PROVENANCE
        }

    def _write(self, name: str, text: str) -> None:
        (self._results / name).write_text(text, encoding="utf-8")


def _units(names: tuple[bytes, ...], known: Mapping[bytes, Contig]) -> list[Unit]:
    """One unit per contig with genes; neighbours without genes share one."""
    units = []
    for contig, group in groupby(names, key=lambda name: _with_genes(known.get(name))):
        texts = [os.fsdecode(name) for name in group]
        units += [Unit((text,), contig) for text in texts] if contig else [Unit(tuple(texts), None)]
    return units or [Unit((), None)]


def _with_genes(contig: Contig | None) -> Contig | None:
    return contig if contig and contig.genes else None


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"
