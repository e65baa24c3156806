"""Columns from a bundle's known variants, put on the records before the engine sees them.

`bcftools annotate` matches an allele by contig, position, REF and ALT. It needs the source's own
contig names, so the names of the file are swapped for them, and swapped back by the last command.
"""

from collections import defaultdict
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

from annotator.bundles import Bundle, Contig, Source
from annotator.errors import AnnotatorFailed
from annotator.stages import Stage, StageFailedError

# Flagged records, and alleles that are no plain sequence, stay as they came.
_KEEP_FLAGGED = ("--keep-sites", "--include", 'GAS_SKIP="." && ALT!~"[^ACGTacgt]"')


class Sources:
    """One job's use of the sources of its bundle; `commands` are those run, without paths."""

    def __init__(self, bundle: Bundle, work: Path) -> None:
        self._bundle, self._work = bundle, work
        self._made = 0
        self.commands: list[list[str]] = []

    def annotate(self, records: Path, used: tuple[bytes, ...]) -> Path:
        """Return an indexed BCF of the same records with the columns of every source.

        `used` are the contig names of the records. Without sources the records are returned.
        """
        if self._bundle.sources:
            for swap in swaps(used, self._bundle.names()):
                records = self._pass(records, swap)
        return records

    def _pass(self, records: Path, swap: dict[str, str]) -> Path:
        """Take the columns for one name of each contig."""
        renamed: list[str] = []
        if swap:
            table = self._work / "names"
            table.write_text("".join(f"{a}\t{b}\n" for a, b in swap.items()))
            renamed = ["--rename-chrs", str(table)]
            records = self._run(renamed, records)
        *others, last = self._bundle.sources
        for source in others:
            records = self._run(_columns(source), records)
        return self._run([*_columns(last), *renamed], records)

    def _run(self, options: list[str], records: Path) -> Path:
        self._made += 1
        target = self._work / f"known-{self._made}.bcf"
        written = ["--no-version", "--write-index", "-Ob0", "-o", str(target), str(records)]
        arguments = ["annotate", *options, *written]
        self.commands.append([_bare(argument) for argument in arguments])
        stage = Stage(arguments, log=self._work / "annotate.log")
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


def _columns(source: Source) -> list[str]:
    columns = ",".join(f"INFO/{ours}:={theirs}" for ours, theirs in source.columns.items())
    exact = ["--pair-logic", "exact", *_KEEP_FLAGGED]
    return ["-a", str(source.path), "-c", columns, *exact]


def _bare(argument: str) -> str:
    return Path(argument).name if argument.startswith("/") else argument
