"""Small VCF texts on the demo reference."""

from pathlib import Path

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEAD = f"##fileformat=VCFv4.2\n{COLUMNS}\n"


def row(contig: str, pos: int, ref: str, alt: str, info: str = ".") -> str:
    """Return one record without samples."""
    return f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\t.\t{info}\n"


def write(folder: Path, *rows: str, head: str = HEAD) -> Path:
    """Write a VCF and return its path."""
    path = folder / "input.vcf"
    path.write_text(head + "".join(rows))
    return path
