"""Installations that are killed, that meet each other, and that run out of room."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from annotator import bundles_install
from annotator.bundles import load, wrong_files
from annotator.bundles_install import install
from annotator.bundles_manifest import read
from annotator.errors import AnnotatorFailed
from dev.waiting import until
from tests.conformance.installing import SEQUENCE, installed, manifest
from tests.conformance.shelf import Shelf

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
STEPS = ("prepare_fasta", "prepare_genes", "prepare_source", "_fingerprints", "_publish")


def kill_itself(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_installation_killed_at_any_step_leaves_no_bundle_or_a_whole_one(
    shelf: Shelf, tmp_path: Path, step: str, moment: str
) -> None:
    real = getattr(bundles_install, step)

    def strike(*arguments: Any) -> None:
        if moment == "after":
            real(*arguments)
        kill_itself()

    def install_and_die() -> None:
        setattr(bundles_install, step, strike)
        installed(shelf, tmp_path)

    process = multiprocessing.get_context("fork").Process(target=install_and_die)
    process.start()
    process.join(DEADLINE)
    assert process.exitcode == -signal.SIGKILL
    if (step, moment) == ("_publish", "after"):
        with pytest.raises(AnnotatorFailed, match="is there already"):
            installed(shelf, tmp_path)
    else:
        assert not (tmp_path / "bundles" / "small").exists()
        installed(shelf, tmp_path)
        assert shelf.ranges(SEQUENCE) == [None]
    assert wrong_files(load(tmp_path / "bundles" / "small")) == []
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == ["small"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_installation_that_was_stopped_goes_on(
    shelf: Shelf, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    shelf.manners["genes.gff3.gz"] = "stalls"
    command = [sys.executable, "-m", "annotator", "bundle", "install"]
    command += [str(manifest(shelf, tmp_path)), "--into", str(tmp_path / "bundles")]
    process = subprocess.Popen(command, cwd=ROOT)
    part = tmp_path / "bundles" / ".small.installing" / "genes-genes.gff3.gz.part"
    half = len(shelf.files["genes.gff3.gz"]) // 2
    until(lambda: part.exists() and part.stat().st_size == half, "a half", seconds=DEADLINE)
    process.send_signal(sent)
    assert process.wait(DEADLINE) == code
    assert not (tmp_path / "bundles" / "small").exists()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{tmp_path}/bundles/small\n", "")
    assert shelf.ranges(SEQUENCE) == [None]
    assert shelf.ranges("genes.gff3.gz") == [None, f"bytes={half}-"]
    assert wrong_files(load(tmp_path / "bundles" / "small")) == []


def test_of_two_installations_at_once_one_is_told_to_wait(shelf: Shelf, tmp_path: Path) -> None:
    plan = read(str(manifest(shelf, tmp_path)))
    told: list[str] = []

    def install_again(*_: object) -> None:
        if not told:
            with pytest.raises(AnnotatorFailed) as failed:
                install(plan, tmp_path / "bundles", sources=None, progress=lambda *_: None)
            told.append(str(failed.value))

    install(plan, tmp_path / "bundles", sources=None, progress=install_again)
    assert told == ["another installation of small is under way"]
    assert wrong_files(load(tmp_path / "bundles" / "small")) == []


def on_disk(shelf: Shelf, folder: Path) -> dict[str, Any]:
    """Return a manifest's files and sources, as they lie in a folder."""
    for name, content in shelf.files.items():
        (folder / name).write_bytes(content)
    known = {"name": "known", "release": "1", "default": True, "columns": {"GAS_KNOWN": "ID"}}
    return {
        "fasta": {"path": SEQUENCE},
        "genes": {"path": "genes.gff3.gz"},
        "sources": [{**known, "files": [{"path": "known.vcf"}]}],
    }


@pytest.mark.parametrize(
    ("room", "fetched"),
    [(50, True), (900, True), (100, False), (200, False)],
    ids=["download", "manifest", "sequence", "genes"],
)
def test_a_full_disk_is_told_in_a_sentence_and_the_next_try_goes_on(
    shelf: Shelf, tmp_path: Path, room: int, *, fetched: bool
) -> None:
    """A limit on the size of a file stands for the disk."""
    changes = {} if fetched else on_disk(shelf, tmp_path)
    command = [sys.executable, "-c", SHORT_OF_ROOM, str(room), "bundle", "install"]
    command += [str(manifest(shelf, tmp_path, **changes)), "--into", str(tmp_path / "bundles")]
    full = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert full.returncode == 70, full.stderr
    assert len(full.stderr.splitlines()) == 1
    assert not (tmp_path / "bundles" / "small").exists()
    assert wrong_files(installed(shelf, tmp_path, **changes)) == []


SHORT_OF_ROOM = """
import resource, signal, sys
from annotator.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""
