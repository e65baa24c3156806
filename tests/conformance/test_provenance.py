"""Results, their signed provenance, and every way in which one of them may have been changed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from annotator import child
from annotator.bundles import DEMO, Bundle
from annotator.bundles_install import copy
from annotator.checksums import digest
from annotator.errors import AnnotatorFailed
from tests.conformance.references import CHR21

ROOT = Path(__file__).parents[2]
EXAMPLE = DEMO / "example.vcf"


def make_key(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a pair of keys as PEM files: the private one, the public one."""
    key, private, public = Ed25519PrivateKey.generate(), folder / name, folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with signed results in `out`, and the keys `ours` and `theirs`."""
    folder = tmp_path_factory.mktemp("signed")
    private, _ = make_key(folder, "ours")
    make_key(folder, "theirs")
    run(folder / "out", key=private)
    return folder


def run(outdir: Path, *, key: Path | None) -> None:
    child.run(EXAMPLE, outdir, bundle=DEMO, wall_seconds=60, memory_mb=1024, key=key)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it all that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def program(*arguments: str | os.PathLike[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "annotator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def verify(folder: Path, *options: str | os.PathLike[str]) -> "subprocess.CompletedProcess[str]":
    return program("verify-provenance", folder / "out" / "provenance.json", *options)


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "out" / "provenance.json"
    document = json.loads(file.read_text())
    edit(document)
    file.write_text(json.dumps(document))


def test_what_was_made_is_verified(folder: Path) -> None:
    done = verify(folder, "--key", folder / "ours.pub")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("signature: holds, by that key\nresults: 7 files are what they were\n")


def test_another_layout_of_the_same_document_is_the_same(folder: Path) -> None:
    file = folder / "out" / "provenance.json"
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True))
    assert verify(folder, "--key", folder / "ours.pub").returncode == 0


def test_a_signature_by_another_key_is_told(folder: Path) -> None:
    wrong = verify(folder, "--key", folder / "theirs.pub")
    assert (wrong.returncode, wrong.stderr) == (2, "It was not signed with that key.\n")
    program("sign-provenance", folder / "out" / "provenance.json", "--key", folder / "theirs")
    assert verify(folder, "--key", folder / "ours.pub").returncode == 2
    assert verify(folder, "--key", folder / "theirs.pub").returncode == 0


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: document["counts"].update(annotated=0),
        lambda document: document["input"].update(sha256="0" * 64),
        lambda document: document.update(extra=1),
        lambda document: document.pop("seconds"),
        lambda document: document["signature"].update(value="AAAA"),
        lambda document: document["signature"].update(value="no base64"),
        lambda document: document["signature"].update(key="AAAA"),
        lambda document: document.update(signature=7),
        lambda document: document["signature"].pop("value"),
    ],
)
def test_a_changed_document_does_not_hold(
    folder: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    change(folder, edit)
    wrong = verify(folder)
    assert wrong.returncode == 2
    assert wrong.stderr == "The signature does not belong to this document.\n"


@pytest.mark.parametrize("name", ["annotated.vcf.gz", "annotated.vcf.gz.tbi", "summary.json"])
def test_a_changed_result_is_named(folder: Path, name: str) -> None:
    file = folder / "out" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert verify(folder).stderr == f"{name} is not what it was.\n"
    file.unlink()
    assert verify(folder).stderr == f"{name} is missing.\n"


def test_downloads_are_verified_under_the_names_they_were_given(folder: Path) -> None:
    for file in (folder / "out").iterdir():
        file.rename(file.with_name(f"Trio 7.{file.name}"))
    provenance = folder / "out" / "Trio 7.provenance.json"
    done = program("verify-provenance", provenance, "--rerun", EXAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "out" / "Trio 7.skipped.tsv").unlink()
    assert program("verify-provenance", provenance).stderr == "Trio 7.skipped.tsv is missing.\n"


def test_who_has_one_result_alone_can_verify_it(folder: Path) -> None:
    (folder / "out" / "skipped.tsv").unlink()
    assert verify(folder, "--only", "annotated.vcf.gz,summary.json").returncode == 0
    assert verify(folder, "--only", "skipped.tsv").stderr == "skipped.tsv is missing.\n"
    assert (
        "It names no result 'other'; it has annotated.vcf.gz"
        in verify(folder, "--only", "other").stderr
    )


def test_everything_that_differs_is_named_at_once(folder: Path) -> None:
    (folder / "out" / "skipped.tsv").unlink()
    (folder / "out" / "annotated.parquet").write_bytes(b"")
    change(folder, lambda document: document["counts"].update(annotated=0))
    wrong = verify(folder, "--json")
    assert wrong.returncode == 2
    problems = [
        "The signature does not belong to this document.",
        "annotated.parquet is not what it was.",
        "skipped.tsv is missing.",
    ]
    assert wrong.stderr == " ".join(problems) + "\n"
    assert json.loads(wrong.stdout) == {"holds": False, "findings": [], "problems": problems}


def test_a_signature_is_never_called_trusted_without_a_key_to_compare(folder: Path) -> None:
    told = verify(folder).stdout.splitlines()[0]
    assert told.startswith("signature: holds, by the key ")
    assert told.endswith(", not compared with one you trust (--key)")


@pytest.mark.parametrize("key", ["absent.pub", "ours", "out/summary.json"])
def test_a_key_that_is_no_public_key_is_a_wrong_command_line(folder: Path, key: str) -> None:
    wrong = verify(folder, "--key", folder / key)
    assert wrong.returncode == 64
    assert f"no public key in {folder / key}" in wrong.stderr


def test_an_unsigned_document_is_told_and_never_passes_for_a_signed_one(folder: Path) -> None:
    change(folder, lambda document: document.pop("signature"))
    assert verify(folder).stdout.startswith("signature: none\n")
    wrong = verify(folder, "--key", folder / "ours.pub")
    assert (wrong.returncode, wrong.stderr) == (2, "It is not signed.\n")


@pytest.mark.parametrize("name", ["/etc/passwd", "../ours", "out/summary.json", "", "..", "."])
def test_only_files_of_its_own_folder_are_looked_at(folder: Path, name: str) -> None:
    def edit(document: dict[str, Any]) -> None:
        document.pop("signature")
        document["outputs"][name] = {"sha256": "0"}

    change(folder, edit)
    assert "It does not name a result of its folder" in verify(folder).stderr


@pytest.mark.parametrize("content", ["", "[]", "{}", "<html>", '{"outputs": {}}'])
def test_what_is_no_provenance_is_refused_in_a_sentence(folder: Path, content: str) -> None:
    (folder / "out" / "provenance.json").write_text(content)
    wrong = verify(folder)
    assert wrong.returncode == 2
    assert len(wrong.stderr.splitlines()) == 1


def test_a_rerun_makes_the_same_bytes(folder: Path) -> None:
    done = verify(folder, "--rerun", EXAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("makes the same bytes again\n")


@pytest.mark.skipif(not CHR21.exists(), reason=f"the data are not at {CHR21}")
def test_a_rerun_on_a_reference_with_known_sites_makes_the_same_bytes(
    chr21: Bundle, tmp_path: Path
) -> None:
    """Every output, the tables among them; with more workers than were used the first time."""
    source = CHR21 / "HG00096.1000G.chr21_132.vcf"
    out = tmp_path / "out"
    child.run(source, out, bundle=chr21.folder, workers=2, wall_seconds=60, memory_mb=1024)
    rerun = ("--rerun", source, "--bundle", chr21.folder)
    assert "same bytes again" in verify(tmp_path, *rerun).stdout
    told = json.loads((out / "provenance.json").read_text())
    assert told["outputs"].keys() >= {"annotated.tsv.gz", "annotated.parquet", "skipped.tsv"}
    assert told["bundle"]["sources"][0]["release"] == "149"
    for name in ("annotated.tsv.gz", "annotated.parquet"):
        forged = out / name
        forged.write_bytes(forged.read_bytes() + b"\n")
        told["outputs"][name]["sha256"] = digest(forged)
    told["annotator"]["version"] = "0.0.1"
    (out / "provenance.json").write_text(json.dumps(told))
    wrong = verify(tmp_path, *rerun)
    assert wrong.returncode == 2
    assert "annotated.tsv.gz comes out differently now." in wrong.stderr
    assert "annotated.parquet comes out differently now." in wrong.stderr
    assert "made by annotator 0.0.1 (" in wrong.stderr


def test_a_rerun_of_another_file_or_on_another_reference_is_told(folder: Path) -> None:
    other = folder / "other.vcf"
    other.write_text(EXAMPLE.read_text() + "\n")
    assert "is not the file that was annotated" in verify(folder, "--rerun", other).stderr
    bundle = copy(DEMO, folder)
    genes, manifest = bundle / "genes" / "MT.gff3", bundle / "bundle.json"
    content = json.loads(manifest.read_text())
    genes.write_text(genes.read_text() + "#\n")
    content["files"]["genes/MT.gff3"] = {"bytes": genes.stat().st_size, "sha256": "0"}
    manifest.write_text(json.dumps(content))
    wrong = verify(folder, "--rerun", EXAMPLE, "--bundle", bundle)
    assert "is not the reference demo-grch38" in wrong.stderr


@pytest.mark.parametrize("name", ["summary.json", "annotation.log"])
def test_a_rerun_that_differs_is_told(folder: Path, name: str) -> None:
    file = folder / "out" / name
    file.write_text(file.read_text().replace("121", "122"))

    def forge(document: dict[str, Any]) -> None:
        document.pop("signature")
        document["outputs"][name] = {"sha256": digest(file)}

    change(folder, forge)
    assert verify(folder).returncode == 0
    assert verify(folder, "--rerun", EXAMPLE).stderr == f"{name} comes out differently now.\n"


def test_the_provenance_is_whole(made: Path) -> None:
    told = json.loads((made / "out" / "provenance.json").read_text())
    assert set(told) == {
        "annotator",
        "input",
        "sorted",
        "split",
        "walls",
        "bundle",
        "sources",
        "engine",
        "counts",
        "outputs",
        "seconds",
        "peak_memory_mb",
        "signature",
    }
    assert told["annotator"].keys() == {"version", "commit"}
    assert told["outputs"]["annotated.vcf.gz"]["records"] == told["counts"]["records_out"]
    commands = [command for key in ("split", "engine") for command in told[key]["commands"]]
    assert [command[0] for command in commands] == ["view", "norm", "csq", "csq"]
    assert not any("/" in word for command in commands for word in command if "INFO/" not in word)
    assert told["bundle"]["genetic_codes"] == {"16": 1, "MT": 2}
    assert "htslib" in told["engine"]["name"]


def test_a_key_that_is_none_is_our_failure(tmp_path: Path) -> None:
    with pytest.raises(AnnotatorFailed, match="no private key"):
        run(tmp_path / "out", key=EXAMPLE)
