"""Jobs: made, listed, watched, stopped, run again, brought back and deleted."""

import hashlib
from datetime import date
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from ninja import Header, Query, Router, Status

from gas import problems
from gas.api import cursors, own
from gas.api.errors import wrong_field
from gas.api.own import JobId
from gas.api.requests import ApiRequest
from gas.api.routing import serves
from gas.api.schemas import jobs as schemas
from gas.models import Job, Scope
from gas.models import Status as State
from gas.services import jobs, listing, pauses, queue, reruns, submissions
from gas.services.listing import Wanted
from gas.services.queue import Place
from gas.services.submissions import Key, Wish

routes = Router(tags=["jobs"])

#: Rows of a page, and the most that may be asked for.
USUAL, MOST = 25, 100

#: Days that the database knows, and that have a next one.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)

Limit = Annotated[int, Query(ge=1, le=MOST, description="The most to return.")]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="`next_cursor` of the page before, with the same filters."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="A name of your own for this request, such as a UUID: sent again under it, "
        "also at once, it makes no second job. It is remembered for two days. A refusal is not.",
    ),
]
Day = Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="A day (UTC).")]


@routes.get("/jobs", **serves(Scope.READ, schemas.JobPage))
def list_jobs(
    request: ApiRequest,
    status: Annotated[
        list[State], Query(default_factory=list, description="States; none means all.")
    ],
    q: Annotated[
        str,
        Query(
            max_length=100,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description="Words of the job's or the file's name.",
        ),
    ] = "",
    since: Day = None,
    until: Day = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> schemas.JobPage:
    """List jobs, newest first."""
    states = sorted(set(status))
    question = f"jobs {states} {since} {until} {q}"
    wanted = Wanted(q=q, since=since, until=until, before=cursors.opened(question, cursor))
    page = listing.page(request.user, wanted, states=states, most=limit)
    return schemas.JobPage(
        items=[schemas.Job(**told(job)) for job in page.jobs],
        next_cursor=cursors.sealed(question, page.older_than),
    )


@routes.post(
    "/jobs",
    **serves(
        Scope.WRITE,
        schemas.JobDetail,
        status=201,
        may=[
            problems.NOT_FOUND,
            problems.JOB_REFUSED,
            problems.UPLOAD_REFUSED,
            problems.UPLOAD_UNFINISHED,
            problems.KEY_REUSED,
            problems.KEY_SPENT,
            problems.MAINTENANCE,
        ],
    ),
)
def create_job(
    request: ApiRequest,
    new: schemas.NewJob,
    response: HttpResponse,
    idempotency_key: IdempotencyKey = None,
) -> Status[schemas.JobDetail]:
    """Queue a job for an upload or for the example; one upload makes one job, however often asked.

    The bytes are looked at first, as `complete` does.
    """
    if (new.upload is None) is not new.example:
        raise wrong_field("/upload", "A job is of an upload, or of the example.")
    upload = own.upload(request, new.upload) if new.upload else None
    job, is_new = submissions.submit(
        owner=request.user,
        wish=Wish(upload, new.name, new.bundle, new.notes),
        key=_key(idempotency_key, f"create {new.model_dump_json()}"),
    )
    return _made(request, response, job, is_new=is_new)


@routes.get("/jobs/{job_id}", **serves(Scope.READ, schemas.JobDetail))
def get_job(request: ApiRequest, job_id: JobId) -> schemas.JobDetail:
    """Tell where a job stands."""
    return _detail(own.job(request, job_id))


@routes.delete("/jobs/{job_id}", **serves(Scope.DELETE, None, status=204))
def delete_job(request: ApiRequest, job_id: JobId) -> Status[None]:
    """Delete a job with its results, and its file unless another job uses it; it cannot be undone.

    A job that runs is stopped.
    """
    jobs.delete(job=own.job(request, job_id), actor=request.user)
    return Status(204, None)


@routes.post(
    "/jobs/{job_id}/cancel",
    **serves(Scope.WRITE, schemas.JobDetail, may=[problems.JOB_REFUSED]),
)
def cancel_job(request: ApiRequest, job_id: JobId) -> schemas.JobDetail:
    """Stop a job that has not finished."""
    jobs.cancel(job=own.job(request, job_id), actor=request.user)
    return _detail(own.job(request, job_id))


@routes.post(
    "/jobs/{job_id}/rerun",
    **serves(
        Scope.WRITE,
        schemas.JobDetail,
        status=201,
        may=[
            problems.JOB_REFUSED,
            problems.KEY_REUSED,
            problems.KEY_SPENT,
            problems.MAINTENANCE,
        ],
    ),
)
def rerun_job(
    request: ApiRequest,
    job_id: JobId,
    response: HttpResponse,
    idempotency_key: IdempotencyKey = None,
) -> Status[schemas.JobDetail]:
    """Queue a new job with the file and the settings of this one.

    Without an Idempotency-Key, a newer job of the file that has not finished is the answer.
    """
    job, is_new = submissions.rerun(
        owner=request.user,
        job=own.job(request, job_id),
        key=_key(idempotency_key, f"rerun {job_id}"),
    )
    return _made(request, response, job, is_new=is_new)


@routes.post(
    "/jobs/{job_id}/restore",
    **serves(Scope.WRITE, schemas.JobDetail, status=202, may=[problems.JOB_REFUSED]),
)
def restore_job(request: ApiRequest, job_id: JobId) -> Status[schemas.JobDetail]:
    """Bring results back from the archive, where the plan keeps them at hand; twice is fine.

    Whoever subscribes gets all of them back without asking.
    """
    jobs.bring_back(job=own.job(request, job_id), actor=request.user)
    return Status(202, _detail(own.job(request, job_id)))


@routes.get("/jobs/{job_id}/events", **serves(Scope.READ, schemas.EventPage))
def list_events(
    request: ApiRequest, job_id: JobId, limit: Limit = USUAL, cursor: Cursor = None
) -> schemas.EventPage:
    """List what happened to a job, oldest first."""
    question = f"events {job_id}"
    behind = cursors.opened(question, cursor) or 0
    job = own.job(request, job_id)
    rows = list(job.events.filter(pk__gt=behind).order_by("pk")[: limit + 1])
    last = rows[limit - 1].pk if len(rows) > limit else None
    return schemas.EventPage(
        items=[
            schemas.Event(
                id=row.pk,
                at=row.at,
                before=State(row.before) if row.before else None,
                after=State(row.after),
            )
            for row in rows[:limit]
        ],
        next_cursor=cursors.sealed(question, last),
    )


def _key(name: str | None, request: str) -> Key | None:
    return Key(name, hashlib.sha256(request.encode()).hexdigest()) if name else None


def _made(
    request: ApiRequest, response: HttpResponse, job: Job, *, is_new: bool
) -> Status[schemas.JobDetail]:
    response["Location"] = f"/api/v1/jobs/{job.pk}"
    if not is_new:
        response["Idempotent-Replayed"] = "true"
    return Status(201, _detail(own.job(request, job.pk)))


def _detail(job: Job) -> schemas.JobDetail:
    place = queue.place_of(job)
    comes_back = job.state in (State.THAWING, State.RESTORING)
    tiers = [file.retrieval_tier for file in job.files.all()] if comes_back else []
    return schemas.JobDetail(
        **told(job),
        queue=_place(place) if place else None,
        held=pauses.told(job) or None,
        retrieval_tier=max(tiers, default="") or None,
        rerun_obstacle=reruns.obstacle(job) or None,
    )


def _place(place: Place) -> schemas.QueuePlace:
    seconds = round(place.wait.total_seconds()) if place.wait else None
    return schemas.QueuePlace(before=place.before, wait_seconds=seconds)


def told(job: Job) -> dict[str, Any]:
    """What is told of a job wherever it is told of."""
    runs = job.state is State.RUNNING
    return {
        "id": job.pk,
        "status": job.status,
        "name": job.name,
        "notes": job.notes,
        "bundle": job.bundle,
        "upload": job.upload_id,
        "filename": job.upload.filename,
        "size": job.upload.size,
        "stage": job.stage or None,
        "percent": job.percent if runs else None,
        "variants": job.variants,
        "failure": job.failure or None,
        "is_at_rest": job.is_at_rest,
        "is_stalled": job.is_stalled,
        "created_at": job.created_at,
        "completed_at": job.completed_at,
        "archived_at": job.archived_at,
        "archives_at": job.due_at,
        "page": f"{settings.BASE_URL}{reverse('job', args=[job.pk])}",
    }
