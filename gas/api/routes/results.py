"""Results: files and their links, variants in pages, and files of the wanted ones."""

from typing import Annotated, Any

from django.http import (
    Http404,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from ninja import Path, Router

from gas import filter_form, problems
from gas.api import cursors, own
from gas.api.errors import wrong_parameter
from gas.api.etags import NO_STORE, validated
from gas.api.filters import FILTER, IN_PAGES
from gas.api.own import JobId
from gas.api.requests import ApiRequest
from gas.api.routing import serves
from gas.api.schemas import jobs as job_schemas
from gas.api.schemas import results as schemas
from gas.models import ResultFile, Scope
from gas.services import jobs, provenance, results
from gas.services.results import Format
from gas.storage.objects import DOWNLOAD_SECONDS, disposition

routes = Router(tags=["results"])

Kind = Annotated[ResultFile.Kind, Path(description="Kind of a file.")]
Row = Annotated[int, Path(ge=0, le=2**40, description="`row` of a variant.")]

PLAIN = "text/plain"
FILES = tuple(sorted({jobs.CONTENT_TYPES[kind] for kind in results.WHOLE.values()}))


@routes.get(
    "/jobs/{job_id}/log",
    **serves(Scope.READ, None, may=[problems.NO_RESULTS], media={200: (PLAIN,)}),
)
def get_log(request: ApiRequest, job_id: JobId) -> HttpResponse:
    """Give the annotation log of a completed job, as text; its first 64 KiB."""
    job = own.job_with(request, job_id, ResultFile.Kind.LOG)
    text = jobs.log_text(job=job)
    return validated(request, HttpResponse(text, content_type=f"{PLAIN}; charset=utf-8"))


@routes.get(
    "/jobs/{job_id}/summary", **serves(Scope.READ, schemas.Summary, may=[problems.NO_RESULTS])
)
def get_summary(request: ApiRequest, job_id: JobId) -> schemas.Summary:
    """Give what the annotator counted."""
    job = own.job_with(request, job_id, ResultFile.Kind.SUMMARY)
    return schemas.Summary(**jobs.summary(job=job))


@routes.get(
    "/jobs/{job_id}/provenance",
    **serves(Scope.READ, schemas.Provenance, may=[problems.NO_RESULTS]),
)
def get_provenance(request: ApiRequest, job_id: JobId) -> schemas.Provenance:
    """Give how the results were made; download the file to verify its signature."""
    job = own.job_with(request, job_id, ResultFile.Kind.PROVENANCE)
    return schemas.Provenance(**provenance.document(job=job))


@routes.get("/jobs/{job_id}/files", **serves(Scope.READ, job_schemas.FileList))
def list_files(request: ApiRequest, job_id: JobId) -> job_schemas.FileList:
    """List the files of a job's results; none before it is completed."""
    order = [kind.value for kind in ResultFile.NAMES]
    files = own.job(request, job_id).files.select_related("job")
    in_order = sorted(files, key=lambda file: order.index(file.kind))
    return job_schemas.FileList(items=[job_schemas.File(**_told(file)) for file in in_order])


@routes.get(
    "/jobs/{job_id}/files/{kind}",
    **serves(Scope.READ, job_schemas.FileLink, may=[problems.NO_RESULTS]),
)
def get_file(
    request: ApiRequest, job_id: JobId, kind: Kind, response: HttpResponse
) -> job_schemas.FileLink:
    """Give a link to a file's bytes, good for five minutes; it takes ranges."""
    file = _file(request, job_id, kind)
    response["Cache-Control"] = NO_STORE
    return job_schemas.FileLink(
        **_told(file), url=jobs.download_link(file=file), expires_in=DOWNLOAD_SECONDS
    )


@routes.get(
    "/jobs/{job_id}/files/{kind}/content",
    **serves(Scope.READ, None, status=302, may=[problems.NO_RESULTS]),
)
def get_file_content(request: ApiRequest, job_id: JobId, kind: Kind) -> HttpResponse:
    """Lead to a file's bytes; a client that follows sends its token nowhere but here."""
    return HttpResponseRedirect(jobs.download_link(file=_file(request, job_id, kind)))


@routes.get(
    "/jobs/{job_id}/variants",
    **serves(
        Scope.READ,
        schemas.VariantPage,
        may=[problems.NO_RESULTS, problems.RESULTS_REFUSED, problems.BUSY],
        parameters=IN_PAGES,
    ),
)
def list_variants(request: ApiRequest, job_id: JobId) -> schemas.VariantPage:
    """List variants that meet a filter, 50 at a time, each by its most severe row that does.

    Everything that is asked for must hold; of several values of one parameter, one. Parameters that
    begin with `2-`, `3-` or `4-` make further boxes, of which one must fit:
    `gene=PDIA2&2-impact=HIGH`.
    """
    query = _query(request)
    cursor = query.pop("cursor", [None])[-1]
    asked = filter_form.read(query)
    question = f"variants {job_id} {sorted(query.lists())}"
    behind = cursors.opened(question, str(cursor) if cursor else None)
    job = own.job(request, job_id)
    page = results.find(job=job, wanted=asked.wanted, order=asked.order, behind=behind)
    return schemas.VariantPage(
        items=[schemas.Variant(**row) for row in page.variants],
        next_cursor=cursors.sealed(question, page.behind),
        count=schemas.Count(**vars(page.count)),
        filter=asked.wanted.words if asked.wanted else "",
    )


@routes.get(
    "/jobs/{job_id}/variants/{row}",
    **serves(
        Scope.READ,
        schemas.Transcripts,
        may=[problems.NO_RESULTS, problems.RESULTS_REFUSED, problems.BUSY],
    ),
)
def list_transcripts(request: ApiRequest, job_id: JobId, row: Row) -> schemas.Transcripts:
    """List what one variant does to every transcript, with all columns."""
    rows = results.every_transcript(job=own.job(request, job_id), row=row)
    if not rows:
        raise Http404
    return schemas.Transcripts(items=rows)


@routes.get(
    "/jobs/{job_id}/export/{kind}",
    **serves(
        Scope.READ,
        None,
        may=[problems.NO_RESULTS, problems.RESULTS_REFUSED, problems.BUSY],
        media={200: FILES},
        parameters=FILTER,
        responses={302: {"description": "Without a filter: leads to the whole file."}},
    ),
)
def export_variants(
    request: ApiRequest,
    job_id: JobId,
    kind: Annotated[Format, Path(description="What to make of them.")],
) -> HttpResponseBase:
    """Give the variants that meet a filter as a file; all of them are a file already."""
    query = _query(request)
    if "cursor" in query or "sort" in query:
        raise wrong_parameter("cursor", "A file has neither pages nor another order.")
    wanted = filter_form.read(query).wanted
    if not wanted:
        return get_file_content(request, job_id, results.WHOLE[kind])
    job = own.job(request, job_id)
    pieces = results.export(job=job, wanted=wanted, kind=kind)
    media = jobs.CONTENT_TYPES[results.WHOLE[kind]]
    name = disposition(results.saved_as(job=job, kind=kind))
    headers = {"Content-Disposition": name, "Cache-Control": NO_STORE}
    return StreamingHttpResponse(pieces, content_type=media, headers=headers)


def _query(request: ApiRequest) -> QueryDict:
    """The filter of an address; where its pages begin is told by cursors here."""
    query = request.GET.copy()
    for name in ("behind", "boxes"):
        if name in query:
            raise wrong_parameter(name, "There is no such parameter.")
    return query


def _file(request: ApiRequest, job_id: int, kind: ResultFile.Kind) -> ResultFile:
    return jobs.file_of(own.job_with(request, job_id, kind), kind)


def _told(file: ResultFile) -> dict[str, Any]:
    return {
        "kind": file.kind,
        "name": file.name,
        "saved_as": jobs.saved_as(file),
        "size": file.size,
        "sha256": file.sha256,
        "content_type": jobs.CONTENT_TYPES[ResultFile.Kind(file.kind)],
        "is_at_hand": not file.archive_id,
    }
