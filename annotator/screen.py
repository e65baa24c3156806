"""The one pass of our own over the records: validate, flag, compare REF; mostly in bulk.

Per block of about 10,000 records the work is done by C-level operations on whole columns; Python
code runs per record only for the few that are odd.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NoReturn

from annotator import genotypes
from annotator.alleles import PLAIN_ALTS, PLAIN_REF, Reason, unsafe_record
from annotator.assembly import Reference
from annotator.bundles import Contig
from annotator.crew import NotThisWayError
from annotator.errors import InputRefused
from annotator.header import FIXED_COLUMNS, ORIGIN

ALT_CAP = 1000
CROWD_CAP = 100_000
POSITION_CAP = (1 << 31) - 2
MEMORY_CAP = 100_000  # distinct alleles remembered as plain
_OWN_TAG = re.compile(rb"(?:BCSQ|GAS_\w+)(?:=|$)")
_OWN_NAMES = (b"BCSQ", b"GAS_")
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
        text, lines = self._lines(block)
        if not lines:
            return b""
        contigs, positions, _, refs, alts, _ = self._columns(text, lines)
        numbers = self._numbers(positions)
        flags = self._odd_alleles(refs, alts)
        flags |= dict.fromkeys(_places(0, numbers), Reason.MALFORMED)
        for name, first, last in _runs(contigs):
            self._check_order(name, numbers[first:last])
            flags |= self._against_reference(
                name, first, numbers[first:last], refs[first:last], flags
            )
        self._check_genotypes(lines, alts)
        self._count(alts, flags)
        return _with_flags(lines, flags) if flags else text

    def _lines(self, block: bytes) -> tuple[bytes, list[bytes]]:
        text = block.replace(b"\r\n", b"\n")
        lines = text.split(b"\n")[:-1]
        self._at = range(self._line, self._line + len(lines))
        self._line += len(lines)
        if b"\0" in block:
            self._blame((b"\0" in line for line in lines), "holds a NUL byte")
        if b"\r" in text:
            self._blame((b"\r" in line for line in lines), "holds a carriage return in its middle")
        if text.startswith(b"#") or b"\n#" in text:
            self._blame((line[:1] == b"#" for line in lines), "a header line among the records")
        if not self._may_name_origins and ORIGIN in text:
            raise UndeclaredError  # bcftools would take it for a field of its own, and crash
        if b"" not in lines and not any(name in text for name in _OWN_NAMES):
            return text, lines
        self._at = [at for at, line in zip(self._at, lines, strict=True) if line]
        lines = [_without_own_tags(line) for line in lines if line]
        return b"".join(line + b"\n" for line in lines), lines

    def _columns(self, text: bytes, lines: list[bytes]) -> Sequence[Sequence[bytes]]:
        rows = [line.split(b"\t", 5) for line in lines]
        if text.count(b"\t") != self._tabs * len(lines) or min(map(len, rows)) < 6:
            self._blame_columns(lines)
        return list(zip(*rows, strict=True))

    def _numbers(self, positions: Sequence[bytes]) -> list[int]:
        if not b"".join(positions).isdigit() or max(map(len, positions)) > 10 or b"" in positions:
            at = next(i for i, p in enumerate(positions) if not p.isdigit() or len(p) > 10)
            text = positions[at][:40].decode(errors="replace")
            raise InputRefused(f"line {self._at[at]}: POS '{text}' is not a number.")
        numbers = list(map(int, positions))
        if max(numbers) > POSITION_CAP:
            self._blame((n > POSITION_CAP for n in numbers), "POS lies beyond any contig")
        return numbers

    def _odd_alleles(self, refs: Sequence[bytes], alts: Sequence[bytes]) -> Flags:
        if max(map(len, alts)) > ALT_CAP:
            self._blame(
                (a.count(b",") >= ALT_CAP for a in alts), f"more than {ALT_CAP} ALT alleles"
            )
        odd_refs = _not_plain(self._plain_refs, refs, PLAIN_REF)
        odd_alts = _not_plain(self._plain_alts, alts, PLAIN_ALTS)
        if not odd_refs and not odd_alts:
            return {}
        return {
            at: reason
            for at, (ref, alt) in enumerate(zip(refs, alts, strict=True))
            if (ref in odd_refs or alt in odd_alts) and (reason := unsafe_record(ref, alt))
        }

    def _check_genotypes(self, lines: Sequence[bytes], alts: Sequence[bytes]) -> None:
        """Look where the split would hide it: there an allele that is not in ALT becomes the REF's.

        The records with one ALT are looked through in bulk, after the split.
        """
        if self._tabs > len(FIXED_COLUMNS) and b"," in b"".join(alts):
            for number, line, alt in zip(self._at, lines, alts, strict=True):
                if b"," in alt:
                    genotypes.check(number, line)

    def _check_order(self, name: bytes, numbers: list[int]) -> None:
        if name not in self._declared:
            raise UndeclaredError
        seen = self.tally.contigs
        if not self._sorting:
            self._check_crowd(numbers, seen.get(name))
            reopened = name in seen and next(reversed(seen)) != name
            if reopened or seen.get(name, 0) > numbers[0] or numbers != sorted(numbers):
                raise UnsortedError
        seen[name] = numbers[-1]

    def _check_crowd(self, numbers: list[int], before: int | None) -> None:
        """The engine holds the records of one position in memory at once."""
        last = numbers[-1]
        arrived = len(numbers) - bisect_left(numbers, last)
        self._crowd = arrived + (self._crowd if before == last else 0)
        if self._crowd > CROWD_CAP:
            raise InputRefused(
                f"line {self._at[-1]}: more than {CROWD_CAP} records at one position."
            )

    def _against_reference(
        self, name: bytes, first: int, numbers: list[int], refs: Sequence[bytes], flagged: Flags
    ) -> Flags:
        contig = self._known.get(name)
        if contig is None:
            return dict.fromkeys(range(first, first + len(refs)), Reason.CONTIG)
        expected = self._reference.bases(contig, numbers, list(map(len, refs)))
        self.tally.compared += len(refs)
        if expected == list(refs):
            return {}
        return {
            at: reason
            for at, (ref, bases) in enumerate(zip(refs, expected, strict=True), first)
            if ref != bases and at not in flagged and (reason := self._disagreement(ref, bases))
        }

    def _disagreement(self, ref: bytes, bases: bytes) -> Reason | None:
        if ref.upper() == bases:
            return None
        if len(bases) == len(ref) and not _BASES.fullmatch(bases):
            self.tally.compared -= 1  # the reference does not know this stretch
            return Reason.CONTIG
        self.tally.mismatched += 1
        return Reason.REF_MISMATCH

    def _count(self, alts: Sequence[bytes], flags: Flags) -> None:
        unsplit = sum(alts[at].count(b",") for at in flags)
        self.tally.records += len(alts)
        self.tally.rows += len(alts) + b"".join(alts).count(b",") - unsplit

    def _blame_columns(self, lines: list[bytes]) -> NoReturn:
        wanted = self._tabs + 1
        for at, line in zip(self._at, lines, strict=True):
            if (found := line.count(b"\t") + 1) != wanted:
                raise InputRefused(f"line {at}: {found} columns, where the header has {wanted}.")
        raise AssertionError("no line to blame")

    def _blame(self, guilty: Iterator[bool], what: str) -> None:
        for at, is_guilty in zip(self._at, guilty, strict=True):
            if is_guilty:
                raise InputRefused(f"line {at}: {what}.")


def _not_plain(
    plain: set[bytes], values: Sequence[bytes], pattern: re.Pattern[bytes]
) -> set[bytes]:
    new = set(values) - plain
    odd = {value for value in new if not pattern.fullmatch(value)}
    if len(plain) > MEMORY_CAP:
        plain.clear()
    plain |= new - odd
    return odd


def _runs(names: Sequence[bytes]) -> Iterator[tuple[bytes, int, int]]:
    if names.count(names[0]) == len(names):
        yield names[0], 0, len(names)
        return
    first = 0
    for name, group in groupby(names):
        last = first + len(list(group))
        yield name, first, last
        first = last


def _places(value: int, values: Sequence[int]) -> list[int]:
    return [at for at, other in enumerate(values) if other == value] if value in values else []


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
