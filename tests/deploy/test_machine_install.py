"""A release made of the commit, installed in a Debian of its own, served, and taken back."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from dev import local_aws, postgres
from dev.check_deploy import PRODUCTION
from dev.children import HOST, end, free_port, is_free, wait_for
from dev.waiting import until
from gas.env import ROOT
from tests.deploy.booted import Booted, booted
from tests.deploy.chroot import INSTALL, Chroot, Release, cloned, made
from tests.deploy.machine import UNITS, cloud_config, lines_of, program, said_by

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1800)]

#: What the image of a machine has beside the packages of its user data, of which awscli is large.
OF_THE_IMAGE = {"systemd", "systemd-sysv"}
#: What a process is told in a chroot, where no unit tells it.
SETTINGS = [f"{name}={value}" for name, value in PRODUCTION.items()]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with pip."""
    folder = tmp_path_factory.mktemp("pip")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin/python"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The commit, without what is being worked on."""
    return cloned(tmp_path / "checkout")


@pytest.fixture(scope="module")
def releases(python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Release, Release]:
    """The release of this commit, and one of a commit after it."""
    folder = tmp_path_factory.mktemp("releases")
    checkout = cloned(folder / "checkout")
    old = made(checkout, python, folder)
    who = ["-c", "user.name=Operator", "-c", "user.email=operator@example.org"]
    next_one = ["git", *who, "commit", "--quiet", "--allow-empty", "-m", "The next one"]
    subprocess.run(next_one, cwd=checkout, check=True)
    subprocess.run(["tar", "-xzf", old.tarball, "-C", folder], check=True)
    wheels = str(folder / f"gas-{old.id}/wheels")  # so that nothing is downloaded twice
    return old, made(checkout, python, folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=wheels)


