"""Jobs: made, listed, watched."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import click

from gas_client.answers import plain
from gas_client.cli import output
from gas_client.cli.session import Session, shared
from gas_client.client import Client
from gas_client.errors import JobFailed, Misused, Refused
from gas_client.job import Job
from gas_client.records import JobFacts, Status

DAY = click.DateTime(formats=["%Y-%m-%d"])
ID = click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
WAIT = click.option("--wait", is_flag=True, help="Return when it is done.")
TIMEOUT = click.option(
    "--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait no longer than this."
)


@click.command()
@click.argument(
    "files",
    metavar="[FILE]...",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option("--example", is_flag=True, help="Annotate the example of the service, no file.")
@click.option("--name", default="", help="Name of the job; without one that of its file.")
@click.option("--bundle", default="", help="Reference to annotate against; see: gas bundles")
@click.option("--assembly", default="", help="Assembly to annotate against, such as GRCh38.")
@click.option("--notes", default="", help="What to remember of it.")
@WAIT
@TIMEOUT
@shared
def submit(
    session: Session,
    files: Sequence[Path],
    example: bool,
    assembly: str,
    bundle: str,
    wait: bool,
    timeout: float | None,
    **said: str,
) -> None:
    """Send each FILE (VCF or BCF, compressed or not) and make a job of it.

    What broke off goes on when the same command is repeated: parts that have arrived are not sent
    again, and there is one job.
    """
    if example == bool(files):
        raise Misused("Name the files to annotate, or --example.")
    with session.client() as client:
        settings = {**said, "bundle": bundle or _bundle_of(client, assembly)}
        submitted = (
            [client.submit_example(**settings)]
            if example
            else (_submitted(client, path, settings, is_alone=len(files) == 1) for path in files)
        )
        made = [told(session, job, is_last=not wait) for job in submitted]
        if wait:
            wait_for(session, made, timeout)


def _submitted(client: Client, path: Path, settings: dict[str, str], *, is_alone: bool) -> Job:
    """Make a job of a file; Refused names the file when there are others."""
    try:
        return client.submit(path, **settings)
    except Refused as refusal:
        if is_alone:
            raise
        raise Refused(f"{path}: {refusal}", refusal.kind) from refusal


def _bundle_of(client: Client, assembly: str) -> str:
    """Return the first reference of an assembly, nothing for no assembly."""
    if not assembly:
        return ""
    found = client.bundles()
    for each in found:
        if each.assembly.lower() == assembly.lower():
            return each.name
    here = " and ".join(sorted({each.assembly for each in found}))
    raise Misused(f"The service has no reference of {assembly}; it has {here}.")


def told(session: Session, job: Job, *, is_last: bool) -> Job:
    """Write the job, now or when it is done."""
    if is_last:
        write(session, job.facts)
    else:
        session.say(f"Job {job.id} is {job.status}: {job.facts.page}")
    return job


def write(session: Session, facts: JobFacts) -> None:
    if session.as_json:
        output.document(facts.document)
    else:
        click.echo(f"{facts.id}\t{facts.status}\t{plain(facts.name)}")


def wait_for(session: Session, jobs: Sequence[Job], timeout: float | None) -> None:
    """Write each job when it is done; JobFailed at the end when one failed."""
    failures = []
    for job in jobs:
        try:
            job.wait(timeout=timeout)
        except JobFailed as failure:
            failures.append(f"Job {job.id}: {failure}")
        write(session, job.facts)
    if failures:
        raise JobFailed(" ".join(failures))


@click.command()
@click.option(
    "--status",
    type=click.Choice([status.value for status in Status]),
    help="Only those that are so.",
)
@click.option("--search", "words", default="", help="Only those with these words in name or file.")
@click.option("--since", type=DAY, metavar="YYYY-MM-DD", help="Only those made then or later.")
@click.option("--until", type=DAY, metavar="YYYY-MM-DD", help="Only those made then or before.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="No more than so many.")
@shared
def jobs(
    session: Session,
    status: str | None,
    words: str,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
) -> None:
    """List your jobs, newest first, with --json one document a line."""
    with session.client() as client:
        found = client.jobs(
            status=status or "",
            words=words,
            since=since.date() if since else None,
            until=until.date() if until else None,
        )
        _list(session, (job.facts for job in islice(found, limit)))


def _list(session: Session, found: Iterable[JobFacts]) -> None:
    if session.as_json:
        for facts in found:
            output.document(facts.document)
        return
    rows = (
        [
            str(facts.id),
            facts.status,
            output.when(facts.created_at),
            "" if facts.variants is None else str(facts.variants),
            facts.name,
        ]
        for facts in found
    )
    output.table(rows, ("ID", "STATUS", "MADE (UTC)", "VARIANTS", "NAME"), (7, 10, 16, 9))


@click.command()
@ID
@WAIT
@click.option("--watch", is_flag=True, help="Write each change until it is done.")
@TIMEOUT
@shared
def status(session: Session, number: int, wait: bool, watch: bool, timeout: float | None) -> None:
    """Show where a job is; with --watch, one line or document for each change."""
    with session.client() as client:
        job = client.job(number)
        if watch:
            _change(session, job.facts)
            job.wait(timeout=timeout, told=lambda facts: _change(session, facts))
            return
        failure = _failure_of(job, timeout) if wait else None
        _show(session, job.facts)
        if failure:
            raise failure


def _failure_of(job: Job, timeout: float | None) -> JobFailed | None:
    try:
        job.wait(timeout=timeout)
    except JobFailed as failure:
        return failure
    return None


def _change(session: Session, facts: JobFacts) -> None:
    if session.as_json:
        output.document(facts.document)
    else:
        percent = "" if facts.percent is None else f"{facts.percent} %"
        click.echo("\t".join(filter(None, [facts.status, facts.stage, percent, _held(facts)])))


def _held(facts: JobFacts) -> str:
    """Why it waits, where operators have a part in it; lists do not tell."""
    return facts.document.get("held") or ""


def _show(session: Session, facts: JobFacts) -> None:
    if session.as_json:
        output.document(facts.document)
        return
    percent = "" if facts.percent is None else f", {facts.stage or 'begins'}, {facts.percent} %"
    stalled = ", waits for staff" if facts.is_stalled else ""
    output.facts(
        [
            ("Job", str(facts.id)),
            ("Name", facts.name),
            ("Status", f"{facts.status}{percent}{stalled}"),
            ("Waits", _held(facts)),
            ("Failure", facts.failure or ""),
            ("File", f"{facts.filename}, {output.size(facts.size)}"),
            ("Bundle", facts.bundle),
            ("Variants", "" if facts.variants is None else str(facts.variants)),
            ("Made", output.when(facts.created_at)),
            ("Ended", output.when(facts.completed_at)),
            ("To archive", output.when(facts.archives_at)),
            ("Notes", facts.notes),
            ("Page", facts.page),
        ]
    )


@click.command()
@ID
@shared
def log(session: Session, number: int) -> None:
    """Print the log of a job."""
    with session.client() as client:
        words = client.job(number).log()
    if session.as_json:
        output.document({"id": number, "log": words})
    else:
        output.text(words)
