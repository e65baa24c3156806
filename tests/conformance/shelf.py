"""A server on loopback with small files, that can misbehave in every way a real one does."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice

GENOME = {"1": "".join(islice(cycle("ACGTTGCA"), 4000)), "MT": "GATC" * 100}
FASTA = "".join(f">{name} dna\n{bases}\n" for name, bases in GENOME.items()).encode()
GENES = b"""##gff-version 3
1\ttest\tbiological_region\t1\t9\t.\t+\t.\tID=r
1\ttest\tgene\t101\t160\t.\t+\t.\tID=gene:G1;biotype=protein_coding;Name=ONE
1\ttest\tmRNA\t101\t160\t.\t+\t.\tID=transcript:T1;Parent=gene:G1;biotype=protein_coding
1\ttest\texon\t101\t160\t.\t+\t.\tParent=transcript:T1
1\ttest\tCDS\t101\t160\t.\t+\t0\tParent=transcript:T1
NC_012920.1\ttest\tgene\t11\t40\t.\t+\t.\tID=gene:G2;biotype=protein_coding;Name=TWO
elsewhere\ttest\tgene\t11\t40\t.\t+\t.\tID=gene:G3;biotype=protein_coding;Name=NO
"""
KNOWN = b"""##fileformat=VCFv4.2
##fileDate=2026-01-02
##contig=<ID=NC_000001.11>
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##INFO=<ID=SIG,Number=.,Type=String,Description="significance">
##INFO=<ID=JUNK,Number=1,Type=String,Description="not wanted">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
NC_000001.11\t101\trs1\tT\tA,C\t.\t.\tAF=0.25,0.5;JUNK=x
NC_000001.11\t102\trs2\tG\tT\t.\t.\tSIG=Benign
"""


@dataclass
class Shelf:
    """The files by path, how each misbehaves, and what was asked."""

    files: dict[str, bytes]
    manners: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)  # where a later answer began
    url: str = ""

    def ranges(self, path: str) -> list[str | None]:
        """Return the ranges asked for of one file."""
        return [asked for name, asked in self.asked if name == path]


def files() -> dict[str, bytes]:
    """Return what a small reference consists of, as archives publish it."""
    fasta, genes = gzip.compress(FASTA, mtime=0), gzip.compress(GENES, mtime=0)
    return {
        "genome.fa.gz": fasta,
        "genes.gff3.gz": genes,
        "known.vcf": KNOWN,
        "known.vcf.md5": f"{hashlib.md5(KNOWN).hexdigest()}  /pub/known.vcf\n".encode(),
    }


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    """Serve the shelf on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, shelf)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shelf
    finally:
        server.shutdown()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, shelf: Shelf) -> None:
    name, asked = request.path.lstrip("/"), request.headers.get("Range")
    shelf.asked.append((name, asked))
    manner = shelf.manners.get(name, "")
    content = shelf.files.get(name)
    if manner.startswith("redirect "):
        _head(request, 302, Location=manner.removeprefix("redirect "), Content_Length="0")
    elif manner == "busy once" and len(shelf.ranges(name)) == 1:
        _head(request, 503, Content_Length="0")
    elif content is None:
        _head(request, 404, Content_Length="0")
    else:
        _send(request, shelf, content, first=len(shelf.ranges(name)) == 1)


def _send(request: BaseHTTPRequestHandler, shelf: Shelf, content: bytes, *, first: bool) -> None:
    name, asked = shelf.asked[-1]
    manner = shelf.manners.get(name, "")
    tag = '"changed"' if manner == "changes" and not first else '"same"'
    start = 0
    if manner == "changes" and first:
        content = bytes(len(content))
    if asked and request.headers.get("If-Range", tag) == tag and manner != "no ranges":
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            total = len(content) + 50 * (manner == "longer")
            _head(request, 416, Content_Range=f"bytes */{total}", Content_Length="0")
            return
        shelf.resumed.append(start)
    body = content[start:]
    length = len(body) + {"longer": 50, "shorter": -50}.get(manner, 0)
    told = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
    _head(request, 206 if start else 200, Content_Length=str(length), ETag=tag, **told)
    half = manner in {"breaks", "changes", "no ranges", "stalls"} and first
    sent = len(body) // 2 if half else len(body)
    if manner.startswith("breaks after ") and first:
        sent = int(manner.removeprefix("breaks after "))
    if manner.startswith("trickles "):
        sent = int(manner.removeprefix("trickles "))
    request.wfile.write(body[:sent])
    request.wfile.flush()
    if manner == "stalls" and first:
        request.rfile.read(1)  # until the other side is gone
    request.close_connection = True


def _head(request: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
