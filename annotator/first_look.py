"""What the first bytes of a file tell of its assembly, long before it is read as a whole."""

import re
import zlib

from annotator import chromosomes
from annotator.sniff import GZIP_MAGIC, GZIP_WINDOW

#: The most text that is looked at: headers of assemblies with thousands of contigs are no longer.
MOST_TEXT = 1 << 20
_CONTIG = re.compile(rb"^##contig=<[^\n]*?(?<=[<,])length=(\d{1,10})(?=[,>])", re.MULTILINE)


def assembly_of(start: bytes) -> str | None:
    """Name the assembly whose contig lengths stand in the start of a VCF or BCF, if any do."""
    lengths = map(int, _CONTIG.findall(_text(start)))
    return chromosomes.guess(lengths)


def _text(start: bytes) -> bytes:
    """Inflate what can be inflated; the last member ends where the start does."""
    text, rest = b"", start
    while rest.startswith(GZIP_MAGIC) and len(text) < MOST_TEXT:
        inflater = zlib.decompressobj(GZIP_WINDOW)
        try:
            text += inflater.decompress(rest, MOST_TEXT)
        except zlib.error:
            break
        rest = inflater.unused_data
    return (text or start)[:MOST_TEXT]
