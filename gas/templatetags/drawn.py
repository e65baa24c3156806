"""Parts of pages that are shown again and again as they are, and drawn once."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from gas.models import Job
from gas.templatetags import wording

register = template.Library()

#: Rows that a process keeps, of about 1 kB each.
KEPT = 4096


#: What a row needs of its job, whose other columns need not be read.
COLUMNS = (
    *("name", "variants", "failure", "status", "created_at"),
    *("upload__filename", "upload__size"),
)


@dataclass(frozen=True)
class Row:
    """All that the row of a job shows."""

    number: str
    name: str
    filename: str
    size: int | None
    variants: int | None
    failure: str
    status: str
    label: str
    at: datetime
    ago: str


@register.simple_tag
@cache
def once(name: str) -> SafeString:
    """A component that is the same on every page and for everybody."""
    return render_to_string(f"components/{name}.html")


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """An icon by its name in icons.svg."""
    return render_to_string("components/icon.html", {"name": name})


@register.simple_tag
def job_row(job: Job) -> SafeString:
    """The row of a job in a list: drawn once, and anew when anything of what it shows is new."""
    return _drawn(
        Row(
            number=str(job.pk),
            name=job.name,
            filename=job.upload.filename,
            size=job.upload.size,
            variants=job.variants,
            failure=job.failure,
            status=job.status,
            label=job.state.label,
            at=job.created_at,
            ago=wording.ago(job.created_at),
        )
    )


@lru_cache(maxsize=KEPT)
def _drawn(row: Row) -> SafeString:
    return render_to_string("components/job_row.html", {"row": row})
