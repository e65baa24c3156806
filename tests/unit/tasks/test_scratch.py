import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tasks.scratch import PREFIX, YOUNG, remove_left, scratch_folder

HOLDS = """
from tasks.scratch import scratch_folder
with scratch_folder() as folder:
    print(folder, flush=True)
    input()
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def aged(folder: Path) -> None:
    (folder / "input").write_text("x")
    os.utime(folder, (0, folder.stat().st_mtime - YOUNG - 1))


def test_a_folder_goes_with_its_job() -> None:
    with scratch_folder() as folder:
        (folder / "input").write_text("x")
    assert not folder.exists()


def test_a_folder_that_is_held_is_left_alone_and_that_of_a_killed_process_removed(
    tmp_path: Path,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        folder = Path(holder.stdout.readline().strip())
        aged(folder)
        remove_left()
        assert (folder / "input").exists()
        holder.kill()
        holder.wait()
        remove_left()
        assert not folder.exists()


def test_what_is_young_or_not_a_folder_of_ours_stays(tmp_path: Path) -> None:
    young, other, aim = tmp_path / f"{PREFIX}young", tmp_path / "gas-other", tmp_path / "aim"
    link = tmp_path / f"{PREFIX}link"
    for folder in (young, other, aim):
        folder.mkdir()
    aged(other)
    aged(aim)
    link.symlink_to(aim)
    remove_left()
    assert {path.name for path in tmp_path.iterdir()} == {p.name for p in (young, other, aim, link)}
    assert (aim / "input").exists()
