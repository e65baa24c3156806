"""Bundles installed from a server on loopback that breaks, lies, stalls and changes its mind."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest

from annotator import download
from annotator.bundles import DEMO, Bundle, load, wrong_files
from annotator.bundles_install import copy, install
from annotator.bundles_manifest import read, shipped
from annotator.errors import AnnotatorFailed
from tests.conformance.references import CHR21, install_chr21
from tests.conformance.shelf import FASTA, GENOME, Shelf, files, serving

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0
SEQUENCE = "genome.fa.gz"


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    with serving(Shelf(files())) as shelf:
        yield shelf


def manifest(shelf: Shelf, folder: Path, **changes: Any) -> Path:
    content = {
        "schema": "gas.bundle-manifest/1",
        "id": "small",
        "assembly": "GRCh38",
        "title": "A small one",
        "genes_release": "Test 1",
        "contigs": [
            {"name": "1", "length": 4000, "aliases": ["chr1", "NC_000001.11"]},
            {"name": "MT", "genetic_code": 2, "aliases": ["chrM", "NC_012920.1"]},
        ],
        "fasta": {"url": f"{shelf.url}/{SEQUENCE}"},
        "genes": {"url": f"{shelf.url}/genes.gff3.gz"},
        "sources": [
            {
                "name": "known",
                "release": "header:fileDate",
                "default": True,
                "files": [
                    {
                        "url": f"{shelf.url}/known.vcf",
                        "published": {"url": "known.vcf.md5", "algorithm": "md5"},
                    }
                ],
                "columns": {"GAS_KNOWN": "ID", "GAS_AF": "INFO/AF", "GAS_CLNSIG": "INFO/SIG"},
            }
        ],
        **changes,
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(content))
    return path


def installed(shelf: Shelf, folder: Path, **changes: Any) -> Bundle:
    plan = read(str(manifest(shelf, folder, **changes)))
    return load(install(plan, folder / "bundles", sources=None, progress=lambda *_: None))


def failure(shelf: Shelf, folder: Path, **changes: Any) -> str:
    """Return what an installation says that fails, after looking that no bundle is to be seen."""
    with pytest.raises(AnnotatorFailed) as failed:
        installed(shelf, folder, **changes)
    assert not (folder / "bundles" / "small").exists()
    return str(failed.value)


def pinned(shelf: Shelf, sha256: str) -> dict[str, str]:
    return {"url": f"{shelf.url}/{SEQUENCE}", "sha256": sha256}


def test_a_manifest_becomes_a_bundle(shelf: Shelf, tmp_path: Path) -> None:
    bundle = installed(shelf, tmp_path)
    assert wrong_files(bundle) == []
    assert [(c.name, c.length, c.genetic_code) for c in bundle.contigs] == [
        ("1", 4000, 1),
        ("MT", 400, 2),
    ]
    with pysam.FastaFile(str(bundle.fasta)) as fasta:
        assert {name: fasta.fetch(name) for name in fasta.references} == GENOME
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == ["small"]


def test_the_genes_are_split_by_contig_under_our_names(shelf: Shelf, tmp_path: Path) -> None:
    first, mitochondrion = installed(shelf, tmp_path).contigs
    assert first.genes is not None
    assert mitochondrion.genes is not None
    assert [line.split("\t")[2] for line in first.genes.read_text().splitlines()[1:]] == [
        "gene",
        "mRNA",
        "exon",
        "CDS",
    ]
    assert mitochondrion.genes.read_text().splitlines()[1].startswith("MT\ttest\tgene\t11\t40")


def test_a_source_is_renamed_split_slimmed_and_indexed(shelf: Shelf, tmp_path: Path) -> None:
    (source,) = installed(shelf, tmp_path).sources
    assert (source.name, source.release) == ("known", "2026-01-02")
    with pysam.TabixFile(str(source.path)) as file:
        assert [row.split("\t") for row in file.fetch("1")] == [
            ["1", "101", "rs1", "T", "A", ".", ".", "AF=0.25"],
            ["1", "101", "rs1", "T", "C", ".", ".", "AF=0.5"],
            ["1", "102", "rs2", "G", "T", ".", ".", "SIG=Benign"],
        ]


def test_only_the_sources_asked_for_are_fetched(shelf: Shelf, tmp_path: Path) -> None:
    plan = read(str(manifest(shelf, tmp_path)))
    bundle = load(install(plan, tmp_path / "bundles", sources=[], progress=lambda *_: None))
    assert bundle.sources == ()
    assert shelf.ranges("known.vcf") == []
    with pytest.raises(AnnotatorFailed, match="small has no source other; it has known"):
        install(plan, tmp_path / "more", sources=["other"], progress=lambda *_: None)


def test_a_transfer_that_breaks_off_goes_on_where_it_was(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners[SEQUENCE] = "breaks"
    installed(shelf, tmp_path)
    half = len(shelf.files[SEQUENCE]) // 2
    assert shelf.ranges(SEQUENCE) == [None, f"bytes={half}-"]
    assert shelf.resumed == [half]


@pytest.mark.parametrize("manner", ["changes", "no ranges"])
def test_parts_of_different_files_are_never_joined(
    shelf: Shelf, tmp_path: Path, manner: str
) -> None:
    shelf.manners[SEQUENCE] = manner
    sha256 = hashlib.sha256(shelf.files[SEQUENCE]).hexdigest()
    installed(shelf, tmp_path, fasta=pinned(shelf, sha256))
    assert len(shelf.ranges(SEQUENCE)) == 2
    assert shelf.resumed == []


def test_a_length_that_promises_more_than_comes_is_not_believed(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.manners[SEQUENCE] = "longer"
    assert SEQUENCE in failure(shelf, tmp_path)


def test_a_length_that_hides_the_end_is_found_by_the_checksum(shelf: Shelf, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(shelf.files[SEQUENCE]).hexdigest()
    shelf.manners[SEQUENCE] = "shorter"
    assert "another sha256" in failure(shelf, tmp_path, fasta=pinned(shelf, sha256))
    shelf.manners.clear()
    installed(shelf, tmp_path, fasta=pinned(shelf, sha256))


def test_a_truncated_sequence_without_a_checksum_is_found_by_its_gzip(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.manners[SEQUENCE] = "shorter"
    assert "is damaged" in failure(shelf, tmp_path)


def test_a_wrong_checksum_stops_and_the_next_try_fetches_anew(shelf: Shelf, tmp_path: Path) -> None:
    assert "another sha256" in failure(shelf, tmp_path, fasta=pinned(shelf, "0" * 64))
    installed(shelf, tmp_path)
    assert shelf.ranges(SEQUENCE) == [None, None]


def test_the_checksum_that_a_server_publishes_is_compared(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["known.vcf.md5"] = b"0" * 32 + b"  known.vcf\n"
    assert "another md5" in failure(shelf, tmp_path)
    shelf.files["known.vcf.md5"] = b"0" * 32 + b"  other.vcf\n"
    assert "do not name known.vcf" in failure(shelf, tmp_path)


def test_ensembls_sums_are_compared(shelf: Shelf, tmp_path: Path) -> None:
    published = {"url": "CHECKSUMS", "algorithm": "bsd"}
    fasta = {"url": f"{shelf.url}/genome.fa", "published": published}
    shelf.files["genome.fa"] = FASTA
    told = subprocess.run(["sum", "-r"], input=FASTA, capture_output=True, check=True).stdout
    shelf.files["CHECKSUMS"] = b"00001 5 other.fa\n" + told.strip() + b" genome.fa\n"
    installed(shelf, tmp_path, fasta=fasta)
    shelf.files["CHECKSUMS"] = b"00001 5 genome.fa\n"
    (tmp_path / "again").mkdir()
    assert "another bsd" in failure(shelf, tmp_path / "again", fasta=fasta)


def test_a_redirect_is_followed_and_a_missing_file_named(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners["moved.fa.gz"] = f"redirect {shelf.url}/{SEQUENCE}"
    installed(shelf, tmp_path, fasta={"url": f"{shelf.url}/moved.fa.gz"})
    (tmp_path / "again").mkdir()
    gone = {"url": f"{shelf.url}/gone.fa.gz"}
    assert failure(shelf, tmp_path / "again", fasta=gone) == f"{gone['url']} answered 404"
    assert len(shelf.ranges("gone.fa.gz")) == 1


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/genome.fa.gz"])
def test_a_redirect_to_anything_but_http_is_not_followed(
    shelf: Shelf, tmp_path: Path, place: str
) -> None:
    shelf.manners[SEQUENCE] = f"redirect {place}"
    said = failure(shelf, tmp_path)
    assert SEQUENCE in said
    assert "root:" not in said


def test_a_server_that_is_busy_is_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners[SEQUENCE] = "busy once"
    installed(shelf, tmp_path)
    assert len(shelf.ranges(SEQUENCE)) == 2


def test_an_installation_that_was_killed_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners["genes.gff3.gz"] = "stalls"
    command = [sys.executable, "-m", "annotator", "bundle", "install"]
    command += [str(manifest(shelf, tmp_path)), "--into", str(tmp_path / "bundles")]
    process = subprocess.Popen(command, cwd=ROOT)
    part = tmp_path / "bundles" / ".small.installing" / "genes-genes.gff3.gz.part"
    deadline = time.monotonic() + DEADLINE
    half = len(shelf.files["genes.gff3.gz"]) // 2
    while not (part.exists() and part.stat().st_size == half):
        assert time.monotonic() < deadline
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.wait(DEADLINE)
    assert not (tmp_path / "bundles" / "small").exists()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{tmp_path}/bundles/small\n", "")
    assert shelf.ranges(SEQUENCE) == [None]
    assert shelf.ranges("genes.gff3.gz") == [None, f"bytes={half}-"]
    assert wrong_files(load(tmp_path / "bundles" / "small")) == []


def test_two_installations_give_the_same_bytes(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert installed(shelf, tmp_path).files == installed(shelf, tmp_path / "again").files


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"contigs": [{"name": "1", "length": 5}]}, "contig 1 should be 5, in the sequence it is"),
        ({"contigs": [{"name": "9"}]}, "contig 9 should be present, in the sequence it is absent"),
        ({"id": "../up"}, "cannot be the name of a file"),
        ({"schema": "other"}, "is not a gas.bundle-manifest/1"),
        ({"title": None, "fasta": {}}, "is not a whole manifest"),
    ],
)
def test_a_manifest_that_is_wrong_installs_nothing(
    shelf: Shelf, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    assert sentence in failure(shelf, tmp_path, **changes)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (SEQUENCE, b"<html>", "is not a FASTA file"),
        (SEQUENCE, gzip.compress(FASTA)[:-9], "is damaged"),
        ("genes.gff3.gz", b"<html>", "holds no genes"),
        ("known.vcf", b'{"htsget": {}}', "JSON, not a VCF"),
        ("known.vcf", b"##fileformat=VCFv4.2\n", "no #CHROM line"),
    ],
)
def test_a_file_that_is_something_else_installs_nothing(
    shelf: Shelf, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    shelf.files[name] = content
    shelf.files["known.vcf.md5"] = (
        f"{hashlib.md5(shelf.files['known.vcf']).hexdigest()} known.vcf".encode()
    )
    assert sentence in failure(shelf, tmp_path)


def test_a_bundle_that_is_there_is_not_touched(shelf: Shelf, tmp_path: Path) -> None:
    installed(shelf, tmp_path)
    with pytest.raises(AnnotatorFailed, match="is there already"):
        installed(shelf, tmp_path)


def test_an_installed_bundle_is_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    target = copy(DEMO, tmp_path / "bundles")
    assert load(target).files == load(DEMO).files
    genes = target / "genes" / "MT.gff3"
    genes.write_bytes(genes.read_bytes().replace(b"MT-ND1", b"MT-XX1"))
    with pytest.raises(AnnotatorFailed, match=r"genes/MT\.gff3"):
        copy(target, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "demo-grch38").exists()


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "annotator", "bundle", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_bundles_are_verified_and_listed_from_the_command_line(tmp_path: Path) -> None:
    assert program("install", "--from", str(DEMO), "--into", str(tmp_path)).returncode == 0
    folder = tmp_path / "demo-grch38"
    assert program("verify", str(folder)).stdout == "demo-grch38: 5 files are what they should be\n"
    listed = program("list", str(tmp_path)).stdout
    assert "demo-grch38\tGRCh38\tRefSeq" in listed
    assert "grch38-ensembl115\tGRCh38\tEnsembl 115\tclinvar, dbsnp, gnomad_exomes" in listed
    index = folder / "genome.fa.gz.gzi"
    index.write_bytes(b"\1" + index.read_bytes()[1:])
    wrong = program("verify", str(folder))
    assert wrong.returncode == 70
    assert wrong.stderr == "demo-grch38 is not what it was: genome.fa.gz.gzi\n"
    assert program("install", "--into", str(tmp_path)).returncode == 64


@pytest.mark.parametrize("name", ["grch37-ensembl87", "grch38-ensembl115"])
def test_the_shipped_manifests_are_whole(name: str) -> None:
    manifest = read(name)
    assert name in shipped()
    assert [c.name for c in manifest.contigs] == [*map(str, range(1, 23)), "X", "Y", "MT"]
    assert {source.name for source in manifest.sources} == {"clinvar", "dbsnp", "gnomad_exomes"}
    names = [n for contig in manifest.contigs for n in (contig.name, *contig.aliases)]
    assert len(set(names)) == len(names)
    places = [manifest.fasta, manifest.genes, *(f for s in manifest.sources for f in s.files)]
    assert all(file.place.startswith("https://") for file in places)


@pytest.mark.skipif(not CHR21.exists(), reason="the data folder beside the project is absent")
def test_the_data_of_chromosome_21_installs_with_dbsnp(tmp_path: Path) -> None:
    bundle = install_chr21(tmp_path)
    assert wrong_files(bundle) == []
    with pysam.TabixFile(str(bundle.sources[0].path)) as file:
        rows = [row.split("\t") for row in file.fetch("21")]
    assert len(rows) >= 115_501
    assert not any("," in row[4] for row in rows)
