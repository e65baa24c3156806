"""Children that try to cross each wall, on the real kernel; what it lacks is skipped."""

import json
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from annotator import child, landlock, seccomp
from annotator.bundles import DEMO
from annotator.errors import InputRefused
from annotator.sandbox import Sandbox
from tests.unit.annotator.test_assembly import bundle, sample

ROOT = Path(__file__).parents[2]
EXAMPLE = DEMO / "example.vcf"
SECRET = "nobody may read this"
ABI = landlock.abi()
NEEDS_LANDLOCK = pytest.mark.skipif(ABI == 0, reason="this kernel has no Landlock")
NEEDS_TCP_WALL = pytest.mark.skipif(
    not landlock.walls_off_tcp(ABI), reason="this kernel's Landlock knows no TCP"
)
NEEDS_SCOPES = pytest.mark.skipif(ABI < 6, reason="this kernel's Landlock knows no scopes")
NEEDS_FILTER = pytest.mark.skipif(
    platform.machine() not in {"x86_64", "aarch64"}, reason="no system call filter here"
)

BEHIND = """
import ctypes, os, socket, sys
from pathlib import Path
import pysam
from annotator import landlock, sandbox, seccomp
folder, outside = Path(sys.argv[1]), Path(sys.argv[2])
{without}
places = sandbox.Places(readable=(outside / "reference",), folder=folder)
limits = sandbox.Limits(memory_mb=1024, cpu_seconds=20, processes=20)
walls = sandbox.enter(limits, places=places, sandbox=sandbox.Sandbox.{mode})
try:
    print("done", {attempt})
except (OSError, ValueError) as error:
    print("refused", type(error).__name__)
"""


@pytest.fixture
def scene(tmp_path: Path) -> tuple[Path, Path]:
    """Return the job's folder, and one outside it with a secret and a readable reference."""
    folder, outside = tmp_path / "job" / "folder", tmp_path / "outside"
    folder.mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    (outside / "reference").write_text("ACGT")
    (outside / "other.vcf").write_text(EXAMPLE.read_text())
    (folder / "link").symlink_to(outside / "secret")
    return folder, outside


def attempt(
    scene: tuple[Path, Path], what: str, *, mode: Sandbox = Sandbox.PREFERRED, without: str = ""
) -> str:
    """Try one thing behind the walls, in a process of its own; tell what came of it."""
    script = BEHIND.format(attempt=what, mode=mode.name, without=without)
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, scene)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout.strip() or done.stderr


@NEEDS_LANDLOCK
@pytest.mark.parametrize(
    "what",
    [
        "(outside / 'secret').read_text()",
        "open('/etc/passwd').read()",
        "os.listdir(outside)",
        "(outside / 'new').write_text('x')",
        "(outside / 'reference').write_text('x')",
        "(outside / 'secret').unlink()",
        "os.rename(outside / 'secret', folder / 'secret')",
        "os.link(outside / 'secret', folder / 'secret')",
        "(folder / 'link').read_text()",
        "os.truncate(outside / 'secret', 0)",
        "os.execv('/bin/true', ['true'])",
        "os.mkfifo(folder / 'pipe')",
        "open(f'/proc/{os.getppid()}/environ').read()",
        "next(pysam.VariantFile(str(outside / 'other.vcf')))",
    ],
)
def test_what_is_not_the_jobs_is_out_of_reach(scene: tuple[Path, Path], what: str) -> None:
    said = attempt(scene, what)
    assert said.startswith("refused ")
    assert (scene[1] / "secret").read_text() == SECRET
    assert attempt(scene, what, mode=Sandbox.OFF) != said


@pytest.mark.parametrize(
    "what",
    [
        "(outside / 'reference').read_text()",
        "(folder / 'a').write_text('x') and (folder / 'a').rename(folder / 'b')",
        "(folder / 'c').mkdir() or (folder / 'c').rmdir()",
        "open('/dev/null', 'r+').close()",
        "__import__('wave')",
        "folder.rename(folder.with_name('published'))",
    ],
)
def test_the_jobs_own_work_goes_on(scene: tuple[Path, Path], what: str) -> None:
    assert attempt(scene, what).startswith("done ")


