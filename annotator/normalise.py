"""From whatever was sent to one indexed BCF: screened, declared, sorted if needed, split."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from annotator.assembly import (
    Reference,
    check_lengths,
    closest,
    is_another,
    refusal,
    rivals,
)
from annotator.bundles import Bundle
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.header import Header, Undeclared, read_header
from annotator.inputs import Input, whole_lines
from annotator.screen import Screen, Tally, UndeclaredError, UnsortedError
from annotator.sniff import Format
from annotator.stages import Stage, StageFailedError
from annotator.undeclared import find_undeclared

SORT_MEMORY = "128M"
PIPE_BYTES = 1 << 18
_UNDECLARED = "is not defined in the header"


@dataclass(frozen=True)
class Normalised:
    """The records as the engine takes them; `contigs` are the names used, in their order."""

    records: Path
    origin: Input
    header: Header
    tally: Tally
    contigs: tuple[bytes, ...]
    was_sorted: bool


@dataclass(frozen=True)
class _Plan:
    sort: bool = False
    undeclared: Undeclared | None = None


@dataclass(frozen=True)
class Normaliser:
    """One job's input, its reference and its folder."""

    source: Path
    kind: Format
    bundle: Bundle
    work: Path

    def run(self) -> Normalised:
        """Try the plain way first; only a file that needs it pays for a sort or a second look."""
        plan = _Plan()
        while True:
            try:
                return self._attempt(plan)
            except UnsortedError:
                plan = replace(plan, sort=True)
            except UndeclaredError:
                if plan.undeclared is not None:
                    raise InputRefused("The header lacks names that cannot be declared.") from None
                plan = replace(plan, undeclared=self._find_undeclared())

    def _attempt(self, plan: _Plan) -> Normalised:
        origin = Input(self.source, self.kind)
        blocks = self._lines(origin)
        header, rest = read_header(blocks)
        check_lengths(header.contigs, self.bundle)
        undeclared = plan.undeclared or Undeclared()
        screen = self._screen(header, undeclared, sorting=plan.sort)
        text = header.repaired(self._aliases(), undeclared)
        records = self._through_engine_tools(text, _screened(screen, rest, blocks), plan)
        tally = screen.tally
        if is_another(tally.mismatched, tally.compared):
            guess = closest(self._some_records(), rivals(self.bundle))
            raise refusal(tally.mismatched, tally.compared, self.bundle.assembly, guess)
        order = self._declared(header, undeclared) if plan.sort else tuple(tally.contigs)
        used = tuple(name for name in order if name in tally.contigs)
        return Normalised(records, origin, header, tally, used, plan.sort)

    def _screen(self, header: Header, undeclared: Undeclared, *, sorting: bool) -> Screen:
        return Screen(
            columns=len(header.columns),
            first_line=header.lines + 1,
            known=self.bundle.names(),
            declared=frozenset(self._declared(header, undeclared)),
            reference=Reference(self.bundle),
            sorting=sorting,
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
        known = frozenset(self._declared(header, Undeclared()))
        return find_undeclared(header, _chain(rest, blocks), known)

    def _lines(self, origin: Input) -> Iterator[bytes]:
        if self.kind is not Format.BCF:
            return origin.lines()
        for _ in origin.pieces():  # whole, uncorrupted and within the caps before htslib sees it
            pass
        return _bcf_as_text(self.source, self.work)

    def _through_engine_tools(self, header: bytes, records: Iterator[bytes], plan: _Plan) -> Path:
        """Stream text through `sort` and `norm` into a BCF with its index."""
        target = self.work / "normalised.bcf"
        reader, writer = os.pipe()
        stages = self._stages(target, reader, writer, sort=plan.sort)
        try:
            _feed(writer, header, records)
            logs = [stage.wait() for stage in stages]
        except StageFailedError as failure:
            raise _whose_fault(failure) from failure
        finally:
            for stage in stages:
                stage.stop()
        if any(_UNDECLARED in log for log in logs):
            raise UndeclaredError
        return target

    def _stages(self, target: Path, reader: int, writer: int, *, sort: bool) -> list[Stage]:
        stages = []
        if sort:
            arguments = [
                "sort",
                "-m",
                SORT_MEMORY,
                "-T",
                str(self.work / "sort"),
                "-Ou",
                "-o",
                "-",
                "-",
            ]
            sorted_reader, sorted_writer = os.pipe()
            log = self.work / "sort.log"
            foreign = (writer, sorted_reader)
            stages.append(
                Stage(arguments, log=log, stdin=reader, stdout=sorted_writer, foreign=foreign)
            )
            reader = sorted_reader
        stages.append(
            Stage(_norm(target), log=self.work / "norm.log", stdin=reader, foreign=(writer,))
        )
        return stages


def _norm(target: Path) -> list[str]:
    # -w 0: nothing moves without realignment, and the default window costs three times the rest.
    split = ["norm", "--multiallelics", "-any", "--old-rec-tag", "ORIG", "-w", "0"]
    keep = ["--exclude", 'GAS_SKIP!="."']
    return [*split, *keep, "--no-version", "-W", "-Ob0", "-o", str(target), "-"]


def _feed(writer: int, header: bytes, records: Iterator[bytes]) -> None:
    try:
        _write(writer, header)
        for block in records:
            _write(writer, block)
    except BrokenPipeError:
        return  # the stage ended early; its exit tells why
    finally:
        os.close(writer)


def _write(descriptor: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(descriptor, left) :]


def _screened(screen: Screen, rest: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    return (screen.block(block) for block in _chain(rest, blocks) if block)


def _chain(rest: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield rest
    yield from blocks


def _whose_fault(failure: StageFailedError) -> Exception:
    if _UNDECLARED in failure.log:
        return UndeclaredError()
    if failure.complaint:
        return InputRefused(f"The records cannot be read: {failure.complaint.rstrip('.')}.")
    return AnnotatorFailed(str(failure))


def _bcf_as_text(source: Path, work: Path) -> Iterator[bytes]:
    reader, writer = os.pipe()
    arguments = ["view", "--no-version", "-Ov", "-o", "-", str(source)]
    stage = Stage(arguments, log=work / "view.log", stdout=writer, foreign=(reader,))
    try:
        with os.fdopen(reader, "rb") as pipe:
            yield from whole_lines(iter(lambda: pipe.read(PIPE_BYTES), b""))
        stage.wait()
    except StageFailedError as failure:
        if failure.code < 0:
            raise AnnotatorFailed(str(failure)) from failure
        raise InputRefused("The BCF is truncated or corrupt.") from failure
    finally:
        stage.stop()
