"""What a worker does with a shard: split, put consequences on it, and write its part."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from annotator.bundles import Bundle
from annotator.engines import Engine, Unit
from annotator.flatten import Flattener
from annotator.known import KnownCounts
from annotator.originals import Originals
from annotator.outputs import split_header, write_part
from annotator.provenance import Stopwatch
from annotator.second_look import SecondLook
from annotator.shards import Shard
from annotator.sites import sites_of
from annotator.sources import Sources
from annotator.split import split
from annotator.summary import Counts
from annotator.tbi import Places


@dataclass(frozen=True)
class Part:
    """One shard's share of the results, in a folder of its own."""

    number: int
    folder: Path
    header: tuple[bytes, ...]
    counts: Counts
    places: Places
    sizes: list[int]  # of the VCF's blocks, in bytes
    known: KnownCounts
    source_commands: list[list[str]]
    commands: list[list[str]]
    seconds: dict[str, float]


@dataclass(frozen=True)
class ShardWork:
    """Annotates shards; `engine` makes an engine that works in a folder."""

    work: Path
    bundle: Bundle
    engine: Callable[[Path], Engine]

    def __call__(self, shard: Shard) -> Part:
        """Return the part made of one shard, whose text is deleted."""
        folder, watch = self.work / f"part-{shard.number}", Stopwatch()
        scratch = folder / "work"
        scratch.mkdir(parents=True)
        records = scratch / "records.bcf"
        originals = Originals(shard.text)
        sites = sites_of(shard.text)
        with watch.stage("split"):
            split(shard.text, records, indexed=bool(self.bundle.sources), plain=sites.plain)
        sources = Sources(self.bundle, scratch)
        with watch.stage("sources"):
            names = tuple(map(os.fsencode, shard.names))
            records, found = sources.annotate(records, sites, names)
        shard.text.unlink()
        pa.default_memory_pool().release_unused()  # the engine's process begins as a copy of this
        engine = self.engine(scratch)
        field, known = engine.info_field, KnownCounts(self.bundle)
        flattener = Flattener(field, known, SecondLook(found, self.bundle.names(), field.tag))
        with watch.stage("consequences"):
            texts = engine.annotate(records, Unit(shard.names, shard.contig, sites.plain))
            header, blocks = split_header(texts)
            whole = map(originals.put_back, blocks)
            sizes = write_part(folder, map(flattener.block, whole), flattener.engine.columns)
        shutil.rmtree(scratch)
        return Part(
            number=shard.number,
            folder=folder,
            header=tuple(header),
            counts=flattener.counts,
            places=flattener.places,
            sizes=sizes,
            known=flattener.known,
            source_commands=sources.commands,
            commands=engine.commands,
            seconds=watch.seconds,
        )
