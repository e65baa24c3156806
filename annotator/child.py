"""The one owner of the annotator's process: starts it locked down, watches it, always ends it.

The file it reads is hostile, so the caller's process never opens it with htslib, and a crash, an
endless loop or a memory bomb stays in the child.
"""

import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from annotator.errors import AnnotatorFailed, DiskFull, InputRefused
from annotator.progress import OnProgress, told
from annotator.run import PROVENANCE, partial_folder
from annotator.sandbox import Sandbox
from annotator.signing import sign

EXIT_REFUSED = 2
TICK_SECONDS = 1.0
STDERR_BYTES = 4096
QUOTED = 1500  # characters of it that an AnnotatorFailed tells; they may quote a record
LEAST_FREE = 256 << 20  # bytes that a child must leave on the disk for the others
_ENDED = object()
_ROOT = Path(__file__).resolve().parents[1]


def run(
    source: Path,
    outdir: Path,
    *,
    bundle: Path,
    wall_seconds: int,
    memory_mb: int,
    sandbox: Sandbox = Sandbox.PREFERRED,
    key: Path | None = None,
    workers: int = 1,
    correlation: str = "",
    on_tick: Callable[[], None] | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Annotate `source` into `outdir` in a child process; all of the results or none.

    Raises InputRefused with one sentence for the user, AnnotatorFailed for everything else;
    DiskFull, which is one, when there is too little room to begin with or to go on.
    `on_tick` is called about every second; what it raises ends the child and passes through. The
    kernel also ends the child when the thread that called this ends. `key`, a PEM file, signs the
    provenance; the child never sees it. `on_progress` hears the stage and the fraction of the
    whole that is done, at most once a second or so. `correlation`, hexadecimal digits, names the
    run in its annotation.log.
    """
    limits = ["--memory-mb", str(memory_mb), "--cpu-seconds", str(wall_seconds)]
    options = ["--bundle", str(bundle.absolute()), *limits, "--sandbox", sandbox]
    options += ["--workers", str(workers), "--json"]
    options += ["--correlation", correlation] if correlation else []
    check_disk = partial(_check_disk, outdir.absolute().parent)
    check_disk()
    child = _start(source, outdir, options)
    try:
        checks: list[Callable[[], None]] = [check_disk]
        checks += [on_tick] if on_tick else []
        said = _watch(child, time.monotonic() + wall_seconds, checks, on_progress)
    except _TooLongError:
        raise AnnotatorFailed(f"the annotator was stopped after {wall_seconds} seconds") from None
    finally:
        _end(child)
        shutil.rmtree(partial_folder(outdir.absolute()), ignore_errors=True)
    _judge(child.returncode, said)
    _check_files(outdir)
    if key:
        sign(outdir / PROVENANCE, key)


class _TooLongError(Exception):
    pass


def _start(source: Path, outdir: Path, options: list[str]) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable,
        "-m",
        "annotator",
        "run",
        str(source.absolute()),
        str(outdir.absolute()),
    ]
    try:
        return subprocess.Popen(
            [*command, *options, "--parent", str(os.getpid())],
            cwd=_ROOT,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise AnnotatorFailed(f"the annotator could not be started: {error}") from error


def _watch(
    child: "subprocess.Popen[bytes]",
    deadline: float,
    on_tick: list[Callable[[], None]],
    on_progress: OnProgress | None,
) -> bytes:
    """Wait for the end of the child; return the last bytes it wrote to stderr."""
    said, next_tick = b"", time.monotonic() + TICK_SECONDS
    with _events(child) as selector:
        while True:
            ready = selector.select(max(0.0, min(next_tick, deadline) - time.monotonic()))
            said = (said + _heard(child.stderr))[-STDERR_BYTES:]
            if (report := told(_heard(child.stdout))) and on_progress:
                on_progress(*report)
            if any(key.data is _ENDED for key, _ in ready):
                return said
            if (now := time.monotonic()) >= deadline:
                raise _TooLongError
            if now >= next_tick:
                next_tick = now + TICK_SECONDS
                for check in on_tick:
                    check()


@contextmanager
def _events(child: "subprocess.Popen[bytes]") -> Iterator[selectors.DefaultSelector]:
    """Yield a selector that wakes when the child ends; its pipes are read at every waking."""
    ended = os.pidfd_open(child.pid)
    for pipe in _pipes(child):
        os.set_blocking(pipe.fileno(), False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ, _ENDED)
            yield selector
    finally:
        os.close(ended)


def _heard(pipe: IO[bytes] | None) -> bytes:
    try:
        return os.read(pipe.fileno(), 1 << 16) if pipe else b""  # a pipe holds no more
    except BlockingIOError:
        return b""


def _pipes(child: "subprocess.Popen[bytes]") -> list[IO[bytes]]:
    return [pipe for pipe in (child.stdout, child.stderr) if pipe]


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group; the pid is still ours, for nobody has waited for it yet."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in _pipes(child):
        pipe.close()


def _check_disk(place: Path) -> None:
    disk = os.statvfs(place)
    if disk.f_bavail * disk.f_frsize < LEAST_FREE:
        raise DiskFull(f"the disk is nearly full: less than {LEAST_FREE >> 20} MB are left")


def _check_files(outdir: Path) -> None:
    """Touch nothing that a child which a hostile file took over could have put there instead."""
    odd = [path.name for path in outdir.glob("*") if path.is_symlink() or not path.is_file()]
    if odd or not (outdir / PROVENANCE).exists():
        raise AnnotatorFailed(f"the annotator left no results, or strange ones: {odd}")


def _quotable(said: bytes) -> str:
    """Return the end of what a child said, on one line and without what a terminal would obey."""
    text = " | ".join(said.decode(errors="replace").split("\n"))[-QUOTED:]
    return "".join(letter if letter.isprintable() else "?" for letter in text).strip(" |")


def _judge(code: int, said: bytes) -> None:
    text = said.decode(errors="replace").strip()
    if code == EXIT_REFUSED and text:
        raise InputRefused(text.splitlines()[-1])
    text = _quotable(said)
    if code < 0:
        raise AnnotatorFailed(f"the annotator was ended by {signal.Signals(-code).name}: {text}")
    if code:
        raise AnnotatorFailed(f"the annotator ended with {code}: {text}")
