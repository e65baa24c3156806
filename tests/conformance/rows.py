"""Rows of an annotated VCF, as far as the suites look at them."""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One record line; `bcsq` are the entries of BCSQ, sorted, and `info` the whole field."""

    contig: str
    pos: str
    ref: str
    alt: str
    info: dict[str, str]

    @property
    def bcsq(self) -> str:
        """Return BCSQ with its entries sorted, or a dot."""
        return ",".join(sorted(self.info.get("BCSQ", ".").split(",")))


def rows_of(blocks: Iterable[bytes]) -> Iterator[Row]:
    """Parse blocks of VCF text."""
    for block in blocks:
        for line in block.decode().splitlines():
            if not line.startswith("#"):
                fields = line.split("\t")
                pairs = (item.partition("=") for item in fields[7].split(";"))
                info = {key: value for key, _, value in pairs}
                yield Row(fields[0], fields[1], fields[3], fields[4], info)


def rows_in(folder: Path) -> list[Row]:
    """Parse the annotated VCF of a run."""
    with gzip.open(folder / "annotated.vcf.gz") as file:
        return list(rows_of(iter(file)))
