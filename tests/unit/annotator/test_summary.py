import json
from collections import Counter
from pathlib import Path

import pysam
import pytest

from annotator.bundles import DEMO
from annotator.checksums import digest
from annotator.errors import AnnotatorFailed
from annotator.run import annotate
from annotator.screen import Tally
from annotator.summary import LONGEST_FILTER, MOST_FILTERS, OTHER_FILTERS, Counts, log, summary
from tests.unit.annotator.samples import HEAD, row, write
from tests.unit.annotator.test_run import infos
from tests.unit.annotator.test_run import summary as told

FILTERS = '##FILTER=<ID=q10,Description="x">\n##FILTER=<ID=s50,Description="x">\n#CHROM'
WITH_FILTERS = HEAD.replace("#CHROM", FILTERS)


def results(source: Path) -> Path:
    outdir = source.parent / "out"
    annotate(source, outdir, DEMO)
    return outdir


def test_every_term_of_every_transcript_is_counted_beside_the_worst(tmp_path: Path) -> None:
    outdir = tmp_path / "out"
    annotate(DEMO / "example.vcf", outdir, DEMO)
    words = [
        word.lstrip("*")
        for info in infos(outdir)
        for entry in info.get("BCSQ", "").split(",")
        for word in entry.partition("|")[0].split("&")
    ]
    counts = told(outdir)
    every = counts["consequences_all"]
    assert (
        every["missense_variant"]
        == words.count("missense")
        > counts["consequences"]["missense_variant"]
    )
    assert every["splice_region_variant"] == words.count("splice_region")
    assert sum(every.values()) == len([word for word in words if word])


def test_rows_are_counted_by_what_stands_in_filter(tmp_path: Path) -> None:
    rows = [
        row("chr16", 190560, "T", "C,G").replace("\t.\t.\t.\n", "\t.\tPASS\t.\n"),
        row("chr16", 190561, "C", "<DEL>").replace("\t.\t.\t.\n", "\t.\tq10;s50\t.\n"),
        row("chrM", 1, "G", "A"),
    ]
    outdir = results(write(tmp_path, *rows, head=WITH_FILTERS))
    assert told(outdir)["filters"] == {"PASS": 2, ".": 1, "q10;s50": 1}
    assert "\nFILTER\n  PASS" in (outdir / "annotation.log").read_text()


def test_a_file_with_countless_filters_is_counted_in_bounded_space() -> None:
    counts, more = Counts(), Counts()
    for number in range(MOST_FILTERS + 50):
        (counts if number % 2 else more).add_filter(f"f{number}", 1)
    counts.add(more)
    assert len(counts.filters) == MOST_FILTERS + 1
    assert counts.filters[OTHER_FILTERS] == 50
    counts.add_filter("x" * 10_000, 1)
    assert max(map(len, counts.filters)) <= LONGEST_FILTER


def test_the_rate_of_ref_mismatches_is_told(tmp_path: Path) -> None:
    bases = pysam.FastaFile(str(DEMO / "genome.fa.gz")).fetch("MT", 0, 79)
    good = [
        row("chrM", pos, ref, "GA"[ref == "G"]) for pos, ref in enumerate(bases, 1) if ref != "A"
    ]
    outdir = results(write(tmp_path, *good, row("chrM", 80, "A", "T")))
    counts = told(outdir)
    assert (counts["ref_mismatches"], counts["ref_compared"]) == (1, len(good) + 1)
    assert counts["ref_mismatch_rate"] == 1 / (len(good) + 1)
    assert counts["flagged"]["ref_mismatch"] == 1


def test_a_file_of_which_nothing_can_be_compared_has_no_rate(tmp_path: Path) -> None:
    assert told(results(write(tmp_path)))["ref_mismatch_rate"] is None


def test_what_cannot_be_printed_does_not_reach_the_log() -> None:
    counts = Counts()
    counts.add_filter("\x1b[31mred", 1)
    assert "  ?[31mred  " in log(summary(counts, Tally()))


def test_counts_that_do_not_add_up_publish_nothing() -> None:
    counts = Counts(rows=1, reference=1, contigs=Counter({"1": 1}), filters=Counter({".": 1}))
    counts.check(Tally(records=1, rows=1))
    for wrong in (Tally(records=2, rows=2), Tally()):
        with pytest.raises(AnnotatorFailed, match="do not add up"):
            counts.check(wrong)
    counts.filters["PASS"] += 1
    with pytest.raises(AnnotatorFailed, match="do not add up"):
        counts.check(Tally(records=1, rows=1))


def test_the_summary_is_json_with_every_key_that_charts_need(tmp_path: Path) -> None:
    outdir = results(write(tmp_path, row("chr16", 190560, "T", "C")))
    counts = json.loads((outdir / "summary.json").read_text())
    assert counts.keys() >= {
        "records_in",
        "alleles",
        "annotated",
        "flagged",
        "reference",
        "records_out",
        "classes",
        "ti",
        "tv",
        "contigs",
        "consequences",
        "consequences_all",
        "impacts",
        "genes",
        "filters",
        "ref_mismatch_rate",
    }


def test_the_log_says_what_went_in_and_with_what_it_was_made(tmp_path: Path) -> None:
    source = write(tmp_path, row("chr16", 190560, "T", "C"))
    text = (results(source) / "annotation.log").read_text()
    assert f"input      {source.stat().st_size} bytes, sha256 {digest(source)}\n" in text
    assert "reference  demo-grch38 (GRCh38, RefSeq" in text
    assert "engine     bcftools csq " in text
    assert "sources    none\n" in text
