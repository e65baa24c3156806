"""The files that people hand in, and what must come out of each."""

import gzip
import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from annotator.bundles import DEMO

EXAMPLE = DEMO / "example.vcf"

#: Result files whose bytes follow from the input alone; the provenance also names the input.
SAME_EVERY_TIME = ("vcf", "index", "tsv", "parquet", "skipped")

NAMES = {
    "vcf": "annotated.vcf.gz",
    "index": "annotated.vcf.gz.tbi",
    "tsv": "annotated.tsv.gz",
    "parquet": "annotated.parquet",
    "skipped": "skipped.tsv",
}


@dataclass(frozen=True)
class Sample:
    """A file's content, its extension, and the SHA-256 of each result; none when it is no good."""

    name: str
    content: bytes
    extension: str
    checksums: dict[str, str]
    is_refused_at_once: bool = False

    @property
    def is_good(self) -> bool:
        """Whether its job must complete."""
        return bool(self.checksums)


def make(folder: Path) -> dict[str, Sample]:
    """Make every sample; each good one is annotated once, without the service."""
    header, records = _parts()
    made = [
        _good("first", header + records[:5], folder),
        _good("second", header + records[5:30], folder),
        _good("packed", header + records[30:33], folder, packed=True),
        Sample("page", b"<!doctype html><title>Not found</title>", ".vcf", {}, True),
        Sample("cut", _cut(header + records), ".vcf.gz", {}),
        Sample("short", b"".join([*header, records[0], b"chr16\t190000\n"]), ".vcf", {}),
    ]
    return {sample.name: sample for sample in made}


def _parts() -> tuple[list[bytes], list[bytes]]:
    lines = EXAMPLE.read_bytes().splitlines(keepends=True)
    header = [line for line in lines if line.startswith(b"#")]
    return header, lines[len(header) :]


def _cut(lines: list[bytes]) -> bytes:
    whole = gzip.compress(b"".join(lines) * 3, mtime=0)
    return whole[: len(whole) // 2]


def _good(name: str, lines: list[bytes], folder: Path, *, packed: bool = False) -> Sample:
    content = gzip.compress(b"".join(lines), mtime=0) if packed else b"".join(lines)
    source, outdir = folder / f"{name}.vcf", folder / name
    source.write_bytes(content)
    program = [sys.executable, "-m", "annotator", "run", str(source), str(outdir), "--quiet"]
    subprocess.run([*program, "--bundle", str(DEMO)], check=True)
    checksums = {
        kind: hashlib.sha256((outdir / NAMES[kind]).read_bytes()).hexdigest()
        for kind in SAME_EVERY_TIME
    }
    return Sample(name, content, ".vcf.gz" if packed else ".vcf", checksums)
