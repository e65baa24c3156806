"""From the upload to the archive and back, as a researcher goes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dev.demo import SAMPLE, Demo
from dev.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

#: The processes whose logs are ours.
OURS = ("site", "worker", "courier", "beat")
#: What happens to a job, each under its id.
STEPS = {"annotate", "notify", "archive", "thaw", "restore"}


def test_a_free_researchers_results_are_mailed_archived_and_restored_on_subscribing(
    archiving_stack: Stack, tmp_path: Path
) -> None:
    demo = Demo(archiving_stack, tmp_path / "results")
    try:
        demo.run()
        done, restored = demo.mails()
    finally:
        archiving_stack.stop()
    assert done.to == restored.to == ["free@example.org"]
    assert done.text
    assert done.html
    lines = logged(archiving_stack)
    assert_one_id_leads_through_all_of_it(lines, tmp_path / "results/annotation.log")
    assert_nothing_private_is_logged(archiving_stack)


def logged(stack: Stack) -> list[dict[str, Any]]:
    """The lines of all processes; each is one JSON object, whoever wrote it."""
    texts = {name: (stack.folder / f"{name}.log").read_text().splitlines() for name in OURS}
    for name in ("worker", "courier"):  # what Celery says to root comes before its logs are set up
        texts[name] = [line for line in texts[name] if line.startswith("{")]
    return [json.loads(line) for lines in texts.values() for line in lines]


def assert_one_id_leads_through_all_of_it(lines: list[dict[str, Any]], annotation: Path) -> None:
    """What `grep` finds by the id that the annotation's own log names."""
    head = annotation.read_text().partition("\n")[0]
    [correlation] = re.findall(r"correlation ([0-9a-f]{32})$", head)
    story = [line for line in lines if line.get("correlation") == correlation]
    assert {line["task"] for line in story if "state" in line} == STEPS
    requests = [line["event"] for line in story if line.get("logger") == "gas.views.trail"]
    assert requests == ["POST uploads/<uuid:upload_id>/submit/ 302"]
    assert len({line["job"] for line in story if "job" in line}) == 1
    told = {name for line in story if "_aws" in line for name in line}
    assert {"StepWait", "TaskRun", "ResultTime", "ArchiveTime", "ThawTime", "Mails"} <= told
    assert all(line["receives"] >= 1 for line in story if "state" in line)


def assert_nothing_private_is_logged(stack: Stack) -> None:
    """Neither who it was, nor what the file holds, nor a link that opens it."""
    text = "".join((stack.folder / f"{name}.log").read_text() for name in OURS)
    records = [line for line in SAMPLE.read_text().splitlines() if not line.startswith("#")]
    private = ["free@example.org", "X-Amz-Signature", SAMPLE.name, "Free researcher"]
    private += [f"\\t{record.split()[1]}\\t" for record in records]
    assert [each for each in private if each in text] == []
