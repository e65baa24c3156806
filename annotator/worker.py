"""What a worker does with a shard: split, look its sites up, and write its part."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from annotator.bundles import Bundle
from annotator.columns import binary, text_in
from annotator.engines import Engine, Unit
from annotator.engines.text import split_header
from annotator.flatten import Findings, Flattener
from annotator.header import defines
from annotator.known import KnownCounts
from annotator.outputs import write_part
from annotator.provenance import Stopwatch
from annotator.records import header_of, read
from annotator.shards import Shard
from annotator.sites import Sites, answers, sites_of, vcf
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
    split_commands: list[list[str]]
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
        alleles, engine = scratch / "alleles.vcf", self.engine(scratch)
        with watch.stage("split"):
            split_commands = split(shard.text, alleles)
            header = header_of(alleles)
            records = list(read(shard.text, alleles, engine.info_field.tag))
            shard.text.unlink()
            sites, numbers = sites_of(records)
        pa.default_memory_pool().release_unused()  # what runs now begins as a copy of this process
        sources, known = Sources(self.bundle, scratch), KnownCounts(self.bundle)
        with watch.stage("sources"):
            said = sources.look_up(sites)
        with watch.stage("consequences"):
            words, declared = _words(engine, sites, shard, scratch)
        flattener = Flattener(engine.info_field, known, Findings(said.fields, words))
        with watch.stage("tables"):
            flat = map(flattener.block, records, numbers)
            sizes = write_part(folder, flat, engine.info_field.columns)
        shutil.rmtree(scratch)
        return Part(
            number=shard.number,
            folder=folder,
            header=(*header[:-1], *said.declarations, *declared, header[-1]),
            counts=flattener.counts,
            places=flattener.places,
            sizes=sizes,
            known=flattener.known,
            split_commands=split_commands,
            source_commands=sources.commands,
            commands=engine.commands,
            seconds=watch.seconds,
        )


def _words(
    engine: Engine, sites: Sites, shard: Shard, scratch: Path
) -> tuple[pa.Array, list[bytes]]:
    """Return what an engine says of each site, and how its header declares that."""
    if shard.contig is None or not len(sites.lines):
        return pa.nulls(len(sites.lines), pa.binary()), []
    asked, tag = scratch / "sites.vcf", engine.info_field.tag.encode()
    contigs = {name.encode(errors="surrogateescape"): shard.contig.length for name in shard.names}
    asked.write_bytes(vcf(contigs, text_in(sites.lines)))
    header, blocks = split_header(
        engine.annotate(asked, Unit(shard.names, shard.contig, plain=True))
    )
    found = answers(blocks, sites)
    words = pc.binary_replace_slice(found, 0, len(tag) + 1, b"")
    words = pc.if_else(pc.equal(found, binary(b".")), None, words)
    return words, [line for line in header if defines(line, b"INFO", tag)]
