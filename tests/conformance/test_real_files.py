"""What real files hold, through the real child: what is kept right, repaired, flagged, refused."""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.calls import (
    COLUMNS,
    GENOTYPE,
    MT,
    OTHER,
    SAMPLE,
    VERSION,
    Packing,
    annotated,
    converted,
    refusal,
    row,
    vcf,
)
from tests.conformance.warm import warm_children

DECLARED = "##contig=<ID=chrM,length=16569>\n"
PLAIN = vcf(row(), row(3401), meta=DECLARED)
DEPTH = '##INFO=<ID=DP,Number=1,Type=Integer,Description="d">\n'


@pytest.fixture(scope="module", autouse=True)
def _warm() -> Iterator[None]:
    with warm_children():
        yield


PACKINGS: dict[str, Packing] = {
    "plain": lambda _, text: text,
    "gzip": lambda _, text: gzip.compress(text),
    "gzip of several members": lambda _, text: gzip.compress(text[:90]) + gzip.compress(text[90:]),
    "BGZF": lambda folder, text: converted(folder, text, "-Oz"),
    "BCF": lambda folder, text: converted(folder, text, "-Ob"),
    "BCF, blocks stored": lambda folder, text: converted(folder, text, "-Ou"),
    "BCF, no blocks": lambda folder, text: gzip.decompress(converted(folder, text, "-Ou")),
    "Windows line ends": lambda _, text: text.replace(b"\n", b"\r\n"),
    "no newline at the end": lambda _, text: text[:-1],
}


@pytest.mark.parametrize("packing", PACKINGS.values(), ids=PACKINGS.keys())
def test_however_a_file_is_written_its_records_are_annotated(
    tmp_path: Path, packing: Packing
) -> None:
    records = annotated(tmp_path, packing(tmp_path, PLAIN)).records
    assert [cells[:5] for cells in records] == [
        ["chrM", "3400", ".", "C", "G"],
        ["chrM", "3401", ".", "A", "C"],
    ]
    assert all("BCSQ=missense|MT-ND1" in cells[7] for cells in records)


@pytest.mark.parametrize("minor", range(6))
def test_every_version_of_vcf_4_is_taken(tmp_path: Path, minor: int) -> None:
    version = f"##fileformat=VCFv4.{minor}\n"
    assert len(annotated(tmp_path, vcf(row(), version=version)).records) == 1


SAMPLES = "\t".join(f"S{n}" for n in range(2504))


def test_a_cohort_keeps_every_genotype(tmp_path: Path) -> None:
    cells = "\t".join(("0|0", "0|1", "1", ".", "0/1/1", "./.")[n % 6] for n in range(2504))
    columns = f"{COLUMNS}\tFORMAT\t{SAMPLES}"
    text = vcf(row(format="GT", s=cells), meta=GENOTYPE, columns=columns)
    (record,) = annotated(tmp_path, text).records
    assert "\t".join(record[9:]) == cells


KEPT = {
    "a gVCF block": row(alt="<NON_REF>", info="END=3500"),
    "a gVCF variant": row(alt="G,<NON_REF>"),
    "a star": row(alt="*"),
    "a deletion by name": row(alt="<DEL>", info="SVTYPE=DEL;END=3500"),
    "a breakend": row(alt="C[chr16:300[", info="SVTYPE=BND"),
    "a single breakend": row(alt="C."),
    "an IUPAC code": row(alt="R"),
    "an IUPAC REF": row(ref="M", alt="G"),
    "an empty ALT": row(alt=""),
    "an empty REF": row(ref=""),
    "a dash": row(alt="-"),
    "an ALT that is the REF": row(alt="C"),
    "an unknown contig": row(chrom="HLA-A*01:01"),
    "a contig in brackets": row(chrom="<ctg1>"),
    "a contig that is no UTF-8": row(chrom="\udce9"),
    "the telomere": row(1, pos="0", ref="N", alt="A"),
    "the contig's last base and one more": row(16569, ref=MT[-1] + "A", alt=MT[-1]),
    "beyond the contig's end": row(16569, pos="16570", ref="A", alt="C"),
    "where the reference ends in nothing": row(chrom="chr16", pos="5000", ref="A", alt="C"),
    "numbers in other words": row(alt="<DEL>", qual="30.00", info="AF=0.5000;DP=007;X=1e3"),
    "an odd INFO": row(alt="<DEL>", info="A=1;A=2;;B=a%3Bb%0A"),
    "names not declared": row(alt="<DEL>", filter="q10;s50", info="DB;NEW=a,b"),
}
REASONS = {
    "breakend": ("a breakend", "a single breakend"),
    "star": ("a star",),
    "iupac": ("an IUPAC code", "an IUPAC REF"),
    "contig": (
        *("an unknown contig", "a contig in brackets", "a contig that is no UTF-8"),
        "where the reference ends in nothing",
    ),
    "ref_mismatch": ("the contig's last base and one more", "beyond the contig's end"),
    "malformed": (
        "an empty ALT",
        "an empty REF",
        "a dash",
        "an ALT that is the REF",
        "the telomere",
    ),
}
REASON = {name: reason for reason, names in REASONS.items() for name in names}


