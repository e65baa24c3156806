"""Files that mean harm, and files that are broken, through the real child process."""

import gzip
import os
import random
import re
import socket
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

from annotator import child
from annotator.bundles import DEMO
from annotator.errors import AnnotatorFailed, InputRefused
from tests.conformance.warm import warm_children


@pytest.fixture(scope="module", autouse=True)
def _warm() -> Iterator[None]:
    with warm_children():
        yield


HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
DEADLINE = 60.0
EXAMPLE = DEMO / "example.vcf"


def annotate(
    source: Path,
    *,
    wall_seconds: int = 30,
    memory_mb: int = 1024,
    on_tick: Callable[[], None] | None = None,
) -> Path:
    outdir = source.parent / "out"
    child.run(
        source,
        outdir,
        bundle=DEMO,
        wall_seconds=wall_seconds,
        memory_mb=memory_mb,
        on_tick=on_tick,
    )
    return outdir


def refusal(source: Path) -> str:
    """Return the sentence of a refusal, after looking that nothing was left behind."""
    before = sorted(source.parent.iterdir())
    with pytest.raises(InputRefused) as refused:
        annotate(source)
    assert sorted(source.parent.iterdir()) == before
    return str(refused.value)


def vcf(folder: Path, *rows: str) -> Path:
    path = folder / "input.vcf"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return path


def file(folder: Path, content: bytes) -> Path:
    path = folder / "input"
    path.write_bytes(content)
    return path


def bgzf(folder: Path) -> bytes:
    pysam.tabix_compress(str(EXAMPLE), str(folder / "example.gz"))
    packed = (folder / "example.gz").read_bytes()
    (folder / "example.gz").unlink()
    return packed


def bcf(folder: Path, kind: str) -> bytes:
    """Write the example as BCF, compressed (-Ob) or not (-Ou)."""
    text, target = folder / "declared.vcf", folder / "example.bcf"
    contigs = "##contig=<ID=chr16>\n##contig=<ID=chrM>\n#CHROM"
    text.write_text(EXAMPLE.read_text().replace("#CHROM", contigs))
    pysam.bcftools.view(kind, "-o", str(target), str(text), catch_stdout=False)
    text.unlink()
    content = target.read_bytes()
    target.unlink()
    return content


@pytest.mark.parametrize("kind", ["-Ob", "-Ou"])
def test_a_bcf_gives_the_same_counts_as_its_text(tmp_path: Path, kind: str) -> None:
    source = file(tmp_path, bcf(tmp_path, kind))
    assert '"records_in": 121' in (annotate(source) / "summary.json").read_text()


def test_the_example_is_annotated_by_the_child(tmp_path: Path) -> None:
    outdir = annotate(file(tmp_path, EXAMPLE.read_bytes()))
    assert {path.name for path in outdir.iterdir()} == {
        "annotated.vcf.gz",
        "annotated.vcf.gz.tbi",
        "annotated.tsv.gz",
        "annotated.parquet",
        "skipped.tsv",
        "summary.json",
        "annotation.log",
        "provenance.json",
    }


