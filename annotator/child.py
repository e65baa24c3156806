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
from pathlib import Path

from annotator.errors import AnnotatorFailed, InputRefused
from annotator.run import PROVENANCE, partial_folder
from annotator.sandbox import Sandbox
from annotator.signing import sign

EXIT_REFUSED = 2
TICK_SECONDS = 1.0
STDERR_BYTES = 4096
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
    on_tick: Callable[[], None] | None = None,
) -> None:
    """Annotate `source` into `outdir` in a child process; all of the results or none.

    Raises InputRefused with one sentence for the user, AnnotatorFailed for everything else.
    `on_tick` is called about every second; what it raises ends the child and passes through. The
    kernel also ends the child when the thread that called this ends. `key`, a PEM file, signs the
    provenance; the child never sees it.
    """
    limits = ["--memory-mb", str(memory_mb), "--cpu-seconds", str(wall_seconds)]
    options = ["--bundle", str(bundle.absolute()), *limits, "--sandbox", sandbox]
    child = _start(source, outdir, options)
    try:
        said = _watch(child, time.monotonic() + wall_seconds, on_tick)
    except _TooLongError:
        raise AnnotatorFailed(f"the annotator was stopped after {wall_seconds} seconds") from None
    finally:
        _end(child)
        shutil.rmtree(partial_folder(outdir.absolute()), ignore_errors=True)
    _judge(child.returncode, said)
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
    return subprocess.Popen(
        [*command, *options, "--parent", str(os.getpid())],
        cwd=_ROOT,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _watch(
    child: "subprocess.Popen[bytes]", deadline: float, on_tick: Callable[[], None] | None
) -> bytes:
    """Wait for the end of the child; return the last bytes it wrote to stderr."""
    said, next_tick = b"", time.monotonic() + TICK_SECONDS
    with _events(child) as selector:
        while True:
            ready = selector.select(max(0.0, min(next_tick, deadline) - time.monotonic()))
            said = (said + _heard(child))[-STDERR_BYTES:]
            if any(key.data is _ENDED for key, _ in ready):
                return said
            if (now := time.monotonic()) >= deadline:
                raise _TooLongError
            if now >= next_tick:
                next_tick = now + TICK_SECONDS
                if on_tick:
                    on_tick()


@contextmanager
def _events(child: "subprocess.Popen[bytes]") -> Iterator[selectors.DefaultSelector]:
    """Yield a selector that wakes when the child ends; stderr is read at every waking."""
    ended = os.pidfd_open(child.pid)
    os.set_blocking(_stderr(child), False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ, _ENDED)
            yield selector
    finally:
        os.close(ended)


def _heard(child: "subprocess.Popen[bytes]") -> bytes:
    try:
        return os.read(_stderr(child), 1 << 16)  # a pipe holds no more
    except BlockingIOError:
        return b""


def _stderr(child: "subprocess.Popen[bytes]") -> int:
    return child.stderr.fileno() if child.stderr else -1


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group; the pid is still ours, for nobody has waited for it yet."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stderr:
        child.stderr.close()


def _judge(code: int, said: bytes) -> None:
    text = said.decode(errors="replace").strip()
    if code == EXIT_REFUSED and text:
        raise InputRefused(text.splitlines()[-1])
    if code < 0:
        raise AnnotatorFailed(f"the annotator was ended by {signal.Signals(-code).name}: {text}")
    if code:
        raise AnnotatorFailed(f"the annotator ended with {code}: {text}")
