"""Mutated files through the real child: each is annotated whole or refused with a sentence.

`FUZZ=20000 python -m pytest tests/conformance/test_fuzz.py` tries that many, `FUZZ_SEED=` says from
which on; a failure names its seeds.
"""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from annotator import child
from annotator.bundles import DEMO
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.run import RESULTS
from tests.conformance.mutants import mutants
from tests.conformance.warm import left_of, warm_children

COUNT = int(os.environ.get("FUZZ", "60"))
FIRST = int(os.environ.get("FUZZ_SEED", "0"))
SENTENCE = 400  # characters


@pytest.mark.timeout(60 + COUNT)
def test_mutated_files_are_annotated_whole_or_refused(tmp_path: Path) -> None:
    sources, job = tmp_path / "sources", tmp_path / "job"
    sources.mkdir()
    job.mkdir()
    files, ends, findings = mutants(sources), Counter[str](), list[str]()
    with warm_children() as started:
        for seed in range(FIRST, FIRST + COUNT):
            (job / "input").write_bytes(files[seed])
            end, complaint = outcome(job)
            ends[end] += 1
            left = left_of(started[-1])
            if complaint or left:
                findings.append(f"seed {seed}: {complaint} {left or ''}")
    report = "\n".join([str(dict(ends)), *findings])
    (tmp_path / "findings").write_text(report)
    assert not findings, report
    assert ends["refused"] > COUNT / 10
    assert ends["annotated"] > COUNT / 10


def outcome(job: Path) -> tuple[str, str]:
    """Annotate; say how it ended, and what is wrong with that."""
    outdir = job / "out"
    try:
        child.run(job / "input", outdir, bundle=DEMO, wall_seconds=60, memory_mb=1024)
    except InputRefused as refusal:
        return "refused", wrong_refusal(str(refusal)) or left_behind(job)
    except AnnotatorFailed as failure:
        return "failed", str(failure)[-500:]
    complaint = wrong_results(outdir)
    shutil.rmtree(outdir)
    return "annotated", complaint or left_behind(job)


def wrong_refusal(sentence: str) -> str:
    is_sentence = sentence.endswith(".") and "\n" not in sentence and len(sentence) <= SENTENCE
    return "" if is_sentence and "Error" not in sentence else f"no sentence: {sentence}"


def wrong_results(outdir: Path) -> str:
    names = {path.name for path in outdir.iterdir()}
    if names != set(RESULTS):
        return f"results: {sorted(names)}"
    counts = json.loads((outdir / "summary.json").read_bytes())
    alleles = counts["annotated"] + sum(counts["flagged"].values())
    adds_up = counts["alleles"] == alleles and counts["records_in"] <= counts["records_out"]
    return "" if adds_up else f"counts: {counts}"


def left_behind(job: Path) -> str:
    left = [path.name for path in job.iterdir() if path.name != "input"]
    for name in left:
        shutil.rmtree(job / name)
    return f"left behind: {left}" if left else ""
