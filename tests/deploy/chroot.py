"""Releases that are made by the script, and a Debian of its own to install them in."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from gas.env import ROOT
from tests.deploy.machine import said_by

#: What a program in it has of an environment; systemctl is told that it can start nothing there,
#: which it cannot always see by itself.
AROUND = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_OFFLINE=1")
INSTALL = "deploy/machine/install"


@dataclass(frozen=True)
class Release:
    """A release that was made."""

    id: str
    sha256: str
    commit: str
    tarball: Path


@dataclass(frozen=True)
class Chroot:
    """A Debian as a new machine has it."""

    root: Path

    def inside(self, *command: str, user: str = "root") -> list[str | Path]:
        """The command that runs a program in it, with a /proc and nothing of this environment."""
        enter = 'mount -t proc proc "$0/proc" && exec chroot "$@"'
        place: list[str | Path] = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            enter,
            self.root,
            f"--userspec={user}",
            self.root,
        ]
        return [*place, "/usr/bin/env", "-i", *AROUND, *command]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a program in it to its end."""
        return said_by(*self.inside(*command))

    def install(self, release: Release, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the script of a release that is unpacked."""
        return self.run(f"/opt/gas/releases/{release.id}/{INSTALL}", *words)

    def unpack(self, tarball: Path, top: str) -> "subprocess.CompletedProcess[str]":
        """Do what the first start does with a tarball: take its script out, and let it unpack."""
        shutil.copy(tarball, self.root / "tmp/release.tar.gz")
        self.run("tar", "-xzf", "/tmp/release.tar.gz", "-C", "/tmp", f"{top}/{INSTALL}")
        return self.run(f"/tmp/{top}/{INSTALL}", "unpack", "/tmp/release.tar.gz")

    def forget(self) -> None:
        """Take back what a first start has made, so that the next one is the first."""
        shutil.rmtree(self.root / "etc/systemd/system/gas.target.wants", ignore_errors=True)
        (self.root / "opt/gas/current").unlink(missing_ok=True)

    @property
    def current(self) -> str:
        """The release that the link names."""
        return (self.root / "opt/gas/current").readlink().name


def cloned(folder: Path) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("a release is made of a commit, and this is no checkout")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    return folder


def made(checkout: Path, python: Path, folder: Path, **pip: str) -> Release:
    """Make a release with the script, and more variables for pip."""
    extra = folder / "rds-ca.pem"
    extra.write_text("-----BEGIN CERTIFICATE-----\n")
    around = {**os.environ, "PYTHON": str(python), **pip}
    script = checkout / "deploy/machine/release"
    done = said_by(script, folder, extra, env=around)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ") for line in done.stdout.splitlines())
    commit = said_by("git", "rev-parse", "HEAD", cwd=checkout).stdout.strip()
    tarball = folder / f"gas-{told['Release']}.tar.gz"
    return Release(told["Release"], told["ReleaseSha256"], commit, tarball)
