"""The counts of a finished job, made ready to be shown."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gas.models import Job, ResultFile
from gas.services import jobs
from gas.storage.errors import StorageError

logger = logging.getLogger(__name__)

#: Lines of the log that the job's page shows.
TAIL = 30

#: Consequences that the job's page shows; the summary file has them all.
MOST = 8

#: Classes of change, by the words of summary.json.
_CLASSES = {
    "snv": "Single bases",
    "ins": "Insertions",
    "del": "Deletions",
    "mnv": "Several bases in a row",
    "other": "Other changes",
}

#: Why the engine leaves an allele alone, by the reasons of summary.json.
_REASONS = {
    "breakend": "Breakends of rearrangements",
    "symbolic": "Symbolic alleles such as <DEL>",
    "star": "Alleles missing because of a deletion upstream (*)",
    "iupac": "Ambiguous bases (IUPAC codes)",
    "contig": "On a sequence that the reference lacks",
    "ref_mismatch": "REF differs from the reference",
    "malformed": "Lines that are no proper record",
}


@dataclass(frozen=True)
class Row:
    """One count, its name, and its part of the largest one beside it in percent."""

    name: str
    count: int
    percent: int


@dataclass(frozen=True)
class Findings:
    """What the annotator counted, the first annotated alleles, and the end of its log.

    A summary of an older release lacks what was not counted then: None, or no rows.
    """

    records: int
    alleles: int
    annotated: int
    known: int | None
    ti_tv: float | None
    flagged: list[Row]
    classes: list[Row]
    impacts: list[Row]
    consequences: list[Row]
    more_consequences: int
    genes: list[Row]
    clinvar: list[Row]
    filters: list[Row]
    preview: list[dict[str, Any]]
    log_tail: str


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
    return _findings(counts, "\n".join(log.splitlines()[-TAIL:]))


def _findings(counts: dict[str, Any], log_tail: str) -> Findings:
    consequences = _rows({_plain(term): n for term, n in _counted(counts, "consequences").items()})
    genes = {row["gene"]: row["alleles"] for row in counts.get("genes", [])[:MOST]}
    return Findings(
        records=counts["records_in"],
        alleles=counts["alleles"],
        annotated=counts["annotated"],
        known=counts.get("known"),
        ti_tv=counts["ti"] / counts["tv"] if counts.get("tv") else None,
        flagged=_named(_counted(counts, "flagged"), _REASONS),
        classes=_named(_counted(counts, "classes"), _CLASSES),
        impacts=_rows(_counted(counts, "impacts")),
        consequences=consequences[:MOST],
        more_consequences=len(consequences[MOST:]),
        genes=_rows(genes),
        clinvar=_rows(_first(_counted(counts, "clinvar"), _plain)),
        filters=_rows(_first(_counted(counts, "filters"), str)),
        preview=[{**row, "term": _plain(row["consequence"])} for row in counts.get("preview", [])],
        log_tail=log_tail,
    )


def _counted(counts: dict[str, Any], name: str) -> dict[str, int]:
    found: dict[str, int] = counts.get(name, {})
    return found


def _named(counts: dict[str, int], names: dict[str, str]) -> list[Row]:
    return _rows({names.get(word, word): n for word, n in counts.items() if n})


def _first(counts: dict[str, int], say: Callable[[str], str]) -> dict[str, int]:
    return {say(word): n for word, n in list(counts.items())[:MOST]}


def _rows(counts: dict[str, int]) -> list[Row]:
    most = max(counts.values(), default=0) or 1
    return [Row(name, n, round(100 * n / most)) for name, n in counts.items()]


def _plain(term: str) -> str:
    """Write a Sequence Ontology term as words: `missense_variant` is a missense variant."""
    return term.replace("_", " ")
