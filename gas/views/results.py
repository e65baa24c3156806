"""The results of a job: all charts, its table of variants, and files of the wanted ones."""

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from gas import filter_form
from gas.filter_form import Asked, NotUnderstood
from gas.models import Job, ResultFile
from gas.results.errors import NoSuchRow, ResultsRefused
from gas.results.variants import Page
from gas.services import jobs, reference, results
from gas.services.jobs import JobRefused
from gas.services.results import Format
from gas.storage.objects import disposition
from gas.views import charts as charts_of
from gas.views import errors, findings, links, variant_table
from gas.views.requests import SignedIn


@require_safe
def charts(request: SignedIn, job_id: int) -> HttpResponse:
    """Show everything that was counted, and how to fetch the files."""
    job = _own(request, job_id)
    files = {file.kind: file for file in job.files.all()}
    if ResultFile.Kind.SUMMARY not in files:
        return errors.page(request, 409, "This job has no results yet.")
    context = {
        "job": job,
        "findings": findings.counted(jobs.summary(job=job)),
        "fetched": [
            {"file": file, "command": results.curl_line(file=file)}
            for kind in (ResultFile.Kind.VCF, ResultFile.Kind.TSV, ResultFile.Kind.PARQUET)
            if (file := files.get(kind)) and not file.archive_id
        ],
    }
    return render(request, "pages/results.html", context)


@require_safe
def variants(request: SignedIn, job_id: int) -> HttpResponse:
    """Show a page of the variants that the address asks for."""
    job = _own(request, job_id)
    if (short := filter_form.needless(request.GET)) is not None:
        return redirect(f"{request.path}?{short.urlencode()}" if short else request.path)
    status, said, at_hand = 200, "", True
    asked, page = None, None
    try:
        asked = filter_form.read(request.GET)
        page = results.find(job=job, wanted=asked.wanted, order=asked.order, behind=asked.behind)
    except (NotUnderstood, NoSuchRow) as error:
        status, said = 400, str(error)
    except JobRefused as refusal:
        status, said, at_hand = 409, str(refusal), False
    except ResultsRefused as refusal:
        status, said = 503, str(refusal)
    told = {"said": said, "at_hand": at_hand, **_table(request, job, asked, page)}
    return render(request, "pages/results_variants.html", told, status=status)


@require_safe
def transcripts(request: SignedIn, job_id: int, row: int) -> HttpResponse:
    """Show what one variant does to every transcript."""
    job = _own(request, job_id)
    try:
        rows = results.every_transcript(job=job, row=row)
    except JobRefused as refusal:
        return errors.page(request, 409, str(refusal))
    except ResultsRefused as refusal:
        return errors.page(request, 503, str(refusal))
    if not rows:
        raise Http404
    assembly = _assembly(job)
    columns = variant_table.columns_of(rows)
    context = {
        "job": job,
        "variant": rows[0],
        "columns": [charts_of.plain(name) for name in columns],
        "rows": [{"cells": ["" if one[n] is None else one[n] for n in columns]} for one in rows],
        "links": list(dict.fromkeys(link for one in rows for link in links.of(one, assembly))),
    }
    return render(request, "pages/results_transcripts.html", context)


@require_safe
def filtered_file(request: SignedIn, job_id: int, kind: str) -> HttpResponseBase:
    """Stream the wanted variants as a file; all of them are a file already."""
    job = _own(request, job_id)
    if kind not in set(Format):
        raise Http404
    try:
        wanted = filter_form.read(request.GET).wanted
        if not wanted:
            return redirect("download", job.pk, kind)
        pieces = results.export(job=job, wanted=wanted, kind=Format(kind))
        if request.method == "HEAD":  # whose body nobody takes, and so nobody would close
            pieces.close()
    except NotUnderstood as error:
        return errors.page(request, 400, str(error))
    except JobRefused as refusal:
        return errors.page(request, 409, str(refusal))
    except ResultsRefused as refusal:
        return errors.page(request, 503, str(refusal))
    response = StreamingHttpResponse(
        pieces, content_type=jobs.CONTENT_TYPES[results.WHOLE[Format(kind)]]
    )
    name = results.saved_as(job=job, kind=Format(kind))
    response["Content-Disposition"] = disposition(name)
    return response


def _own(request: SignedIn, job_id: int) -> Job:
    return get_object_or_404(request.user.jobs, pk=job_id)


def _table(request: SignedIn, job: Job, asked: Asked | None, page: Page | None) -> dict[str, Any]:
    """Return what the page of variants shows."""
    counts = jobs.summary(job=job) if _has_counts(job) else {}
    query = request.GET.copy()
    for name in ("sort", "behind", "boxes"):
        query.pop(name, None)
    assembly = _assembly(job)
    shown = (
        [variant_table.line(row, links.of(row, assembly)) for row in page.variants] if page else []
    )
    boxes = filter_form.boxes_of(request.GET)
    return {
        "job": job,
        "page": page,
        "lines": shown,
        "words": asked.wanted.words if asked else "",
        "filter": query.urlencode(),
        "heads": variant_table.heads(request.GET, asked.order if asked else None),
        "boxes": [variant_table.box(form, counts, n) for n, form in enumerate(boxes, 1)],
        "more_boxes": len(boxes) + 1 if len(boxes) < filter_form.MOST_BOXES else None,
        "formats": [(kind, kind.upper()) for kind in Format],
        "has_sources": "known" in counts,
        "next": variant_table.address(request.GET, behind=page.behind) if page else "",
        "first": variant_table.address(request.GET, behind=None),
    }


def _has_counts(job: Job) -> bool:
    return job.files.filter(kind=ResultFile.Kind.SUMMARY).exists()


def _assembly(job: Job) -> str:
    bundles = {reference.name_of(bundle): bundle for bundle in reference.installed()}
    return bundles[job.bundle].assembly if job.bundle in bundles else ""
