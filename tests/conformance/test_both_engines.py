"""csq and vepyr over the same genes: what they agree on, and the whole program with vepyr."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from annotator import child, vep_cache
from annotator.bundles import DEMO, Bundle, load
from annotator.consequence import IMPACT, Effect
from annotator.engines.csq import CsqEngine
from annotator.engines.vep import VepEngine
from annotator.sandbox import Sandbox
from tests.conformance import vep_cache as made
from tests.conformance.rows import rows_in
from tests.conformance.variants import Change, Told, changes, told

MEMORY_MB = 3072  # vepyr reserves more than it uses
FINE = {  # terms that csq has no word for, and the one it gives instead
    "splice_donor_region_variant": "splice_region_variant",
    "splice_donor_5th_base_variant": "splice_region_variant",
    "splice_polypyrimidine_tract_variant": "intron_variant",
    "non_coding_transcript_exon_variant": "non_coding_transcript_variant",
}
Pair = tuple[Change, Effect, Effect]

pytestmark = pytest.mark.skipif(
    not find_spec("vepyr"), reason="vepyr is not installed (requirements-vep.txt)"
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The demo bundle with a VEP cache made of its own genes."""
    folder = tmp_path_factory.mktemp("references")
    copied = load(Path(shutil.copytree(DEMO, folder / "bundle")))
    cache = made.write(copied, folder / "cache")
    return vep_cache.attach(copied.folder, cache, lambda *_: None)


def both(bundle: Bundle, contig: bytes, every: int, folder: Path) -> list[Pair]:
    assert bundle.vep
    known = bundle.names()[contig]
    wanted = changes(bundle, known, every=every)
    engines = CsqEngine(bundle, folder), VepEngine(bundle, bundle.vep, folder)
    first, second = (told(engine, known, wanted, folder) for engine in engines)
    return list(pairs(first, second))


@pytest.fixture(scope="module")
def on_16(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """What both say of the nuclear genes of the demo."""
    return both(bundle, b"16", 2, tmp_path_factory.mktemp("16"))


def is_substitution(pair: Pair) -> bool:
    (_, ref, alt), *_ = pair
    return len(ref) == len(alt)


def pairs(first: Told, second: Told) -> Iterator[Pair]:
    """Yield what both say of the same change of the same transcript."""
    for change, effects in first.effects.items():
        others = {effect.transcript: effect for effect in second.effects[change]}
        for effect in effects:
            if effect.transcript:
                yield change, effect, others[effect.transcript]


def test_substitutions_have_the_same_consequence_in_both(
    on_16: list[Pair], capsys: pytest.CaptureFixture[str]
) -> None:
    single = list(filter(is_substitution, on_16))
    differing = Counter(
        (ours.consequence, theirs.consequence)
        for _, ours, theirs in single
        if ours.consequence not in (theirs.consequence, FINE.get(theirs.consequence))
        # Of a substitution at the end of an exon csq says only one thing where vepyr says two.
        and ours.consequence not in theirs.terms
    )
    agreed = len(single) - differing.total()
    with capsys.disabled():
        sys.stdout.write(f" [substitutions: {agreed} of {len(single)} agree; {dict(differing)}] ")
    assert len(single) > 10_000
    assert agreed / len(single) > 0.999


def test_substitutions_change_the_protein_alike(on_16: list[Pair]) -> None:
    changed = [pair for pair in on_16 if is_substitution(pair) and pair[1].amino_acid_change]
    assert len(changed) > 1000
    for change, ours, theirs in changed:
        assert (change, ours.amino_acid_change) == (change, theirs.amino_acid_change)
        assert ours.strand == theirs.strand


def test_insertions_and_deletions_are_mostly_as_bad_in_both(
    on_16: list[Pair], capsys: pytest.CaptureFixture[str]
) -> None:
    longer = [pair for pair in on_16 if not is_substitution(pair)]
    same = sum(ours.impact == theirs.impact for _, ours, theirs in longer)
    with capsys.disabled():
        sys.stdout.write(f" [insertions and deletions: {same} of {len(longer)} impacts agree] ")
    assert len(longer) > 1000
    assert same / len(longer) > 0.95


def test_the_mitochondrion_is_told_alike_for_csq_answers_there(
    bundle: Bundle, tmp_path: Path
) -> None:
    for change, ours, theirs in both(bundle, b"MT", 3, tmp_path):
        names = ("consequence", "terms", "gene", "biotype", "strand", "amino_acid_change")
        assert [change, *(getattr(ours, name) for name in names)] == [
            change,
            *(getattr(theirs, name) for name in names),
        ]


def run(bundle: Bundle, outdir: Path, workers: int) -> None:
    child.run(
        DEMO / "example.vcf",
        outdir,
        bundle=bundle.folder,
        wall_seconds=120,
        memory_mb=MEMORY_MB,
        sandbox=Sandbox.PREFERRED,
        workers=workers,
    )


def test_the_whole_program_runs_vepyr_behind_the_walls(bundle: Bundle, tmp_path: Path) -> None:
    run(bundle, tmp_path / "one", 1)
    run(bundle, tmp_path / "two", 2)
    for name in ("annotated.vcf.gz", "annotated.tsv.gz", "annotated.parquet", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    told_by = json.loads((tmp_path / "one" / "provenance.json").read_text())
    assert told_by["engine"]["name"].startswith("vepyr ")
    assert told_by["bundle"]["vep_cache"] == made.RELEASE
    assert {"view", "vepyr", "csq"} == {command[0] for command in told_by["engine"]["commands"]}
    rows = rows_in(tmp_path / "one")
    assert all("CSQ" in row.info or "GAS_SKIP" in row.info for row in rows)
    assert not any("BCSQ" in row.info for row in rows)
    worst = {row.info["GAS_CSQ"] for row in rows if "GAS_CSQ" in row.info}
    assert {"missense_variant", "frameshift_variant"} <= worst <= set(IMPACT)
