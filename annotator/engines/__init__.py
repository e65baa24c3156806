"""What can put consequences on records: one protocol, one module per engine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from annotator.bundles import Contig
from annotator.consequence import Effect


@dataclass(frozen=True)
class Unit:
    """What one engine run takes: names as the file writes them, and their contig if it is known."""

    names: tuple[str, ...]
    contig: Contig | None
    plain: bool = False  # known to hold no flags, and no ALT but sequences of bases


@dataclass(frozen=True)
class InfoField:
    """Where in INFO an engine leaves what it finds, and how that is read.

    It stands last in INFO. `declaration` is its header line, for where no record has the field.
    `columns` are attributes of this engine's effects that get columns of their own in the tables.
    """

    tag: str
    declaration: bytes
    effects_of: Callable[[str], list[Effect]]
    columns: tuple[str, ...] = ()


class Engine(Protocol):
    """Streams the records of a unit as VCF text, header first, each with its consequences."""

    @property
    def name(self) -> str:
        """Name the engine with its version, for the provenance."""

    @property
    def info_field(self) -> InfoField:
        """Where the consequences stand."""

    @property
    def commands(self) -> list[list[str]]:
        """The commands run so far, without paths of this machine."""

    def annotate(self, records: Path, unit: Unit) -> Iterator[bytes]:
        """Yield blocks of whole lines: the records of a BCF that holds the unit."""
