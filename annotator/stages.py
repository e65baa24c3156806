"""One bcftools command, run by pysam in a forked process of its own.

pysam holds the GIL during a command, and a crash in htslib must end a stage, not the program. Only
paths and file descriptors made by this package are ever passed.
"""

import multiprocessing
import os
import re
import sys
from pathlib import Path

import pysam
import pysam.bcftools
from pysam.utils import SamtoolsError

from annotator.sandbox import die_with

_FORK = multiprocessing.get_context("fork")
_LOG_BYTES = 65536
_ERROR_LINE = re.compile(
    r"\[E::\w+\] (.+)|Error: (wrong number of fields in .+?, found \d+)"
    r"|Error at \S+:\d+, (the tag .+?)\. Use"
)
_PLACE = re.compile(r" at \S+:\d+")
_WARNINGS = 3  # htslib's usual level: they tell what a header lacks
_COMPLAINT = 200  # characters


class StageFailedError(Exception):
    """A command ended badly; `log` is the end of what it wrote to stderr."""

    def __init__(self, command: str, code: int, log: str) -> None:
        super().__init__(f"bcftools {command} ended with {code}: {log[-500:].strip()}")
        self.code, self.log = code, log

    @property
    def complaint(self) -> str | None:
        """What htslib said of the records, if it was the records, without their place."""
        found = _ERROR_LINE.search(self.log)
        if found is None or self.code < 0:
            return None
        said = found[found.lastindex or 0][:_COMPLAINT]
        return _PLACE.sub("", said).rstrip(".: ")


class Stage:
    """A running command; its descriptors `stdin` and `stdout` belong to it from now on."""

    def __init__(
        self,
        arguments: list[str],
        *,
        log: Path,
        stdin: int | None = None,
        stdout: int | None = None,
        foreign: tuple[int, ...] = (),
    ) -> None:
        self.arguments, self._log = arguments, log
        self._process = _FORK.Process(
            target=_bcftools,
            args=(arguments, log, stdin, stdout, foreign, os.getpid()),
            daemon=True,
        )
        self._process.start()
        for descriptor in (stdin, stdout):
            if descriptor is not None:
                os.close(descriptor)

    def wait(self) -> str:
        """Return the log of a command that succeeded; raise StageFailedError otherwise."""
        self._process.join()
        code = self._process.exitcode or 0
        if code:
            raise StageFailedError(self.arguments[0], code, self.log())
        return self.log()

    def stop(self) -> None:
        """End the command at once, whatever it is doing."""
        self._process.kill()
        self._process.join()

    def log(self) -> str:
        """Return the start of what the command wrote to stderr."""
        with self._log.open("rb") as file:
            return file.read(_LOG_BYTES).decode(errors="replace")


def bare(argument: str) -> str:
    """Return an argument as the provenance tells it: a file without the folders of this machine."""
    return Path(argument).name if argument.startswith("/") else argument


def _bcftools(
    arguments: list[str],
    log: Path,
    stdin: int | None,
    stdout: int | None,
    foreign: tuple[int, ...],
    parent: int,
) -> None:
    die_with(parent)
    for unused in foreign:
        os.close(unused)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    for descriptor, standard in ((stdin, 0), (stdout, 1)):
        if descriptor is not None:
            os.dup2(descriptor, standard)
            os.close(descriptor)
    pysam.set_verbosity(_WARNINGS)  # whoever uses this package may have silenced htslib
    command = getattr(pysam.bcftools, arguments[0])
    try:
        command(*arguments[1:], catch_stdout=False)
    except SamtoolsError as error:  # pysam has kept what the command said for itself
        os.write(2, f"{error}\n".encode())
        sys.exit(1)