@pytest.fixture(scope="module")
def machine(
    releases: tuple[Release, Release], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chroot]:
    """A new Debian with both releases unpacked."""
    if os.geteuid() != 0:
        pytest.skip("a chroot needs root")
    root = tmp_path_factory.mktemp("chroot")
    packages = (set(cloud_config()["packages"]) - {"awscli"}) | OF_THE_IMAGE
    subprocess.run(
        [
            program("debootstrap"),
            "--variant=minbase",
            f"--include={','.join(sorted(packages))}",
            "bookworm",
            root,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    root.chmod(0o755)
    made = Chroot(root)
    for release in releases:
        done = made.unpack(release.tarball, f"gas-{release.id}")
        assert done.returncode == 0, done.stderr
    (root / "etc/gas").mkdir()
    (root / "etc/gas/settings.env").write_text("GAS_MODE=production\n")
    yield made
    shutil.rmtree(root)  # more than a gigabyte


def test_a_release_is_its_commit_with_a_checksum(
    releases: tuple[Release, Release], tmp_path: Path
) -> None:
    old, new = releases
    assert old.id != new.id
    assert hashlib.sha256(old.tarball.read_bytes()).hexdigest() == old.sha256
    names = said_by("tar", "-tzf", old.tarball).stdout.splitlines()
    assert {name.partition("/")[0] for name in names} == {f"gas-{old.id}"}
    assert not [name for name in names if "/tests/" in name or "/.git" in name or "/dev/" in name]
    commit = said_by("tar", "-xzOf", old.tarball, f"gas-{old.id}/annotator/COMMIT").stdout.strip()
    assert commit == old.commit


def test_what_is_not_committed_is_no_release(checkout: Path, tmp_path: Path) -> None:
    (checkout / "manage.py").write_text("changed")
    done = said_by(checkout / "deploy/machine/release", tmp_path / "out")
    assert done.returncode == 1
    assert "differs from its commit" in done.stderr


def test_an_unpacked_release_is_whole_and_belongs_to_root(
    machine: Chroot, releases: tuple[Release, Release]
) -> None:
    folder = machine.root / "opt/gas/releases" / releases[0].id
    assert (folder / "staticfiles/staticfiles.json").exists()
    assert not (folder / "wheels").exists()
    others = [
        path for path in folder.rglob("*") if path.lstat().st_uid or path.lstat().st_mode & 0o22
    ]
    assert [path for path in others if not path.is_symlink()] == []
    checked = machine.run(f"/opt/gas/releases/{releases[0].id}/venv/bin/pip", "check")
    assert checked.returncode == 0, checked.stdout


def test_unpacking_twice_changes_nothing(
    machine: Chroot, releases: tuple[Release, Release]
) -> None:
    whole = machine.root / "opt/gas/releases" / releases[0].id / "whole"
    before = whole.stat().st_mtime_ns
    assert machine.unpack(releases[0].tarball, f"gas-{releases[0].id}").returncode == 0
    assert whole.stat().st_mtime_ns == before


def test_a_wheel_that_was_exchanged_is_never_installed(
    machine: Chroot, releases: tuple[Release, Release], tmp_path: Path
) -> None:
    subprocess.run(["tar", "-xzf", releases[0].tarball, "-C", tmp_path], check=True)
    top = (tmp_path / f"gas-{releases[0].id}").rename(tmp_path / "gas-tampered")
    [wheel] = (top / "wheels").glob("django-5*.whl")
    with wheel.open("ab") as file:
        file.write(b"\0")
    subprocess.run(["tar", "-czf", tmp_path / "t.tar.gz", "-C", tmp_path, top.name], check=True)
    done = machine.unpack(tmp_path / "t.tar.gz", top.name)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    refused = machine.install(releases[0], "switch", "tampered")
    assert refused.returncode == 1
    assert "is not unpacked" in refused.stderr


@pytest.mark.parametrize("name", ["../../etc", "", "a/b", "-x", "nowhere"])
def test_no_name_leads_out_of_the_releases(
    machine: Chroot, releases: tuple[Release, Release], name: str
) -> None:
    assert machine.install(releases[0], "switch", name).returncode == 1


def test_a_machine_serves_a_release_then_the_next_then_the_one_before(
    machine: Chroot, releases: tuple[Release, Release]
) -> None:
    old, new = releases
    machine.forget()
    done = machine.install(old, "serve", old.id, "beat", "beat")
    assert done.returncode == 0, done.stderr
    assert machine.current == old.id
    wants = {path.name for path in (machine.root / "etc/systemd/system/gas.target.wants").iterdir()}
    assert wants == {"gas-beat.service", "gas-drain.service", "gas-secrets.timer"}
    assert (machine.root / "etc/gas/rds-ca.pem").exists()
    for to in (new, old):
        done = machine.install(to, "switch", to.id)
        assert done.returncode == 0, done.stderr
        assert machine.current == to.id
    units = [path.name.replace("@.", f"@{old.id}.") for path in UNITS.iterdir() if path.is_file()]
    said = machine.run("systemd-analyze", "verify", "--man=no", *sorted(units))
    assert said.stderr + said.stdout == ""


def test_an_installed_worker_finds_our_modules(
    machine: Chroot, releases: tuple[Release, Release]
) -> None:
    """By the script that the unit names, whose folder is not that of our modules."""
    release = f"/opt/gas/releases/{releases[0].id}"
    [start] = lines_of(UNITS / "gas-worker@.service", "ExecStart")
    celery = start.split()[0].replace("/opt/gas/current", release)
    there = ("/usr/bin/env", f"--chdir={release}", *SETTINGS)
    done = machine.run(*there, celery, "-A", "tasks", "report")
    assert done.returncode == 0, done.stderr
    assert "sqs" in done.stdout


@pytest.fixture
def site(machine: Chroot, releases: tuple[Release, Release], tmp_path: Path) -> Iterator[str]:
    """The site of an installed release as its unit starts it, but for the socket."""
    port, log = free_port(), tmp_path / "site.log"
    release = f"/opt/gas/releases/{releases[0].id}"
    [start] = lines_of(UNITS / "gas-web.service", "ExecStart")
    command = start.replace("/opt/gas/current", release).split()
    options = [f"--chdir={release}", f"--bind={HOST}:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            machine.inside(*SETTINGS, *command, *options, user="gas:gas"),
            stdout=output,
            stderr=output,
        )
    try:
        wait_for("the site", process, lambda: not is_free(port), log, seconds=60)
        yield f"{HOST}:{port}"
    finally:
        end(process)


def test_an_installed_site_answers_the_load_balancer_and_nobody_else_by_http(site: str) -> None:
    """By number and by http, though the site knows one name and sends all others to https."""
    assert asked(site, "/healthz", "10.0.3.7:8000")[0] == 200
    status, location = asked(site, "/login/", "gas.example.org")
    assert (status, location) == (301, "https://gas.example.org/login/")


def asked(site: str, path: str, host: str) -> tuple[int, str | None]:
    """Ask by a name or number; the status, and where it leads."""
    with closing(HTTPConnection(site)) as connection:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.headers["Location"]


#: Of each tier the group of its machine, its unit, and the port on which that answers.
TIERS = {
    "web": ("web", "gas-web.service", 8000),
    "worker": ("annotate", "gas-worker@annotate.service", 8100),
    "beat": ("beat", "gas-beat.service", None),
}


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a machine needs of the world, a database and an AWS: the settings that lead there."""
    aws_folder = tmp_path_factory.mktemp("aws")
    with postgres.running() as database, local_aws.start(aws_folder) as aws:
        settings = aws.environment() | {
            "DATABASE_URL": database.url,
            "GAS_MODE": "local",
            "GAS_SECRET_KEY": "of this test",
        }
        around = {"PATH": os.environ["PATH"], **settings}
        subprocess.run([sys.executable, "-m", "dev.provision"], cwd=ROOT, env=around, check=True)
        yield settings


@pytest.fixture
def started(machine: Chroot, outside: dict[str, str]) -> Iterator[Booted]:
    """The machine as a container of its own, before its first start."""
    settings = "".join(f'{name}="{value}"\n' for name, value in outside.items())
    (machine.root / "etc/gas/settings.env").write_text(settings)
    worker = "WORKER_QUEUES=annotate\nWORKER_CONCURRENCY=1\n"
    (machine.root / "etc/gas/worker-annotate.env").write_text(worker)
    machine.forget()
    with booted(machine.root) as running:
        yield running


@pytest.mark.parametrize("tier", TIERS)
def test_the_units_run_as_systemd_walls_them_and_move_to_the_next_release(
    started: Booted, releases: tuple[Release, Release], tier: str
) -> None:
    group, unit, port = TIERS[tier]
    if port and not is_free(port):
        pytest.skip(f"the port {port} of a machine is taken here")
    old, new = (release.id for release in releases)
    script = f"/opt/gas/releases/{old}/{INSTALL}"
    done = started.run(script, "serve", old, tier, group)
    assert done.returncode == 0, done.stderr
    assert started.main_process(unit) >= {"NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t" + 16 * "0"}
    assert started.run("gas-manage", "check").returncode == 0
    assert started.run("gas-manage", "no-such-command").returncode != 0
    done = started.run(script, "switch", new)
    assert done.returncode == 0, done.stderr
    until(lambda: started.place(unit) == f"/opt/gas/releases/{new}", "the next", seconds=120)
    failed = started.run("systemctl", "list-units", "--failed", "--no-legend", "gas-*")
    assert failed.stdout == ""
    log = started.run("cat", f"/var/log/gas/{unit.removesuffix('.service')}.log")
    assert '"level": "error"' not in log.stdout