@pytest.mark.parametrize("kind", KEPT)
def test_what_the_engine_would_misread_comes_out_as_it_went_in_with_a_flag(
    tmp_path: Path, kind: str
) -> None:
    meta = '##INFO=<ID=AF,Number=1,Type=Float,Description="f">\n' + DEPTH
    record = KEPT[kind]
    out = annotated(tmp_path, vcf(row(3300), record, meta=meta))
    if kind == "a gVCF variant":
        assert [info.get("GAS_SKIP") for info in out.infos[1:]] == [None, "symbolic"]
        return
    before = record.rstrip("\n").split("\t")
    flag = f"GAS_SKIP={REASON.get(kind, 'symbolic')}"
    before[7] = flag if before[7] == "." else f"{before[7]};{flag}"
    found = [cells for cells in out.records if cells[1] != "3300"]
    assert found == [before]


def test_names_that_a_bundle_knows_by_another_name_are_found(tmp_path: Path) -> None:
    for name in ("MT", "chrM", "M", "NC_012920.1"):
        (tmp_path / name).mkdir()
        (info,) = annotated(tmp_path / name, vcf(row(chrom=name))).infos
        assert info["GAS_GENE"] == "MT-ND1"


def test_records_out_of_order_come_out_in_order_and_unchanged(tmp_path: Path) -> None:
    rows = [row(3402), row(3400, alt="<DEL>", qual="30.00"), row(3401), row(chrom="x", pos="7")]
    records = annotated(tmp_path, vcf(*rows)).records
    assert [cells[1] for cells in records] == ["3400", "3401", "3402", "7"]
    assert records[0][5] == "30.00"


def test_a_large_file_out_of_order_is_sorted_in_bounded_memory(tmp_path: Path) -> None:
    places = random.Random(1).choices(range(3300, 16000), k=30_000)
    out = annotated(tmp_path, vcf(*(row(place, info="X=" + "y" * 1200) for place in places)))
    assert [int(cells[1]) for cells in out.records] == sorted(places)
    told = json.loads((out.folder / "provenance.json").read_bytes())
    assert told["sorted"]
    assert told["peak_memory_mb"] < 300


@pytest.mark.parametrize("version", ["4.4", "4.5"])
def test_a_phase_before_the_first_allele_is_read(tmp_path: Path, version: str) -> None:
    text = vcf(row(format="GT", s="|0|1"), meta=GENOTYPE, columns=SAMPLE).decode()
    text = text.replace("VCFv4.2", f"VCFv{version}")
    (record,) = annotated(tmp_path, text.encode()).records
    assert record[9].endswith("0|1")


@pytest.mark.parametrize(
    ("meta", "used", "kept"),
    [
        (DEPTH + DEPTH.replace("Integer", "String"), "DP=3", "DP=3"),
        ("##contig=<ID=chrM,length=abc>\n", ".", ""),
        (DECLARED + DECLARED, ".", ""),
        ('##INFO=<ID=DP,Number=1,Type=Integer,Description="open>\n', "DP=3", "DP=3"),
        ('##FILTER=<ID=x,Description="d",IDX=999999999>\n', ".", ""),
        ("##INFO=<ID=,Number=\n##\n##foo\n##INFO=<>\n##contig=<ID=>\n", ".", ""),
        (VERSION, "DB", "DB"),
        ("", "A B=3 4", "A B=3 4"),
    ],
    ids=[
        *("twice", "no length", "a contig twice", "an open quote", "BCF's numbers", "fragments"),
        *("a version twice", "a space in a name"),
    ],
)
def test_a_header_is_repaired(tmp_path: Path, meta: str, used: str, kept: str) -> None:
    (record,) = annotated(tmp_path, vcf(row(info=used), meta=meta)).records
    assert record[7].startswith(kept)
    assert "GAS_GENE=MT-ND1" in record[7]


