"""The command line, in a process of its own, as an operator or the worker starts it."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.annotator.samples import row, write

ROOT = Path(__file__).parents[3]


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "annotator", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_good_file_ends_with_zero_and_silence(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_refusal_ends_with_two_and_one_sentence(tmp_path: Path) -> None:
    source = write(tmp_path, "MT\tabc\t.\tG\tA\t.\t.\t.\n")
    done = program("run", str(source), str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (2, "line 3: POS 'abc' is not a number.\n")


def test_control_characters_of_the_input_do_not_reach_the_terminal(tmp_path: Path) -> None:
    source = write(tmp_path, "MT\t\x1b[31mred\t.\tG\tA\t.\t.\t.\n")
    done = program("run", str(source), str(tmp_path / "out"))
    assert done.stderr == "line 3: POS '?[31mred' is not a number.\n"


@pytest.mark.parametrize("arguments", [(), ("run",), ("run", "a", "b", "--memory-mb", "much")])
def test_a_wrong_command_line_is_not_the_inputs_fault(arguments: tuple[str, ...]) -> None:
    assert program(*arguments).returncode == 64


def test_a_missing_bundle_is_ours(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--bundle", str(tmp_path))
    assert done.returncode == 70
    assert not (tmp_path / "out").exists()


def test_a_parent_that_is_not_there_any_more_ends_the_program_at_once(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--parent", str(os.getpid() + 1))
    assert done.returncode == -9
    assert not (tmp_path / "out").exists()


LIMITED = """
import subprocess, sys
from pathlib import Path
from annotator.sandbox import Limits, Places, Sandbox, enter
limits = Limits(memory_mb=512, cpu_seconds=60, file_mb=5, open_files=50)
enter(limits, places=Places((), Path.cwd()), sandbox=Sandbox.OFF)
forked = "import resource as r; print(*(r.getrlimit(getattr(r, name))[1] for name in sys.argv[1:]))"
names = ["RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"]
subprocess.run([sys.executable, "-c", "import sys; " + forked, *names], check=True)
print(Path("/proc/self/status").read_text().split("NoNewPrivs:")[1].split()[0])
"""


def test_the_limits_hold_for_the_process_and_what_it_forks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == [str(512 << 20), "60", str(5 << 20), "50", "0", "1"]
    assert resource.getrlimit(resource.RLIMIT_AS)[1] != 512 << 20


def test_asked_for_json_the_stages_are_told_on_stdout(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["stage"] for report in told] == ["annotate", "write", "done"]
    assert told[-1]["fraction"] == 1.0


@pytest.mark.parametrize("workers", ["0", "65", "two"])
def test_a_wrong_number_of_workers_is_a_wrong_command_line(tmp_path: Path, workers: str) -> None:
    assert program("run", "a", str(tmp_path / "out"), "--workers", workers).returncode == 64