def connecting(port: int) -> str:
    return f"socket.create_connection(('127.0.0.1', {port}), timeout=5)"


@pytest.fixture
def listener() -> "socket.socket":
    return socket.create_server(("127.0.0.1", 0))


@NEEDS_FILTER
@pytest.mark.parametrize("kind", ["AF_INET, socket.SOCK_DGRAM", "AF_UNIX", "AF_INET6"])
def test_no_socket_of_any_kind_can_be_made(scene: tuple[Path, Path], kind: str) -> None:
    assert attempt(scene, f"socket.socket(socket.{kind})") == "refused PermissionError"
    assert attempt(scene, f"socket.socket(socket.{kind})", mode=Sandbox.OFF).startswith("done ")


@pytest.mark.parametrize(
    "without",
    [
        pytest.param("landlock.abi = lambda: 0", marks=NEEDS_FILTER, id="by the filter alone"),
        pytest.param(
            "seccomp.refuse_sockets = lambda: False", marks=NEEDS_TCP_WALL, id="by Landlock alone"
        ),
    ],
)
def test_a_listener_on_this_machine_is_not_reached(
    scene: tuple[Path, Path], listener: socket.socket, without: str
) -> None:
    with listener:
        what = connecting(listener.getsockname()[1])
        assert attempt(scene, what, without=without) == "refused PermissionError"
        assert attempt(scene, what, mode=Sandbox.OFF).startswith("done ")


@NEEDS_FILTER
@pytest.mark.parametrize("what", ["os.setsid()", "os.setpgid(0, 0)"])
def test_nobody_leaves_the_process_group_that_will_be_killed(
    scene: tuple[Path, Path], what: str
) -> None:
    assert attempt(scene, what) == "refused PermissionError"
    assert attempt(scene, what, mode=Sandbox.OFF).startswith("done ")


CALLS = """
import errno, platform
def passed():
    libc, at = ctypes.CDLL(None, use_errno=True), platform.machine() == "aarch64"
    for name, numbers in seccomp.REFUSED.items():
        said = libc.syscall(numbers[at], -1, -1, -1, -1, -1, -1)
        if said >= 0 or ctypes.get_errno() != errno.EPERM:
            yield name
"""
OFTEN_REFUSED = {"mount", "bpf", "perf_event_open", "setns", "unshare"}  # to whom has no power


@NEEDS_FILTER
def test_no_other_process_and_no_interface_of_the_kernel_is_in_reach(
    scene: tuple[Path, Path],
) -> None:
    assert attempt(scene, "*passed()", without=CALLS) == "done"
    in_open_air = attempt(scene, "*passed()", without=CALLS, mode=Sandbox.OFF)
    assert set(in_open_air.split()) >= {"done", *seccomp.REFUSED} - OFTEN_REFUSED


@NEEDS_SCOPES
def test_nobody_outside_gets_a_signal(scene: tuple[Path, Path]) -> None:
    assert attempt(scene, "os.kill(os.getppid(), 0)") == "refused PermissionError"
    assert attempt(scene, "os.kill(os.getppid(), 0)", mode=Sandbox.OFF) == "done None"