def test_the_child_tells_how_far_it_is(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    child.run(
        file(tmp_path, EXAMPLE.read_bytes()),
        tmp_path / "out",
        bundle=DEMO,
        wall_seconds=60,
        memory_mb=1024,
        workers=2,
        on_progress=lambda stage, fraction: heard.append((stage, fraction)),
    )
    assert heard[-1] == ("done", 1.0)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert refusal(file(tmp_path, b"")) == "The file is empty."


def test_a_web_page_is_refused(tmp_path: Path) -> None:
    assert "web page" in refusal(file(tmp_path, b"<!DOCTYPE html><html></html>"))


def test_a_zip_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "input"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.vcf", HEAD)
    assert "zip" in refusal(path)


def test_a_bam_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "input"
    pysam.AlignmentFile(str(path), "wb", header={"HD": {"VN": "1.6"}}).close()
    assert "BAM" in refusal(path)


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    assert "not a VCF" in refusal(file(tmp_path, random.Random(1).randbytes(100_000)))


def test_a_gzip_of_something_else_is_refused(tmp_path: Path) -> None:
    assert "not a VCF" in refusal(file(tmp_path, gzip.compress(b"hello, world\n" * 99)))


def test_a_truncated_gzip_is_refused_with_the_byte(tmp_path: Path) -> None:
    packed = gzip.compress(EXAMPLE.read_bytes())[:-20]
    assert f"after byte {len(packed)}" in refusal(file(tmp_path, packed))


def test_a_gzip_corrupt_in_its_middle_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(EXAMPLE.read_bytes()))
    packed[len(packed) // 2] ^= 0xFF
    assert "corrupt" in refusal(file(tmp_path, bytes(packed)))


def test_a_bgzf_without_its_end_is_refused(tmp_path: Path) -> None:
    assert "truncated" in refusal(file(tmp_path, bgzf(tmp_path)[:-28]))


def test_a_truncated_bcf_is_refused(tmp_path: Path) -> None:
    packed = bcf(tmp_path, "-Ob")
    assert "truncated" in refusal(file(tmp_path, packed[: len(packed) // 2]))


def test_a_bcf_whose_records_are_cut_is_refused(tmp_path: Path) -> None:
    plain = gzip.decompress(bcf(tmp_path, "-Ou"))
    sentence = refusal(file(tmp_path, plain[:-7]))
    assert re.fullmatch(r"The BCF is truncated or corrupt, behind line \d+ of its text\.", sentence)


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    rows = ["chrM\t100\t.\tG\tA\t.\t.\t.", "chrM\tabc\t.\tG\tA\t.\t.\t."]
    assert refusal(vcf(tmp_path, *rows)) == "line 4: POS 'abc' is not a number."


def test_a_genotype_that_htslib_cannot_read_is_refused_with_its_line(tmp_path: Path) -> None:
    text = HEAD.replace("INFO\n", "INFO\tFORMAT\tS\n").replace(
        "#CHROM", '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n#CHROM'
    )
    source = file(tmp_path, (text + "chrM\t100\t.\tG\tA\t.\t.\t.\tGT\thello\n").encode())
    assert refusal(source) == "line 4: Couldn't read GT data: value not a number or '.'."


def test_a_file_on_another_assembly_is_refused_by_its_bases(tmp_path: Path) -> None:
    bases = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch("16", 290000, 290100).upper()
    wrong = {"A": "C", "C": "A", "G": "T", "T": "G"}
    rows = [f"chr16\t{290001 + at}\t.\t{wrong[b]}\t{b}\t.\t.\t." for at, b in enumerate(bases)]
    assert "100 of 100 REF alleles are not those of GRCh38" in refusal(vcf(tmp_path, *rows))


def test_a_file_on_another_assembly_is_refused_by_its_lengths(tmp_path: Path) -> None:
    header = HEAD.replace("#CHROM", "##contig=<ID=chr16,length=90354753>\n#CHROM")
    assert "looks like GRCh37" in refusal(file(tmp_path, header.encode()))


class Listener:
    """A loopback server that remembers whether anybody called."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def was_called(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.close()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_htsget_ticket_opens_no_address(
    tmp_path: Path, listener: Listener, pack: Callable[[bytes], bytes]
) -> None:
    address = f"http://127.0.0.1:{listener.port}/part"
    ticket = f'{{"htsget": {{"format": "VCF", "urls": [{{"url": "{address}"}}]}}}}'
    assert "JSON" in refusal(file(tmp_path, pack(ticket.encode())))
    assert not listener.was_called()


def test_an_htsget_ticket_opens_no_local_file(tmp_path: Path) -> None:
    bait = tmp_path / "bait"
    bait.write_bytes(EXAMPLE.read_bytes())
    os.utime(bait, (0, 10**9))
    ticket = f'{{"htsget": {{"format": "VCF", "urls": [{{"url": "file://{bait}"}}]}}}}'
    assert "JSON" in refusal(file(tmp_path, ticket.encode()))
    assert bait.stat().st_atime == 0  # nobody has read it


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    letters = "".join(random.Random(1).choices("ACGT", k=4096)).encode()
    with (tmp_path / "input").open("wb") as target:
        target.write(packer.compress(HEAD.encode() + b"chrM\t1\t.\tG\t"))
        for _ in range(100):
            target.write(packer.compress(letters * 256))
        target.write(packer.flush())
    assert "longer than 32 MiB" in refusal(tmp_path / "input")


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    row = b"chrM\t100\t.\tG\tA\t.\t.\t" + b"." * 2000 + b"\n"
    with (tmp_path / "input").open("wb") as target:
        target.write(packer.compress(HEAD.encode()))
        for _ in range(80):
            target.write(packer.compress(row * 500))
        target.write(packer.flush())
    assert "times when decompressed" in refusal(tmp_path / "input")


def test_a_crowd_at_one_position_is_refused(tmp_path: Path) -> None:
    rows = "chr16\t290101\t.\tC\tA\t.\t.\t.\n" * 300_000
    assert "records at one position" in refusal(file(tmp_path, (HEAD + rows).encode()))


def test_a_memory_bomb_ends_the_child_alone(tmp_path: Path) -> None:
    row = f"chr16\t290101\t{'x' * 1000}\tC\tA\t.\t.\t.\n"
    source = file(tmp_path, (HEAD + row * 90_000).encode())
    with pytest.raises(AnnotatorFailed):
        annotate(source, memory_mb=150)
    assert list(tmp_path.iterdir()) == [source]
