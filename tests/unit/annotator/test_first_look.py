"""What the first bytes of a file tell of its assembly."""

import gzip

import pytest

from annotator.first_look import MOST_TEXT, assembly_of

HEADER = b"##fileformat=VCFv4.2\n##contig=<ID=chr1,assembly=x,length=%d>\n#CHROM\tPOS\n"
GRCH37, GRCH38 = HEADER % 249250621, HEADER % 248956422


@pytest.mark.parametrize(
    ("start", "assembly"),
    [
        (GRCH38, "GRCh38"),
        (GRCH37, "GRCh37"),
        (gzip.compress(GRCH37, mtime=0), "GRCh37"),
        (gzip.compress(GRCH37[:30], mtime=0) + gzip.compress(GRCH37[30:], mtime=0), "GRCh37"),
        (gzip.compress(GRCH37, mtime=0)[:-9], "GRCh37"),
        (b"BCF\x02\x02\x99\x00\x00\x00" + GRCH38, "GRCh38"),
        (HEADER % 12345, None),
        (b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", None),
        (b"##note=<length=248956422>\n", None),
        (b"\x1f\x8b\x08garbage", None),
        (b"", None),
    ],
)
def test_the_lengths_of_contigs_name_the_assembly(start: bytes, assembly: str | None) -> None:
    assert assembly_of(start) == assembly


def test_a_bomb_is_not_inflated_beyond_what_is_looked_at() -> None:
    bomb = gzip.compress(b"#" * (64 * MOST_TEXT) + GRCH38)
    assert assembly_of(bomb) is None
