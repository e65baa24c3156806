import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotator import bundles, vep_cache
from annotator.__main__ import EXIT_FAILED, main
from annotator.bundles import DEMO, load
from annotator.bundles_install import copy
from annotator.errors import AnnotatorFailed
from annotator.vep_cache import Found, attach, detach, inspect


def silent(name: str, done: int, total: int | None) -> None:
    """Hear the progress, and say nothing."""


def shard(
    folder: Path, kind: str, contig: str, release: int = 115, assembly: str = "GRCh38"
) -> None:
    """Write one Parquet file as far as its identity goes."""
    told = {"bio.vep.cache_version": str(release), "bio.vep.chromosomes": json.dumps([contig])}
    table = pa.table({"assembly": [assembly]}).replace_schema_metadata(told)
    (folder / kind).mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / kind / f"chr{contig}.parquet")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "115_GRCh38_ensembl"
    for kind in vep_cache.KINDS:
        shard(folder, kind, "16")
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "bundle"))


def test_a_cache_tells_what_it_is(cache: Path) -> None:
    assert inspect(cache) == Found(115, "GRCh38", frozenset({"16"}))


def test_a_folder_without_transcripts_is_no_cache(tmp_path: Path) -> None:
    with pytest.raises(AnnotatorFailed, match="is not a VEP cache as vepyr builds them"):
        inspect(tmp_path)


@pytest.mark.parametrize("broken", [b"", b"PAR1", b"not a table at all"])
def test_a_shard_that_cannot_be_read_is_told(cache: Path, broken: bytes) -> None:
    (cache / "transcript" / "chr16.parquet").write_bytes(broken)
    with pytest.raises(AnnotatorFailed, match="is not a whole VEP cache"):
        inspect(cache)


def test_a_shard_without_an_identity_is_told(cache: Path) -> None:
    pq.write_table(pa.table({"assembly": ["GRCh38"]}), cache / "transcript" / "chr16.parquet")
    with pytest.raises(AnnotatorFailed, match="is not a whole VEP cache"):
        inspect(cache)


@pytest.mark.parametrize(("release", "assembly"), [(116, "GRCh38"), (115, "GRCh37")])
def test_a_mixed_cache_is_refused(cache: Path, release: int, assembly: str) -> None:
    shard(cache, "transcript", "17", release, assembly)
    with pytest.raises(AnnotatorFailed, match="of several releases or assemblies"):
        inspect(cache)


def test_a_bundle_with_a_cache_knows_its_files(bundle: Path, cache: Path) -> None:
    attached = attach(bundle, cache, silent)
    assert attached.vep is not None
    assert (attached.vep.folder, attached.vep.version) == (bundle / "vep", 115)
    assert attached.places == (bundle, cache)
    mine = [path for path in attached.files if path.startswith("vep/")]
    assert mine == [f"vep/{kind}/chr16.parquet" for kind in sorted(vep_cache.KINDS)]
    assert bundles.wrong_files(attached) == []
    told = attached.provenance()
    assert told["vep_cache"] == 115
    assert set(mine) <= set(told["files"])


def test_a_cache_that_changed_is_told(bundle: Path, cache: Path) -> None:
    attach(bundle, cache, silent)
    file = cache / "exon" / "chr16.parquet"
    content = bytearray(file.read_bytes())
    content[8] ^= 1
    file.write_bytes(content)
    assert bundles.wrong_files(load(bundle)) == ["vep/exon/chr16.parquet"]
    file.unlink()
    with pytest.raises(AnnotatorFailed, match="is missing or has another size"):
        load(bundle)


def test_a_cache_of_another_assembly_is_refused(bundle: Path, cache: Path) -> None:
    before = (bundle / "bundle.json").read_bytes()
    shutil.rmtree(cache)
    for kind in vep_cache.KINDS:
        shard(cache, kind, "16", assembly="GRCh37")
    with pytest.raises(AnnotatorFailed, match="is of GRCh37, the bundle demo-grch38 of GRCh38"):
        attach(bundle, cache, silent)
    assert (bundle / "bundle.json").read_bytes() == before
    assert not (bundle / "vep").exists()


def test_a_cache_without_a_contig_that_has_genes_is_refused(bundle: Path, cache: Path) -> None:
    shutil.rmtree(cache)
    for kind in vep_cache.KINDS:
        shard(cache, kind, "17")
    with pytest.raises(AnnotatorFailed, match="lacks 1 contigs of demo-grch38: 16"):
        attach(bundle, cache, silent)


def test_the_mitochondrion_needs_no_cache_for_csq_answers_there(bundle: Path, cache: Path) -> None:
    assert "MT" not in inspect(cache).contigs
    assert attach(bundle, cache, silent).vep


def test_a_bundle_goes_back_to_csq(bundle: Path, cache: Path) -> None:
    before = json.loads((bundle / "bundle.json").read_text())
    attach(bundle, cache, silent)
    shutil.rmtree(cache)  # the way back must not need it
    assert detach(bundle).vep is None
    assert json.loads((bundle / "bundle.json").read_text()) == before
    assert not (bundle / "vep").is_symlink()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}'])
def test_a_bundle_that_cannot_be_read_is_told(bundle: Path, text: str) -> None:
    (bundle / "bundle.json").write_text(text)
    with pytest.raises(AnnotatorFailed, match="no readable bundle"):
        detach(bundle)


def test_a_cache_is_exchanged_only_after_going_back(bundle: Path, cache: Path) -> None:
    attach(bundle, cache, silent)
    other = Path(shutil.copytree(cache, cache.with_name("116")))
    with pytest.raises(AnnotatorFailed, match="is there already"):
        attach(bundle, other, silent)
    detach(bundle)
    assert attach(bundle, other, silent).places[1] == other


def test_a_bundle_is_copied_with_its_cache(bundle: Path, cache: Path, tmp_path: Path) -> None:
    attach(bundle, cache, silent)
    copied = load(copy(bundle, tmp_path / "elsewhere"))
    assert bundles.wrong_files(copied) == []
    assert copied.vep
    assert not copied.vep.folder.is_symlink()
    assert copied.places[1].is_relative_to(copied.folder)


def test_an_engine_that_nobody_knows_is_told(bundle: Path) -> None:
    content = json.loads((bundle / "bundle.json").read_text())
    content["engine"] = {"name": "other", "cache": "vep", "version": 1}
    (bundle / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(AnnotatorFailed, match="an engine named other"):
        load(bundle)


def test_the_commands_attach_verify_and_detach(
    bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "use-vep", str(bundle), "--cache", str(cache)]) == 0
    assert main(["bundle", "verify", str(bundle)]) == 0
    assert main(["bundle", "use-csq", str(bundle)]) == 0
    assert main(["bundle", "use-vep", str(bundle), "--cache", str(bundle)]) == EXIT_FAILED
    said = capsys.readouterr()
    assert "annotated by vepyr with" in said.out
    assert "8 files are what they should be" in said.out
    assert "annotated by bcftools csq" in said.out
    assert "is not a VEP cache" in said.err
