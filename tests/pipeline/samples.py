"""Files that researchers upload, good and bad."""

import gzip
import json
from pathlib import Path

from dev.demo import SAMPLE


def repeated(file: Path, *, copies: int) -> Path:
    """Write the example with each record so often that its annotation takes a while."""
    lines = SAMPLE.read_text().splitlines(keepends=True)
    header = "".join(line for line in lines if line.startswith("#"))
    records = [line for line in lines if not line.startswith("#")]
    file.write_text(header + "".join(line * copies for line in records))
    return file


def htsget_ticket(folder: Path, target: Path) -> Path:
    """A file that htslib would take for an order to open another file."""
    urls = [{"url": f"file://{target}"}]
    file = folder / "ticket.vcf"
    file.write_text(json.dumps({"htsget": {"format": "VCF", "urls": urls}}))
    return file


def truncated(folder: Path) -> Path:
    """A gzip file that ends in the middle."""
    whole = gzip.compress(repeated(folder / "whole.vcf", copies=60).read_bytes())
    file = folder / "truncated.vcf.gz"
    file.write_bytes(whole[: len(whole) // 2])
    return file


def written(folder: Path, name: str, content: bytes) -> Path:
    """A file with this content."""
    file = folder / name
    file.write_bytes(content)
    return file
