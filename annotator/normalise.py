"""From whatever was sent to shards of text: screened, declared, sorted if needed."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from annotator.assembly import (
    Reference,
    check_lengths,
    closest,
    is_another,
    refusal,
    rivals,
    same_contigs,
)
from annotator.blame import blame
from annotator.bundles import Bundle
from annotator.crew import NotThisWayError
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.header import NOTHING, ORIGIN, Header, Undeclared, read_header
from annotator.inputs import Input, whole_lines
from annotator.order import Sorter
from annotator.progress import Course, OnProgress
from annotator.provenance import Stopwatch
from annotator.screen import CROWD_CAP, Screen, Tally, UndeclaredError, UnsortedError
from annotator.shards import SHARD_BYTES, Cutter, Shard
from annotator.sniff import Format
from annotator.split import complaint
from annotator.stages import Stage, StageFailedError
from annotator.undeclared import find_undeclared

PIPE_BYTES = 1 << 18


@dataclass(frozen=True)
class Normalised:
    """What one pass over the input told."""

    origin: Input
    header: Header
    tally: Tally
    was_sorted: bool


@dataclass(frozen=True)
class Plan:
    """What an input needs beyond the plain way."""

    sort: bool = False
    undeclared: Undeclared | None = None


@dataclass(frozen=True)
class Normaliser:
    """One job's input, its reference and its folder."""

    source: Path
    kind: Format
    bundle: Bundle
    work: Path
    watch: Stopwatch = field(default_factory=Stopwatch)

    def another(self, plan: Plan, error: NotThisWayError) -> Plan:
        """Return the plan for a file that the last one did not suit; raise where none would."""
        if isinstance(error, UnsortedError):
            return replace(plan, sort=True)
        if isinstance(error, UndeclaredError) and plan.undeclared is None:
            return replace(plan, undeclared=self._find_undeclared())
        raise self._blame(plan) or AnnotatorFailed(str(error)) from error

    def _blame(self, plan: Plan) -> InputRefused | None:
        blocks = self._lines(Input(self.source, self.kind))
        header, rest = read_header(blocks)
        undeclared = plan.undeclared or self._find_undeclared()
        text = header.repaired(self._aliases(), undeclared)
        screen = self._screen(header, undeclared, sorting=True)
        screened = _screened(screen, rest, blocks)
        numbered = ((screen.numbers, block.split(b"\n")[:-1]) for block in screened)
        return blame(numbered, lambda lines: complaint(text + _text(lines), self.work))

    def run(
        self,
        plan: Plan,
        give: Callable[[Shard], None],
        on_read: OnProgress | None = None,
    ) -> Normalised:
        """Hand on the input in shards; UnsortedError or UndeclaredError when it needs more.

        `on_read` hears how far it is, as a stage and a fraction of all records.
        """
        origin = Input(self.source, self.kind)
        blocks = self._lines(origin)
        header, rest = read_header(blocks)
        check_lengths(header.contigs, self.bundle)
        undeclared = plan.undeclared or NOTHING
        screen = self._screen(header, undeclared, sorting=plan.sort)
        text = header.repaired(self._aliases(), undeclared)
        course = Course(on_read, sorting=plan.sort)
        records = course.reading(_screened(screen, rest, blocks), self._part(origin))
        if plan.sort:
            records = course.sorted(self._sorter(header, undeclared).sorted(records))
        with Cutter(self.work, text, self.bundle.names(), give, size=SHARD_BYTES) as cutter:
            for block in self.watch.pulling("screen", records):
                cutter.add(block)
            self._check_assembly(screen.tally)
            cutter.finish()
        return Normalised(origin, header, screen.tally, plan.sort)

    def _part(self, origin: Input) -> Callable[[int], float]:
        """Say how much of the input is read; of a BCF, which is read twice, as far as one can."""
        size = self.source.stat().st_size
        if self.kind is Format.BCF:
            return lambda text: text / (text + origin.inflated)
        return lambda _: origin.bytes / size

    def _check_assembly(self, tally: Tally) -> None:
        if is_another(tally.mismatched, tally.compared):
            guess = closest(self._some_records(), rivals(self.bundle))
            raise refusal(tally.mismatched, tally.compared, self.bundle.assembly, guess)

    def _screen(self, header: Header, undeclared: Undeclared, *, sorting: bool) -> Screen:
        return Screen(
            columns=len(header.columns),
            first_line=header.lines + 1,
            known=same_contigs(header.contigs, self.bundle),
            declared=frozenset(self._declared(header, undeclared)),
            reference=Reference(self.bundle),
            sorting=sorting,
            may_name_origins=(b"INFO", ORIGIN) in header.declared or undeclared is not NOTHING,
        )

    def _aliases(self) -> list[tuple[bytes, int]]:
        return [(name, contig.length) for name, contig in self.bundle.names().items()]

    def _declared(self, header: Header, undeclared: Undeclared) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys([*header.contigs, *self.bundle.names(), *undeclared.contigs]))

    def _some_records(self) -> Iterator[bytes]:
        """Yield the first record lines once more."""
        blocks = self._lines(Input(self.source, self.kind))
        _, rest = read_header(blocks)
        for block in _chain(rest, blocks):
            yield from (line for line in block.split(b"\n") if line.strip())

    def _find_undeclared(self) -> Undeclared:
        blocks = self._lines(Input(self.source, self.kind))
        header, rest = read_header(blocks)
        known = frozenset(self._declared(header, NOTHING))
        return find_undeclared(header, _chain(rest, blocks), known)

    def _lines(self, origin: Input) -> Iterator[bytes]:
        if self.kind is not Format.BCF:
            return origin.lines()
        for _ in origin.pieces():  # whole, uncorrupted and within the caps before htslib sees it
            pass
        return _bcf_as_text(self.source, self.work)

    def _sorter(self, header: Header, undeclared: Undeclared) -> Sorter:
        """Sort by the header's contigs, then by position."""
        ranks = {name: rank for rank, name in enumerate(self._declared(header, undeclared))}
        return Sorter(ranks, self.work, crowd=CROWD_CAP)


def _screened(screen: Screen, rest: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    return (screen.block(block) for block in _chain(rest, blocks) if block)


def _text(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _chain(rest: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield rest
    yield from blocks


def _bcf_as_text(source: Path, work: Path) -> Iterator[bytes]:
    reader, writer = os.pipe()
    arguments = ["view", "--no-version", "-Ov", "-o", "-", str(source)]
    stage = Stage(arguments, log=work / "view.log", stdout=writer, foreign=(reader,))
    lines = 0
    try:
        with os.fdopen(reader, "rb") as pipe:
            for block in whole_lines(iter(lambda: pipe.read(PIPE_BYTES), b"")):
                lines += block.count(b"\n")
                yield block
        stage.wait()
    except StageFailedError as failure:
        if failure.code < 0:
            raise AnnotatorFailed(str(failure)) from failure
        raise InputRefused(
            f"The BCF is truncated or corrupt, behind line {lines} of its text."
        ) from failure
    finally:
        stage.stop()
