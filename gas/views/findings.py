"""The counts of a finished job, made ready to be shown."""

import logging
from dataclasses import dataclass
from typing import Any

from gas.models import Job, ResultFile
from gas.services import jobs
from gas.storage.errors import StorageError
from gas.views import charts
from gas.views.charts import Chart, plain

logger = logging.getLogger(__name__)

#: Lines of the log that the job's page shows.
TAIL = 30

#: Rows of a chart on the job's page, and the charts it has; the page of all charts has the others.
MOST = 8
FEW = ("impacts", "consequences", "genes", "clinvar", "classes", "filters", "skipped")


@dataclass(frozen=True)
class Findings:
    """What the annotator counted, the first annotated alleles, and the end of its log.

    A summary of an older release lacks what was not counted then: None, or no chart.
    """

    records: int
    alleles: int
    annotated: int
    left: int
    reference: int | None
    rows: int | None
    high: int | None
    known: int | None
    ti_tv: float | None
    charts: list[Chart]
    preview: list[dict[str, Any]]
    log_tail: str = ""

    @property
    def few(self) -> list[Chart]:
        """The charts of the job's page."""
        return [chart for chart in self.charts if chart.key in FEW]


def of(job: Job) -> Findings | None:
    """Return a job's findings; None when it has none yet, or they cannot be read just now."""
    kinds = {file.kind for file in job.files.all()}
    if not kinds >= {ResultFile.Kind.SUMMARY, ResultFile.Kind.LOG}:
        return None
    try:
        counts, log = jobs.summary(job=job), jobs.log_text(job=job)
    except StorageError:
        logger.exception("the findings of job %s cannot be read", job.pk)
        return None
    return counted(counts, most=MOST, log_tail="\n".join(log.splitlines()[-TAIL:]))


def counted(counts: dict[str, Any], *, most: int = charts.MOST, log_tail: str = "") -> Findings:
    """Return what a summary tells, with at most so many rows in each chart."""
    return Findings(
        records=counts["records_in"],
        alleles=counts["alleles"],
        annotated=counts["annotated"],
        left=sum(counts.get("flagged", {}).values()),
        reference=counts.get("reference"),
        rows=counts.get("records_out"),
        high=counts.get("impacts", {}).get("HIGH"),
        known=counts.get("known"),
        ti_tv=counts["ti"] / counts["tv"] if counts.get("tv") else None,
        charts=charts.every(counts, most=most),
        preview=[{**row, "term": plain(row["consequence"])} for row in counts.get("preview", [])],
        log_tail=log_tail,
    )
