"""The child as a process: however it ends, it ends wholly, and it is told whose fault it was."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from annotator import child
from annotator.bundles import DEMO
from annotator.errors import AnnotatorFailed, DiskFull, InputRefused
from dev.waiting import until
from tests.conformance.warm import left_of

DEADLINE = 60.0


def annotate(
    source: Path, *, wall_seconds: int = 30, on_tick: Callable[[], None] | None = None
) -> None:
    outdir = source.parent / "out"
    child.run(
        source, outdir, bundle=DEMO, wall_seconds=wall_seconds, memory_mb=1024, on_tick=on_tick
    )


def in_place_of_the_program(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have the child run a script that has the results' folder as `out`, instead of the program."""
    start = subprocess.Popen
    folder = "import os, sys; out = sys.argv[1]; os.path.isdir(out) or os.mkdir(out)\n"

    def start_instead(command: list[str], **how: Any) -> "subprocess.Popen[bytes]":
        return start([sys.executable, "-c", folder + script, command[5]], **how)

    monkeypatch.setattr(subprocess, "Popen", start_instead)


WHOLE = "open(out + '/provenance.json', 'w').close()"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("sys.exit(2)", "ended with 2: $"),
        ("sys.exit(3)", "ended with 3: $"),
        ("sys.exit(0)", "left no results"),
        (f"{WHOLE}; os.symlink('/etc/passwd', out + '/summary.json')", "strange ones.*summary"),
        (f"{WHOLE}; os.mkdir(out + '/more')", "strange ones.*more"),
        (f"os.symlink('{__file__}', out + '/provenance.json')", "strange ones.*provenance"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("print('x' * 10**6, 'end', file=sys.stderr); sys.exit(1)", "ended with 1: x{1,1500} end$"),
        ("print('a\\nERROR b\\x1b[31m', file=sys.stderr); sys.exit(1)", r"a \| ERROR b\?\[31m$"),
    ],
)
def test_whatever_is_not_a_refusal_is_our_failure_and_quotes_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    in_place_of_the_program(monkeypatch, script)
    with pytest.raises(AnnotatorFailed, match=told) as failed:
        annotate(tmp_path / "input")
    assert len(str(failed.value)) < 1600


def test_a_refusal_is_the_last_line_that_the_child_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned = "print('warning: x', 'line 3: no.', sep='\\n', file=sys.stderr); sys.exit(2)"
    in_place_of_the_program(monkeypatch, warned)
    with pytest.raises(InputRefused, match=r"^line 3: no\.$"):
        annotate(tmp_path / "input")


def test_a_program_that_cannot_be_started_is_our_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with pytest.raises(AnnotatorFailed, match="could not be started"):
        annotate(tmp_path / "input")


def test_a_child_that_fills_the_disk_is_stopped(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DiskFull, match="disk is nearly full"):
        annotate(endless, on_tick=lambda: monkeypatch.setattr(child, "LEAST_FREE", 1 << 62))
    assert readers(endless) == []


def test_no_child_is_started_where_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_place_of_the_program(monkeypatch, WHOLE)
    monkeypatch.setattr(child, "LEAST_FREE", 1 << 62)
    with pytest.raises(DiskFull, match="disk is nearly full"):
        annotate(tmp_path / "input")
    assert not (tmp_path / "out").exists()


def test_what_a_child_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stays = f"{WHOLE}\nif os.fork() == 0: os.execv(sys.executable, ['annotator', '-c', 'input()'])"
    in_place_of_the_program(
        monkeypatch, stays.replace("'input()'", "'import time; time.sleep(99)'")
    )
    started = list[int]()
    start = child._start

    def remembered(source: Path, outdir: Path, options: list[str]) -> Any:
        process = start(source, outdir, options)
        started.append(process.pid)
        return process

    monkeypatch.setattr(child, "_start", remembered)
    annotate(tmp_path / "input")
    assert left_of(started[0]) == []


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """An input that never comes: whoever opens it waits."""
    path = tmp_path / "endless.vcf"
    os.mkfifo(path)
    return path


def test_a_child_that_takes_too_long_is_stopped(endless: Path) -> None:
    with pytest.raises(AnnotatorFailed, match="stopped after 1 seconds"):
        annotate(endless, wall_seconds=1)
    assert list(endless.parent.iterdir()) == [endless]


def test_a_killed_child_is_our_failure(endless: Path) -> None:
    def kill() -> None:
        for pid in readers(endless):
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(AnnotatorFailed, match="SIGKILL"):
        annotate(endless, on_tick=kill)


def test_what_a_tick_raises_ends_the_child_and_passes_through(endless: Path) -> None:
    def lose_the_lease() -> None:
        raise SystemExit("lease lost")

    with pytest.raises(SystemExit, match="lease lost"):
        annotate(endless, on_tick=lose_the_lease)
    assert readers(endless) == []


def test_a_child_does_not_outlive_its_killed_parent(endless: Path) -> None:
    limits = "bundle=DEMO, wall_seconds=60, memory_mb=512"
    outdir = str(endless.with_name("out"))
    call = f"child.run(Path({str(endless)!r}), Path({outdir!r}), {limits})"
    imports = (
        "from pathlib import Path; from annotator import child; from annotator.bundles import DEMO"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", f"{imports}; {call}"], cwd=root) as parent:
        writer = held_open(endless)
        parent.kill()
        until(lambda: readers(endless) == [], "the end of the child", seconds=DEADLINE)
    os.close(writer)


def held_open(fifo: Path) -> int:
    """Open the writing end once somebody reads, so that the reader waits for ever."""
    descriptors: list[int] = []

    def is_open() -> bool:
        with suppress(OSError):  # nobody reads yet
            descriptors.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        return bool(descriptors)

    until(is_open, "a reader", seconds=DEADLINE)
    return descriptors[0]


def readers(source: Path) -> list[int]:
    """Return the processes that have `source` on their command line and run the annotator."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if str(source).encode() in words and b"annotator" in words:
                found.append(int(entry.name))
    return found
