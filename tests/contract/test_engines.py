"""One contract for whatever puts consequences on records."""

import gzip
import re
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from annotator import vep_cache
from annotator.bundles import DEMO, load
from annotator.consequence import IMPACT, RANK, Effect, worst
from annotator.csq_field import read_layout
from annotator.engines import Engine
from annotator.engines.csq import CsqEngine
from annotator.engines.vep import VepEngine
from annotator.table import CHANGES, EFFECT
from tests.conformance import vep_cache as made
from tests.conformance.references import DATA
from tests.conformance.variants import Change, Told, changes, told

GOLDEN = DATA / "suites" / "vep115_golden_chr1" / "golden.vcf.gz"
EVERY = 9  # bases of the demo's exons
ON_PROTEIN = ("missense_variant", "synonymous_variant", "stop_gained", "frameshift_variant")
CODING = (*ON_PROTEIN, "inframe_insertion", "inframe_deletion", "start_lost", "stop_lost")
_SIDE = r"(\d+|\?)([A-Z*]+|[-?])(\.\.\d+)?"  # a long one is cut, and its last number told
CHANGE = re.compile(f"{_SIDE}(>{_SIDE})?")
KNOWN: Change = (190560, "T", "C")  # of the demo


def csq(folder: Path) -> Told:
    """Have `bcftools csq` annotate the demo's genes."""
    bundle = load(DEMO)
    return _told(CsqEngine(bundle, folder), folder)


def vepyr(folder: Path) -> Told:
    """Have vepyr do it, over a cache made of the same genes."""
    if not find_spec("vepyr"):
        pytest.skip("vepyr is not installed (requirements-vep.txt)")
    bundle = load(Path(shutil.copytree(DEMO, folder / "bundle")))
    cache = made.write(bundle, folder / "cache")
    bundle = vep_cache.attach(bundle.folder, cache, lambda *_: None)
    assert bundle.vep
    return _told(VepEngine(bundle, bundle.vep, folder), folder)


def golden(_folder: Path) -> Told:
    """Take what Ensembl VEP 115.2 itself wrote."""
    if not GOLDEN.exists():
        pytest.skip(f"the real output of VEP is not at {GOLDEN}")
    lines = gzip.decompress(GOLDEN.read_bytes()).decode().splitlines()
    header = [line for line in lines if line.startswith("#")]
    (declared,) = [line for line in header if line.startswith("##INFO=<ID=CSQ,")]
    layout = read_layout(declared.encode())
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    info = {(int(row[1]), row[3], row[4]): row[7] for row in rows}
    effects = {change: layout.effects_of(text.split("CSQ=")[1]) for change, text in info.items()}
    return Told(header, info, effects)


def _told(engine: Engine, folder: Path) -> Told:
    bundle = load(DEMO)
    contig = bundle.names()[b"16"]
    wanted = sorted({*changes(bundle, contig, every=EVERY), KNOWN})
    return told(engine, contig, wanted, folder)


@pytest.fixture(scope="module", params=[csq, vepyr, golden])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Everything that one engine said."""
    ask: Callable[[Path], Told] = request.param
    return ask(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def effects(found: Told) -> list[Effect]:
    """Every effect of every change."""
    return [effect for several in found.effects.values() for effect in several]


def test_every_change_is_answered_once(found: Told) -> None:
    assert len(found.info) == len(found.effects) > 90
    assert sum(map(bool, found.effects.values())) > 90


def test_the_field_is_declared_once_and_stands_last_in_info(found: Told) -> None:
    (tag,) = {
        tag for tag in ("BCSQ", "CSQ") if any(f"##INFO=<ID={tag}," in line for line in found.header)
    }
    assert sum(f"##INFO=<ID={tag}," in line for line in found.header) == 1
    assert all(
        text.split(";")[-1].startswith(f"{tag}=")
        for change, text in found.info.items()
        if found.effects[change]
    )


def test_terms_and_impacts_are_ensembls(effects: list[Effect]) -> None:
    for effect in effects:
        assert set(effect.terms) <= set(IMPACT)
        assert effect.consequence == min(effect.terms, key=RANK.__getitem__)
        assert effect.impact == IMPACT[effect.consequence]
        assert "sequence_variant" not in effect.terms


def test_the_worst_is_the_worst(found: Told) -> None:
    for several in filter(None, found.effects.values()):
        assert RANK[worst(several).consequence] == min(RANK[one.consequence] for one in several)


def test_a_coding_term_comes_with_its_gene_and_transcript(effects: list[Effect]) -> None:
    for effect in effects:
        if effect.consequence in CODING:
            assert effect.gene
            assert effect.transcript
            assert effect.biotype


def test_what_stands_on_no_transcript_has_no_strand(effects: list[Effect]) -> None:
    assert {effect.strand for effect in effects} <= {"+", "-", ""}
    for effect in effects:
        if not effect.transcript and not effect.gene:
            assert effect.strand == ""


def test_a_change_of_the_protein_has_one_form(effects: list[Effect]) -> None:
    for effect in effects:
        assert not effect.amino_acid_change or CHANGE.fullmatch(effect.amino_acid_change), effect
        if effect.terms == ("missense_variant",):
            before, after = effect.amino_acid_change.split(">")
            assert before != after
            assert effect.strand
        if effect.terms == ("synonymous_variant",):
            assert ">" not in effect.amino_acid_change != ""


def test_every_effect_fits_the_columns_of_the_table(effects: list[Effect]) -> None:
    for effect in effects:
        cells = [getattr(effect, name) for name in (*EFFECT, *CHANGES)]
        assert all(isinstance(cell, str) for cell in cells)
        assert not any(set(cell) & set("\t\n;|") for cell in cells)


def test_a_known_change_of_the_demo_is_told_in_full(found: Told) -> None:
    if KNOWN in found.effects:  # the real output of VEP is of other variants
        chosen = {effect.transcript: effect for effect in found.effects[KNOWN]}["NM_201412"]
        cells = [getattr(chosen, name) for name in (*EFFECT, "amino_acid_change")]
        assert cells == [
            *("LUC7L", "NM_201412", "protein_coding", "-"),
            *("missense_variant", "MODERATE", "263R>263G"),
        ]
        every = {effect.consequence for several in found.effects.values() for effect in several}
        assert set(ON_PROTEIN) <= every
