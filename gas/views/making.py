"""How a job's results were made, and how anybody can check them, in a researcher's words."""

import logging
import shlex
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from gas.models import Job, ResultFile
from gas.services import jobs, provenance
from gas.storage.errors import StorageError

logger = logging.getLogger(__name__)

#: Stages of the annotator, by the words of provenance.json.
_STAGES = {
    "screen": "Looking through the file",
    "sort": "Sorting",
    "split": "Splitting into alleles",
    "sources": "Matching known variants",
    "consequences": "Finding consequences",
    "tables": "Filling the tables",
    "annotate": "Annotating, in all",
    "write": "Writing the results",
}


@dataclass(frozen=True)
class Making:
    """What made the results: nothing is said of what an older release did not write down."""

    engine: str
    annotator: str
    assembly: str
    genes: str
    sources: list[str]
    input_format: str
    input_sha256: str
    stages: list[tuple[str, float]]
    peak_memory_mb: int | None
    is_signed: bool
    is_ours: bool | None
    commands: list[str]


def of(job: Job) -> Making | None:
    """Return how results were made; None when there are none, or it cannot be read just now."""
    if ResultFile.Kind.PROVENANCE not in {file.kind for file in job.files.all()}:
        return None
    try:
        found = provenance.document(job=job)
    except StorageError:
        logger.exception("the provenance of job %s cannot be read", job.pk)
        return None
    return _making(job, found)


def _making(job: Job, found: dict[str, Any]) -> Making:
    bundle, program = found.get("bundle", {}), found.get("annotator", {})
    commit = program.get("commit", "")[:12]
    return Making(
        engine=found.get("engine", {}).get("name", ""),
        annotator=f"{program['version']} ({commit})" if "version" in program else "",
        assembly=bundle.get("assembly", ""),
        genes=bundle.get("genes", ""),
        sources=[f"{each['name']} {each['release']}" for each in bundle.get("sources", [])],
        input_format=found.get("input", {}).get("format", ""),
        input_sha256=found.get("input", {}).get("sha256", ""),
        stages=[(_STAGES.get(name, name), took) for name, took in _seconds(found).items()],
        peak_memory_mb=found.get("peak_memory_mb"),
        is_signed="signature" in found,
        is_ours=provenance.is_ours(found),
        commands=_commands(job),
    )


def _seconds(found: dict[str, Any]) -> dict[str, float]:
    seconds: dict[str, float] = found.get("seconds", {})
    return seconds


def _commands(job: Job) -> list[str]:
    """The commands that check the downloads, as a shell takes them whatever the job is called."""
    files = list(job.files.all())
    document = jobs.saved_as(jobs.file_of(job, ResultFile.Kind.PROVENANCE))
    verify = f"python -m annotator verify-provenance {shlex.quote(document)}"
    if any(file.archive_id for file in files):
        unless = (ResultFile.Kind.PROVENANCE,)
        here = [file.name for file in files if not file.archive_id and file.kind not in unless]
        verify += f" --only {','.join(here)}"
    if settings.PROVENANCE_PUBLIC_KEY is None:
        return [verify]
    key = f"{settings.BASE_URL}/provenance-key.pem"
    return [f"curl -O {key}", f"{verify} --key provenance-key.pem"]
