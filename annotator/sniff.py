"""What a file is, told from its first bytes by our own code, before any htslib call.

htslib follows an htsget ticket (JSON) to any address or local file it names, so nothing reaches
htslib that has not passed here. Magic numbers: VCF 4.x, SAM/BAM/CRAM and BCF 2.x specifications
(samtools/hts-specs), RFC 1952 for gzip.
"""

import enum
import re
import zlib

from annotator.errors import InputRefused

START_BYTES = 65536
GZIP_MAGIC = b"\x1f\x8b"
BCF_MAGIC = b"BCF\x02\x02"
GZIP_WINDOW = 31  # zlib's number for "a gzip header, 32 KiB window"
_VERSION = re.compile(rb"##fileformat=VCFv4\.[0-5](?:\s|$)")
_SPACE = b" \r\n\t"
_OTHERS = (
    (b"BCF", "The BCF version is not supported; version 2.2 is."),
    (b"BAM\x01", "The file is a BAM alignment, not a VCF."),
    (b"CRAM", "The file is a CRAM alignment, not a VCF."),
    (b"@HD\t", "The file is a SAM alignment, not a VCF."),
    (b"PK\x03\x04", "The file is a zip archive; upload the VCF inside it."),
    (b"BZh", "The file is compressed with bzip2; use gzip or bgzip."),
    (b"\xfd7zXZ", "The file is compressed with xz; use gzip or bgzip."),
    (b"\x28\xb5\x2f\xfd", "The file is compressed with zstd; use gzip or bgzip."),
    (b"\xef\xbb\xbf", "The file starts with a byte-order mark; save it without one."),
    (b"\xff\xfe", "The file is written in UTF-16; save it as plain text (UTF-8)."),
    (b"\xfe\xff", "The file is written in UTF-16; save it as plain text (UTF-8)."),
    (b"%PDF", "The file is a PDF document, not a VCF."),
    (b"{", "The file is JSON, not a VCF."),
    (b"<", "The file is a web page or XML, not a VCF."),
    (b"##fileformat=VCFv", "The VCF version is not supported; versions 4.0 to 4.5 are."),
    (b"#CHROM", "The first line is not ##fileformat=VCFv4.x."),
)


class Format(enum.Enum):
    """How the variants are written."""

    VCF = "vcf"
    GZIP = "vcf.gz"
    BGZF = "vcf.bgz"
    BCF = "bcf"


def sniff(start: bytes) -> Format:
    """Name the format of a file from its first 64 KiB at most, or raise InputRefused."""
    if not start:
        raise InputRefused("The file is empty.")
    if not start.startswith(GZIP_MAGIC):
        return _content_format(start, packed=Format.VCF)
    return _content_format(_inflate_start(start), packed=_gzip_kind(start))


def _content_format(text: bytes, *, packed: Format) -> Format:
    if text.startswith(BCF_MAGIC):
        return Format.BCF
    if _VERSION.match(text):
        return packed
    if not text:
        raise InputRefused("The file is compressed, but holds nothing.")
    bare = text.lstrip(_SPACE)
    if bare != text and bare.startswith(b"##fileformat="):
        raise InputRefused("The file begins with spaces or an empty line before ##fileformat.")
    known = (sentence for magic, sentence in _OTHERS if bare.startswith(magic))
    raise InputRefused(
        next(known, "The file is not a VCF: it does not start with ##fileformat=VCFv4.")
    )


def _gzip_kind(start: bytes) -> Format:
    """BGZF is gzip whose first extra subfield is BC (SAM specification 4.1)."""
    has_extra_field = len(start) > 18 and start[3] & 4
    return Format.BGZF if has_extra_field and start[12:14] == b"BC" else Format.GZIP


def _inflate_start(start: bytes) -> bytes:
    text, rest = b"", start
    while rest and len(text) < len(b"##fileformat=VCFv4.2\n"):
        inflater = zlib.decompressobj(GZIP_WINDOW)
        try:
            text += inflater.decompress(rest, START_BYTES)
        except zlib.error:
            raise InputRefused("The gzip data is corrupt at its very start.") from None
        rest = inflater.unused_data
    return text
