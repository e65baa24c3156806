"""Columns from a bundle's known variants, put on the records before the engine sees them.

`bcftools annotate` matches an allele by contig, position, REF and ALT. It needs the source's own
contig names, so the names of the file are swapped for them, and swapped back by the last command.
What it does not find at first gets a second look.
"""

from collections import defaultdict
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

from annotator.bundles import Bundle, Contig, Source
from annotator.errors import AnnotatorFailed
from annotator.second_look import (
    Found,
    candidates,
    declarations,
    keep_apart,
    read_found,
    write_candidates,
)
from annotator.sites import Sites
from annotator.stages import Stage, StageFailedError

# Flagged records, and alleles that are no plain sequence, stay as they came.
_PLAIN = 'GAS_SKIP="." && ALT!~"[^ACGTacgt]"'


class Sources:
    """One job's use of the sources of its bundle; `commands` are those run, without paths."""

    def __init__(self, bundle: Bundle, work: Path) -> None:
        self._bundle, self._work = bundle, work
        self._made = 0
        self.commands: list[list[str]] = []

    def annotate(self, records: Path, sites: Sites, used: tuple[bytes, ...]) -> tuple[Path, Found]:
        """Return a BCF of the same records with the columns of every source, and what it lacks.

        `sites` tells where the records lie, `used` are their contig names. Without sources the
        records are returned.
        """
        if not self._bundle.sources:
            return records, {}
        if sites.before_first_base:  # where `annotate` would lose what it cannot jump to
            found = self._look_again(sites, every=True)
            return self._declared(records), found
        for swap in swaps(used, self._bundle.names()):
            records = self._pass(records, swap, sites)
        return records, self._look_again(sites)

    def _look_again(self, sites: Sites, *, every: bool = False) -> Found:
        """Return what the sources say of `every` allele, or of what `annotate` may have missed."""
        alleles = candidates(sites, self._bundle.names(), every=every)
        if not alleles:
            return {}
        written, apart = self._work / "candidates.vcf", self._work / "apart.vcf.gz"
        write_candidates(alleles, written)
        shortest = ["-f", str(self._bundle.fasta), "-c", "w", "-w", "0"]
        near = self._near(keep_apart(self._text("norm", shortest, written), apart), {})
        for source in self._bundle.sources:
            apart = self._annotated(apart, [*_columns(source, plain=True), *near])
        return read_found(self._text("view", [], apart))

    def _declared(self, records: Path) -> Path:
        """Return the records with only the header of what was looked up."""
        looked_up, lines = self._work / "view.vcf", self._work / "declarations"
        if not looked_up.exists():
            return records
        lines.write_bytes(declarations(looked_up))
        return self._annotated(records, ["-h", str(lines)])

    def _pass(self, records: Path, swap: dict[str, str], sites: Sites) -> Path:
        """Take the columns for one name of each contig."""
        renamed: list[str] = []
        if swap:
            table = self._work / "names"
            table.write_text("".join(f"{a}\t{b}\n" for a, b in swap.items()))
            renamed = ["--rename-chrs", str(table)]
            records = self._annotated(records, renamed)
        near = self._near(sites, swap)
        *others, last = self._bundle.sources
        for source in others:
            records = self._annotated(records, [*_columns(source, plain=sites.plain), *near])
        return self._annotated(records, [*_columns(last, plain=sites.plain), *near, *renamed])

    def _near(self, sites: Sites, swap: Mapping[str, str]) -> list[str]:
        """Return what keeps a command from reading a source where no records are."""
        regions = self._work / "regions"
        in_bytes = {one.encode(): other.encode() for one, other in swap.items()}
        found = sites.write_regions(regions, in_bytes)
        return ["-R", str(regions), "--regions-overlap", "0"] if found else []

    def _annotated(self, records: Path, options: list[str]) -> Path:
        self._made += 1
        target = self._work / f"known-{self._made}.bcf"
        written = [*options, "--no-version", "--write-index", "-Ob0"]
        return self._run("annotate", written, records, target)

    def _text(self, command: str, options: list[str], records: Path) -> Path:
        written = [*options, "--no-version", "-Ov"]
        return self._run(command, written, records, self._work / f"{command}.vcf")

    def _run(self, command: str, options: list[str], records: Path, target: Path) -> Path:
        arguments = [command, *options, "-o", str(target), str(records)]
        self.commands.append([_bare(argument) for argument in arguments])
        stage = Stage(arguments, log=self._work / "sources.log")
        try:
            stage.wait()
        except StageFailedError as failure:
            raise AnnotatorFailed(str(failure)) from failure
        finally:
            stage.stop()
        return target


def swaps(used: tuple[bytes, ...], known: Mapping[bytes, Contig]) -> list[dict[str, str]]:
    """Return tables that exchange names of the file and of the bundle; each is its own inverse.

    There is one for each way in which the file names the same contig, nearly always one.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for name in used:
        if contig := known.get(name):
            names[contig.name].append(name.decode())
    passes = zip_longest(*names.values())
    return [
        {
            one: other
            for ours, theirs in zip(names, row, strict=True)
            if theirs not in (None, ours)
            for one, other in ((theirs, ours), (ours, theirs))
        }
        for row in passes
    ]


def _columns(source: Source, *, plain: bool) -> list[str]:
    assigned = ",".join(f"INFO/{ours}:={theirs}" for ours, theirs in source.columns.items())
    exact = ["--pair-logic", "exact"]
    exact += [] if plain else ["--keep-sites", "--include", _PLAIN]
    return ["-a", str(source.path), "-c", assigned, *exact]


def _bare(argument: str) -> str:
    return Path(argument).name if argument.startswith("/") else argument
