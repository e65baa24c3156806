"""Refusals through the real child: each names line, column and cause in one sentence."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.calls import (
    COLUMNS,
    GENOTYPE,
    SAMPLE,
    VERSION,
    annotated,
    converted,
    refusal,
    row,
    vcf,
)
from tests.conformance.test_real_files import DECLARED
from tests.conformance.warm import warm_children

DEPTH = '##INFO=<ID=AC,Number=A,Type=Integer,Description="d">\n'
LIKELIHOOD = '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="d">\n'


@pytest.fixture(scope="module", autouse=True)
def _warm() -> Iterator[None]:
    with warm_children():
        yield


def genotype(text: str, alt: str = "G", shape: str = "GT") -> bytes:
    """A file whose fifth line has this genotype."""
    rows = row(3300, format=shape, s="0/1"), row(alt=alt, format=shape, s=text)
    return vcf(*rows, meta=GENOTYPE, columns=SAMPLE)


NOT_IN_ALT = "names an allele that is not in ALT."
LINES = {
    vcf(row(), row(pos="abc")): "line 4: POS 'abc' is not a number.",
    vcf(row(), row(pos="-1")): "line 4: POS '-1' is not a number.",
    vcf(row(), row(pos="2147483648")): "line 4: POS lies beyond any contig.",
    vcf(row(), row(pos="600000000")): "line 4: POS lies beyond any contig.",
    vcf(row(), row(qual="high")): "line 4: QUAL 'high' is not a number.",
    vcf(row(), row(qual="")): "line 4: QUAL '' is not a number.",
    vcf(row(), row(filter="")): "line 4: FILTER '' is not a name that a header could declare.",
    vcf(row(), row(chrom="")): "line 4: CHROM '' is not the name of a contig.",
    vcf(row(), row(chrom="a,b")): "line 4: CHROM 'a,b' is not the name of a contig.",
    vcf(row(), row(chrom="#1")): "line 4: a header line among the records.",
    vcf(row(), f"{COLUMNS}\n", row()): "line 4: a header line among the records.",
    vcf(row(), row(info="END=999999999")): "line 4: END reaches beyond any contig.",
    vcf(row(), row(info="a\rb")): "line 4: holds a carriage return in its middle.",
    vcf(row(), row(info="a\0b")): "line 4: holds a NUL byte.",
    vcf(row(), "chrM\t5\t.\tA\n"): "line 4: 4 columns, where the header has 8.",
    vcf(row(), row(more="GT", s="0/1")): "line 4: 10 columns, where the header has 8.",
    vcf(row(), row().replace("\t", " ")): "line 4: 1 columns, where the header has 8.",
    vcf(row(), row(alt="A," * 1000 + "T")): "line 4: more than 1000 ALT alleles.",
    vcf(row(), row(alt="G,T", info="AC=1"), meta=DEPTH): (
        "line 5: wrong number of fields in INFO/AC, expected 2, found 1."
    ),
    vcf(row(alt="G,T", format="GT:PL", s="0/1:1,2"), meta=GENOTYPE + LIKELIHOOD, columns=SAMPLE): (
        "line 5: the tag PL has wrong number of fields."
    ),
    genotype("0/2"): f"line 5: GT '0/2' {NOT_IN_ALT}",
    genotype("3", alt="G,T"): f"line 5: GT '3' {NOT_IN_ALT}",
    genotype("0|1", alt="."): f"line 5: GT '0|1' {NOT_IN_ALT}",
    genotype("1/2", alt="<DEL>"): f"line 5: GT '1/2' {NOT_IN_ALT}",
    genotype("hello"): "line 5: Couldn't read GT data: value not a number or '.'.",
    genotype("0/1:7"): "line 5: Incorrect number of FORMAT fields.",
    genotype("0/1", shape=""): "line 4: FORMAT '' is not a name that a header could declare.",
    genotype("", shape=""): "line 4: FORMAT '' is not a name that a header could declare.",
    genotype("7:0/2", shape="DP:GT"): f"line 5: GT '0/2' {NOT_IN_ALT}",
    genotype("7:0/3", alt="G,T", shape="DP:GT"): f"line 5: GT '0/3' {NOT_IN_ALT}",
    vcf(meta="##x=\0\n"): "line 2: the header holds a NUL byte.",
    vcf(columns=COLUMNS.replace("\t", " ")): (
        "line 2: the column line must be #CHROM POS ID REF ALT QUAL FILTER INFO,"
        " separated by tabs, then FORMAT and samples."
    ),
    vcf(columns=f"{SAMPLE}\tS"): "line 2: a sample name stands there twice.",
    vcf(columns=f"{SAMPLE}\t"): "line 2: a sample has no name.",
    vcf(columns=f"{COLUMNS}\tFORMAT"): "line 2: FORMAT stands there, but no sample.",
    VERSION.encode(): "The file has no #CHROM line.",
    (VERSION + row()).encode(): "line 2: a record stands before the #CHROM line.",
    vcf(row()).replace(b"\n", b"\r"): (
        "The lines end with carriage returns alone; save them with line feeds."
    ),
    vcf(row(), version="##fileformat=VCFv4.6\n"): (
        "The VCF version is not supported; versions 4.0 to 4.5 are."
    ),
    b"\xef\xbb\xbf" + vcf(row()): "The file starts with a byte-order mark; save it without one.",
    vcf(row()).decode().encode("utf-16"): (
        "The file is written in UTF-16; save it as plain text (UTF-8)."
    ),
    gzip.compress(gzip.compress(vcf(row()))): (
        "The file is not a VCF: it does not start with ##fileformat=VCFv4."
    ),
    b"BCF\2\1": "The BCF version is not supported; version 2.2 is.",
}


@pytest.mark.parametrize(("content", "sentence"), LINES.items(), ids=range(len(LINES)))
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    assert refusal(tmp_path, content) == sentence


def test_a_line_far_into_a_file_out_of_order_is_named(tmp_path: Path) -> None:
    rows = [row(place) for place in range(16000, 3000, -1)]
    rows[12_345] = row(4000, alt="AA,CC", info="AC=1")
    assert refusal(tmp_path, vcf(*rows, meta=DEPTH)).startswith("line 12349: wrong number of field")


def test_a_record_of_a_bcf_is_named_by_its_line_as_text(tmp_path: Path) -> None:
    text = vcf(row(), row(3401, format="GT", s="0/3"), meta=DECLARED + GENOTYPE, columns=SAMPLE)
    text = text.replace(row().encode(), row(format="GT", s="0/1").encode())
    binary = converted(tmp_path, text, "-Ob", "--no-version")
    assert refusal(tmp_path, binary) == f"line 7: GT '0/3' {NOT_IN_ALT}"


@pytest.mark.parametrize("alt", ["\udcc7", "\udcc7,CA", "G\udcc7,T"])
def test_no_byte_that_is_no_letter_passes_for_a_base(tmp_path: Path, alt: str) -> None:
    flags = [info.get("GAS_SKIP") for info in annotated(tmp_path, vcf(row(alt=alt))).infos]
    assert flags[0] == "malformed"


LONG = row(info="X=" + "y" * (10 << 20))


def test_ten_megabytes_of_info_are_taken_and_a_line_over_the_cap_is_not(tmp_path: Path) -> None:
    assert len(annotated(tmp_path, vcf(LONG)).records) == 1
    (tmp_path / "more").mkdir()
    said = refusal(tmp_path / "more", vcf(row(), LONG[:-1] * 4))
    assert said == "line 4: longer than 32 MiB."
