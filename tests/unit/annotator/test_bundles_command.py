import json
from pathlib import Path
from typing import Any

import pytest

from annotator.__main__ import main
from annotator.bundles import DEMO
from annotator.bundles_command import Bar
from annotator.bundles_install import copy
from annotator.errors import AnnotatorFailed


def test_a_broken_bundle_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy(DEMO, tmp_path)
    for name in ("empty", "half"):
        (tmp_path / name).mkdir()
    (tmp_path / "empty" / "bundle.json").write_text("{}")
    (tmp_path / "half" / "bundle.json").write_text('{"schema": "gas.reference-bundle/1"}')
    assert main(["bundle", "list", str(tmp_path), "--json"]) == 0
    rows = {row["id"]: row["folder"] for row in json.loads(capsys.readouterr().out)}
    assert rows["demo-grch38"] == str(tmp_path / "demo-grch38")
    assert rows["empty"].startswith("broken: ")
    assert rows["half"].startswith("broken: ")
    assert rows["grch38-ensembl115"] == "to be installed"


def test_a_listing_tells_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy(DEMO, tmp_path)
    with_cache = copy(DEMO, tmp_path / "vep")
    content = json.loads((with_cache / "bundle.json").read_text())
    engine = {"engine": {"name": "vep", "cache": "vep", "version": 115}}
    (with_cache / "bundle.json").write_text(json.dumps(content | engine))
    for folder, expected in ((tmp_path, "csq"), (tmp_path / "vep", "VEP 115")):
        assert main(["bundle", "list", str(folder)]) == 0
        (row,) = (r for r in capsys.readouterr().out.splitlines() if r.startswith("demo-grch38"))
        assert row.split("\t")[-2:] == [expected, str(folder / "demo-grch38")]


def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "list", str(tmp_path / "absent")]) == 70
    assert capsys.readouterr().err == f"{tmp_path}/absent is no folder\n"


@pytest.mark.parametrize(
    "edit", [{"id": "../up"}, {"files": {"../../up": {"bytes": 0, "sha256": ""}}}]
)
def test_a_bundle_that_reaches_out_of_its_folder_is_not_copied(
    tmp_path: Path, edit: dict[str, Any]
) -> None:
    hostile = copy(DEMO, tmp_path)
    content = json.loads((hostile / "bundle.json").read_text())
    (hostile / "bundle.json").write_text(json.dumps(content | edit))
    (tmp_path / "up").touch()
    with pytest.raises(AnnotatorFailed):
        copy(hostile, tmp_path / "elsewhere" / "deep")
    assert not (tmp_path / "elsewhere").exists()


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_bar_shows_the_share_and_is_not_redrawn_for_every_block(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    bar = Bar(clock)
    for done in range(0, 5 << 20, 1 << 10):
        bar("genome", done, 10 << 20)
    assert capsys.readouterr().err == "\rgenome   0 % of 10.0 MiB\x1b[K"
    clock.now = 1.0
    bar("genome", 5 << 20, 10 << 20)
    assert capsys.readouterr().err.endswith("\rgenome  50 % of 10.0 MiB\x1b[K")


def test_the_end_of_a_file_is_always_drawn_and_the_next_one_takes_a_new_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = Bar(Clock())
    bar("genome", 1, 2 << 20)
    bar("genome", 2 << 20, 2 << 20)
    bar("preparing genes", 0, None)
    drawn = capsys.readouterr().err
    assert "100 % of 2.0 MiB" in drawn
    assert drawn.endswith("\npreparing genes \x1b[K")


def test_a_file_of_unknown_size_shows_what_came(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Bar(Clock())("genes", 3 << 20, None)
    assert capsys.readouterr().err == "\rgenes 3.0 MiB\x1b[K"
