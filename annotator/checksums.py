"""Checksums of files, in the three forms that public archives publish."""

import hashlib
from pathlib import Path

from annotator.errors import AnnotatorFailed

READ_BYTES = 1 << 20


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Return a file's checksum in hex; `bsd` is that of `sum -r`, in decimal."""
    if algorithm == "bsd":
        return str(_bsd(path))
    state = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            state.update(block)
    return state.hexdigest()


def published(text: str, name: str, algorithm: str) -> str:
    """Find a file's checksum in a published list: `sum` first, `name` last on its line."""
    for line in text.splitlines():
        fields = line.split()
        if fields and Path(fields[-1].lstrip("*")).name == name:
            return str(int(fields[0])) if algorithm == "bsd" else fields[0].lower()
    raise AnnotatorFailed(f"the published checksums do not name {name}")


def _bsd(path: Path) -> int:
    """Rotate right by one bit and add each byte, in 16 bits."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            for byte in block:
                value = ((value >> 1) + ((value & 1) << 15) + byte) & 0xFFFF
    return value
