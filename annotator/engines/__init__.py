"""What can put consequences on records: one protocol, one module per engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from annotator.bundles import Contig


@dataclass(frozen=True)
class Unit:
    """What one engine run takes: names as the file writes them, and their contig if it is known."""

    names: tuple[str, ...]
    contig: Contig | None


class Engine(Protocol):
    """Streams the records of a unit as VCF text, header first, each with its BCSQ."""

    @property
    def name(self) -> str:
        """Name the engine with its version, for the provenance."""

    @property
    def commands(self) -> list[list[str]]:
        """The commands run so far, without paths of this machine."""

    def annotate(self, records: Path, unit: Unit) -> Iterator[bytes]:
        """Yield blocks of whole lines: the records of a BCF that holds the unit."""
