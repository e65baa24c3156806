"""Results: variants shown or written, files downloaded."""

import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from gas_client.cli import output
from gas_client.cli.jobs import ID
from gas_client.cli.session import Session, shared
from gas_client.errors import Misused, Unavailable
from gas_client.filters import Query, joined
from gas_client.job import Format, Job
from gas_client.pieces import on_disk
from gas_client.records import Page

#: Variants that a table shows unless one asks for more.
SHOWN = 50
COLUMNS = (
    *("contig", "position", "ref", "alt", "gene", "consequence", "impact"),
    *("amino_acid_change", "known_id", "clinvar_significance", "allele_frequency"),
)
WIDTHS = (7, 10, 8, 8, 12, 24, 8, 14, 12, 16)
#: How zlib is told of gzip.
GZIP = zlib.MAX_WBITS + 16
CONTROLS = {*range(32), 127} - {ord("\t"), ord("\n")}
#: On a terminal these become a question mark.
HARMLESS = bytes(b"?"[0] if code in CONTROLS else code for code in range(256))
KINDS = ("vcf", "index", "tsv", "parquet", "skipped", "summary", "log", "provenance")


@click.command()
@ID
@click.option(
    "--filter",
    "-f",
    "filters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only variants like this; may be given several times.",
)
@click.option(
    "--format",
    "-F",
    "kind",
    type=click.Choice(["table", "json", *(one.value for one in Format)]),
    help="How to write them.  [default: table, json with --json]",
)
@click.option(
    "--sort", default="", metavar="COLUMN", help="Order of table and json; -COLUMN turns it."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="No more, in table and json.")
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write vcf, tsv or parquet to this file: compressed when its name ends in .gz.",
)
@shared
def results(
    session: Session,
    number: int,
    filters: Sequence[str],
    kind: str | None,
    sort: str,
    limit: int | None,
    out: Path | None,
) -> None:
    """Write the variants of a job, those that a filter wants or all.

    \b
    -f gene=PDIA2 -f impact=HIGH -f impact=MODERATE   in the gene, with one of the impacts
    -f region=chr16:283,000-290,000                   there
    -f af_max=0.01 -f unseen=on                       rare, or not seen at all
    -f known=no   -f clinvar=Pathogenic   -f id=rs1   and what the address of the page
    -f consequence=stop_gained   -f filter=PASS       of the variants holds

    Table and json have each variant once, by its most severe row; tsv, vcf and parquet are files as
    one downloads them, to the standard output (uncompressed) or to --out.
    """
    shape = kind or ("json" if session.as_json else "table")
    _refuse_in_vain(shape, sort=sort, limit=limit, out=out)
    with session.client() as client:
        job = client.job(number)
        if shape in {"table", "json"}:
            _listed(session, job, shape, joined(filters), sort, limit)
        else:
            _written(session, job, Format(shape), joined(filters), out)


def _refuse_in_vain(shape: str, *, sort: str, limit: int | None, out: Path | None) -> None:
    """Raise Misused for an option that would change nothing."""
    if shape in {"table", "json"} and out:
        raise Misused("--out takes a file of results: add --format tsv, vcf or parquet.")
    if shape not in {"table", "json"} and (sort or limit):
        raise Misused(f"--sort and --limit are for table and json; {shape} is the whole file.")


def _listed(
    session: Session, job: Job, shape: str, query: Query, sort: str, limit: int | None
) -> None:
    pages = job.found(query, sort=sort)
    if shape == "json":
        for variant in islice(_variants(pages), limit):
            output.document(variant)
        return
    first = next(pages)
    most = limit or SHOWN
    rows = (
        [_cell(variant.get(name)) for name in COLUMNS]
        for variant in islice(_variants(chain([first], pages)), most)
    )
    output.table(rows, [name.upper() for name in COLUMNS], WIDTHS)
    count = first.document.get("count", {})
    if count.get("variants", 0) > most:
        more = "" if count.get("exact") else "at least "
        session.say(f"{most} of {more}{count['variants']} variants; --limit shows more.")


def _variants(pages: Iterable[Page]) -> Iterator[Mapping[str, Any]]:
    return chain.from_iterable(page.items for page in pages)


def _cell(value: Any) -> str:
    return "." if value is None else str(value)


def _written(session: Session, job: Job, kind: Format, query: Query, out: Path | None) -> None:
    if kind is Format.PARQUET and out is None and sys.stdout.isatty():
        raise Misused("Parquet is nothing for a terminal; use --out, or send it to a program.")
    as_it_comes = kind is Format.PARQUET or (out is not None and out.suffix == ".gz")
    with job.export(kind, query) as content:
        pieces = content if as_it_comes else inflated(content)
        if out is None:
            for piece in pieces:
                sys.stdout.buffer.write(_shown(piece))
            sys.stdout.buffer.flush()
        else:
            _save(pieces, out)
            session.say(f"Written to {out}.")


def _save(pieces: Iterable[bytes], out: Path) -> None:
    """Write a file under another name until it is whole."""
    partial = out.with_name(f"{out.name}.part")
    with on_disk(out):
        with partial.open("wb") as file:
            file.writelines(pieces)
        partial.replace(out)


def _shown(piece: bytes) -> bytes:
    """Return bytes as they are; for a terminal without what would do something to it."""
    return piece.translate(HARMLESS) if sys.stdout.isatty() else piece


def inflated(content: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack BGZF, which is gzip members in a row; Unavailable when the end is missing."""
    member = zlib.decompressobj(GZIP)
    for piece in content:
        rest = piece
        while rest:
            if member.eof:
                member = zlib.decompressobj(GZIP)
            try:
                yield member.decompress(rest)
            except zlib.error as error:
                raise Unavailable("The service sent what cannot be unpacked.") from error
            rest = member.unused_data
    if not member.eof:
        raise Unavailable("The service hung up before the end.")


@click.command()
@ID
@click.option(
    "--kind",
    "-k",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Only this file; may be given several times.",
)
@click.option(
    "--out",
    "-o",
    default=".",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder to save them in.  [default: here]",
)
@shared
def download(session: Session, number: int, kinds: Sequence[str], out: Path) -> None:
    """Save the files of a job as job-ID.NAME, and compare their checksums.

    What broke off goes on when the same command is repeated; what is here already stays.
    """
    with session.client() as client:
        job = client.job(number)
        for file in job.chosen(kinds):
            path = job.save(file, out)
            if session.as_json:
                output.document({**file.document, "path": str(path)})
            else:
                click.echo(path)
