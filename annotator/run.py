"""One annotation from a file to a folder of results: all of it or nothing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from annotator import __version__, outputs, summary
from annotator.blame import UnreadableError
from annotator.bundles import Bundle, load
from annotator.crew import Crew, NotThisWayError
from annotator.engines import Engine
from annotator.engines.csq import CsqEngine
from annotator.engines.vep import VepEngine
from annotator.errors import AnnotatorFailed
from annotator.gather import Gathered
from annotator.known import KnownCounts
from annotator.normalise import Normalised, Normaliser, Plan
from annotator.progress import OnProgress, Progress
from annotator.provenance import COMMIT, Stopwatch, fingerprint, peak_memory_mb
from annotator.sandbox import Walls
from annotator.sniff import START_BYTES, Format, sniff
from annotator.worker import ShardWork

PROVENANCE = "provenance.json"
WORK = "work"  # inside the partial folder; never published
NO_WALLS = "Walls: none"
RESULTS = (
    outputs.ANNOTATED,
    f"{outputs.ANNOTATED}.tbi",
    outputs.TSV,
    outputs.PARQUET,
    outputs.SKIPPED,
    "summary.json",
    "annotation.log",
    PROVENANCE,
)


def partial_folder(outdir: Path) -> Path:
    """Where a run works before its folder gets the final name."""
    return outdir.with_name(f".{outdir.name}.partial")


def open_partial(outdir: Path, *, keep: Path | None = None) -> Path:
    """Make the folder where a run works, or empty it: walls may already stand around it.

    `keep` is a file that may lie there as the run's input.
    """
    results = partial_folder(outdir)
    results.mkdir(parents=True, exist_ok=True)
    for left in results.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left != keep:
            left.unlink()
    return results


def annotate(
    source: Path,
    outdir: Path,
    bundle_folder: Path,
    *,
    walls: Walls | None = None,
    workers: int = 1,
    correlation: str = "",
    on_progress: OnProgress | None = None,
) -> None:
    """Annotate `source` into `outdir`, which must be empty or absent.

    The first line of the log tells the walls, and the id under which other logs tell of the run.

    The results are the same bytes with any number of workers. `on_progress` hears the stage and
    the fraction of the whole that is done.
    """
    if outdir.exists() and any(outdir.iterdir()):
        raise AnnotatorFailed(f"{outdir} is not empty")
    results = open_partial(outdir, keep=source)
    work = results / WORK
    work.mkdir(parents=True)
    try:
        head = f"{walls or NO_WALLS}{correlation and f'; correlation {correlation}'}"
        job = _Job(source, results, work, load(bundle_folder), str(walls or NO_WALLS), head)
        job.run(workers, Progress(on_progress))
        shutil.rmtree(work)
        if source.parent == results:
            source.unlink()
        results.rename(outdir)
    finally:
        shutil.rmtree(results, ignore_errors=True)


class _Job:
    def __init__(
        self, source: Path, results: Path, work: Path, bundle: Bundle, walls: str, head: str
    ) -> None:
        self._source, self._results, self._work, self._bundle = source, results, work, bundle
        self._walls, self._head = walls, head
        self._info_field = self._engine(work).info_field  # first of all, to hear that it is there
        self._watch = Stopwatch()

    def run(self, workers: int, progress: Progress) -> None:
        kind = self._sniff()
        normaliser = Normaliser(self._source, kind, self._bundle, self._work, self._watch)
        with self._watch.stage("annotate"):
            normalised, gathered = self._annotate(normaliser, workers, progress)
        progress.tell("write", 0.95)
        with self._watch.stage("write"):
            self._publish(normaliser, normalised, gathered)
        gathered.counts.check(normalised.tally)
        content = summary.summary(gathered.counts, normalised.tally)
        content |= gathered.known.summary(content["annotated"])
        made = summary.made_with(self._bundle, self._engine(self._work).name, normalised.origin)
        self._write("annotation.log", f"{self._head}\n\n{made}\n{summary.log(content)}")
        self._write("summary.json", _json(content))
        self._write("provenance.json", _json(self._provenance(normalised, gathered, content)))
        progress.tell("done", 1.0)

    def _publish(self, normaliser: Normaliser, normalised: Normalised, gathered: Gathered) -> None:
        try:
            gathered.publish({**normalised.header.contigs, **normalised.tally.contigs})
        except UnreadableError as error:
            normaliser.another(Plan(), error)

    def _sniff(self) -> Format:
        with self._source.open("rb") as file:
            return sniff(file.read(START_BYTES))

    def _annotate(
        self, normaliser: Normaliser, workers: int, progress: Progress
    ) -> tuple[Normalised, Gathered]:
        """Try the plain way first; only a file that needs it pays for a sort or a second look."""
        plan = Plan()
        while True:
            work = self._work / "attempt"
            work.mkdir()
            try:
                return self._attempt(replace(normaliser, work=work), plan, workers, progress)
            except NotThisWayError as error:
                shutil.rmtree(work)
                plan = normaliser.another(plan, error)

    def _attempt(
        self, normaliser: Normaliser, plan: Plan, workers: int, progress: Progress
    ) -> tuple[Normalised, Gathered]:
        known = KnownCounts(self._bundle)
        gathered = Gathered(self._results, normaliser.work, known, self._info_field)
        work = ShardWork(normaliser.work, self._bundle, self._engine)
        with Crew(workers, work, gathered.take) as crew:

            def on_read(stage: str, fraction: float) -> None:
                crew.listen(patience=0)
                progress.tell(stage, 0.9 * fraction)

            normalised = normaliser.run(plan, crew.give, on_read)
            crew.finish()
        return normalised, gathered

    def _engine(self, work: Path) -> Engine:
        cache = self._bundle.vep
        return VepEngine(self._bundle, cache, work) if cache else CsqEngine(self._bundle, work)

    def _provenance(
        self, normalised: Normalised, gathered: Gathered, content: dict[str, Any]
    ) -> dict[str, Any]:
        origin, engine = normalised.origin, self._engine(self._work)
        counted = ("records_in", "alleles", "annotated", "flagged", "reference", "records_out")
        return {
            "annotator": {"version": __version__, "commit": COMMIT},
            "input": {
                "format": self._sniff().value,
                "bytes": origin.bytes,
                "sha256": origin.sha256,
            },
            "sorted": normalised.was_sorted,
            "split": {"commands": gathered.split_commands},
            "walls": self._walls,
            "bundle": self._bundle.provenance(),
            "sources": {"commands": gathered.source_commands},
            "engine": {"name": engine.name, "commands": gathered.commands},
            "counts": {key: content[key] for key in counted},
            "outputs": self._fingerprints(gathered.records),
            "seconds": {**self._watch.seconds, **gathered.seconds},
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


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"
