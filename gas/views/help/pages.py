"""The help: one page for each topic, open to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotator import csq_field
from gas import problems
from gas.services import provenance, reference
from gas.views.help import programs, results
from gas.views.help.consequences import IMPACTS, terms
from gas.views.help.refusals import REFUSALS
from gas.views.job_parts import WAITS
from gas.views.public import plans


@dataclass(frozen=True)
class Topic:
    """A page of the help; `shows` returns what its template needs besides."""

    name: str
    title: str
    about: str
    shows: Callable[[], dict[str, Any]]

    @property
    def template(self) -> str:
        """The template that tells it."""
        return f"help/{self.name}.html"


def _consequences() -> dict[str, Any]:
    return {"terms": terms(), "impacts": IMPACTS}


def _known() -> dict[str, Any]:
    return {
        "references": reference.installed(),
        "significances": results.SIGNIFICANCES,
        "reviews": results.REVIEWS,
    }


def _unannotated() -> dict[str, Any]:
    return {"reasons": results.unannotated()}


def _files() -> dict[str, Any]:
    by_vep = any(one.vep for one in reference.installed())
    return {
        "columns": results.columns(by_vep=by_vep),
        "fields": results.FIELDS,
        "by_vep": by_vep,
        "vep_field": csq_field.TAG,
    }


def _limits() -> dict[str, Any]:
    return {"references": reference.installed(), "reference": reference.in_use()}


def _input() -> dict[str, Any]:
    return {**plans(), "refusals": REFUSALS}


def _archive() -> dict[str, Any]:
    waits = {tier: usual for tier, (usual, _) in WAITS.items()}
    return {**plans(), "waits": waits, "remind_before": settings.REMIND_BEFORE}


def _problems() -> dict[str, Any]:
    return {"kinds": problems.KINDS}


def _provenance() -> dict[str, Any]:
    return {"key": provenance.public_key()}


TOPICS = (
    Topic(
        "consequences",
        "Consequences and impact",
        "What each Sequence Ontology term means, and how severe it is.",
        _consequences,
    ),
    Topic(
        "known",
        "Known variants",
        "Clinical significance, review status and frequency, and where they come from.",
        _known,
    ),
    Topic(
        "unannotated",
        "What is left unannotated",
        "Which records the engine does not see, and what to do about them.",
        _unannotated,
    ),
    Topic(
        "files",
        "The files of a result",
        "Columns of the TSV and the Parquet table, fields of the VCF, and how to read them.",
        _files,
    ),
    Topic(
        "limits",
        "Limits of the engine",
        "What it does not tell, how it chooses, and which genetic codes it reads by.",
        _limits,
    ),
    Topic(
        "input",
        "What you can upload",
        "Formats, sizes, and what to do when a file is refused.",
        _input,
    ),
    Topic(
        "archive",
        "The archive, and your data",
        "When results move there, how they come back, and what is deleted when.",
        _archive,
    ),
    Topic(
        "provenance",
        "Checking a result",
        "How a result was made, whether it is unchanged, and how to make it again.",
        _provenance,
    ),
    Topic(
        "webhooks",
        "Webhooks",
        "A server of yours is called when something happens to a job: how, and how to check it.",
        programs.webhooks,
    ),
    Topic(
        "problems",
        "Problems that the API tells of",
        "Each kind of error that a program may meet, and what to do about it.",
        _problems,
    ),
    Topic(
        "keyboard",
        "Keyboard and display",
        "Working without a mouse, the themes, printing, and pages without scripts.",
        dict,
    ),
)
_BY_NAME = {topic.name: topic for topic in TOPICS}


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the topics."""
    return render(request, "help/index.html", {"topics": TOPICS})


@login_not_required
@require_safe
def topic(request: HttpRequest, name: str) -> HttpResponse:
    """Explain one topic."""
    found = _BY_NAME.get(name)
    if found is None:
        raise Http404
    return render(request, found.template, {"topics": TOPICS, "topic": found, **found.shows()})
