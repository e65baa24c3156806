import json
import shutil
from pathlib import Path

import pytest

from annotator.bundles import DEMO, load, wrong_files
from annotator.errors import AnnotatorFailed
from dev import make_example


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(DEMO, folder / "bundle"))


def test_the_demo_bundle_is_what_its_manifest_says() -> None:
    bundle = load(DEMO)
    assert (bundle.id, bundle.assembly) == ("demo-grch38", "GRCh38")
    assert wrong_files(bundle) == []
    present = {str(path.relative_to(DEMO)) for path in DEMO.rglob("*") if path.is_file()}
    assert present == {*bundle.files, "bundle.json", "README.md", "example.vcf"}


def test_the_example_is_what_its_script_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_example, "EXAMPLE", tmp_path / "example.vcf")
    make_example.main()
    assert (tmp_path / "example.vcf").read_bytes() == (DEMO / "example.vcf").read_bytes()


def test_contigs_are_known_by_all_their_names() -> None:
    names = load(DEMO).names()
    assert names[b"chrM"] is names[b"MT"] is names[b"NC_012920.1"] is names[b"M"]
    assert names[b"chr16"] is names[b"16"] is names[b"NC_000016.10"]
    assert (names[b"chrM"].genetic_code, names[b"16"].genetic_code) == (2, 1)


def test_a_changed_file_is_told(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    genes = folder / "genes" / "MT.gff3"
    genes.write_bytes(genes.read_bytes().replace(b"MT-ND1", b"MT-XX1"))
    assert wrong_files(load(folder)) == ["genes/MT.gff3"]


def test_a_file_of_another_size_stops_the_load(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "genes" / "MT.gff3").write_text("")
    with pytest.raises(AnnotatorFailed, match="another size"):
        load(folder)


def test_a_folder_without_a_manifest_is_our_failure(tmp_path: Path) -> None:
    with pytest.raises(AnnotatorFailed, match="no readable bundle"):
        load(tmp_path)


def test_a_manifest_of_another_schema_is_our_failure(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps({"schema": "other/1"}))
    with pytest.raises(AnnotatorFailed, match="is not a"):
        load(tmp_path)
