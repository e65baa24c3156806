"""Jobs that are there already: stopped, run again, brought back, deleted."""

from collections.abc import Callable, Sequence

import click

from gas_client.answers import plain
from gas_client.cli import output
from gas_client.cli.jobs import ID, TIMEOUT, WAIT, told, wait_for, write
from gas_client.cli.session import Session, shared
from gas_client.errors import NotThere, Refused
from gas_client.job import Job

IDS = click.argument(
    "numbers", metavar="ID...", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1)
)


@click.command()
@IDS
@shared
def cancel(session: Session, numbers: Sequence[int]) -> None:
    """Stop jobs that have not finished."""
    with session.client() as client:
        _each(numbers, lambda number: write(session, client.job(number).cancel().facts))


@click.command()
@ID
@WAIT
@TIMEOUT
@shared
def rerun(session: Session, number: int, wait: bool, timeout: float | None) -> None:
    """Run a job again, as a new job of the same file with the same settings."""
    with session.client() as client:
        again = told(session, client.job(number).rerun(), is_last=not wait)
        if wait:
            wait_for(session, [again], timeout)


@click.command()
@ID
@WAIT
@TIMEOUT
@shared
def restore(session: Session, number: int, wait: bool, timeout: float | None) -> None:
    """Bring the results of a job back from the archive, if the plan allows it."""
    with session.client() as client:
        back = told(session, client.job(number).restore(), is_last=not wait)
        if wait:
            wait_for(session, [back], timeout)


@click.command()
@IDS
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@shared
def delete(session: Session, numbers: Sequence[int], yes: bool) -> None:
    """Delete jobs with all their files, for good; asks before that."""
    with session.client() as client:
        _each(numbers, lambda number: _delete(session, client.job(number), asked=not yes))


def _delete(session: Session, job: Job, *, asked: bool) -> None:
    if asked and not output.agreed(f"Delete job {job.id} ({plain(job.facts.name)})?"):
        return
    job.delete()
    if session.as_json:
        output.document({"id": job.id, "deleted": True})
    else:
        session.say(f"Job {job.id} is deleted.")


def _each(numbers: Sequence[int], change: Callable[[int], None]) -> None:
    """Change each job; Refused at the end, naming those that could not be changed, and why."""
    refusals = []
    for number in numbers:
        try:
            change(number)
        except NotThere as absent:
            refusals.append(str(absent))
        except Refused as refusal:
            refusals.append(f"Job {number}: {refusal}")
    if refusals:
        raise Refused(" ".join(refusals))
