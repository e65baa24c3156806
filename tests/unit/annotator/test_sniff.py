import gzip
from contextlib import suppress

import pytest

from annotator.errors import InputRefused
from annotator.sniff import Format, sniff
from tests.unit.annotator.samples import HEAD

TEXT = HEAD.encode()
BGZF_HEADER = bytes.fromhex("1f8b08040000000000ff0600424302001b00")
BGZF_EOF = BGZF_HEADER + bytes.fromhex("03000000000000000000")


def test_plain_text_is_a_vcf() -> None:
    assert sniff(TEXT) is Format.VCF


def test_a_first_line_without_an_end_has_its_version_all_the_same() -> None:
    assert sniff(b"##fileformat=VCFv4.2") is Format.VCF


def test_gzip_is_told_from_bgzf() -> None:
    assert sniff(gzip.compress(TEXT)) is Format.GZIP
    assert sniff(BGZF_EOF + gzip.compress(TEXT)) is Format.BGZF


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "packed"])
def test_a_bcf_is_known_by_its_magic(pack: type[bytes]) -> None:
    assert sniff(pack(b"BCF\x02\x02" + bytes(40))) is Format.BCF


def test_a_start_cut_in_the_middle_of_the_gzip_is_enough() -> None:
    packed = gzip.compress(TEXT + b"".join(b"%d\n" % at for at in range(60_000)))
    assert sniff(packed[:4096]) is Format.GZIP


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"", "empty"),
        (BGZF_EOF, "holds nothing"),
        (b'{"htsget": {"urls": []}}', "JSON"),
        (b'  \n{"htsget": {"urls": []}}', "JSON"),
        (b"<!DOCTYPE html>", "web page"),
        (b"PK\x03\x04rest", "zip"),
        (b"BAM\x01rest", "BAM"),
        (b"CRAM\x03rest", "CRAM"),
        (b"BCF\x02\x01rest", "version 2.2"),
        (b"%PDF-1.7", "PDF"),
        (b"\xef\xbb\xbf##fileformat=VCFv4.2\n", "byte-order mark"),
        (b"##fileformat=VCFv3.3\n", "version"),
        (b"##fileformat=VCFv4.2x", "version"),
        (b"\n##fileformat=VCFv4.2\n", "begins with spaces or an empty line"),
        (b"#CHROM\tPOS", "first line"),
        (b"chr1\t100", "not a VCF"),
        (bytes(range(256)), "not a VCF"),
        (b"\x1f\x8b\x08\x00garbage here", "corrupt"),
        (b"\x1f\x8b", "holds nothing"),
    ],
)
def test_what_is_not_a_vcf_is_refused_in_one_sentence(start: bytes, words: str) -> None:
    with pytest.raises(InputRefused) as refused:
        sniff(start)
    assert words in str(refused.value)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("inner", [b'{"htsget": 1}', b"<html>", b"BAM\x01", b"hello"])
def test_a_gzip_of_something_else_is_refused(inner: bytes) -> None:
    with pytest.raises(InputRefused, match="not a VCF"):
        sniff(gzip.compress(inner))


@pytest.mark.parametrize("cut", range(1, 60))
def test_any_cut_of_a_gzip_start_is_an_answer_or_a_refusal(cut: int) -> None:
    with suppress(InputRefused):
        assert sniff(gzip.compress(TEXT)[:cut]) is Format.GZIP
