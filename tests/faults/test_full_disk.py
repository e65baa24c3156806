"""A disk without room for the annotator is never taken for a fault of the file."""

import subprocess
import sys
from pathlib import Path

import pytest

from annotator.bundles import DEMO
from dev.faults import disk
from dev.stack import ROOT
from tests.pipeline.samples import repeated

pytestmark = pytest.mark.skipif(not disk.is_possible(), reason="only root may mount small disks")

_MOUNT = 'mount -t tmpfs -o size="$0" small "$1" && shift && exec "$@"'

#: Annotates with a child that nobody keeps from a full disk, and says what it was told.
_ANNOTATE = """
import sys
from pathlib import Path
from annotator import child
from annotator.errors import AnnotatorFailed
from annotator.sandbox import Sandbox

source, folder, bundle = map(Path, sys.argv[1:])
child.LEAST_FREE = 0
try:
    child.run(source, folder / "results", bundle=bundle, wall_seconds=60, memory_mb=4096,
              sandbox=Sandbox.PREFERRED)
except AnnotatorFailed as failure:
    print("ours:", failure)
print([path.name for path in folder.iterdir()])
"""


@pytest.mark.parametrize("size", ["8k", "64k", "128k"])
def test_an_annotator_that_cannot_write_is_our_fault_and_leaves_nothing(
    tmp_path: Path, size: str
) -> None:
    source, small = tmp_path / "repeated.vcf", tmp_path / "small"
    small.mkdir()
    repeated(source, copies=20)
    program = [sys.executable, "-c", _ANNOTATE, str(source), str(small), str(DEMO)]
    said = subprocess.run(
        ["unshare", "--mount", "sh", "-c", _MOUNT, size, str(small), *program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith("ours: ")
    assert said.endswith("[]\n")
