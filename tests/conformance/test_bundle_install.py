"""What a manifest becomes, what is refused, and what the commands say of it."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pysam
import pytest

from annotator.__main__ import main
from annotator.bundles import DEMO, Bundle, load, wrong_files
from annotator.bundles_install import copy, install
from annotator.bundles_manifest import read, shipped
from annotator.errors import AnnotatorFailed
from tests.conformance.installing import SEQUENCE, failure, installed, manifest
from tests.conformance.references import CHR21
from tests.conformance.shelf import FASTA, GENOME, KNOWN, Shelf


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
        (SEQUENCE, gzip.compress(FASTA, mtime=0)[:-9], "is damaged"),
        ("genes.gff3.gz", b"<html>", "holds no genes"),
        ("known.vcf", b'{"htsget": {}}', "JSON, not a VCF"),
        ("known.vcf", b"##fileformat=VCFv4.2\n", "no #CHROM line"),
        ("known.vcf", KNOWN.replace(b"NC_000001.11", b"NC_000001.10"), "holds no variants on any"),
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


def test_bundles_are_verified_and_listed_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "install", "--from", str(DEMO), "--into", str(tmp_path)]) == 0
    folder = tmp_path / "demo-grch38"
    assert main(["bundle", "verify", str(folder)]) == 0
    told = f"{folder}\ndemo-grch38: 5 files are what they should be\n"
    assert capsys.readouterr().out == told
    assert main(["bundle", "list", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert "demo-grch38\tGRCh38\tRefSeq" in listed
    assert "grch38-ensembl115\tGRCh38\tEnsembl 115\tclinvar, dbsnp, gnomad_exomes" in listed
    index = folder / "genome.fa.gz.gzi"
    index.write_bytes(b"\1" + index.read_bytes()[1:])
    assert main(["bundle", "verify", str(folder)]) == 70
    assert capsys.readouterr().err == "demo-grch38 is not what it was: genome.fa.gz.gzi\n"
    with pytest.raises(SystemExit, match="64"):
        main(["bundle", "install", "--into", str(tmp_path)])


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
def test_the_data_of_chromosome_21_installs_with_dbsnp(chr21: Bundle) -> None:
    assert wrong_files(chr21) == []
    with pysam.TabixFile(str(chr21.sources[0].path)) as file:
        rows = [row.split("\t") for row in file.fetch("21")]
    assert len(rows) >= 115_501
    assert not any("," in row[4] for row in rows)
