"""provenance.json: what went in, with what it was made, and what came out.

Keys: `annotator` {version, commit}; `input` {format, bytes, sha256}; `sorted`, by no command;
`split` {commands}; `walls`; `bundle` {id, assembly, genes, genetic_codes, files {path: sha256},
`vep_cache` the release where there is one, sources [{name, release, columns, sha256}]}; `sources`
{commands}; `engine` {name, with the versions of what ran, commands}; `counts`; `outputs` {name:
{bytes, sha256, records where it has any}}; `seconds` per stage, of all workers; `peak_memory_mb`;
`signature` {algorithm, key, value} where a key is configured.
"""

import hashlib
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

READ_BYTES = 1 << 20
Item = TypeVar("Item")
_PACKAGE = Path(__file__).resolve().parent


class Stopwatch:
    """Seconds by the name of a stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        start = time.monotonic()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - start, 3)

    def pulling(self, name: str, items: Iterator[Item]) -> Iterator[Item]:
        """Pass on what an iterator yields; the time it takes for that counts as a stage."""
        while True:
            with self.stage(name):
                item = next(items, None)
            if item is None:
                return
            yield item


def fingerprint(path: Path) -> dict[str, str | int]:
    """Return the size and sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def peak_memory_mb() -> int:
    """Return the largest resident memory that one process of this run had, in MiB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) // 1024


def _commit() -> str:
    """Return what a deployment wrote into COMMIT, or where the checkout stands."""
    written = _PACKAGE / "COMMIT"
    if written.is_file():
        return written.read_text().strip()
    git = _PACKAGE.parent / ".git"
    head = git / "HEAD"
    if not head.is_file():
        return "unknown"
    kind, _, name = head.read_text().strip().partition(": ")
    if kind != "ref":
        return kind
    loose, packed = git / name, git / "packed-refs"
    if loose.is_file():
        return loose.read_text().strip()
    rows = packed.read_text().splitlines() if packed.is_file() else []
    return next((row.split()[0] for row in rows if row.endswith(f" {name}")), "unknown")


COMMIT = _commit()  # read at start, while files are still in reach
