"""The walls of the units let the service do all its work, and build the annotator's own walls."""

import ctypes.util
import errno
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from annotator import landlock
from dev.demo import SAMPLE, TIMERS, Demo
from dev.stack import Ports, Stack
from gas.env import ROOT
from tests.deploy.machine import program, said_by

WALLED = [sys.executable, "-m", "tests.deploy.walls"]
BUNDLE = SAMPLE.parent

#: What is refused behind the walls, as Python says it.
REFUSED = {
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": errno.EAFNOSUPPORT,
    "mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)": errno.EPERM,
    "os.chown('.', 0, 0)": errno.EPERM,
    "os.setgroups([])": errno.EPERM,
    "os.chroot('.')": errno.EPERM,
    "os.nice(0)": errno.EPERM,
}


@pytest.fixture(autouse=True)
def walls_can_be_built() -> None:
    """Where they cannot, the test is skipped and says so."""
    program("systemd-analyze")
    if ctypes.util.find_library("seccomp") is None:
        pytest.skip("libseccomp is not installed; systemd brings it")


@pytest.mark.parametrize("call", REFUSED)
def test_the_walls_stand(call: str) -> None:
    asked = f"import mmap, os, socket\ntry: {call}\nexcept OSError as error: print(error.errno)"
    done = said_by(*WALLED, sys.executable, "-c", asked, cwd=ROOT)
    assert done.stdout.strip() == str(REFUSED[call]), done.stderr


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_the_annotator_raises_all_its_walls_within_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*WALLED, sys.executable, "-m", "annotator", "run", "--sandbox", "required"]
    done = said_by(*command, SAMPLE, out, "--bundle", BUNDLE, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    walls = json.loads((out / "provenance.json").read_text())["walls"]
    assert "OPEN" not in walls


@dataclass
class WalledStack(Stack):
    """The service, where our processes run behind the walls; the stand-ins do not."""

    def command(self, name: str) -> list[str]:
        """The command of a process, behind the walls."""
        plain = super().command(name)
        return plain if name in {"globus", "stripe"} else [*WALLED, *plain]


@pytest.mark.deploy
@pytest.mark.stack
@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_the_whole_service_works_within_them(tmp_path: Path) -> None:
    settings = TIMERS | {"GAS_SANDBOX": "required"}
    stack = WalledStack(tmp_path / "stack", Ports.free(), settings)
    try:
        Demo(stack, tmp_path / "results").run()
    finally:
        stack.stop()
    assert (tmp_path / "results/annotated.vcf.gz").stat().st_size
