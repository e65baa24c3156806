"""The one pass of our own over the records: validate, flag, compare REF; mostly in bulk.

Per block of about 10,000 records the work is done by C-level operations on whole columns; Python
code runs per record only for the few that are odd.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from annotator.alleles import PLAIN_ALTS, PLAIN_REF, Reason, unsafe_record
from annotator.assembly import Reference, is_sorted
from annotator.blame import LAST_INDEXED
from annotator.bundles import Contig
from annotator.columns import (
    ALT,
    CONTIG,
    POS,
    QUAL,
    REF,
    UnequalWidthError,
    read_columns,
    text_in,
)
from annotator.crew import NotThisWayError
from annotator.errors import InputRefused
from annotator.header import ORIGIN

ALT_CAP = 1000
CROWD_CAP = 100_000
MEMORY_CAP = 100_000  # distinct alleles remembered as plain
_OWN_TAG = re.compile(rb"(?:BCSQ|GAS_\w+)(?:=|$)")
_OWN_NAMES = (b"BCSQ", b"GAS_")
_NUMERIC = b"0123456789."
_NUMBER = re.compile(rb"\.|[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?i:nan|inf)")
_BASES = re.compile(rb"[ACGT]+")

Flags = dict[int, Reason]  # by place in the block


class UnsortedError(NotThisWayError):
    """The records need a sort before the engine can take them."""


class UndeclaredError(NotThisWayError):
    """The records use a name that the header does not declare."""


@dataclass
class Tally:
    """What one pass saw; `rows` is what the split must make of the records."""

    records: int = 0
    rows: int = 0
    compared: int = 0
    mismatched: int = 0
    contigs: dict[bytes, int] = field(default_factory=dict)  # last position, in order of appearance


class Screen:
    """Takes blocks of record lines, gives them back with GAS_SKIP on those that are unsafe."""

    def __init__(
        self,
        *,
        columns: int,
        first_line: int,
        known: Mapping[bytes, Contig],
        declared: frozenset[bytes],
        reference: Reference,
        sorting: bool,
        may_name_origins: bool = True,
    ) -> None:
        self.tally = Tally()
        self._tabs, self._line, self._sorting = columns - 1, first_line, sorting
        self._known, self._declared, self._reference = known, declared, reference
        self._may_name_origins = may_name_origins
        self._at: Sequence[int] = ()
        self._crowd = 0
        self._plain_refs: set[bytes] = set()
        self._plain_alts: set[bytes] = set()

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers, in the file, of the lines that the last block gave back."""
        return self._at

    def block(self, block: bytes) -> bytes:
        """Return the block fit for the engine; raise InputRefused naming the line that is not."""
        text = self._cleaned(block)
        if not text:
            return b""
        contigs, positions, refs, alts, qualities = self._columns(text)
        numbers = self._numbers(positions)
        self._check_qualities(qualities)
        flags = self._odd_alleles(refs, alts)
        flags |= dict.fromkeys(_places(pc.equal(numbers, 0)), Reason.MALFORMED)
        flags |= dict.fromkeys(_places(pc.equal(refs, alts)), Reason.MALFORMED)
        for name, first, length in _runs(contigs):
            here = numbers.slice(first, length)
            self._check_order(name, here)
            flags |= self._against_reference(name, first, here, refs.slice(first, length), flags)
        self._count(alts, flags)
        return _with_flags(_lines(text), flags) if flags else text

    def _cleaned(self, block: bytes) -> bytes:
        text = block.replace(b"\r\n", b"\n") if b"\r" in block else block
        count = text.count(b"\n")
        self._at = range(self._line, self._line + count)
        self._line += count
        if b"\0" in text:
            self._blame((b"\0" in line for line in _lines(text)), "holds a NUL byte")
        if b"\r" in text:
            guilty = (b"\r" in line for line in _lines(text))
            self._blame(guilty, "holds a carriage return in its middle")
        if text.startswith(b"#") or b"\n#" in text:
            guilty = (line[:1] == b"#" for line in _lines(text))
            self._blame(guilty, "a header line among the records")
        if not self._may_name_origins and ORIGIN in text:
            raise UndeclaredError  # bcftools would take it for a field of its own, and crash
        empty = text.startswith(b"\n") or b"\n\n" in text
        if not empty and not any(name in text for name in _OWN_NAMES):
            return text
        lines = _lines(text)
        self._at = [at for at, line in zip(self._at, lines, strict=True) if line]
        return b"".join(_without_own_tags(line) + b"\n" for line in lines if line)

    def _columns(self, text: bytes) -> list[pa.Array]:
        try:
            return read_columns(text, self._tabs + 1, (CONTIG, POS, REF, ALT, QUAL))
        except UnequalWidthError:
            self._blame_columns(_lines(text))

    def _numbers(self, positions: pa.Array) -> pa.Array:
        lengths = pc.min_max(pc.binary_length(positions)).as_py()
        if not text_in(positions).tobytes().isdigit() or lengths["min"] < 1 or lengths["max"] > 10:
            at, wrong = next(
                (at, p)
                for at, p in zip(self._at, positions.to_pylist(), strict=True)
                if not p.isdigit() or len(p) > 10
            )
            text = wrong[:40].decode(errors="replace")
            raise InputRefused(f"line {at}: POS '{text}' is not a number.")
        numbers = positions.cast(pa.string()).cast(pa.int64())
        if pc.max(numbers).as_py() > LAST_INDEXED:
            beyond = pc.greater(numbers, LAST_INDEXED).to_pylist()
            self._blame(beyond, "POS lies beyond any contig")
        return numbers

    def _check_qualities(self, qualities: pa.Array) -> None:
        """Refuse what bcftools would take for 0."""
        shortest = pc.min(pc.binary_length(qualities)).as_py()
        if shortest and not text_in(qualities).tobytes().translate(None, _NUMERIC):
            return
        for at, quality in zip(self._at, qualities.to_pylist(), strict=True):
            if not _NUMBER.fullmatch(quality):
                text = quality[:40].decode(errors="replace")
                raise InputRefused(f"line {at}: QUAL '{text}' is not a number.")

    def _odd_alleles(self, refs: pa.Array, alts: pa.Array) -> Flags:
        if pc.max(pc.binary_length(alts)).as_py() > ALT_CAP:
            self._blame(
                (a.count(b",") >= ALT_CAP for a in alts.to_pylist()),
                f"more than {ALT_CAP} ALT alleles",
            )
        odd_refs = _not_plain(self._plain_refs, refs, PLAIN_REF)
        odd_alts = _not_plain(self._plain_alts, alts, PLAIN_ALTS)
        if not odd_refs and not odd_alts:
            return {}
        odd = pc.or_(_is_one_of(refs, odd_refs), _is_one_of(alts, odd_alts))
        alleles = zip(refs.filter(odd).to_pylist(), alts.filter(odd).to_pylist(), strict=True)
        reasons = (unsafe_record(ref, alt) for ref, alt in alleles)
        return {at: reason for at, reason in zip(_places(odd), reasons, strict=True) if reason}

    def _check_order(self, name: bytes, numbers: pa.Array) -> None:
        if name not in self._declared:
            raise UndeclaredError
        seen, first, last = self.tally.contigs, numbers[0].as_py(), numbers[-1].as_py()
        if not self._sorting:
            self._check_crowd(numbers, last, seen.get(name))
            reopened = name in seen and next(reversed(seen)) != name
            if reopened or seen.get(name, 0) > first or not is_sorted(numbers):
                raise UnsortedError
        seen[name] = last

    def _check_crowd(self, numbers: pa.Array, last: int, before: int | None) -> None:
        """The engine holds the records of one position in memory at once."""
        arrived = pc.equal(numbers, last).true_count
        self._crowd = arrived + (self._crowd if before == last else 0)
        if self._crowd > CROWD_CAP:
            raise InputRefused(
                f"line {self._at[-1]}: more than {CROWD_CAP} records at one position."
            )

    def _against_reference(
        self, name: bytes, first: int, numbers: pa.Array, refs: pa.Array, flagged: Flags
    ) -> Flags:
        contig = self._known.get(name)
        if contig is None:
            return dict.fromkeys(range(first, first + len(refs)), Reason.CONTIG)
        self.tally.compared += len(refs)
        return {
            first + at: reason
            for at, bases in self._reference.differing(contig, numbers, refs)
            if first + at not in flagged and (reason := self._disagreement(refs[at].as_py(), bases))
        }

    def _disagreement(self, ref: bytes, bases: bytes) -> Reason | None:
        if ref.upper() == bases:
            return None
        if len(bases) == len(ref) and not _BASES.fullmatch(bases):
            self.tally.compared -= 1  # the reference does not know this stretch
            return Reason.CONTIG
        if _says_no_other(ref.upper(), bases):
            self.tally.compared -= 1  # callers of long variants write N for any base
            return Reason.IUPAC
        self.tally.mismatched += 1
        return Reason.REF_MISMATCH

    def _count(self, alts: pa.Array, flags: Flags) -> None:
        unsplit = sum(alts[at].as_py().count(b",") for at in flags)
        self.tally.records += len(alts)
        self.tally.rows += len(alts) + text_in(alts).tobytes().count(b",") - unsplit

    def _blame_columns(self, lines: list[bytes]) -> NoReturn:
        wanted = self._tabs + 1
        for at, line in zip(self._at, lines, strict=True):
            if (found := line.count(b"\t") + 1) != wanted:
                raise InputRefused(f"line {at}: {found} columns, where the header has {wanted}.")
        raise AssertionError("no line to blame")

    def _blame(self, guilty: Iterable[bool], what: str) -> None:
        for at, is_guilty in zip(self._at, guilty, strict=True):
            if is_guilty:
                raise InputRefused(f"line {at}: {what}.")


