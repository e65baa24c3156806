import json
import random
from pathlib import Path

import pysam
import pytest

from annotator.bundles import MANIFEST, SCHEMA, Bundle, load
from annotator.chromosomes import ASSEMBLY_OF, LENGTHS
from annotator.errors import InputRefused
from annotator.run import annotate
from tests.unit.annotator.samples import HEAD

LENGTH = 5000


def bundle(folder: Path, name: str, assembly: str, *, seed: int, unknown: int = 0) -> Bundle:
    """Make a reference of random bases, the first `unknown` of which are N, without genes."""
    place = folder / name
    place.mkdir(parents=True)
    bases = "N" * unknown + "".join(random.Random(seed).choices("ACGT", k=LENGTH - unknown))
    (place / "genome.fa").write_text(f">7\n{bases}\n")
    pysam.tabix_compress(str(place / "genome.fa"), str(place / "genome.fa.gz"))
    pysam.faidx(str(place / "genome.fa.gz"))
    contig = {"name": "7", "length": LENGTH, "aliases": ["chr7"], "genetic_code": 1, "genes": None}
    content = {"id": name, "assembly": assembly, "genes": "none", "fasta": "genome.fa.gz"}
    manifest = {"schema": SCHEMA, **content, "contigs": [contig], "files": {}}
    (place / MANIFEST).write_text(json.dumps(manifest))
    return load(place)


def sample(of: Bundle, folder: Path, *, records: int = 40) -> Path:
    """Write a VCF whose REF alleles are those of one reference."""
    with pysam.FastaFile(str(of.fasta)) as fasta:
        bases = fasta.fetch("7")
    places = range(LENGTH - records, LENGTH)
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = [f"chr7\t{p + 1}\t.\t{bases[p]}\t{other[bases[p]]}\t.\t.\t.\n" for p in places]
    path = folder / "input.vcf"
    path.write_text(HEAD + "".join(rows))
    return path


def refusal(source: Path, reference: Bundle) -> str:
    with pytest.raises(InputRefused) as refused:
        annotate(source, source.parent / "out", reference.folder)
    return str(refused.value)


def test_the_assembly_that_a_file_agrees_with_is_named(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    bundle(tmp_path / "b", "two", "T2T-CHM13", seed=2)
    (bundle(tmp_path / "b", "broken", "GRCh37", seed=3).folder / MANIFEST).write_text("{")
    right = bundle(tmp_path / "b", "three", "GRCh37", seed=3)
    said = refusal(sample(right, tmp_path), chosen)
    assert said.endswith(" of 40 REF alleles are not those of GRCh38: the file looks like GRCh37.")
    annotate(sample(right, tmp_path), tmp_path / "out", right.folder)


def test_no_assembly_is_named_when_none_agrees(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    bundle(tmp_path / "b", "two", "GRCh37", seed=2)
    elsewhere = bundle(tmp_path / "elsewhere", "three", "NCBI36", seed=3)
    said = refusal(sample(elsewhere, tmp_path), chosen)
    assert said.endswith("the file seems to be on another assembly.")


def test_an_agreement_of_few_alleles_names_nothing(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    right = bundle(tmp_path / "b", "two", "GRCh37", seed=2)
    said = refusal(sample(right, tmp_path, records=8), chosen)
    assert said.endswith("the file seems to be on another assembly.")


def test_bases_that_a_reference_does_not_know_agree_with_nothing(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    right = bundle(tmp_path / "b", "two", "GRCh37", seed=2)
    bundle(tmp_path / "b", "empty", "NCBI36", seed=3, unknown=LENGTH)
    assert "looks like GRCh37" in refusal(sample(right, tmp_path), chosen)


def test_the_same_assembly_in_another_bundle_is_no_answer(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    same = bundle(tmp_path / "b", "two", "GRCh38", seed=2)
    assert "seems to be on another" in refusal(sample(same, tmp_path), chosen)


def test_contig_lengths_are_asked_before_any_allele(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    source = sample(chosen, tmp_path)
    text = source.read_text()
    source.write_text(text.replace("#CHROM", "##contig=<ID=chr1,length=247249719>\n#CHROM"))
    assert refusal(source, chosen) == (
        "The file looks like NCBI36 by its contig lengths; the chosen reference is GRCh38."
    )
    source.write_text(text.replace("#CHROM", "##contig=<ID=chr7,length=77>\n#CHROM"))
    assert refusal(source, chosen) == (
        "The header says that contig chr7 is 77 long; in GRCh38 it is 5000."
    )


@pytest.mark.parametrize(
    ("declared", "assembly"),
    [
        ("<ID=chr1,length=249250621>", "GRCh37"),
        ("<ID=3,length=198022430>", "GRCh37"),
        ("<ID=NC_000001.10,assembly=b37,length=249250621>", "GRCh37"),
        ("<length=57772954,ID=chrY>", "NCBI36"),
        ("<ID=gi|224589800,length=248387328>", "T2T-CHM13"),
    ],
)
def test_an_assembly_is_known_by_any_chromosome_whatever_its_name(
    tmp_path: Path, declared: str, assembly: str
) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    source = sample(chosen, tmp_path)
    lines = f"##contig=<ID=unplaced,length=99>\n##contig={declared}\n#CHROM"
    source.write_text(source.read_text().replace("#CHROM", lines))
    assert f"looks like {assembly} by its contig lengths" in refusal(source, chosen)


def test_the_mitochondrion_of_hg19_does_not_refuse_the_chromosomes_of_grch37(
    tmp_path: Path,
) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh37", seed=1)
    content = json.loads((chosen.folder / MANIFEST).read_text())
    mitochondrion = {"name": "MT", "length": 16569, "aliases": ["chrM"], "genetic_code": 2}
    content["contigs"].append({**mitochondrion, "genes": None})
    (chosen.folder / MANIFEST).write_text(json.dumps(content))
    source = sample(chosen, tmp_path)
    lines = f"##contig=<ID=chrM,length=16571>\n##contig=<ID=chr7,length={LENGTH}>\n#CHROM"
    text = source.read_text() + "chrM\t5\t.\tA\tG\t.\t.\t.\n"
    source.write_text(text.replace("#CHROM", lines.splitlines()[0] + "\n#CHROM"))
    assert "contig chrM is 16571 long; in GRCh37 it is 16569" in refusal(source, chosen)
    source.write_text(text.replace("#CHROM", lines))
    annotate(source, tmp_path / "out", chosen.folder)
    counts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert counts["annotated"] == 40
    assert {reason: n for reason, n in counts["flagged"].items() if n} == {"contig": 1}


def test_no_two_assemblies_share_the_length_of_a_chromosome() -> None:
    lengths = [length for text in LENGTHS.values() for length in text.split()]
    assert len(lengths) == len(set(lengths)) == len(ASSEMBLY_OF) == 4 * 24


def test_few_wrong_alleles_are_flagged_and_do_not_refuse_the_file(tmp_path: Path) -> None:
    chosen = bundle(tmp_path / "b", "one", "GRCh38", seed=1)
    right = bundle(tmp_path / "b", "two", "GRCh37", seed=2)
    annotate(sample(right, tmp_path, records=2), tmp_path / "out", chosen.folder)
