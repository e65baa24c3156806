"""A slow pass for the few files whose header forgot something: what do the records use?"""

from collections.abc import Iterator

from annotator.errors import InputRefused
from annotator.header import CONTIG_NAME, Header, Undeclared

NAMES_CAP = 100_000


class _Used:
    def __init__(self) -> None:
        self.contigs: dict[bytes, None] = {}
        self.filters: dict[bytes, None] = {}
        self.formats: dict[bytes, None] = {}
        self.infos: dict[bytes, bool] = {}

    def add(self, line: bytes) -> None:
        columns = line.split(b"\t", 9)
        self.contigs[columns[0]] = None
        self.filters.update(dict.fromkeys(columns[6].split(b";")))
        self.formats.update(dict.fromkeys(b"".join(columns[8:9]).split(b":")))
        for item in columns[7].split(b";"):
            tag, valued, _ = item.partition(b"=")
            self.infos[tag] = bool(valued) or self.infos.get(tag, False)

    def check(self) -> None:
        if any(
            len(names) > NAMES_CAP
            for names in (self.contigs, self.filters, self.formats, self.infos)
        ):
            raise InputRefused(
                f"The records use more than {NAMES_CAP} names that the header lacks."
            )


def find_undeclared(
    header: Header, blocks: Iterator[bytes], contigs: frozenset[bytes]
) -> Undeclared:
    """Read the records and return what neither the header nor `contigs` declares."""
    used, number = _Used(), header.lines
    for block in blocks:
        for line in block.replace(b"\r\n", b"\n").split(b"\n")[:-1]:
            number += 1
            if line.count(b"\t") >= 7:
                _check_contig(line, number)
                used.add(line)
        used.check()
    nothing = (b"", b".", b"PASS")
    return Undeclared(
        contigs=tuple(n for n in used.contigs if n not in contigs),
        filters=_missing(header, b"FILTER", used.filters, nothing),
        formats=_missing(header, b"FORMAT", used.formats, nothing),
        infos=tuple((n, used.infos[n]) for n in _missing(header, b"INFO", used.infos, nothing)),
    )


def _missing(
    header: Header,
    kind: bytes,
    used: dict[bytes, None] | dict[bytes, bool],
    nothing: tuple[bytes, ...],
) -> tuple[bytes, ...]:
    return tuple(n for n in used if n not in nothing and (kind, n) not in header.declared)


def _check_contig(line: bytes, number: int) -> None:
    name = line[: line.index(b"\t")]
    if not CONTIG_NAME.fullmatch(name):
        shown = name[:40].decode(errors="replace")
        raise InputRefused(f"line {number}: CHROM '{shown}' is not the name of a contig.")
