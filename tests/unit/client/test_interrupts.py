"""Ctrl-C, whenever it comes: exit code 130, one line, no traceback; a process of its own each."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path

import pytest

import gas_client
from gas_client import start

ROOT = Path(__file__).resolve().parents[3]

Begin = Callable[..., subprocess.Popen[str]]

#: A library that is imported, and not before somebody has interrupted.
SLOW = """
import signal
print("reached", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Tests that a shell runs in the background ignore Ctrl-C, and would hand that on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def begin(home: Path) -> Iterator[Begin]:
    """Begin a program; all are ended with the test."""
    begun: list[subprocess.Popen[str]] = []
    path = os.pathsep.join([str(home / "early"), str(ROOT), str(ROOT / "client")])

    def do(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield do
    for process in begun:
        process.kill()
        process.communicate()


def reaches(process: subprocess.Popen[str], moment: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{moment}\n"


def interrupted(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    more = out.replace("reached\n", "")  # which each of several threads tells
    assert (process.returncode, more, err) == (130, "", f"{start.WORDS}\n")


@pytest.mark.parametrize("library", ["httpx", "click"])
def test_while_libraries_are_imported(begin: Begin, home: Path, library: str) -> None:
    (home / "early").mkdir()
    (home / "early" / f"{library}.py").write_text(SLOW)
    process = begin("-m", "gas_client", "whoami")
    reaches(process, "reached")
    interrupted(process)


@pytest.mark.parametrize(
    ("moment", "command"),
    [
        ("/me", ["whoami"]),
        ("PUT", ["submit", "trio.vcf"]),
        ("rest", ["status", "7", "--wait"]),
        ("GET.*storage", ["download", "7", "--kind", "vcf"]),
    ],
    ids=["asking", "uploading", "waiting", "downloading"],
)
def test_while_a_command_is_at_work(
    begin: Begin, file: Path, moment: str, command: list[str]
) -> None:
    process = begin("-m", "tests.unit.client.halting", moment, *command)
    reaches(process, "reached")
    interrupted(process)


def test_a_second_time_while_things_are_closed(begin: Begin) -> None:
    process = begin("-m", "tests.unit.client.halting", "clinging /me", "whoami")
    reaches(process, "reached")
    process.send_signal(signal.SIGINT)
    reaches(process, "closing")
    interrupted(process)


def test_whoever_started_the_command_may_have_it_ignored(begin: Begin) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for `gas ... &`
    try:
        process = begin("-m", "tests.unit.client.halting", "/me", "whoami")
    finally:
        signal.signal(signal.SIGINT, before)
    reaches(process, "reached")
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)


def test_the_module_has_every_name_that_it_promises_and_imports_none_before() -> None:
    assert all(hasattr(gas_client, name) for name in gas_client.__all__)
    assert set(dir(gas_client)) == set(gas_client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        attrgetter("Nothing")(gas_client)
    script = "import sys, gas_client.start; print(*{'httpx', 'click', 'tqdm'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "client", capture_output=True, check=True
    )
    assert done.stdout == b"\n"