def test_the_child_sees_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    seen = list[dict[str, str]]()
    start = subprocess.Popen

    def remember(command: list[str], **how: Any) -> "subprocess.Popen[bytes]":
        seen.append(how["env"])
        return start(command, **how)

    monkeypatch.setattr(subprocess, "Popen", remember)
    child.run(EXAMPLE, tmp_path / "out", bundle=DEMO, wall_seconds=60, memory_mb=1024)
    assert seen == [{"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}]


def test_endless_work_and_endless_output_are_cut_off(scene: tuple[Path, Path]) -> None:
    slow = "sandbox.Limits = lambda **_: limits(memory_mb=1024, cpu_seconds=1, file_mb=2)"
    less = f"limits = sandbox.Limits\n{slow}"
    assert attempt(scene, "[0 for _ in iter(int, 1)]", without=less) == ""  # killed, mid-work
    written = "(folder / 'a').write_bytes(bytes(3 << 20))"
    assert attempt(scene, written, without=less) == "refused OSError"
    assert attempt(
        scene, "resource.getrlimit(resource.RLIMIT_CORE)", without="import resource"
    ) == ("done (0, 0)")


def with_a_ticket(scene: tuple[Path, Path], *, mode: Sandbox) -> str:
    """Have htslib follow a ticket to a local file, as if no check of ours had come before."""
    url = f"file://{scene[1] / 'other.vcf'}"
    ticket = {"htsget": {"format": "VCF", "urls": [{"url": url}]}}
    (scene[0] / "input").write_text(json.dumps(ticket))
    return attempt(scene, "next(pysam.VariantFile(str(folder / 'input'))).chrom", mode=mode)


@NEEDS_LANDLOCK
def test_a_ticket_to_a_local_file_fails_even_without_our_check(scene: tuple[Path, Path]) -> None:
    assert with_a_ticket(scene, mode=Sandbox.OFF) == "done chr16"
    assert with_a_ticket(scene, mode=Sandbox.PREFERRED).startswith("refused ")


BOMB = """
import os, signal
from annotator.sandbox import die_with
def bomb():
    if os.getuid() == 0:  # whom the kernel does not hold to this limit
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    parent = os.getpid()
    while os.fork():
        pass
    die_with(parent)
    signal.pause()
"""


def test_a_fork_bomb_is_bounded(scene: tuple[Path, Path]) -> None:
    assert attempt(scene, "bomb()", without=BOMB) == "refused BlockingIOError"


def test_too_much_memory_too_large_a_file_and_too_many_files_are_refused(
    scene: tuple[Path, Path],
) -> None:
    assert "MemoryError" in attempt(scene, "len(bytearray(2 << 30))")
    many = "len([open(folder / str(n), 'w') for n in range(500)])"
    assert attempt(scene, many) == "refused OSError"
    assert attempt(scene, "os.truncate(os.open(folder / 'a', 65), 1 << 40)") == "refused OSError"


def test_a_kernel_without_the_walls_is_refused_when_they_are_required(
    scene: tuple[Path, Path],
) -> None:
    without = "landlock.abi = lambda: 0\nseccomp.refuse_sockets = lambda: False"
    said = attempt(scene, "1", mode=Sandbox.REQUIRED, without=without)
    assert "this kernel cannot close files and network" in said
    assert attempt(scene, "walls", without=without).startswith(
        "done Walls: files OPEN; network OPEN;"
    )
    assert attempt(scene, "walls.missing", without=without) == "done ['files', 'network']"


@NEEDS_LANDLOCK
@NEEDS_FILTER
def test_a_whole_run_works_behind_required_walls_and_its_log_tells_them(tmp_path: Path) -> None:
    outdir = tmp_path / "out"
    walled = Sandbox.REQUIRED
    child.run(EXAMPLE, outdir, bundle=DEMO, wall_seconds=60, memory_mb=1024, sandbox=walled)
    first = (outdir / "annotation.log").read_text().splitlines()[0]
    assert first.startswith(f"Walls: files Landlock {ABI}; network ")
    assert "OPEN" not in first
    assert json.loads((outdir / "provenance.json").read_text())["walls"] == first


def test_a_run_without_walls_says_so(tmp_path: Path) -> None:
    outdir = tmp_path / "out"
    open_air = Sandbox.OFF
    child.run(EXAMPLE, outdir, bundle=DEMO, wall_seconds=60, memory_mb=1024, sandbox=open_air)
    log = (outdir / "annotation.log").read_text()
    assert log.startswith("Walls: files OPEN; network OPEN;")


def test_the_bundles_beside_the_chosen_one_are_in_reach(tmp_path: Path) -> None:
    """A file that does not fit is told what it looks like, behind the walls too."""
    chosen = bundle(tmp_path / "bundles", "one", "GRCh38", seed=1)
    right = bundle(tmp_path / "bundles", "two", "GRCh37", seed=2)
    (tmp_path / "job").mkdir()
    source, outdir = sample(right, tmp_path / "job"), tmp_path / "job" / "out"
    with pytest.raises(InputRefused, match="looks like GRCh37"):
        child.run(source, outdir, bundle=chosen.folder, wall_seconds=60, memory_mb=1024)