def test_a_header_alone_is_a_result_without_records(tmp_path: Path) -> None:
    assert annotated(tmp_path, vcf()).records == []


def test_leading_zeros_of_a_position_go_for_an_index_takes_them_for_octal(tmp_path: Path) -> None:
    out = annotated(tmp_path, vcf(row(3300), row(alt="<DEL>", pos="03400"), row(pos="03400")))
    assert [cells[1] for cells in out.records] == ["3300", "3400", "3400"]


def test_numbers_per_allele_are_shared_out_at_the_split(tmp_path: Path) -> None:
    kinds = {"A": "A", "R": "R"}
    meta = "".join(
        f'##INFO=<ID=X{n},Number={n},Type=Integer,Description="d">\n' for n in kinds
    ) + "".join(
        f'##FORMAT=<ID=Y{n},Number={n},Type=Integer,Description="d">\n' for n in ("G", "P", "LR")
    )
    record = row(alt="G,T", info="XA=1,2;XR=0,1,2", format="GT:YG:YP", s="1/2:1,2,3,4,5,6:7,8")
    version = "##fileformat=VCFv4.5\n"
    text = vcf(record, meta=meta + GENOTYPE, columns=SAMPLE, version=version)
    out = annotated(tmp_path, text)
    assert [(info["XA"], info["XR"]) for info in out.infos] == [("1", "0,1"), ("2", "0,2")]
    assert [cells[9] for cells in out.records] == ["1/0:1,2,3:7,8", "0/1:1,4,6:7,8"]


SPOOFS = {
    "a flag": "GAS_SKIP=star",
    "consequences": "BCSQ=stop_gained|FAKE",
    "flat fields": "GAS_GENE=FAKE;GAS_CSQ=stop_gained;GAS_IMPACT=HIGH",
    "known variants": "GAS_CLNSIG=FAKE;GAS_ID=FAKE",
}


@pytest.mark.parametrize("field", SPOOFS.values(), ids=SPOOFS.keys())
@pytest.mark.parametrize("declared", ["", "INFO", "FORMAT"])
def test_nobody_else_writes_our_fields(tmp_path: Path, field: str, declared: str) -> None:
    names = [item.partition("=")[0] for item in field.split(";")]
    shape = 'Number=1,Type=Integer,Description="x"'
    meta = "".join(f"##{declared}=<ID={name},{shape}>\n" for name in names if declared)
    out = annotated(tmp_path, vcf(row(info=f"DP=3;{field}"), meta=meta))
    assert "FAKE" not in out.text
    (info,) = out.infos
    assert list(info)[:2] == ["DP", "BCSQ"]
    assert info["GAS_GENE"] == "MT-ND1"
    assert "GAS_SKIP" not in info


@pytest.mark.parametrize("kind", ["", "Integer", "String"])
def test_a_field_of_theirs_called_orig_stays_theirs(tmp_path: Path, kind: str) -> None:
    meta = f'##INFO=<ID=ORIG,Number=1,Type={kind},Description="x">\n' if kind else ""
    out = annotated(tmp_path, vcf(row(alt="G,T", info="ORIG=7"), meta=meta))
    assert [info["ORIG"] for info in out.infos] == ["7", "7"]
    assert [info["GAS_ORIG"] for info in out.infos] == [f"chrM|3400|C|G,T|{at}" for at in (1, 2)]


def test_a_file_on_another_assembly_needs_more_than_one_wrong_record(tmp_path: Path) -> None:
    out = annotated(tmp_path, vcf(row(), row(3401, ref="T", alt="C")))
    assert [info.get("GAS_SKIP") for info in out.infos] == [None, "ref_mismatch"]
    rows = [row(at, ref=MT[at - 1].translate(OTHER), alt=MT[at - 1]) for at in range(3400, 3404)]
    (tmp_path / "more").mkdir()
    assert "4 of 4 REF alleles" in refusal(tmp_path / "more", vcf(*rows))
