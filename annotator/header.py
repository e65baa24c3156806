"""The header of a VCF text: read under caps, checked, repaired for what follows."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from annotator.errors import InputRefused

HEADER_CAP = 64 << 20
FIXED_COLUMNS = (b"#CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO")
ORIGIN = b"ORIG"  # the field in which the split tells what a record was before
OWN_TAG = re.compile(rb"BCSQ|GAS_\w+")
SKIP_LINE = (
    b'##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="Why this record was not annotated: '
    b'breakend symbolic star iupac contig ref_mismatch malformed">'
)
#: What a CHROM may be: nothing that a header line could not hold, or that would look like one.
CONTIG_NAME = re.compile(rb"[^#,\"\x00-\x1f\x7f][^,\"\x00-\x1f\x7f]*")
_LENGTH_DIGITS = 10
_STRUCTURED = re.compile(rb"##[^=<]+=<")
# BCF's own numbering of names, for which htslib would make room however large a number is.
_IDX = re.compile(rb",IDX=[^,>\"]*|(?<=<)IDX=[^,>\"]*,")
_DEFINITION = re.compile(rb"##(INFO|FORMAT|FILTER|contig)=<(?:[^\"]*,)?ID=([^,>]+)")
_LENGTH = re.compile(rb"[<,]length=([^,>]*)")
_FALLBACK_FORMAT = b'##FORMAT=<ID=%s,Number=.,Type=String,Description="Not declared in the input">'


@dataclass(frozen=True)
class Undeclared:
    """What the records use and the header forgot; an INFO tag with whether it ever has a value."""

    contigs: tuple[bytes, ...] = ()
    filters: tuple[bytes, ...] = ()
    formats: tuple[bytes, ...] = ()
    infos: tuple[tuple[bytes, bool], ...] = ()

    def lines(self) -> Iterator[bytes]:
        """Yield one header line for each."""
        yield from (b"##contig=<ID=%s>" % name for name in self.contigs)
        yield from (
            b'##FILTER=<ID=%s,Description="Not declared in the input">' % n for n in self.filters
        )
        yield from (_FALLBACK_FORMAT % name for name in self.formats)
        for name, valued in self.infos:
            shape = b"Number=.,Type=String" if valued else b"Number=0,Type=Flag"
            yield b'##INFO=<ID=%s,%s,Description="Not declared in the input">' % (name, shape)


NOTHING = Undeclared()


@dataclass
class Header:
    """The header but for what is broken; `contigs` maps a declared name to its length, or None."""

    meta: list[bytes]
    columns: list[bytes]
    lines: int  # of the file, that the header takes
    contigs: dict[bytes, int | None] = field(default_factory=dict)
    declared: set[tuple[bytes, bytes]] = field(default_factory=set)

    def repaired(self, aliases: Iterable[tuple[bytes, int]], undeclared: Undeclared) -> bytes:
        """Return header text that declares what the records need; `aliases` are name and length."""
        kept = [line for line in self.meta if not _defines_own_tag(line)]
        contigs = (
            b"##contig=<ID=%s,length=%d>" % pair for pair in aliases if pair[0] not in self.contigs
        )
        added = [*contigs, *undeclared.lines(), SKIP_LINE]
        return b"\n".join([*kept, *added, b"\t".join(self.columns)]) + b"\n"


def read_header(blocks: Iterator[bytes]) -> tuple[Header, bytes]:
    """Take the header off the blocks; return it with what its last block holds of the records."""
    meta: list[bytes] = []
    size = 0
    for block in blocks:
        size += len(block)
        lines = block.split(b"\n")[:-1]
        for at, line in enumerate(lines):
            if not line.startswith(b"##"):
                rest = b"".join(other + b"\n" for other in lines[at + 1 :])
                return _header(meta, _columns(line.rstrip(b"\r"), len(meta) + 1)), rest
            meta.append(line.rstrip(b"\r"))
        if size > HEADER_CAP:
            raise InputRefused(f"The header is longer than {HEADER_CAP >> 20} MiB.")
    if meta and b"\r" in meta[0]:
        raise InputRefused("The lines end with carriage returns alone; save them with line feeds.")
    raise InputRefused("The file has no #CHROM line.")


def _header(meta: list[bytes], columns: list[bytes]) -> Header:
    header = Header([], columns, lines=len(meta) + 1)
    for number, whole in enumerate(meta, 1):
        if b"\0" in whole:
            raise InputRefused(f"line {number}: the header holds a NUL byte.")
        line = _IDX.sub(b"", whole).replace(b"\r", b" ")
        if not _is_sound(line):
            continue
        header.meta.append(line)
        if match := _DEFINITION.match(line):
            header.declared.add((match[1], match[2]))
            if match[1] == b"contig":
                length = _LENGTH.search(line)
                header.contigs[match[2]] = int(length[1]) if length else None
    return header


def _is_sound(line: bytes) -> bool:
    """Tell whether htslib can take a header line; it would run on behind an open quote."""
    if not _STRUCTURED.match(line):
        return True
    match = _DEFINITION.match(line)
    if match is None or match[1] != b"contig":
        return line.count(b'"') % 2 == 0
    length = _LENGTH.search(line)
    countable = length is None or (length[1].isdigit() and len(length[1]) <= _LENGTH_DIGITS)
    return countable and CONTIG_NAME.fullmatch(match[2]) is not None


def _columns(line: bytes, number: int) -> list[bytes]:
    columns = line.split(b"\t")
    if not line.startswith(b"#CHROM"):
        raise InputRefused(f"line {number}: a record stands before the #CHROM line.")
    if tuple(columns[:8]) != FIXED_COLUMNS or columns[8:9] not in ([], [b"FORMAT"]):
        raise InputRefused(
            f"line {number}: the column line must be #CHROM POS ID REF ALT QUAL FILTER INFO,"
            " separated by tabs, then FORMAT and samples."
        )
    samples = columns[9:]
    if len(columns) == len(FIXED_COLUMNS) + 1:
        raise InputRefused(f"line {number}: FORMAT stands there, but no sample.")
    if b"" in samples:
        raise InputRefused(f"line {number}: a sample has no name.")
    if len(set(samples)) != len(samples):
        raise InputRefused(f"line {number}: a sample name stands there twice.")
    return columns


def is_own(tag: bytes) -> bool:
    """Tell whether only this annotator may write that INFO tag."""
    return OWN_TAG.fullmatch(tag) is not None


def defines(line: bytes, kind: bytes, tag: bytes) -> bool:
    """Tell whether a header line is the definition of that field."""
    match = _DEFINITION.match(line)
    return match is not None and match.groups() == (kind, tag)


def _defines_own_tag(line: bytes) -> bool:
    match = _DEFINITION.match(line)
    return match is not None and match[1] == b"INFO" and is_own(match[2])
