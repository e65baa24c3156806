"""The workers' parts, put into their order as they come."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from annotator.engines import InfoField
from annotator.known import KnownCounts
from annotator.outputs import ANNOTATED, PARQUET, SKIPPED, TSV, ParquetFile, final_header, join
from annotator.summary import Counts
from annotator.worker import Part


class Gathered:
    """Takes parts in any order; the Parquet file grows as soon as the next in order is there."""

    def __init__(self, results: Path, work: Path, known: KnownCounts, engine: InfoField) -> None:
        # In the attempt's own folder: one that was given up may write to its file once more.
        self._results, self._work, self._engine = results, work, engine
        self._parquet = ParquetFile(work / PARQUET, engine.columns)
        self._early: dict[int, Part] = {}
        self._parts: list[Part] = []
        self.counts, self.known = Counts(), known

    @property
    def commands(self) -> list[list[str]]:
        """The engine's commands, each once however many shards it ran over."""
        return _each_once(command for part in self._parts for command in part.commands)

    @property
    def source_commands(self) -> list[list[str]]:
        """The commands that put the sources' columns on, each once."""
        return _each_once(command for part in self._parts for command in part.source_commands)

    @property
    def split_commands(self) -> list[list[str]]:
        """The commands that read and split the records, each once."""
        return _each_once(command for part in self._parts for command in part.split_commands)

    @property
    def records(self) -> dict[str, int]:
        """How many records each of the tables holds."""
        rows, skipped = self._parquet.written, self.counts.flagged.total()
        return {ANNOTATED: self.counts.rows, TSV: rows, PARQUET: rows, SKIPPED: skipped}

    @property
    def seconds(self) -> dict[str, float]:
        """The workers' seconds by stage, added up."""
        every = Counter[str]()
        for part in self._parts:
            every.update(part.seconds)
        return {stage: round(taken, 3) for stage, taken in every.items()}

    def take(self, part: Part) -> None:
        """Add a part."""
        self._early[part.number] = part
        while (following := self._early.pop(len(self._parts), None)) is not None:
            self._parquet.take(following.folder)
            self.counts.add(following.counts)
            self.known.add(following.known)
            self._parts.append(following)

    def publish(self, contigs: Iterable[bytes]) -> None:
        """Write the whole files, the VCF with a header that names these contigs."""
        self._parquet.close()
        (self._work / PARQUET).rename(self._results / PARQUET)
        header = final_header([part.header for part in self._parts], contigs, self._engine)
        folders = [part.folder for part in self._parts]
        places = [(part.places, part.sizes) for part in self._parts]
        join(folders, self._results, header, self._engine.columns, places)


def _each_once(commands: Iterable[list[str]]) -> list[list[str]]:
    return [list(command) for command in dict.fromkeys(map(tuple, commands))]