def _says_no_other(ref: bytes, bases: bytes) -> bool:
    """Tell whether a REF differs from the bases by nothing but an N for one of them."""
    pairs = zip(ref, bases, strict=False)
    return len(ref) == len(bases) and all(one in (ord("N"), base) for one, base in pairs)


def _not_plain(plain: set[bytes], alleles: pa.Array, pattern: re.Pattern[bytes]) -> set[bytes]:
    new = set(alleles.unique().to_pylist()) - plain
    odd = {value for value in new if not pattern.fullmatch(value)}
    if len(plain) > MEMORY_CAP:
        plain.clear()
    plain |= new - odd
    return odd


def _is_one_of(alleles: pa.Array, some: set[bytes]) -> pa.Array:
    return pc.is_in(alleles, value_set=pa.array(sorted(some), pa.binary()))


def _lines(text: bytes) -> list[bytes]:
    return text.split(b"\n")[:-1]


def _runs(names: pa.Array) -> Iterator[tuple[bytes, int, int]]:
    """Yield each run of one name with its first place and its length."""
    runs, first = pc.run_end_encode(names), 0
    for name, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield name, first, end - first
        first = end


def _places(where: pa.Array) -> list[int]:
    places: list[int] = pc.indices_nonzero(where).to_pylist() if where.true_count else []
    return places


def _with_flags(lines: list[bytes], flags: Flags) -> bytes:
    for at, reason in flags.items():
        columns = lines[at].split(b"\t", 8)
        present = b"" if columns[7] in (b".", b"") else columns[7].rstrip(b";") + b";"
        columns[7] = present + b"GAS_SKIP=" + reason.encode()
        lines[at] = b"\t".join(columns)
    return b"\n".join(lines) + b"\n"


def _without_own_tags(line: bytes) -> bytes:
    columns = line.split(b"\t", 8)
    if len(columns) > 7:
        kept = [item for item in columns[7].split(b";") if not _OWN_TAG.match(item)]
        columns[7] = b";".join(kept) or b"."
    return b"\t".join(columns)
